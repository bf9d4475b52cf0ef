#!/usr/bin/env bash
# Azure's own command line against the local Azure: az signs in, lists servers,
# makes and deletes firewall rules on single and flexible servers, and at last
# closes the door of a single server with the very command that the rule
# mhu-w8j-px0 tells people to run, while `postern scan` watches it go from fail
# to pass. In between, postern closes two doors by a plan and takes it back, and az
# confirms both.
#
# Installs Debian's azure-cli where az is absent (as root, or with sudo). Uses a
# configuration of its own: nobody's az login is touched. POSTERN names a built
# binary to use instead of building one.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v az >/dev/null; then
	echo "acceptance: az is absent, installing Debian's azure-cli"
	as_root=$([ "$(id -u)" -eq 0 ] || echo sudo)
	$as_root apt-get update -q
	$as_root apt-get install -y -q --no-install-recommends azure-cli
fi

work=$(mktemp -d)
sim_pid=
# shellcheck disable=SC2317  # called by the trap
cleanup() {
	if [ -n "$sim_pid" ]; then
		kill "$sim_pid" 2>/dev/null || true
		wait "$sim_pid" 2>/dev/null || true
	fi
	rm -rf "$work"
}
trap cleanup EXIT

postern=${POSTERN:-}
if [ -z "$postern" ]; then
	postern=$work/postern
	go build -o "$postern" ./cmd/postern
fi

cat >"$work/estate.yaml" <<'ESTATE'
version: postern.estate/v1
subscriptions:
  - id: acce0001-0000-4000-8000-000000000001
    name: acceptance
    servers:
      - kind: single
        name: billing-db
        resource_group: shop
        location: westeurope
        firewall_rules:
          - {name: AllowAllAzureIps, start: 0.0.0.0, end: 0.0.0.0}
          - {name: office, start: 203.0.113.8, end: 203.0.113.15}
      - kind: flexible
        name: orders-db
        resource_group: shop
        location: West Europe
        version: "14"
        firewall_rules:
          - {name: office, start: 203.0.113.8, end: 203.0.113.15}
      - kind: citus
        name: metrics-db
        resource_group: analytics
        location: westeurope
        nodes: 2
        firewall_rules:
          - {name: office, start: 203.0.113.8, end: 203.0.113.15}
ESTATE

"$postern" sim --listen 127.0.0.1:0 --tls --cert-out "$work/cert.pem" --estate "$work/estate.yaml" \
	>"$work/sim.out" 2>&1 &
sim_pid=$!
url=
for _ in $(seq 100); do
	url=$(grep -o 'https://127\.0\.0\.1:[0-9]*' "$work/sim.out" | head -n 1 || true)
	[ -n "$url" ] && break
	if ! kill -0 "$sim_pid" 2>/dev/null; then
		echo "acceptance: the local Azure did not start:"
		cat "$work/sim.out"
		exit 1
	fi
	sleep 0.1
done

export AZURE_CONFIG_DIR=$work/az AZURE_CORE_COLLECT_TELEMETRY=no AZURE_CORE_NO_COLOR=yes
export REQUESTS_CA_BUNDLE=$work/cert.pem # for az
export SSL_CERT_FILE=$work/cert.pem      # for postern
export AZURE_ACCESS_TOKEN=acceptance

passed=0 failed=0
# check NAME COMMAND... runs the command and counts how it went.
check() {
	local name=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		passed=$((passed + 1))
		echo "ok      $name"
	else
		failed=$((failed + 1))
		echo "FAILED  $name"
		sed 's/^/        /' "$work/out"
	fi
}

# says WANT COMMAND... wants the command to succeed and to print just that.
says() {
	local want=$1 got
	shift
	got=$("$@" | tr '\n' ' ' | sed 's/ *$//')
	if [ "$got" != "$want" ]; then
		printf 'got  %s\nwant %s\n' "$got" "$want"
		return 1
	fi
}

# scan WANT_EXIT WANT_VERDICT scans, and compares the exit code and the verdict
# on the single server.
scan() {
	local code=0 got
	"$postern" scan --cloud "$url" --rule mhu-w8j-px0 --format json >"$work/scan.json" || code=$?
	got=$(python3 - "$work/scan.json" <<'PYTHON'
import json, sys
findings = json.load(open(sys.argv[1]))["findings"]
print(*[f["verdict"] for f in findings if f["resource"]["name"] == "billing-db"])
PYTHON
	)
	if [ "$code" != "$1" ] || [ "$got" != "$2" ]; then
		printf 'got  exit %s, billing-db: %s\nwant exit %s, billing-db: %s\n' "$code" "$got" "$1" "$2"
		cat "$work/scan.json"
		return 1
	fi
}

register() {
	az cloud register -n postern-sim --endpoint-resource-manager "$url" --endpoint-management "$url" \
		--endpoint-active-directory "$url/adfs" --endpoint-active-directory-resource-id "$url/" \
		--endpoint-active-directory-graph-resource-id "$url/" &&
		az cloud set -n postern-sim
}

single=(--resource-group shop --server-name billing-db)
flexible=(--resource-group shop --name orders-db)
lab=(--start-ip-address 198.51.100.1 --end-ip-address 198.51.100.9)
single_rules=(az postgres server firewall-rule list "${single[@]}" --query '[].name' -o tsv)
flexible_rules=(az postgres flexible-server firewall-rule list "${flexible[@]}" --query '[].name' -o tsv)

check "az takes the local Azure for a cloud" register
check "az signs in" az login --service-principal -u app -p secret --tenant adfs --allow-no-subscriptions
check "az lists the subscription" says acceptance az account list --query '[].name' -o tsv
check "az lists single servers" says billing-db az postgres server list --query '[].name' -o tsv
check "az lists flexible servers" says orders-db az postgres flexible-server list --query '[].name' -o tsv

check "az lists rules of a single server" says "AllowAllAzureIps office" "${single_rules[@]}"
check "az makes a rule on a single server" \
	says 198.51.100.9 az postgres server firewall-rule create "${single[@]}" --name lab "${lab[@]}" --query endIpAddress -o tsv
check "the rule is there" says "AllowAllAzureIps office lab" "${single_rules[@]}"
check "az deletes it" az postgres server firewall-rule delete "${single[@]}" --name lab --yes
check "the rule is gone" says "AllowAllAzureIps office" "${single_rules[@]}"

check "az lists rules of a flexible server" says office "${flexible_rules[@]}"
check "az makes a rule on a flexible server" says 198.51.100.9 \
	az postgres flexible-server firewall-rule create "${flexible[@]}" --rule-name lab "${lab[@]}" --query endIpAddress -o tsv
check "the rule is there" says "office lab" "${flexible_rules[@]}"
check "az deletes it" az postgres flexible-server firewall-rule delete "${flexible[@]}" --rule-name lab --yes
check "the rule is gone" says office "${flexible_rules[@]}"

# state writes what az sees of both firewalls: everything, in the order of names.
state() {
	az postgres server firewall-rule list "${single[@]}" --query 'sort_by([],&name)' -o json >"$1" &&
		az postgres flexible-server firewall-rule list "${flexible[@]}" --query 'sort_by([],&name)' -o json >>"$1"
}
# names wants exactly these rules on the single and on the flexible server.
names() {
	says "$1" az postgres server firewall-rule list "${single[@]}" --query 'sort([].name)' -o tsv &&
		says "$2" az postgres flexible-server firewall-rule list "${flexible[@]}" --query 'sort([].name)' -o tsv
}
fix() {
	"$postern" fix "$@" --cloud "$url" --journal "$work/journal"
}
echo "198.51.100.20 shop" >"$work/keep"

check "az opens the door of the flexible server" az postgres flexible-server firewall-rule create "${flexible[@]}" \
	--rule-name not-a-door --start-ip-address 0.0.0.0 --end-ip-address 0.0.0.0
check "az writes down what is there" state "$work/before.json"
check "postern plans to close both doors" "$postern" fix plan billing-db orders-db --cloud "$url" \
	--keep listed --keep-list "$work/keep" -o "$work/plan.json"
check "postern applies the plan" fix apply "$work/plan.json" --yes
check "az sees the narrow rules and no door" names "office postern-keep-shop-198-51-100-20" "office postern-keep-shop-198-51-100-20"
check "postern undoes it" fix undo "$(ls "$work/journal" 2>/dev/null | sed -n 's/\.jsonl$//p')" --yes
check "az writes down what is there" state "$work/after.json"
check "az sees exactly what was there before" diff "$work/before.json" "$work/after.json"
check "az closes the door of the flexible server" az postgres flexible-server firewall-rule delete "${flexible[@]}" --rule-name not-a-door --yes

check "postern scan fails the single server" scan 3 fail
check "the rule's own command closes the door" \
	az postgres server firewall-rule delete --name AllowAllAzureIps --resource-group shop --server-name billing-db --yes
check "az no longer sees the door" says office "${single_rules[@]}"
check "postern scan passes the single server" scan 0 pass

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
