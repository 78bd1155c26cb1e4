#!/bin/sh
# lint-tidy.sh FILE.c: clang-tidy's findings in one file, without its chatter about findings elsewhere.
set -u
# shellcheck disable=SC2086 # flags
out=$(clang-tidy --quiet "$1" -- $CPP 2>/dev/null)
code=$?
[ -z "$out" ] || printf '%s\n' "$out"
[ $code -eq 0 ] && [ -z "$out" ]
