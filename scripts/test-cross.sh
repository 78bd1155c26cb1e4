#!/bin/bash
# test-cross.sh [ARCH...]: build for architectures (amd64 arm64 armhf i386; all) and run their tests here by qemu-user: the
# unit tests under UndefinedBehaviorSanitizer, on musl; then the program itself against a real Consul and the stand-in for
# Cloudflare. `make test-cross` calls it. The last line is the sum. This machine's own is among them: nothing else runs it
# on musl under the sanitizer, or on a processor without AES.
#
#   QUICK=1   a few tests, as CI runs them, and not of this machine's own
set -euo pipefail
cd "$(dirname "$0")/.."
given=${BUILD:-build}
. third_party/lib.sh
unset MAKEFLAGS MAKELEVEL MFLAGS

PYTHON=${PYTHON:-/usr/bin/python3}
all='amd64 arm64 armhf i386'
[ $# -gt 0 ] || for arch in $all; do
	if [ -z "${QUICK:-}" ] || [ "$arch" != "$(dpkg --print-architecture)" ]; then
		set -- "$@" "$arch"
	fi
done

# What qemu calls them, with a processor that has all it knows; and one without AES.
qemu() {
	case $1 in
	amd64) echo "qemu-x86_64-static -cpu max" ;;
	arm64) echo "qemu-aarch64-static" ;;
	armhf) echo "qemu-arm-static" ;;
	i386) echo "qemu-i386-static -cpu max" ;;
	esac
}
qemu_without_aes() {
	case $1 in
	amd64) echo "qemu-x86_64-static -cpu Nehalem-v1" ;;
	i386) echo "qemu-i386-static -cpu pentium3" ;;
	esac
}

# Under qemu a process is qemu's: tests that look at its memory or its CPU time see qemu's, and what it is called is what
# qemu was given.
skipped_tests='test_watch.py::test_at_rest_it_takes_no_time_and_little_memory
	test_watch.py::test_check_output_that_changes_all_the_time_costs_next_to_nothing
	test_sync.py::test_it_takes_the_place_of_the_script'
deselect=
for test in $skipped_tests; do deselect="$deselect --deselect=tests/e2e/$test"; done
if [ -n "${QUICK:-}" ]; then
	e2e="tests/e2e/test_sync.py::test_the_closing_example tests/e2e/test_watch.py::test_a_first_start_adds_what_is_listed
		tests/e2e/test_watch.py::test_a_change_is_two_writes_and_no_listing tests/cross"
	unit='base/test_clock base/test_fmt base/test_json net/tls/test_parts net/tls/test_verifier cloudflare/test_cf_records'
else
	# Not under qemu-user: it cannot fork without a signal at the child's end (test_read_file), has not all real-time signals
	# (test_loop), adopts no orphans (test_process), and its pages are not where the program's are (test_memory).
	e2e='tests/e2e/test_sync.py tests/e2e/test_plan.py tests/e2e/test_watch.py tests/e2e/test_discover.py tests/cross'
	unit=$(find tests/unit -name 'test_*.c' | sed 's|tests/unit/||; s|\.c$||' |
		grep -v -x -e config/test_read_file -e base/test_loop -e base/test_memory \
			-e run/test_process | LC_ALL=C sort)
fi

CONSUL_BIN=$(scripts/consul.sh)
export CONSUL_BIN
base=$BUILD
passed=0 failed=0 skipped=0

# add LOG: the sum that a run of scripts/test.sh ends with
add() {
	local line
	line=$(tail -n 1 "$1")
	if ! [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
		failed=$((failed + 1))
		return
	fi
	passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2])) skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
}

for arch in "$@"; do
	out=$base/$arch
	read -ra run <<<"$(qemu "$arch")"
	run[0]=$(command -v "${run[0]}") || die "no ${run[0]} here: make deps-qemu"
	programs=()
	for name in $unit; do programs+=("$out/ubsan/unit/$name"); done
	make --no-print-directory "BUILD=$given" "ARCH=$arch" "UNITS=$unit" all ubsan || die "$arch does not build"

	# A program that is what it runs: end to end tests start it by its name.
	mkdir -p "$out/qemu"
	printf '#!/bin/sh\nexec %s %s "$@"\n' "${run[*]}" "$out/dnsbuddy" >"$out/qemu/dnsbuddy"
	chmod +x "$out/qemu/dnsbuddy"
	ln -sfn ../gen "$out/gen" # a test reads the roots

	say TEST "$arch, by ${run[*]}"
	log=$out/test-cross.log
	{
		BUILD=$out RUN_WITH="${run[*]}" CROSS_ARCH=$arch CROSS_PROGRAM=$out/dnsbuddy E2E=$e2e \
			PYTEST_ARGS="${PYTEST_ARGS:-}$deselect" scripts/test.sh all "${programs[@]}" || :
	} 2>&1 | tee "$log"
	add "$log"
	read -ra run <<<"$(qemu_without_aes "$arch")"
	if [ ${#run[@]} -gt 0 ]; then
		BUILD=$out RUN_WITH="${run[*]}" scripts/test.sh unit "$out/ubsan/unit/net/tls/test_parts" 2>&1 | tee "$log" || :
		add "$log"
	fi
done

summary="$passed passed, $failed failed"
[ $skipped -eq 0 ] || summary="$summary, $skipped skipped"
echo "$summary"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
