#!/bin/sh
# demo.sh: watch dnsbuddy work on this machine. A real Consul, the stand-in for Cloudflare's API and a real DNS server on
# loopback ports that are free; nginx scales 1 -> 3 -> 2 and dig shows what the world would see. Every answer is compared
# with what it has to be: a wrong one ends the demo with exit code 1 and the reason. Installs what is missing and builds the
# program first.
#
#   DEMO_KEEP=1   leave Consul, the API and the DNS server up afterwards, and say how to use and how to stop them
#   DNSBUDDY      the program to show: nothing is installed or built then
#   CONSUL_BIN    a Consul already here (else scripts/consul.sh finds or fetches one)
#   NO_COLOR      no colour on a terminal
set -eu
cd "$(dirname "$0")/.."

# make itself may be missing still; `make demo` builds and comes back here.
if [ -z "${DNSBUDDY:-}" ]; then
	scripts/deps.sh build demo
	exec make demo
fi

PYTHON=${PYTHON:-/usr/bin/python3}
name=www.example.com

dir='' consul_pid='' api_pid='' kept=''
bold='' green='' red='' off=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$(printf '\033[1m') green=$(printf '\033[32m') red=$(printf '\033[31m') off=$(printf '\033[0m')
fi

title() { printf '\n%s%s%s\n' "$bold" "$*" "$off"; }
text() { printf '%s\n' "$*"; }
die() {
	printf '\n%sdemo.sh: error: %s%s\n' "$red" "$*" "$off" >&2
	exit 1
}

# ---- Before the demo ---------------------------------------------------------------------------------------------------

# Only what is set here counts, not the caller's own account, Consul, proxy or .curlrc: all that follows runs in an
# environment made from scratch, so that nothing has to know what dnsbuddy, Consul and curl would read in it.
if [ "${1:-}" != --clean ]; then
	for tool in curl dig setsid setpriv "$PYTHON"; do
		command -v "$tool" >/dev/null || die "$tool is missing; without DNSBUDDY set, what the demo needs is installed"
	done
	[ -x "$DNSBUDDY" ] || die "DNSBUDDY: $DNSBUDDY is not a program"
	CONSUL_BIN=$(scripts/consul.sh) || die "no Consul to show dnsbuddy with"
	DNSBUDDY=$(cd "$(dirname "$DNSBUDDY")" && pwd)/$(basename "$DNSBUDDY")
	exec env -i PATH="$PATH" HOME=/nonexistent TMPDIR="${TMPDIR:-/tmp}" NO_COLOR="${NO_COLOR:-}" PYTHON="$PYTHON" \
		DNSBUDDY="$DNSBUDDY" CONSUL_BIN="$CONSUL_BIN" DEMO_KEEP="${DEMO_KEEP:-}" scripts/demo.sh --clean
fi

# ---- Starting and stopping ---------------------------------------------------------------------------------------------

# stop PID: ask, and insist after 5 s. Only ever our own child, which stays ours until waited for.
stop() {
	[ -n "$1" ] || return 0
	kill "$1" 2>/dev/null || :
	n=0
	while kill -0 "$1" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; do
		n=$((n + 1))
		[ $n -le 100 ] || { kill -9 "$1" 2>/dev/null || :; break; }
		sleep 0.05
	done
	wait "$1" 2>/dev/null || :
}

cleanup() {
	code=$?
	trap - EXIT
	trap '' INT TERM HUP # a second Ctrl-C must not leave things behind
	if [ -z "$kept" ]; then
		stop "$api_pid" # its DNS server ends with it
		stop "$consul_pid"
		if [ -n "$dir" ]; then
			rm -rf "$dir"
		fi
	fi
	exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# background NAME COMMAND...: its output goes to $dir/NAME.out and $dir/NAME.log, its pid is $!. It has a session of its own,
# so that Ctrl-C reaches this script alone, which then stops things in order. Should this script be killed the hard way, its
# children end with it, unless they are to stay.
background() {
	log=$dir/$1
	shift
	if [ -n "${DEMO_KEEP:-}" ]; then
		setsid "$@" >"$log.out" 2>"$log.log" </dev/null &
	else
		setpriv --pdeathsig TERM setsid "$@" >"$log.out" 2>"$log.log" </dev/null &
	fi
}

# until_true SECONDS PID COMMAND...: poll; fails at once when the process is gone
until_true() {
	tries=$(($1 * 20)) pid=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] && kill -0 "$pid" 2>/dev/null || return 1
		sleep 0.05
	done
}

free_ports() {
	"$PYTHON" -c '
import socket
found = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
print(*(s.getsockname()[1] for s in found))'
}

has_leader() { curl -fsS --max-time 2 "http://$CONSUL_HTTP_ADDR/v1/status/leader" | grep -q ':'; }

start_consul() {
	for try in 1 2 3; do # a port may be taken between finding and using it
		# shellcheck disable=SC2046 # three numbers
		set -- $(free_ports)
		CONSUL_HTTP_ADDR=127.0.0.1:$1
		background consul "$CONSUL_BIN" agent -dev -ui -bind=127.0.0.1 -node=demo \
			-http-port="$1" -serf-lan-port="$2" -server-port="$3" -serf-wan-port=-1 -dns-port=-1 -grpc-port=-1 \
			-pid-file="$dir/consul.pid" -hcl 'disable_update_check = true'
		consul_pid=$!
		export CONSUL_HTTP_ADDR
		! until_true 20 "$consul_pid" has_leader || return 0
		stop "$consul_pid"
		consul_pid=''
	done
	tail -n 5 "$dir/consul.out" >&2
	die "Consul did not start ($try tries)"
}

# field NAME...: a value of the line of JSON that the stand-in printed
field() {
	"$PYTHON" -c '
import json, sys
value = json.load(open(sys.argv[1]))
for key in sys.argv[2:]:
    value = value[key]
print(value)' "$dir/api.out" "$@"
}

start_api() {
	background api "$PYTHON" tests/cloudflare/standin.py --dir "$dir/api" --dns
	api_pid=$!
	until_true 30 "$api_pid" test -s "$dir/api.out" || {
		tail -n 15 "$dir/api.log" >&2
		die "the stand-in for Cloudflare did not start"
	}
	CF_API_URL=$(field url) SSL_CERT_FILE=$(field ca_file) CF_API_TOKEN=$(field token)
	control=$(field control) dns_port=$(field dns port)
	export CF_API_URL SSL_CERT_FILE CF_API_TOKEN
}

# ---- Showing and checking ----------------------------------------------------------------------------------------------

# show COMMAND...: print it as one would type it, run it, print its answer. Its exit code is in $code, its output in $out.
show() {
	printf '\n  %s$ %s%s\n' "$bold" "${typed:-$*}" "$off"
	typed='' code=0
	out=$("$@" 2>&1) || code=$?
	[ -z "$out" ] || printf '%s\n' "$out" | sed 's/^/  /'
}

# ok: what was shown last must have succeeded
ok() { [ "$code" -eq 0 ] || die "that command failed with exit code $code"; }

# said TEXT: what was shown last must contain it
said() {
	case $out in
	*"$1"*) ;;
	*) die "that answer should contain: $1" ;;
	esac
}

# answer ADDRESS...: dig, and compare
answer() {
	typed="dig @127.0.0.1 -p $dns_port $name +short"
	show dig @127.0.0.1 -p "$dns_port" "$name" A +short +time=2 +tries=2
	ok
	got=$(printf '%s\n' "$out" | LC_ALL=C sort | tr '\n' ' ' | sed 's/^ *//; s/ *$//')
	[ "$got" = "$*" ] || die "DNS answers '$got'; it should be '$*'"
	printf '  %s(as it should be)%s\n' "$green" "$off"
}

# writes: how many write calls the API has had
writes() { curl -fsS "$control/stats" | sed 's/.*"writes": *\([0-9]*\).*/\1/'; }

# wrote N: the API has had N write calls since the last time this was asked
wrote() {
	now=$(writes)
	[ $((now - written)) -eq "$1" ] || die "$((now - written)) write calls to the API; it should be $1"
	written=$now
}

# lists N PASSING: wait until Consul's catalogue has so many; the agent passes a registration on within milliseconds
count() { curl -fsS "http://$CONSUL_HTTP_ADDR/v1/health/service/nginx$1" | grep -o '"Node": *{' | wc -l; }
is_listed() { [ "$(count '')" -eq "$1" ] && [ "$(count '?passing')" -eq "$2" ]; }
lists() { until_true 10 "$consul_pid" is_listed "$1" "$2" || die "Consul lists other than $1 instances, $2 of them passing"; }

register() {
	typed="consul services register -name=nginx -id=nginx-$1 -address=192.0.2.$1 -port=80"
	show "$CONSUL_BIN" services register -name=nginx -id="nginx-$1" -address="192.0.2.$1" -port=80
	ok
}

deregister() {
	typed="consul services deregister -id=nginx-$1"
	show "$CONSUL_BIN" services deregister -id="nginx-$1"
	ok
}

dnsbuddy() {
	verb=$1
	typed="dnsbuddy $verb nginx $name 60"
	show "$DNSBUDDY" "$verb" nginx "$name" 60
}

# ---- The demo ------------------------------------------------------------------------------------------------------------

tmp=$TMPDIR
[ ${#tmp} -le 50 ] || tmp=/tmp # the DNS server makes a socket in it, whose path may have 107 bytes
dir=$(mktemp -d "$tmp/dnsbuddy-demo.XXXXXX")
written=0

title "dnsbuddy keeps DNS records at Cloudflare in step with the healthy instances of a Consul service"
text "Everything here runs on this machine, on loopback: a real Consul, a stand-in for Cloudflare's API
(the real one needs an account), and a real DNS server that serves the records the API holds."

start_consul
start_api
DNSBUDDY_LOG_FORMAT=text
export DNSBUDDY_LOG_FORMAT

text "
  Consul          http://$CONSUL_HTTP_ADDR/ui
  Cloudflare API  $CF_API_URL
  DNS server      127.0.0.1:$dns_port
  dnsbuddy        $DNSBUDDY, one static file of $(stat -c %s "$DNSBUDDY") bytes
  consul          $CONSUL_BIN

It is told where they are by its environment, as in a container:

  export CONSUL_HTTP_ADDR=$CONSUL_HTTP_ADDR
  export CF_API_URL=$CF_API_URL SSL_CERT_FILE=$SSL_CERT_FILE
  export CF_API_TOKEN=...            # a token that the stand-in made up"

title "1. One nginx starts and registers in Consul. plan shows what sync will do."
register 1
lists 1 1
dnsbuddy plan && ok && said '+ A     192.0.2.1' && said '1 to create'
wrote 0
dnsbuddy sync && ok
answer 192.0.2.1
wrote 1

title "2. It is scaled to three. A fourth one has started too, but its health check fails: it stays out."
register 2
register 3
check='{"Name":"nginx","ID":"nginx-4","Address":"192.0.2.4","Port":80,"Check":{"TTL":"10m","Status":"critical"}}'
typed="curl -X PUT $CONSUL_HTTP_ADDR/v1/agent/service/register -d '$check'"
show curl -fsS -X PUT "http://$CONSUL_HTTP_ADDR/v1/agent/service/register" -d "$check"
ok
lists 4 3
dnsbuddy plan && ok && said '1 critical' && said '2 to create'
dnsbuddy sync && ok
answer 192.0.2.1 192.0.2.2 192.0.2.3
wrote 1 # both in one call

title "3. Down to two: one nginx is stopped and deregisters. Its record goes, and only its record."
deregister 2
lists 3 2
dnsbuddy plan && ok && said '- A     192.0.2.2' && said '1 to delete'
dnsbuddy sync && ok
answer 192.0.2.1 192.0.2.3
wrote 1

title "4. Nothing has changed since: nothing is written."
dnsbuddy sync && ok && said 'in sync'
wrote 0

title "5. Suddenly Consul lists nobody, as after a mistake or an outage. That alone never empties a name."
for n in 1 3 4; do
	deregister $n
done
lists 0 0
dnsbuddy sync
[ "$code" -eq 3 ] || die "sync should have ended with exit code 3 (held), not $code"
text "  (exit code 3: held)"
answer 192.0.2.1 192.0.2.3
wrote 0

title "6. They come back."
register 1
register 3
lists 2 2
dnsbuddy sync && ok && said 'in sync'
answer 192.0.2.1 192.0.2.3
wrote 0

stats=$(curl -fsS "$control/stats")
breaches=$(printf '%s' "$stats" | sed 's/.*"violations": *\([0-9]*\).*/\1/')
[ "$breaches" -eq 0 ] || die "the stand-in counted $breaches breaches of the API's rules; see $control/violations"
title "Done: every answer was as it should be. The API was written to $written times in all."

if [ -n "${DEMO_KEEP:-}" ]; then
	printf 'export CONSUL_HTTP_ADDR=%s CF_API_URL=%s SSL_CERT_FILE=%s CF_API_TOKEN=%s\n' \
		"$CONSUL_HTTP_ADDR" "$CF_API_URL" "$SSL_CERT_FILE" "$CF_API_TOKEN" >"$dir/env"
	# A pid may have been given to another process by then: each one must still name this folder or port.
	cat >"$dir/stop" <<-STOP
		#!/bin/sh
		for process in "$api_pid $dir/api" "$consul_pid $dir/consul.pid"; do
			pid=\${process%% *} word=\${process#* }
			tr '\\0' ' ' 2>/dev/null </proc/\$pid/cmdline | grep -qF "\$word" || continue
			kill \$pid
			n=0
			while grep -qs '^State:.[^Z]' /proc/\$pid/status && [ \$n -lt 100 ]; do
				n=\$((n + 1))
				sleep 0.05
			done
		done
		rm -rf '$dir'
	STOP
	chmod 755 "$dir/stop"
	kept=1
	text "
It is all still up, as DEMO_KEEP is set:

  Consul UI       http://$CONSUL_HTTP_ADDR/ui
  records         dig @127.0.0.1 -p $dns_port $name +short
  try dnsbuddy    . $dir/env; $DNSBUDDY plan nginx $name 60
  its page        . $dir/env; $DNSBUDDY watch --listen 127.0.0.1:8080 nginx $name 60
  stop it all     $dir/stop"
fi
