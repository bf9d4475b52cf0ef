#!/usr/bin/env bash
# Installs what the tests need and Go does not bring: the server of PostgreSQL,
# whose own logs and sessions the tests read, and jq, with which docs/plan.md says how
# to compute a digest by hand. Does nothing where they are there.
# Makes no cluster and starts no server: the tests run their own.
#
# Works on Debian and its kin, as root or with sudo.
set -euo pipefail

if compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && command -v jq >/dev/null; then
	exit 0
fi
if ! command -v apt-get >/dev/null; then
	echo "install-test-deps: PostgreSQL's server or jq is absent, and there is no apt-get to install it" >&2
	exit 1
fi
as_root=$([ "$(id -u)" -eq 0 ] || echo sudo)

# Debian's package makes a cluster and starts it unless told not to.
config=/etc/postgresql-common/createcluster.conf
if [ ! -e "$config" ]; then
	$as_root mkdir -p "$(dirname "$config")"
	echo 'create_main_cluster = false' | $as_root tee "$config" >/dev/null
fi
echo "install-test-deps: installing Debian's postgresql and jq"
$as_root apt-get update -q
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
	-o Dpkg::Options::=--force-confold postgresql jq
