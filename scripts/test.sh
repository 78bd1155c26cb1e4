#!/bin/sh
# test.sh: install what is missing, build, and run every test.
# test.sh unit|all PROGRAM...: the runner of `make check` and `make test`, once all is built: run the unit test programs, and for
# `all` the end to end tests after them.
# Everything runs even if something before it failed. The last line is the sum: `N passed, N failed`, with `, N skipped` if
# any, and before it each reason to skip with its count; the exit code is 0 only when nothing failed and something passed.
#
#   RUN_WITH   what runs the programs: of another architecture (scripts/test-cross.sh)
#   E2E        the end to end tests (default: all)
set -u
cd "$(dirname "$0")/.." || exit 1

BUILD=${BUILD:-build}
PYTHON=${PYTHON:-/usr/bin/python3}

# make itself may be missing still. It is over before the tests begin: so their sum is the last line, even of a failure.
if [ $# -eq 0 ]; then
	scripts/deps.sh build test && make all asan unit "$BUILD/asan/sim" "$BUILD/sim/sim" || exit
	set -- all
	# shellcheck disable=SC2044 # names without blanks
	for source in $(find tests/unit -name 'test_*.c' | LC_ALL=C sort); do
		program=${source#tests/unit/}
		set -- "$@" "$BUILD/asan/unit/${program%.c}"
	done
fi

what=$1
shift
mkdir -p "$BUILD/test"
BUILD=$(cd "$BUILD" && pwd)
passed=0 failed=0 skipped=0
reasons=$BUILD/test/skipped # a line for each test
: >"$reasons"

# Leaks count: no heap of ours after start-up. A sanitizer's report ends the program with a code of its own.
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=0}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

# Where the kernel spreads addresses widely, gcc 12's AddressSanitizer finds its own place taken, now and then.
fixed=
! setarch -R true 2>/dev/null || fixed='setarch -R'

for program in "$@"; do
	name=$(basename "$program")
	log=$BUILD/test/$name.log
	# shellcheck disable=SC2086 # empty or words
	timeout 300 $fixed ${RUN_WITH:-} "$program" >"$log" 2>&1
	code=$?
	# cmocka says "[       OK ] name" and "[  FAILED  ] name" per test, then repeats the failed ones in a list with a count.
	ok=$(grep -c '^\[       OK \]' "$log")
	# A skipped one is named twice. It may have said why; else its name has to do.
	skipped_names=$(sed -n "s/^\[  SKIPPED \] \([A-Za-z_0-9]*\)\$/$name: \1/p" "$log" | sort -u)
	skip=$(printf '%s' "$skipped_names" | grep -c '')
	{ sed -n 's/^skipped: //p' "$log"; echo "$skipped_names"; } | head -n "$skip" >>"$reasons"
	bad=$(sed -n 's/^\[  FAILED  \] [^:]*: \([0-9]*\) test(s).*/\1/p; s/^\[  FAILED  \] \([0-9]*\) test(s).*/\1/p' "$log" |
		awk '{ n += $1 } END { print n + 0 }')
	# A crash, a sanitizer's report, a program without tests: failed, whatever was counted.
	if [ "$bad" -eq 0 ] && { [ $code -ne 0 ] || [ $((ok + skip)) -eq 0 ]; }; then
		bad=1
	fi
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
	if [ "$bad" -ne 0 ]; then
		printf '  %-7s %s: %s of %s failed (exit code %s)\n' FAIL "$name" "$bad" $((ok + bad)) $code
		grep -v -e '^\[ RUN ' -e '^\[       OK \]' "$log" | tail -n 60 | sed 's/^/    /'
	else
		printf '  %-7s %s: %s tests\n' OK "$name" "$ok"
	fi
done

if [ "$what" = all ]; then
	DNSBUDDY=$BUILD/dnsbuddy
	DNSBUDDY_ASAN=$BUILD/asan/dnsbuddy
	[ -z "${RUN_WITH:-}" ] || DNSBUDDY=$BUILD/qemu/dnsbuddy DNSBUDDY_ASAN=$BUILD/qemu/dnsbuddy
	export DNSBUDDY DNSBUDDY_ASAN
	set --
	# shellcheck disable=SC2086 # a list
	for tests in ${E2E:-tests/e2e tests/cloudflare tests/sim}; do
		# Of the default ones, those that are there. One that was named and is not is pytest's error.
		if [ -n "${E2E:-}" ] || [ -e "$tests" ]; then
			set -- "$@" "$tests"
		fi
	done
	if ! CONSUL_BIN=$(scripts/consul.sh); then
		failed=$((failed + 1))
	elif [ $# -gt 0 ]; then
		export CONSUL_BIN
		log=$BUILD/test/pytest.log
		# The code of pytest goes through a file: the pipe's own would be tee's.
		{
			# shellcheck disable=SC2086 # PYTEST_ARGS is a list
			"$PYTHON" -m pytest -q -rs -p no:cacheprovider ${PYTEST_ARGS:-} "$@" 2>&1
			echo $? >"$BUILD/test/pytest.code"
		} | tee "$log"
		code=$(cat "$BUILD/test/pytest.code")
		# Its last line: "1 failed, 20 passed, 2 skipped, 1 error in 3.21s"
		line=$(grep -E '(passed|failed|skipped|errors?|no tests ran).* in [0-9.]+s' "$log" | tail -n 1)
		count() { echo "$line" | sed -n "s/.*[^0-9]\([0-9][0-9]*\) $1.*/\1/p; s/^\([0-9][0-9]*\) $1.*/\1/p" | head -n 1; }
		ok=$(count passed) bad=$(count failed) err=$(count error) skip=$(count skipped)
		bad=$((${bad:-0} + ${err:-0}))
		if [ "$code" -ne 0 ] && [ $bad -eq 0 ]; then
			bad=1
		fi
		passed=$((passed + ${ok:-0})) failed=$((failed + bad)) skipped=$((skipped + ${skip:-0}))
		# "SKIPPED [2] tests/e2e/test_x.py:7: no such thing here"
		sed -n 's/^SKIPPED \[\([0-9]*\)\] [^ ]*: /\1 /p' "$log" |
			while read -r n why; do yes "$why" | head -n "$n"; done >>"$reasons"
	fi
fi

if [ $skipped -ne 0 ]; then
	echo "Skipped:"
	sort "$reasons" | uniq -c | sort -rn | sed 's/^ *\([0-9]*\) /  \1  /'
fi

summary="$passed passed, $failed failed"
[ $skipped -eq 0 ] || summary="$summary, $skipped skipped"
echo "$summary"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
