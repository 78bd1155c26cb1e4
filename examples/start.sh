#!/bin/bash
# start.sh [-f FILE] [-p PREFIX]: start the example, Consul first, and say (or open, where there is a browser) where to look.
#
#   -f FILE    the compose file; docker-compose.yml by default
#   -p PREFIX  the prefix of the containers' names; by default that of Compose, the name of this folder
#
# Both are kept in .env, so that a plain `docker-compose scale nginx=3` afterwards means the same. WAIT_SECONDS (60) bounds the
# wait for Consul, and that for nginx; NO_BROWSER=1 opens nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=examples/asking.sh
. ./asking.sh

file=docker-compose.yml prefix=''
wait=${WAIT_SECONDS:-60}

die() { printf 'start.sh: error: %s\n' "$*" >&2; exit 1; }
usage() { sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]##*/}"; }

while getopts f:p:h option; do
	case $option in
	f) file=$OPTARG ;;
	p) prefix=$OPTARG ;;
	h) usage && exit ;;
	*) usage >&2 && exit 64 ;;
	esac
done
[ $((OPTIND - 1)) -eq $# ] || { usage >&2; exit 64; }

# ---- What has to be there --------------------------------------------------------------------------------------------------

check_settings() {
	[ -f "$file" ] || die "there is no file $file in $PWD"
	[ -f .env ] || die "there is no .env here. Type: make .env
  and fill it in (not for docker-compose-standin.yml, which needs no account)"
	! is_standin || return 0
	local name
	for name in CF_ROOT_DOMAIN SERVICE RECORD; do
		[ -n "$(setting $name)" ] || die ".env: $name is empty"
	done
	[ "$(setting CF_ROOT_DOMAIN)" != example.com ] || die ".env is not filled in: CF_ROOT_DOMAIN is still example.com.
  Without an account: ./start.sh -f docker-compose-standin.yml"
	[ -n "$(setting CLOUDFLARE_API_TOKEN)$(setting CLOUDFLARE_API_TOKEN_FILE)$(setting CF_API_TOKEN)" ] ||
		{ [ -n "$(setting CF_API_KEY)" ] && [ -n "$(setting CF_AUTH_EMAIL)" ]; } ||
		die ".env is not filled in: it takes CLOUDFLARE_API_TOKEN, or CF_API_KEY and CF_AUTH_EMAIL"
}

# setting NAME: what .env says
setting() { sed -n "s/^$1=//p" .env | tail -n 1; }

is_standin() { grep -q '^  standin:' "$file"; }

find_docker() {
	command -v docker >/dev/null || die "docker is not installed (Debian: apt-get install docker.io docker-compose)"
	command -v curl >/dev/null || die "curl is not installed; it asks Consul whether it is ready"
	local why
	why=$(docker version 2>&1 >/dev/null) || die "no Docker engine answers: $(printf '%s\n' "$why" | tail -n 1)
  Start it, or name another one with DOCKER_HOST; your user may have to be in the group docker."
	if docker compose version >/dev/null 2>&1; then
		compose=(docker compose) scale='up -d --no-recreate --scale nginx=3'
	elif command -v docker-compose >/dev/null; then
		compose=(docker-compose) scale='scale nginx=3'
	else
		die "neither docker compose nor docker-compose is installed (Debian: apt-get install docker-compose)"
	fi
	plain=${compose[*]}
	compose+=(-f "$file")
	[ -z "$prefix" ] || compose+=(-p "$prefix")
}

# remember NAME VALUE: in .env, where Compose looks; an empty VALUE takes it out
remember() {
	[ "$(setting "$1")" != "$2" ] || return 0
	(
		umask 077
		{
			grep -v "^$1=" .env || :
			[ -z "$2" ] || printf '%s=%s\n' "$1" "$2"
		} >.env.new
	)
	mv .env.new .env
}

# ---- Asking ----------------------------------------------------------------------------------------------------------------

# consul_says PATH TEXT: whether Consul's answer has this in it
consul_says() {
	[ -n "$consul" ] || consul=$(where consul 8500) || return 1
	curl -fsS --noproxy '*' --max-time 2 "http://$consul$1" 2>/dev/null | grep -q "$2"
}

# show WHAT URL: print it, and open it where there is a screen
show() {
	printf '  %-12s %s\n' "$1" "$2"
	[ -z "${NO_BROWSER:-}" ] || return 0
	if [ "$(uname)" = Darwin ]; then
		open "$2" >/dev/null 2>&1 || :
	elif [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && command -v xdg-open >/dev/null; then
		xdg-open "$2" >/dev/null 2>&1 || :
	fi
}

# ---- Starting --------------------------------------------------------------------------------------------------------------

check_settings
find_docker
remember COMPOSE_FILE "$file"
remember COMPOSE_PROJECT_NAME "$prefix"

if ! docker image inspect dnsbuddy >/dev/null 2>&1; then
	echo 'Building the image dnsbuddy'
	../scripts/image.sh
fi

echo 'Starting Consul'
consul=''
"${compose[@]}" up -d consul
until_true consul_says /v1/status/leader ':' ||
	die "Consul does not answer after $wait s${consul:+ at $consul}; see: ${compose[*]} logs consul"
show Consul "http://$consul/ui/"

echo 'Starting nginx and cloudflare'
"${compose[@]}" up -d
until_true consul_says '/v1/health/service/nginx?passing' '"Address"' ||
	echo "start.sh: nginx is not healthy in Consul after $wait s; see: ${compose[*]} logs nginx" >&2

! at=$(where nginx 80) || show nginx "http://$at/"
! at=$(where cloudflare 8080) || show dnsbuddy "http://$at/"
if is_standin; then
	printf '  %-12s %s\n' DNS "dig @127.0.0.1 -p 5300 www.example.com +short"
else
	show Cloudflare "https://dash.cloudflare.com/?to=/:account/$(setting CF_ROOT_DOMAIN)/dns/records"
fi
printf '\nMore of them:  %s\nStop it all:   %s\n' "$plain $scale" "$plain down -t 2"
