# shellcheck shell=bash
# Sourced by the tests that are scripts (test-image.sh, test-deb.sh), after engine.sh: checks that are counted, what is ended and
# removed whatever happens, and Consul and the stand-in for Cloudflare in a network that has a loopback device and nothing else.
#
#   tmp      their folder; it is removed at the end
#   tidy     a function of the caller's: it ends what else he has started

PYTHON=${PYTHON:-/usr/bin/python3}
tmp='' netns='' api='' consul='' control=''
passed=0 failed=0 ended=''

pass() { printf '  %-7s %s\n' OK "$1"; passed=$((passed + 1)); }
fail() {
	printf '  %-7s %s\n' FAIL "$1"
	[ -z "${2:-}" ] || printf '%s\n' "$2" | tail -n 30 | sed 's/^/          /'
	failed=$((failed + 1))
}
# same WHAT FOUND EXPECTED
same() {
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "found:    $2"$'\n'"expected: $3"; fi
}
# has WHAT TEXT PART
has() {
	if [[ $2 == *"$3"* ]]; then pass "$1"; else fail "$1" "no '$3' in:"$'\n'"$2"; fi
}
# until_is SECONDS EXPECTED COMMAND...: run it until that is what it prints; prints what it printed last
until_is() {
	local end=$((SECONDS + $1)) expected=$2 found=''
	shift 2
	while found=$("$@" 2>&1) || :; [ "$found" != "$expected" ] && [ $SECONDS -lt "$end" ]; do
		sleep 0.05
	done
	printf '%s\n' "$found"
}
# sum: the last line; whether all is well
sum() {
	ended=1
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ]
}

cleanup() {
	code=$?
	[ -n "$ended" ] || echo "${0##*/}: stopped before its end, after $passed passed, $failed failed" >&2
	trap - EXIT
	trap '' INT TERM HUP # a second Ctrl-C must not leave anything behind
	stop "$api"
	stop "$consul"
	tidy
	if [ -n "$tmp" ]; then
		rm -rf --one-file-system "$tmp"
	fi
	exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# inside COMMAND...: run it in that network
inside() { nsenter -t "$netns" -n "$@"; }
get() { inside curl -fsS --max-time 5 --noproxy '*' "$@"; }
# field NAME...: of what the stand-in said when it was ready
field() { "$PYTHON" -c 'import json, sys, functools; print(functools.reduce(dict.get, sys.argv[2:], json.load(open(sys.argv[1]))))' "$tmp/api.json" "$@"; }
# register N: an instance of nginx at 192.0.2.N
register() {
	get -X PUT http://127.0.0.1:8500/v1/agent/service/register -d "{\"Name\":\"nginx\",\"ID\":\"nginx-$1\",\"Address\":\"192.0.2.$1\",\"Port\":80}"
}
# records NAME: the addresses there
records() {
	get "$control/records?name=$1" |
		"$PYTHON" -c 'import json, sys; print(*sorted(r["content"] for r in json.load(sys.stdin)))'
}

# apis_start PID: Consul and the stand-in, in the network of this process, until they answer
apis_start() {
	netns=$1
	# Not through inside(): $! would be a shell's.
	nsenter -t "$netns" -n setsid "$CONSUL_BIN" agent -dev -bind=127.0.0.1 -node=test -dns-port=-1 -grpc-port=-1 -serf-wan-port=-1 \
		-hcl 'disable_update_check = true' >"$tmp/consul.log" 2>&1 </dev/null &
	consul=$!
	nsenter -t "$netns" -n setsid "$PYTHON" tests/cloudflare/standin.py --dir "$tmp/api" --dns >"$tmp/api.json" 2>"$tmp/api.log" </dev/null &
	api=$!
	for _ in {1..200}; do
		[ -s "$tmp/api.json" ] && get http://127.0.0.1:8500/v1/status/leader 2>/dev/null | grep -q : && break
		sleep 0.1
	done
	control=$(field control) || die "the stand-in did not start: $(tail -n 3 "$tmp/api.log")"
}
