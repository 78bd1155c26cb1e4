#!/bin/bash
# roll.sh [-f FILE] [-p PREFIX] [SERVICE]: replace every container of a service (nginx), one after another, without losing a
# request. Each new one is made from the image and the settings as they are now.
#
#   -f FILE    the compose file; by default what start.sh was called with, as for a plain `docker-compose`
#   -p PREFIX  the prefix of the containers' names; the same
#
# For each old container: one more is started; when Consul calls it healthy and the name has its record, one TTL is waited, so
# that every resolver hands it out. Then the old one is drained (`dnsbuddy drain`: out of DNS, one TTL, its clients gone),
# stopped and removed. Whatever fails ends it, and nothing that serves has been stopped then; it can be called again.
#
# WAIT_SECONDS (300) bounds each wait. WATCHER (cloudflare) is the service that keeps the records.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=examples/asking.sh
. ./asking.sh

wait=${WAIT_SECONDS:-300} watcher_service=${WATCHER:-cloudflare}
options=() draining='' began=$SECONDS

die() { printf 'roll.sh: error: %s\n' "$*" >&2; exit 1; }
say() { printf '%3d s  %s\n' $((SECONDS - began)) "$*"; }
usage() { sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]##*/}"; }

while getopts f:p:h option; do
	case $option in
	f | p) options+=("-$option" "$OPTARG") ;;
	h) usage && exit ;;
	*) usage >&2 && exit 64 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -le 1 ] || { usage >&2; exit 64; }
service=${1:-nginx}

# ---- What has to be there --------------------------------------------------------------------------------------------------

find_docker() {
	local why
	command -v docker >/dev/null || die "docker is not installed"
	command -v curl >/dev/null || die "curl is not installed; it asks Consul which container is healthy"
	why=$(docker version 2>&1 >/dev/null) || die "no Docker engine answers: $(printf '%s\n' "$why" | tail -n 1)"
	if docker compose version >/dev/null 2>&1; then
		compose=(docker compose)
	elif command -v docker-compose >/dev/null; then
		compose=(docker-compose)
	else
		die "neither docker compose nor docker-compose is installed"
	fi
	compose+=("${options[@]}")
	why=$("${compose[@]}" config -q 2>&1) || die "$why"
}

# Two at once would count each other's containers.
lock() {
	command -v flock >/dev/null || return 0
	exec 9<.
	flock -n 9 || die "another roll.sh runs in this folder"
}

# containers SERVICE: the ids of those that run
containers() {
	local all
	all=$("${compose[@]}" ps -q "$1") || die "Compose does not list the containers of $1"
	[ -z "$all" ] || xargs -n 1 docker inspect -f '{{if .State.Running}}{{.Id}}{{end}}' <<<"$all" 2>/dev/null | grep . || :
}

name_of() { docker inspect -f '{{slice .Name 1}}' "$1"; }

# setting CONTAINER NAME...: the first of these that is in a container's environment
setting() {
	local container=$1 environment name
	shift
	environment=$(docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' "$container")
	for name in "$@"; do
		sed -n "s/^$name=\(..*\)/\1/p" <<<"$environment" | grep -m 1 . && return
	done
	return 0
}

# ---- The steps of one replacement ------------------------------------------------------------------------------------------

# start_one: one more of them; sets $new
start_one() {
	local before
	before=$(containers "$service")
	"${compose[@]}" up -d --no-deps --no-recreate --scale "$service=$(($(wc -l <<<"$before") + 1))" "$service" >/dev/null 2>&1 ||
		die "Compose cannot start one more: ${compose[*]} up -d --no-recreate --scale $service=N $service"
	new=$(comm -13 <(sort <<<"$before") <(containers "$service" | sort))
	[ "$(wc -w <<<"$new")" -eq 1 ] || die "not one new container of $service runs, but: ${new:-none}. Are there stopped ones?
  They are removed by: ${compose[*]} rm $service"
}

# is_settled CONTAINER: whether Consul calls it healthy, or it has ended
is_settled() {
	local id
	[ "$(docker inspect -f '{{.State.Running}}' "$1" 2>/dev/null)" = true ] || return 0
	id=$(setting "$1" DNSBUDDY_SERVICE SERVICE)
	is_healthy "${id:-$service}-$(docker inspect -f '{{.Config.Hostname}}' "$1")"
}
# 200 is passing, 503 critical or in maintenance, 404 unknown
is_healthy() { curl -fsS --noproxy '*' --max-time 2 -o /dev/null "http://$consul/v1/agent/health/service/id/$1?format=text" 2>/dev/null; }

# is_published: whether every address that is wanted has its record; the watcher may just be starting again
is_published() {
	watcher=$(containers "$watcher_service" | head -n 1)
	[ -n "$watcher" ] && docker exec "$watcher" /dnsbuddy plan --detailed-exitcode >/dev/null 2>&1
}

wait_for_new() {
	until_true is_settled "$new" ||
		die "$(name_of "$new") is not healthy in Consul after $wait s; nothing else was touched. See: docker logs $(name_of "$new")"
	[ "$(docker inspect -f '{{.State.Running}}' "$new" 2>/dev/null)" = true ] ||
		die "$(name_of "$new") has ended; nothing else was touched. See: docker logs $(name_of "$new")"
	until_true is_published ||
		die "$record has no record for $(name_of "$new") after $wait s; nothing else was touched. See: ${compose[*]} logs $watcher_service"
	say "$(name_of "$new") is in DNS; waiting $ttl s, its TTL"
	sleep $((ttl + 2))
	is_settled "$new" || die "$(name_of "$new") is healthy no more; nothing else was touched. See: docker logs $(name_of "$new")"
}

# replace CONTAINER
replace() {
	local old old_name
	old=$1 old_name=$(name_of "$1")
	start_one
	say "started $(name_of "$new"), in place of $old_name"
	wait_for_new
	say "draining $old_name"
	draining=$old
	docker exec "$old" /dnsbuddy drain --record "$record" --timeout "$wait" >/dev/null ||
		die "$old_name could not be drained, see above; it goes on serving"
	draining=''
	say "stopping $old_name"
	docker stop -t "$wait" "$old" >/dev/null || die "$old_name does not stop"
	docker rm -v "$old" >/dev/null
}

# What is drained and not stopped shall serve on.
cleanup() {
	[ -z "$draining" ] || docker exec "$draining" /dnsbuddy drain --undo >/dev/null 2>&1 || :
}

# ---- All of them -----------------------------------------------------------------------------------------------------------

find_docker
lock
old=$(containers "$service")
[ -n "$old" ] || die "no container of $service runs"
watcher=$(containers "$watcher_service" | head -n 1)
[ -n "$watcher" ] || die "no container of $watcher_service runs: nothing would change the records"
record=$(setting "$watcher" DNSBUDDY_RECORD RECORD)
ttl=$(setting "$watcher" DNSBUDDY_TTL TTL)
ttl=${ttl:-60}
[ -n "$record" ] || die "$watcher_service has no RECORD in its environment"
[ "$ttl" -gt 1 ] || ttl=300 # automatic
consul=$(where consul 8500) || die "consul's port 8500 is not published, see start.sh"

trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
say "replacing $(wc -l <<<"$old") containers of $service behind $record"
for container in $old; do
	replace "$container"
done
say "done: every container of $service is a new one"
