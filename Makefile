# House commands of swift-agent-sessions. `make` alone lists them.
# Needs GNU make, a POSIX shell and Swift 6.2 or later. Goes to the network for the Swift packages that this one
# depends on and, with apt, for what `deps` finds missing.

# Which backends are built: every Swift command below takes this, so that all of them see the same package.
# A backend that needs a library of its own adds its trait here and its Debian package to SYSTEM_PACKAGES.
TRAITS := --traits SQLite,LMDB,Postgres
SYSTEM_PACKAGES := libsqlite3-dev liblmdb-dev libpq-dev
# What the tests need besides: a server to start, and the pooler that stands before many.
TEST_PACKAGES := postgresql pgbouncer

SWIFT := swift
# SwiftPM 6.3 hands the traits to the compiler in the order of a Set, which every process hashes with another seed: with
# that order the arguments change, and with them everything is compiled again after each change between debug and
# release. Only for what builds in .build: tests keep orders that vary.
STEADY := SWIFT_DETERMINISTIC_HASHING=1 $(SWIFT)
BUILD := $(STEADY) build $(TRAITS)
# A package of its own, which alone needs swift-syntax.
MUTATION = $(SWIFT) $(1) --package-path Conformance/Mutation --scratch-path .build-mutation/tool
# `make coverage` fails when fewer lines of Sources/ than this were run, in percent.
COVERAGE_MINIMUM := 97
# Where `make docs` makes pages for.
DOC_TARGETS := AgentSessions AgentSessionsJSON AgentSessionsMemory AgentSessionsSQLite AgentSessionsLMDB \
    AgentSessionsPostgres AgentSessionsBackends AgentSessionsConformance AgentSessionsConformanceTesting \
    AgentSessionsBenchmarks
# Further arguments for `swift test`, such as ARGS='--filter ULID', for `bench` and for the program of bench-commit.
ARGS :=

# Tests at one moment, where `swift test` lets it be chosen: it starts all of them otherwise, and then those with bounds
# on time wait for hundreds of others.
WIDTH = $(shell $(SWIFT) test --help-hidden 2>/dev/null | grep -q 'maximum-parallelization-width' && \
    echo --experimental-maximum-parallelization-width 6)

# What `format` and `lint` read: of these, the ones that exist.
SWIFT_SOURCES := $(wildcard Package.swift Sources Tests Benchmarks Conformance Examples)

# A crash is to end the run at once; the backtracer of Swift can outlive the process that it looks at. SANITIZER tells
# the tests, a few of which cannot run under one. One test at a time: several share two cores so badly at a tenth of the
# speed that waits with a bound reach it, and each test that is about threads has its own.
SANITIZER_ENVIRONMENT := SWIFT_BACKTRACE=enable=no SANITIZER=1
# What lets Thread Sanitizer see locks of Swift's Mutex that tasks meet at; built by `test-tsan`.
LOCK_EVENTS := .build-tsan/tsan_mutex.so
MEMORY_OPTIONS := ASAN_OPTIONS=suppressions=$(CURDIR)/Scripts/asan.supp \
    LSAN_OPTIONS=suppressions=$(CURDIR)/Scripts/lsan.supp:print_suppressions=0

.DEFAULT_GOAL := help
# One recipe at a time: the Swift package manager locks its build folder.
.NOTPARALLEL:

.PHONY: help deps test-deps build demo conformance mutation mutation-test test test-tsan test-asan soak-verify format lint \
    coverage docs clean bench bench-scale bench-pgbench bench-commit

help: ## list these commands
	@echo 'make COMMAND, where COMMAND is one of'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

deps: ## install the system packages that are missing
	@sh Scripts/deps.sh $(SYSTEM_PACKAGES)

test-deps: ## install the system packages that are missing, and the servers that the tests start
	@sh Scripts/deps.sh $(SYSTEM_PACKAGES) $(TEST_PACKAGES)

build: deps ## debug build of everything
	$(BUILD)

demo: deps ## build the tool for release and do the main job on sample conversations
	@echo '==> release build of agent-sessions'
	$(BUILD) -c release --product agent-sessions
	@TOOL='$(CURDIR)/.build/release/agent-sessions' sh Scripts/demo.sh

conformance: test-deps ## prove that every backend keeps the contract; a page with all of them side by side
	$(BUILD) -c release --product agent-sessions
	$(BUILD) -c release --product conformance-selftest
	@echo '==> wrong stores, each of which the scenarios of its rule must catch'
	.build/release/conformance-selftest
	@TOOL='$(CURDIR)/.build/release/agent-sessions' sh Scripts/conformance.sh $(ARGS)

mutation: deps ## make small mistakes in the stores, one at a time, and see which the kit finds
	@$(call MUTATION,build) --quiet
	.build-mutation/tool/debug/mutate --check --report .build-mutation/report.json $(ARGS)

mutation-test: ## run the tests of what `mutation` is made with
	$(call MUTATION,test)

test: test-deps ## build and run all tests
	@echo '==> building a package outside this one that wants SQLite alone'
	@sh Scripts/outside-package.sh
	@echo "==> proving a backend outside this package with the conformance kit"
	@sh Scripts/outside-conformance.sh
	@echo '==> building the tests'
	$(BUILD) --build-tests
	@echo '==> running the tests'
	$(SWIFT) test $(TRAITS) --skip-build --parallel $(WIDTH) $(ARGS)

test-tsan: test-deps ## run the tests under Thread Sanitizer
	@mkdir -p $(dir $(LOCK_EVENTS))
	clang -shared -fPIC -O1 -o $(LOCK_EVENTS) Scripts/tsan_mutex.c
	$(SANITIZER_ENVIRONMENT) LD_PRELOAD=$(CURDIR)/$(LOCK_EVENTS) \
	    TSAN_OPTIONS=suppressions=$(CURDIR)/Scripts/tsan.supp \
	    $(SWIFT) test $(TRAITS) --sanitize thread --scratch-path .build-tsan --no-parallel $(ARGS)

test-asan: test-deps ## run the tests under Address Sanitizer
	$(SANITIZER_ENVIRONMENT) $(MEMORY_OPTIONS) \
	    $(SWIFT) test $(TRAITS) --sanitize address --scratch-path .build-asan --no-parallel $(ARGS)

format: ## rewrite the Swift sources in the house style
	$(SWIFT) format format --in-place --parallel --recursive $(SWIFT_SOURCES)

lint: ## check the Swift sources against the house style, and the tree against its rules
	$(SWIFT) format lint --strict --parallel --recursive $(SWIFT_SOURCES)
	@sh Scripts/check-tree.sh

soak-verify: test-deps ## fifty thousand messages, three writing processes, a hundred verifications on every engine; half an hour
	$(BUILD) --build-tests
	VERIFY_SOAK_RUNS=100 VERIFY_SOAK_MESSAGES=50000 $(SWIFT) test $(TRAITS) --skip-build \
	    --filter 'BusyVerificationTests/findsNoProblem' $(ARGS)

coverage: test-deps ## run the tests, print line coverage of Sources/, fail below COVERAGE_MINIMUM
	rm -rf .build-coverage/debug/codecov
	$(SWIFT) test $(TRAITS) --enable-code-coverage --scratch-path .build-coverage --parallel $(WIDTH)
	@SWIFT='$(SWIFT)' sh Scripts/coverage.sh .build-coverage/debug $(COVERAGE_MINIMUM)

docs: deps ## make the documentation pages of the libraries
	set -e; for target in $(DOC_TARGETS); do \
	    $(STEADY) package $(TRAITS) generate-documentation --target $$target; \
	done

bench: test-deps ## release build, then every store and its raw engine in about five minutes; a page with charts
	$(BUILD) -c release --product agent-sessions
	@TOOL='$(CURDIR)/.build/release/agent-sessions' sh Scripts/bench.sh $(ARGS)

bench-scale: test-deps ## what growing to ten million messages costs, and a session of a million; SIZES and LONG scale it
	$(BUILD) -c release --product agent-sessions
	@TOOL='$(CURDIR)/.build/release/agent-sessions' sh Scripts/bench-scale.sh

bench-pgbench: test-deps ## what pgbench reaches on the SQL of an append
	@Scripts/with-postgres.sh Scripts/pgbench-append.sh

bench-commit: deps ## release build and run of group-commit-probe: what shared commits bring
	$(BUILD) -c release --product group-commit-probe
	.build/release/group-commit-probe $(ARGS)

clean: ## remove every build folder
	rm -rf .build .build-* .build_* .index-build
