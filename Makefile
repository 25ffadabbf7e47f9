# make help lists the targets. Everything but web, browser and interop works with Go alone.

GO ?= go
LINT_VERSION := v2.15.0
# The race detector needs cgo and so a C compiler.
CC_FOUND := $(shell command -v $${CC:-cc} 2>/dev/null)
RACE := $(if $(CC_FOUND),-race,)

.PHONY: help build test lint bench web browser interop cross

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## ./patchbay, small and static
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags="-s -w" -o patchbay ./cmd/patchbay

test: ## vet and all tests, with the race detector where a C compiler is there
	@echo "race detector: $(if $(RACE),on ($(CC_FOUND)),off, because there is no C compiler)"
	$(GO) vet ./...
	$(GO) test $(RACE) -timeout 30m ./...

lint: ## golangci-lint with the rules of .golangci.yml
	@command -v golangci-lint >/dev/null || { echo "golangci-lint is missing: $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)"; exit 1; }
	golangci-lint run ./...

bench: ## all benchmarks once, with allocations
	$(GO) test -run '^$$' -bench . -benchtime 200ms -benchmem ./...

cross: ## build for every platform that is promised; on those the tests compile too
	@set -e; for p in linux/amd64 linux/arm64 linux/arm windows/amd64 darwin/amd64 darwin/arm64; do \
		echo "  $$p"; CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} GOARM=7 $(GO) build -trimpath -ldflags="-s -w" -o /dev/null ./cmd/patchbay; done
	@set -e; for os in windows darwin; do echo "  tests for $$os"; CGO_ENABLED=0 GOOS=$$os GOARCH=amd64 $(GO) vet ./...; done

web: ## build the page into web/dist, which is committed
	cd web && npm ci --no-audit --no-fund && npm run build

browser: ## drive the page with Chromium
	cd web && npm ci --no-audit --no-fund && npm run browser

interop: ## run programs that are not ours against this one; a missing one is skipped, except with CI=true
	@command -v npm >/dev/null && (for d in internal/cli/testdata/peers protocol/atem/atemsim/testdata/atem-connection; do (cd $$d && npm ci --no-audit --no-fund --loglevel=error) || exit 1; done) || echo "npm is missing: the peers that are npm packages are skipped"
	$(GO) test -count=1 -timeout 30m -run Interop -v ./internal/cli ./internal/lab/... ./protocol/atem/... ./protocol/secretstream ./protocol/fc2/...
