#!/bin/bash
# with-engine.sh COMMAND...: start a Docker engine of its own with the images that examples/ names (images.sh: no registry is
# asked), run the command in that engine's network, and take all of it down again. The exit code is the command's. Needs
# root. Ports that a compose file publishes are on 127.0.0.1 in there, and nowhere else.
#
#   cd examples && ../tests/rolling/with-engine.sh ./start.sh -f docker-compose-standin.yml
#   tests/rolling/with-engine.sh bash           to look around
#
#   DNSBUDDY     the program (default build/dnsbuddy)
#   CONSUL_BIN   a Consul (else scripts/consul.sh finds or fetches one)
#
# The command finds the project in $ENGINE_TREE, a folder to write to in $ENGINE_DIR, and the engine's process in $ENGINE_PID.
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/../.."
. third_party/lib.sh
. scripts/engine.sh
. tests/rolling/images.sh

tmp='' command=''
cleanup() {
	code=$?
	trap - EXIT
	trap '' INT TERM HUP # a second Ctrl-C must not leave an engine behind
	stop "$command"
	engine_stop
	[ -z "$tmp" ] || rm -rf --one-file-system "$tmp"
	exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

[ $# -gt 0 ] || die "a command is missing: tests/rolling/with-engine.sh COMMAND..."
[ "$(id -u)" -eq 0 ] || die "it starts a Docker engine, which takes root: use sudo"
scripts/deps.sh build rolling
DNSBUDDY=$(realpath "${DNSBUDDY:-$BUILD/dnsbuddy}")
[ -x "$DNSBUDDY" ] || die "no program at $DNSBUDDY: run make"
CONSUL_BIN=$(scripts/consul.sh)

tmp=$(mktemp -d "${TMPDIR:-/tmp}/dnsbuddy-engine.XXXXXX")
engine_start "$tmp" apart
make_images "$CONSUL_BIN" "$DNSBUDDY"
say IMAGES "$(docker images --format '{{.Repository}}:{{.Tag}}' | sort | paste -sd ' ')"

export DNSBUDDY CONSUL_BIN ENGINE_TREE=$PWD ENGINE_DIR=$tmp ENGINE_PID=$engine_pid
cd "$here"
engine_inside "$@" <&0 &
command=$!
code=0
wait "$command" || code=$?
command=''
(exit "$code")
