# make test   everything that must hold: formatting, vet, staticcheck, all tests with the race detector, short fuzzing
# make fuzz   FUZZTIME=100000x for longer
# make browser  the console in a real browser, on a machine that is not busy
# make bench  the benchmarks

SHELL    := bash
# A number of inputs, because a time would cut off the last one and count that as a failure.
FUZZTIME ?= 2000x

.PHONY: test tools check race fuzz browser bench

test: tools check race fuzz

# The race detector needs a C compiler, the tests of Graph's clients Node.js, the console's a browser. What is missing is
# installed where that is allowed.
tools:
	@missing=; \
	command -v gcc >/dev/null || missing="gcc libc6-dev"; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing="$$missing chromium"; \
	command -v npm >/dev/null || missing="$$missing nodejs npm"; \
	[ -z "$$missing" ] || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update && apt-get install -y --no-install-recommends $$missing; \
		else echo "missing; on Debian: sudo apt-get update && sudo apt-get install" $$missing >&2; exit 1; fi; }
	@[ test/clients/js/node_modules/.package-lock.json -nt test/clients/js/package-lock.json ] || npm --prefix test/clients/js ci

check:
	@unformatted="$$(gofmt -l .)"; [ -z "$$unformatted" ] || { echo "not formatted:" $$unformatted >&2; exit 1; }
	go vet -tags browser ./...
	go tool staticcheck -tags browser ./...

race:
	go test -race -timeout 15m ./...

fuzz:
	@set -e; for file in $$(grep -rl --include='*_test.go' '^func Fuzz' .); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' $$file); do \
			echo "fuzz $$(dirname $$file) $$target"; \
			go test $$(dirname $$file) -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x; \
		done; \
	done

browser: tools
	go test -tags browser -run Console ./test

bench:
	go test -run '^$$' -bench . -benchmem ./...
