#!/bin/bash
# wrap.sh DIR PROGRAM...: run unit tests that `make wrap` built, and list what was found in src that tests/cross/wrap.meant
# does not name. The last line is the sum: of programs, and each finding failed.
#
#   RUN_WITH   what runs the programs; default: nothing, or qemu-user where the machine's own processor cannot
set -euo pipefail
cd "$(dirname "$0")/.."

found=$(realpath "$1")/wrap/found
run=${RUN_WITH-}
case $(basename "$1") in
arm64) run=${RUN_WITH-qemu-aarch64-static} ;;
armhf) run=${RUN_WITH-qemu-arm-static} ;;
esac
shift
: >"$found"
export WRAP_FOUND=$found
passed=0 failed=0
for program in "$@"; do
	# shellcheck disable=SC2086 # empty or words
	if timeout 300 $run "$program" >"$program.log" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf '  %-7s %s\n' FAIL "$program"
		grep -A 3 'error: Failure' "$program.log" || tail -n 3 "$program.log"
	fi
done

# is_meant FILE LINE
is_meant() {
	local file part
	[[ $2 != *--* ]] || return 0
	while read -r file part; do
		[ "$file" != "$1" ] || [[ $2 != *"$part"* ]] || return 0
	done <tests/cross/wrap.meant
	return 1
}

while IFS=: read -r file line column what; do
	text=$(sed -n "${line}p" "$file")
	is_meant "$file" "$text" && continue
	failed=$((failed + 1))
	printf '  %-7s %s:%s:%s:%s: %s\n' FOUND "$file" "$line" "$column" "$what" "${text#"${text%%[![:space:]]*}"}"
done < <(grep '^src/' "$found" | sort -u)
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
