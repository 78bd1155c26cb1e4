#!/bin/bash
# lint.sh [STEP...]: every check that does not run the program. `make lint` calls it with CPP, WARN, PYTHON, BUILD set.
# All steps run even if one fails; each prints only what is wrong.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

: "${CPP:?run make lint}" "${WARN:?run make lint}"
PYTHON=${PYTHON:-/usr/bin/python3}
jobs=$(nproc 2>/dev/null || echo 2)
read -ra cpp <<<"$CPP"
read -ra warn <<<"$WARN"
cpp+=(-Itests/unit -Itests/fuzz -DFUZZ_TARGET=fuzz_json)

# What git tracks or would track; without git (a tarball), what is there.
files() {
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard
	else
		find . -type f ! -path './build/*' | sed 's|^\./||'
	fi | LC_ALL=C sort -u | while IFS= read -r f; do [ ! -f "$f" ] || printf '%s\n' "$f"; done
}
mapfile -t all < <(files)
pick() { printf '%s\n' "${all[@]}" | grep -E "$1" || :; }
mapfile -t sources < <(pick '^src/.*\.c$')
mapfile -t headers < <(pick '^src/.*\.h$')
mapfile -t tests < <(pick '^tests/(unit|fuzz)/.*\.c$')
mapfile -t python < <(pick '\.py$')
mapfile -t shell < <(for f in "${all[@]}"; do
	case $f in
	*.sh) echo "$f" ;;
	*) head -c 64 "$f" | grep -aqE '^#!.*[/ ](ba)?sh( |$)' && echo "$f" ;;
	esac
done)

# each COMMAND...: run it with one file (a line of stdin) at a time, on all cores
each() { xargs -r -d '\n' -n 1 -P "$jobs" "$@"; }
list() { [ $# -eq 0 ] || printf '%s\n' "$@"; }

# Warnings of both compilers. gcc compiles in full: half its warnings come from the optimiser.
step_gcc() { list "${sources[@]}" "${tests[@]}" | each gcc "${cpp[@]}" "${warn[@]}" -Werror -Os -c -o /dev/null; }
step_clang() { list "${sources[@]}" "${tests[@]}" | each clang "${cpp[@]}" "${warn[@]}" -Werror -fsyntax-only; }

# Every header stands alone.
step_headers() { list "${headers[@]}" | each gcc "${cpp[@]}" "${warn[@]}" -Werror -fsyntax-only -x c; }

step_includes() { "$PYTHON" scripts/lint-includes.py src; }
# The layout that .clang-format describes; `make fmt FIX=1` mends it.
step_format() { pick '^(src|tests)/.*\.[ch]$' | xargs -r -d '\n' clang-format --dry-run -Werror; }

step_style() { list "${all[@]}" | "$PYTHON" scripts/lint-style.py; }

step_tidy() { list "${sources[@]}" | each scripts/lint-tidy.sh; }

step_cppcheck() {
	[ ${#sources[@]} -eq 0 ] || cppcheck --quiet -j "$jobs" --std=c11 --library=posix --inline-suppr --error-exitcode=1 \
		--enable=warning,performance,portability --suppress=missingIncludeSystem -Isrc "${sources[@]}"
}

step_shell() { list "${shell[@]}" | each shellcheck -x; }

step_python() {
	[ ${#python[@]} -eq 0 ] || "$PYTHON" - "${python[@]}" <<'EOF' || return 1
import sys
for path in sys.argv[1:]:
    with open(path, "rb") as f:
        compile(f.read(), path, "exec", dont_inherit=True)
EOF
	! "$PYTHON" -m pyflakes --version >/dev/null 2>&1 || "$PYTHON" -m pyflakes "${python[@]}"
}

# No line of BearSSL's or jsmn's source is kept here: neither their files nor their copyright lines.
step_thirdparty() {
	local found
	found=$(
		list "${all[@]}" | grep -E '(^|/)(bearssl[a-z_0-9]*\.[ch]|jsmn\.[ch]|inner\.h)$|\.(tar|tgz|tar\.[a-z0-9]+|deb|dsc)$'
		list "${all[@]}" | xargs -r -d '\n' grep -lE 'Copyright .*(Thomas [P]ornin|Serge [Z]aitsev)'
	)
	[ -z "$found" ] || { echo "third-party source in the tree: $found"; return 1; }
}

[ $# -gt 0 ] || set -- includes style format thirdparty headers shell python gcc clang cppcheck tidy
failed=
for step in "$@"; do
	start=$SECONDS
	if out=$("step_$step" 2>&1); then
		printf '  %-7s %-10s %ss\n' OK "$step" $((SECONDS - start))
	else
		printf '  %-7s %-10s %ss\n%s\n' FAIL "$step" $((SECONDS - start)) "$out"
		failed="$failed $step"
	fi
done
[ -z "$failed" ] || { echo "lint:$failed failed"; exit 1; }
echo "lint: no complaint"
