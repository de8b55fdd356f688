# Each check's command is here; .ci/run says which of them CI runs, and in what order.

GO   ?= go
LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# How often race repeats each test, and how long fuzz works on each target:
# a time (30s) or a number of inputs (20000x).
COUNT    ?= 20
FUZZTIME ?= 30s

# How many runs simulate makes.
SEEDS ?= 2000

# How many random histories of the limiter are audited.
HISTORIES ?= 1000000

# What a user's program links in, and the modules it may bring along.
LIBRARY := ./policy ./limiter ./limiter/registry ./queue ./headers
MODULES := github.com/wapace/wapace golang.org/x/time github.com/dunglas/httpsfv

.PHONY: help check test race histories cover bench bench-json bench-go bench-once fuzz simulate mutants 32bit example nested fmt fmt-check tidy vet lint deps

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "%-11s %s\n", $$1, $$2}' Makefile

check: ## run everything that CI runs
	@bash .ci/run

test: ## run the tests
	$(GO) test ./...

race: ## run the tests COUNT times, shuffled, under the race detector
	$(GO) test -race -shuffle=on -count=$(COUNT) -timeout 60m ./...

histories: ## play HISTORIES random histories of the limiter and audit each
	$(GO) test -run '^TestTracesKeepEveryPolicy$$' -timeout 30m ./limiter -histories $(HISTORIES)

cover: ## say how much of the library the tests reach
	$(GO) test -coverpkg=./... -coverprofile=cover.out ./...
	$(GO) tool cover -func=cover.out

bench: ## compare with other limiters, in one table
	@$(GO) -C internal/benchmarks run .

bench-json: ## compare with other limiters, one JSON object a line
	@$(GO) -C internal/benchmarks run . -json

bench-go: ## run the library's own benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

bench-once: ## run each benchmark once, so that none rots
	$(GO) test -run '^$$' -bench . -benchtime 1x ./...

fuzz: ## fuzz every target for FUZZTIME
	@set -eu; listed=$$($(GO) test -list '^Fuzz' ./...); \
	targets=$$(echo "$$listed" | awk '/^Fuzz/ {names[++n] = $$1} \
		/^ok/ {for (i = 1; i <= n; i++) print $$2, names[i]; n = 0}'); \
	test -n "$$targets" || { echo "fuzz: found no target"; exit 1; }; \
	echo "$$targets" | while read -r package name; do \
		echo "$$name in $$package"; \
		$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null; \
	done

simulate: ## send under SEEDS runs of failures, and audit each
	$(GO) test -count=1 -run '^TestSimulate' ./queue -seeds $(SEEDS)

mutants: ## break the library on purpose, and hold that the simulator notices
	@$(GO) run ./internal/mutants -seeds 2000

32bit: ## run the tests as a 32-bit program
	@bash .ci/32bit

example: ## run the examples on their test data and count what comes out
	@bash .ci/example

nested: ## test every module nested in this one
	@set -eu; for mod in $$(git ls-files --cached --others --exclude-standard '*/go.mod'); do \
		dir=$$(dirname "$$mod"); echo "$$dir"; \
		$(GO) -C "$$dir" vet ./...; \
		$(GO) -C "$$dir" test ./...; \
	done

fmt: ## format the code
	gofmt -l -w .

fmt-check: ## fail if gofmt would change a file
	@files=$$(gofmt -l .) || exit 1; test -z "$$files" || { echo "make fmt would change:"; echo "$$files"; exit 1; }

tidy: ## fail if go mod tidy would change go.mod or go.sum
	$(GO) mod tidy -diff

vet: ## run go vet, also as for a 32-bit program
	$(GO) vet ./...
	GOOS=linux GOARCH=386 $(GO) vet ./...

lint: ## run the linters of .golangci.yml
	$(GO) run $(LINT) run ./...

deps: ## fail if the library would bring a user more than MODULES
	@set -eu; linked=$$($(GO) list -deps -f '{{with .Module}}{{.Path}}{{end}}' $(LIBRARY)); \
	for module in $$(echo "$$linked" | sort -u); do \
		case " $(MODULES) " in *" $$module "*) ;; *) echo "deps: the library links $$module"; exit 1 ;; esac; \
	done
