# make test   everything that must hold:
#               check     formatting, vet, staticcheck
#               race      what meets in one process, with the race detector
#               plain     everything else: whole servers, browsers, clients, faults, tables
#               postgres  the tests of what is stored once more, on PostgreSQL
#               fuzz      a number of inputs for every parser
# make race-all  every test with the race detector
# make fuzz   FUZZTIME=100000x for longer
# make bench  the benchmarks
# make bench-peer  the server beside NanoMDM; REPORT=file.md keeps the table
# make mutate   breaks the rules, the engine and the store's writing on purpose, one small change after the other, and says which no
#               test notices: by hand or nightly, it takes hours; MUTATE=internal/engine for one of them
# make bench-growth  what a fleet's size costs; SIZES=1000,100000,1000000 needs 20 GB, REPORT=file.md keeps the tables

SHELL    := bash
# A number of inputs, because a time would cut off the last one and count that as a failure.
FUZZTIME ?= 2000x
# SQLite is C translated to Go. Race detection of every access to its memory takes as long as all else, and says nothing of
# what is ours: that no connection is used by two at a time is seen in the driver, which is checked.
SQLITE   := github.com/ncruces/go-sqlite3-wasm/...

.PHONY: test tools check race plain race-all postgres fuzz mutate bench bench-peer bench-growth

test: tools check race plain postgres fuzz

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
	@unformatted="$$(gofmt -l .)"; [ -z "$$unformatted" ] || { echo "not formatted:" $$unformatted >&2; exit 1; }
	go vet ./...
	go tool staticcheck ./...

# Where goroutines of ours meet, tests run with the race detector; it makes them two to thirty times as slow. The rest runs without:
# what is one goroutine, such as the tables of the store and of Graph, what holds times and memory, and what drives processes that are
# built without it, such as the faults, the kills and the commands. TestEveryRouteAtOnce calls every route from many goroutines for the detector.
# Packages wait much, for disks and for each other's processes: more of them at a time than there are processors.
GO_RACE  := go test -p 3 -race -gcflags '$(SQLITE)=-race=false' -timeout 15m
STORE    := ./internal/store ./internal/store/sqldb
MEETING  := ./client ./internal/access ./internal/action ./internal/apple/mdm ./internal/apple/propertylist/tolerant ./internal/apple/simulator \
	./internal/audit ./internal/console ./internal/engine ./internal/lane ./internal/live ./internal/notify ./internal/server
TABLES   := SQL|Migrat|PowerIsLost|PostgresKeeps
ROUTES   := EveryRoute|Stream|Simultan|SentAtOnce|Limit|Batch|Subscri|Meanwhile|Event|Grow
TIMED    := SlowAndGreedy|WhatEvery|Endless|Bombs|OfMany|GreatPush
TOGETHER := Simultaneous|Stream|Readers|FleetEnds|PilesUp|Order|Repeated|Idle|Restart

race:
	$(GO_RACE) -skip '$(TIMED)' $(MEETING)
	$(GO_RACE) -skip '$(TABLES)' $(STORE)
	$(GO_RACE) -run '$(ROUTES)' ./internal/graph
	SYNCPAYLOADS_TEST_DEVICES=60 $(GO_RACE) -run '$(TOGETHER)' ./test

plain:
	go test -p 3 -timeout 15m $$(go list ./... | grep -vxF "$$(go list $(MEETING) $(STORE))")
	go test -timeout 15m -run '$(TABLES)' $(STORE)
	go test -timeout 15m -run '$(TIMED)' ./internal/server ./internal/apple/mdm ./internal/apple/propertylist/...

# Everything with the race detector, by hand or nightly.
race-all:
	SYNCPAYLOADS_TEST_DEVICES=60 $(GO_RACE) -timeout 40m ./...

# The same tests once more, with the store on PostgreSQL; those that have nothing to do with it, or start servers of their own,
# ran above.
postgres:
	SYNCPAYLOADS_TEST_DB=postgres $(GO_RACE) ./internal/engine ./internal/live
	SYNCPAYLOADS_TEST_DB=postgres $(GO_RACE) -skip '$(TABLES)' $(STORE)
	SYNCPAYLOADS_TEST_DB=postgres SYNCPAYLOADS_TEST_KILLS=10 go test -p 3 -timeout 15m \
		-skip 'Console|Client|Kiota' ./internal/access ./internal/apple/payload ./internal/catalog ./internal/graph ./internal/notify ./test \
		./test/madeup
	SYNCPAYLOADS_TEST_DB=postgres go test -timeout 15m -run '$(TABLES)' $(STORE)

# A package's tests are built once, as go test -fuzz builds them, and run for each of its targets.
fuzz:
	@set -e; binary="$$(mktemp)"; trap 'rm -f "$$binary"' EXIT; cache="$$(go env GOCACHE)/fuzz"; \
	for dir in $$(grep -rl --exclude-dir=node_modules --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u); do \
		go test -c -fuzz . -o "$$binary" $$dir; \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' $$dir/*_test.go); do \
			echo "fuzz $$dir $$target"; \
			(cd $$dir && "$$binary" -test.run '^$$' -test.fuzz "^$$target$$" -test.fuzztime $(FUZZTIME) -test.fuzzminimizetime 10x \
				-test.fuzzcachedir "$$cache/$$(go list .)" -test.paniconexit0); \
		done; \
	done

bench:
	go test -run '^$$' -bench . -benchmem ./...

bench-peer:
	@go run ./bench $(if $(REPORT),-report $(REPORT))

bench-growth:
	@go run ./bench/growth $(if $(SIZES),-sizes $(SIZES)) $(if $(REPORT),-report $(REPORT))

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
