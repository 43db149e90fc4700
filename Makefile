# make test   everything that must hold, several parts at once; each says first what it proves, and at the end how long it took:
#               check     formatting, vet, staticcheck
#               race      what meets in one process, with the race detector
#               plain     everything else: whole servers, browsers, clients, faults, tables
#               postgres  the tests of what is stored once more, on PostgreSQL
#               fuzz      a number of inputs for every parser
#             JOBS=1 has one part after the other run
# make race-all  every test with the race detector
# make fuzz   FUZZTIME=100000x for longer
# make outside  Microsoft's beta SDK for Go against the server with a whole catalog: everything that can be read, and one thing of
#               every type written. The SDK compiles for minutes and takes 7 GB, so that it is no part of the above
# make bench  the benchmarks
# make bench-peer  the server beside NanoMDM; REPORT=file.md keeps the table
# make mutate   breaks the rules, the engine and the store's writing on purpose, one small change after the other, and says which no
#               test notices: by hand or nightly, it takes hours; MUTATE=internal/engine for one of them
# make bench-growth  what a fleet's size costs; SIZES=1000,100000,1000000 needs 20 GB, REPORT=file.md keeps the tables
# make bench-growth-android  the same for Android devices, in what their database does

SHELL    := bash
# Parts at a time. Some of them compute, and others wait for processes, disks and browsers.
JOBS     ?= 2
# A number of inputs, because a time would cut off the last one and count that as a failure.
FUZZTIME ?= 2000x
# SQLite is C translated to Go. Race detection of every access to its memory takes as long as all else, and says nothing of
# what is ours: that no connection is used by two at a time is seen in the driver, which is checked.
SQLITE   := github.com/ncruces/go-sqlite3-wasm/...

# What bash's time says of a command.
export TIMEFORMAT := == that took %R s

.PHONY: test parts tools check race race-rooms race-apart race-together plain plain-whole plain-apart race-all postgres postgres-race \
	postgres-whole postgres-tables fuzz outside mutate bench bench-peer bench-growth bench-growth-android

# What holds times runs while nothing else does.
test: tools
	@$(MAKE) --no-print-directory plain-apart
	@$(MAKE) --no-print-directory -j $(JOBS) --output-sync=target parts

parts: check plain-whole race postgres fuzz

# The race detector needs a C compiler, the tests of Graph's clients Node.js, the console's a browser, the store's PostgreSQL.
# What is missing is installed where that is allowed.
tools:
	@missing=; \
	command -v gcc >/dev/null || missing="gcc libc6-dev"; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing="$$missing chromium"; \
	command -v npm >/dev/null || missing="$$missing nodejs npm"; \
	command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing="$$missing postgresql"; \
	[ -z "$$missing" ] || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update && apt-get install -y --no-install-recommends $$missing; \
		else echo "missing; on Debian: sudo apt-get update && sudo apt-get install" $$missing >&2; exit 1; fi; }
	@[ test/clients/js/node_modules/.package-lock.json -nt test/clients/js/package-lock.json ] || npm --prefix test/clients/js ci

check:
	@echo "== check: formatting, and what vet and staticcheck find"
	@unformatted="$$(gofmt -l .)"; [ -z "$$unformatted" ] || { echo "not formatted:" $$unformatted >&2; exit 1; }
	time { go vet ./... && go tool staticcheck ./...; }

# check has vetted the tests.
GO_TEST  := go test -p 2 -vet=off -timeout 25m
GO_RACE  := $(GO_TEST) -race -gcflags '$(SQLITE)=-race=false'

# Where goroutines of ours meet, tests run with the race detector; it makes them two to thirty times as slow. The rest runs without:
# what is one goroutine, such as the tables of the store and of Graph, what holds times and memory, and what drives processes that are
# built without it, such as the faults, the kills and the commands. A test that has no place in a list here runs in one of the two:
# each package is in ROOMS, all of whose tests run with the detector, in DIVIDED, whose tests are run without it that APART names, or
# in neither, and then all of its tests run without it, and in TOGETHER's packages some with it as well.
ROOMS    := ./client ./internal/access ./internal/action ./internal/audit ./internal/android/simulator \
	./internal/apple/propertylist/tolerant ./internal/apple/simulator \
	./internal/engine ./internal/keylock ./internal/lane ./internal/live ./internal/notify
DIVIDED  := ./internal/server ./internal/console ./internal/apple/mdm ./internal/store ./internal/store/sqldb
TABLES   := SQL|Migrat|PowerIsLost|PostgresKeeps
APART    := $(TABLES)|SlowAndGreedy|HTTP2Floods|WhatEvery|Endless|Bombs|OfMany|GreatPush
# TestEveryRouteAtOnce calls every route from many goroutines, for the detector.
# TestRun and the leases are of Android's channel.
TOGETHER := TestRun$$|Lease|WhileKeys|EveryRoute|Stream|Simultan|SentAtOnce|Limit|Batch|Subscri|Meanwhile|Event|Grow|Readers|FleetEnds|PilesUp|Order|Repeated|Idle|Restart

race: race-rooms race-apart race-together

race-rooms:
	@echo "== $@: rooms whose goroutines meet, with the race detector"
	time $(GO_RACE) $(ROOMS)

race-apart:
	@echo "== $@: servers, pages, devices' messages and the store, with the race detector"
	time $(GO_RACE) -skip '$(APART)' $(DIVIDED)

race-together:
	@echo "== $@: many calls and devices at once, with the race detector"
	time SYNCPAYLOADS_TEST_DEVICES=60 $(GO_RACE) -run '$(TOGETHER)' ./internal/graph ./test \
		./internal/android/amapi

plain: plain-whole plain-apart

# What waits for other processes comes first, so that the others compute meanwhile.
WAITING  := ./test/faults ./test ./cmd/...

plain-whole:
	@echo "== $@: whole servers and commands as their users use them, under faults, and every table of Graph"
	time $(GO_TEST) -p 3 $(WAITING) $$(go list ./... | grep -vxF "$$(go list $(WAITING) $(ROOMS) $(DIVIDED))")

plain-apart:
	@echo "== $@: the store's tables, and what one input may cost"
	time $(GO_TEST) -run '$(APART)' $(DIVIDED)

# Everything with the race detector, by hand or nightly.
race-all:
	SYNCPAYLOADS_TEST_DEVICES=60 $(GO_RACE) -timeout 40m ./...

# The same tests once more, with the store on PostgreSQL; those that have nothing to do with it, or start servers of their own,
# ran above.
postgres: postgres-race postgres-whole postgres-tables

postgres-race:
	@echo "== $@: actions, events and the store on PostgreSQL, with the race detector"
	time SYNCPAYLOADS_TEST_DB=postgres $(GO_RACE) -skip '$(TABLES)' ./internal/store ./internal/store/sqldb ./internal/engine ./internal/live

postgres-whole:
	@echo "== $@: whole servers on PostgreSQL"
	time SYNCPAYLOADS_TEST_DB=postgres SYNCPAYLOADS_TEST_KILLS=10 $(GO_TEST) -skip 'Console|Client|Kiota' \
		./test ./internal/graph ./internal/access ./internal/catalog ./internal/apple/payload ./internal/notify ./test/madeup

postgres-tables:
	@echo "== $@: the store's tables on PostgreSQL"
	time SYNCPAYLOADS_TEST_DB=postgres $(GO_TEST) -run '$(TABLES)' ./internal/store ./internal/store/sqldb

# A package's tests are built once, as go test -fuzz builds them. Its targets run while the next package is built, two at a
# time, each on one processor: two processors on one target spend a quarter of their time on each other.
fuzz:
	@echo "== $@: every parser takes $(FUZZTIME) inputs"
	time ./.ci/fuzz $(FUZZTIME)

# A module of its own, so that the server does not depend on the SDK. Vetting it takes as long as compiling it, and is not for us.
outside:
	@echo "== $@: Microsoft's beta SDK for Go reads everything, and writes one thing of every type"
	cd test/clients/msgraph && time go test -p 1 -vet=off -timeout 30m -v -count=1 ./...

bench:
	go test -run '^$$' -bench . -benchmem ./...

bench-peer:
	@go run ./bench $(if $(REPORT),-report $(REPORT))

bench-growth:
	@go run ./bench/growth $(if $(SIZES),-sizes $(SIZES)) $(if $(REPORT),-report $(REPORT))

bench-growth-android:
	@go run ./bench/growth -android -sizes $(or $(SIZES),1000$(comma)10000$(comma)100000) $(if $(REPORT),-report $(REPORT))

comma := ,

# The tool is fetched and built by itself: it is no part of the module. Of the store only the files count by which it writes.
GREMLINS := github.com/go-gremlins/gremlins/cmd/gremlins@v0.6.0
MUTATE   ?= internal/action internal/engine internal/store internal/store/sqldb
WRITES   := $(patsubst %,internal/store/%.go,step events sqldb/plan sqldb/writer sqldb/stepper sqldb/session sqldb/durable)
unwritten = $(foreach f,$(filter-out $(WRITES) %_test.go,$(wildcard $(1)/*.go)),-E '$(notdir $(f))$$')

mutate:
	@for dir in $(MUTATE); do \
		skip=(); [ $$dir != internal/store ] || skip=($(call unwritten,internal/store) -E '/'); \
		[ $$dir != internal/store/sqldb ] || skip=($(call unwritten,internal/store/sqldb)); \
		go run $(GREMLINS) unleash ./$$dir --invert-logical --invert-loopctrl --remove-self-assignments --timeout-coefficient 20 \
			--output-statuses lt "$${skip[@]}"; \
	done
