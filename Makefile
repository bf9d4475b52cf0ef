# Postern's chores. `make test` is the one that must pass everywhere.
GO ?= go
LINT = $(GO) tool -modfile=tools/go.mod golangci-lint

.PHONY: build test lint docs docs-check bench acceptance fuzz clean

build: ## a static binary in bin/
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/postern ./cmd/postern

test: ## everything, with the race detector, fuzz seeds included
	./scripts/install-test-deps.sh
	$(GO) vet ./...
	$(GO) test -race -timeout 20m ./...

lint: ## style, and the architecture of docs/architecture.md
	$(LINT) run ./...

docs: ## regenerate what is generated from the code
	$(GO) generate ./...

docs-check: docs ## fail when a generated file was not regenerated
	@test -z "$$(git status --porcelain -- docs)" || { git --no-pager diff -- docs; git status --short -- docs; echo "generated files have drifted: run 'make docs' and commit"; exit 1; }

bench: ## the numbers of docs/numbers.md
	$(GO) test -run '^$$' -bench . -benchmem -timeout 60m ./...

fuzz: ## every fuzz test for a while (FUZZTIME=30s)
	./scripts/fuzz.sh

acceptance: ## Azure's own CLI against the local Azure (installs Debian's azure-cli if absent)
	./scripts/acceptance.sh

clean:
	rm -rf bin dist
