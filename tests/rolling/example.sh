#!/bin/bash
# example.sh: the example as its README.md has it, typed command for command in an engine of its own; then the two files for
# Containerbuddy's images, with the article's own configuration. `sudo make test-example`: it is run by with-engine.sh.
#
# The article's images are not to be had: two are made that have its files, and in place of Containerbuddy and of its script
# programs that fail. For docker-compose-handler.yml somebody has to call the handler, which dnsbuddy does in Containerbuddy's place.
#
# The last line is the sum: `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/../.."

passed=0 failed=0 tmp=$(mktemp -d "${TMPDIR:-/tmp}/dnsbuddy-example.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
export NO_BROWSER=1

# same WHAT FOUND EXPECTED
same() {
	if [ "$2" = "$3" ]; then
		printf '  %-7s %s\n' OK "$1"
		passed=$((passed + 1))
	else
		printf '  %-7s %s\n          found:    %s\n          expected: %s\n' FAIL "$1" "$2" "$3"
		failed=$((failed + 1))
	fi
}

# until_is EXPECTED COMMAND...: within 60 s; prints what it printed last
until_is() {
	local end=$((SECONDS + 60)) expected=$1 found=''
	shift
	while found=$("$@" 2>&1) || :; [ "$found" != "$expected" ] && [ $SECONDS -lt $end ]; do
		sleep 0.2
	done
	printf '%s\n' "$found"
}

dns() { dig @127.0.0.1 -p 5300 www.example.com +short +time=1 +tries=1; }
# how many addresses DNS answers
count() { dns | grep -c '^[0-9.]*$' || :; }
# which of nginx answer there, as many as there are addresses
who() { for address in $(dns); do curl -fsS --noproxy '*' --max-time 5 "http://$address/"; done | sort -u | grep -c '^nginx on ' || :; }
# quiet COMMAND...: its output only when it fails
quiet() { "$@" >"$tmp/log" 2>&1 || { tail -n 20 "$tmp/log" && failed=$((failed + 1)); }; }

# As git has it: start.sh writes into the folder.
mkdir "$tmp/project"
git ls-files -z examples scripts tests/cloudflare | tar -c --null -T - | tar -x -C "$tmp/project"
cd "$tmp/project/examples"

# ---- README.md's first commands --------------------------------------------------------------------------------------------

quiet make .env
quiet ./start.sh -f docker-compose-standin.yml
same "start.sh: DNS answers one address" "$(until_is 1 count)" 1
quiet docker-compose scale nginx=3
same "docker-compose scale nginx=3: DNS answers three" "$(until_is 3 count)" 3
same "… and behind each another nginx" "$(who)" 3
same "… all of them well, as they say themselves" "$(docker-compose exec -T --index=3 nginx /dnsbuddy health >/dev/null 2>&1 && echo well)" well
began=$SECONDS
quiet docker-compose scale nginx=2
same "scale nginx=2: DNS answers two" "$(count)" 2
took=$((SECONDS - began))
same "… and the third was drained for a TTL of 30 s (it took $took s)" "$([ $took -ge 28 ] && [ $took -lt 90 ] && echo yes)" yes
quiet docker-compose exec -T nginx /dnsbuddy drain --record www.example.com
same "drain: DNS answers one" "$(count)" 1
quiet docker-compose exec -T nginx /dnsbuddy drain --undo
same "drain --undo: DNS answers two" "$(until_is 2 count)" 2
quiet docker-compose down -v -t 2

# ---- Containerbuddy's images -----------------------------------------------------------------------------------------------

mkdir "$tmp/images"
cat >"$tmp/images/cloudflare.json" <<'EOF'
{
  "consul": "consul:8500",
  "services": [{"name": "cloudflare", "health": "/usr/bin/curl --fail -s http://localhost/health.txt", "poll": 10, "ttl": 25}],
  "backends": [{"name": "nginx", "poll": 5, "onChange": "/opt/containerbuddy/update-dns.sh"}]
}
EOF
cat >"$tmp/images/nginx.json" <<'EOF'
{
  "consul": "consul:8500",
  "services": [{"name": "nginx", "port": 80, "publicIp": true,
    "health": "/usr/bin/curl --fail -s http://localhost/health.txt", "poll": 10, "ttl": 25}]
}
EOF
cp nginx/default.conf "$tmp/images"
printf '#!/bin/sh\nexit 9\n' >"$tmp/images/old"
chmod 755 "$tmp/images/old"
# image NAME LINE...
image() {
	local name=$1
	shift
	printf '%s\n' "$@" | DOCKER_BUILDKIT=0 docker build -q -t "$name" -f - "$tmp/images" >/dev/null 2>&1
}
image old-cloudflare 'FROM debian:bookworm-slim' 'COPY cloudflare.json /opt/containerbuddy/' \
	'COPY old /opt/containerbuddy/containerbuddy' 'COPY old /opt/containerbuddy/update-dns.sh'
image old-nginx 'FROM nginx:1.28' 'COPY nginx.json /opt/containerbuddy/' 'COPY default.conf /etc/nginx/conf.d/' \
	'COPY old /opt/containerbuddy/containerbuddy'
export CLOUDFLARE_IMAGE=old-cloudflare NGINX_IMAGE=old-nginx

# The account is the stand-in, in the place that docker-compose-standin.yml gives it.
cat >standin.yml <<'EOF'
services:
  cloudflare:
    environment:
      CF_API_URL: https://standin:8443/client/v4
      SSL_CERT_FILE: /standin/tls/ca.pem
      CLOUDFLARE_API_TOKEN: not-a-secret-it-opens-nothing-but-the-stand-in
    volumes: ["standin:/standin:ro"]
    depends_on:
      standin:
        condition: service_healthy
  standin:
    image: dnsbuddy-standin
    command: ["--name", "standin", "--token", "not-a-secret-it-opens-nothing-but-the-stand-in"]
    volumes: ["standin:/standin"]
    ports: ["127.0.0.1:5300:53/udp"]
volumes:
  standin:
EOF

# follows FILE: from one nginx to three, and back to two
follows() {
	local compose=(docker-compose -f "$1" -f standin.yml)
	quiet "${compose[@]}" up -d
	same "$1: DNS answers one address" "$(until_is 1 count)" 1
	same "… a public one, as nginx.json wants" "$(dns | grep -c '^203\.0\.113\.')" 1
	quiet "${compose[@]}" up -d --no-recreate --scale nginx=3
	same "… three of them" "$(until_is 3 count) $(who)" "3 3"
	quiet "${compose[@]}" up -d --no-recreate --scale nginx=2
	same "… two of them" "$(until_is 2 count) $(who)" "2 2"
	same "… by the handler that is dnsbuddy" "$("${compose[@]}" logs --no-color cloudflare | grep -c 'msg="record deleted"')" 1
	quiet "${compose[@]}" down -v -t 5
}

follows docker-compose-shim.yml
image old-cloudflare 'FROM old-cloudflare' 'COPY --from=dnsbuddy /dnsbuddy /opt/containerbuddy/containerbuddy'
image old-nginx 'FROM old-nginx' 'COPY --from=dnsbuddy /dnsbuddy /opt/containerbuddy/containerbuddy'
docker rmi -f examples_cloudflare examples_nginx >/dev/null 2>&1 || :
follows docker-compose-handler.yml

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
