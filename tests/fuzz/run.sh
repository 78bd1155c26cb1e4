#!/bin/bash
# run.sh FUZZER...: run each libFuzzer program for FUZZ_SECONDS (20) on a copy of its corpus. `make fuzz` calls it.
# One line per target; what is found, and how to see it again, is kept under build/fuzz/found. The last line is the sum.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

seconds=${FUZZ_SECONDS:-20}
case $seconds in '' | *[!0-9]* | 0) echo 'run.sh: FUZZ_SECONDS is a number of seconds from 1 on' >&2; exit 64 ;; esac
[ $# -gt 0 ] || { echo 'usage: run.sh FUZZER...' >&2; exit 64; }
passed=0 failed=0

# dictionary TARGET: the option that names its dictionary, if it has one
dictionary() {
	case $1 in
	fuzz_json | fuzz_health | fuzz_cloudflare | fuzz_claims | fuzz_config | fuzz_run) echo -dict=tests/fuzz/json.dict ;;
	fuzz_http | fuzz_request | fuzz_url) echo -dict=tests/fuzz/http.dict ;;
	esac
}

# A memory allocation of gigabytes is an error too. Leaks are looked for.
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

for program in "$@"; do
	name=$(basename "$program")
	dir=$(dirname "$program")
	corpus=$dir/corpus/$name found=$dir/found/$name log=$dir/$name.log
	mkdir -p "$corpus" "$found"
	cp "tests/fuzz/corpus/$name/"* "$corpus/" 2>/dev/null
	# shellcheck disable=SC2046 # one option or none
	"$program" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$found/" $(dictionary "$name") "$corpus" >"$log" 2>&1
	code=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
	last=$(grep -E '^#[0-9]+.* cov: ' "$log" | tail -n 1)
	edges=$(echo "$last" | sed -n 's/.* cov: \([0-9]*\).*/\1/p')
	if [ $code -eq 0 ] && [ "${runs:-0}" -gt 0 ]; then
		passed=$((passed + 1))
		printf '  %-7s %-16s %9s runs, %5s edges, corpus %s\n' OK "$name" "$runs" "${edges:-?}" \
			"$(find "$corpus" -type f | wc -l)"
		continue
	fi
	failed=$((failed + 1))
	printf '  %-7s %s: exit code %s; %s\n' FAIL "$name" $code "$log"
	grep -E 'does not hold|ERROR: |SUMMARY: |runtime error' "$log" | head -n 5 | sed 's/^/    /'
	input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
	[ -z "$input" ] || printf '    again: %s %s\n' "$program" "$input"
done

echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
