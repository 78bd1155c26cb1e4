#!/bin/bash
# test-image.sh: build Dockerfile.scratch as a user would, and test the image. `sudo make test-image`; needs root, since it
# starts a Docker engine of its own (package docker.io) whose data, socket and pid file lie in a temporary folder. Another
# engine on the machine is neither used nor disturbed. The base image is made with debootstrap from the mirror that
# this machine's apt uses; nothing comes from an image registry. Everything is stopped and removed at the end.
#
# dnsbuddy runs in a network of its own that has a loopback device and nothing else. Consul and the stand-in for Cloudflare
# join it there, and the kernel's counters of that network tell whether anything else was ever called.
#
# The last line is the sum: `N passed, N failed`. A machine that cannot run an engine fails, with the reason.
set -euo pipefail
cd "$(dirname "$0")/.."
. third_party/lib.sh
. scripts/engine.sh
. scripts/checks.sh

MAX=${IMAGE_MAX_BYTES:-360000}
name=www.example.com
holder=''

tidy() { engine_stop; }

# ---- The engine --------------------------------------------------------------------------------------------------------

[ "$(id -u)" -eq 0 ] || die "it starts a Docker engine, which takes root: sudo make test-image"
scripts/deps.sh build test image
CONSUL_BIN=$(scripts/consul.sh)
tmp=$(mktemp -d "${TMPDIR:-/tmp}/dnsbuddy-image.XXXXXX")
engine_start "$tmp" shared

# ---- The base image ----------------------------------------------------------------------------------------------------

base_tree "$tmp/base"
tar -C "$tmp/base" -c . | docker import - debian:bookworm-slim >/dev/null ||
	die "the engine runs, but this machine does not let it unpack an image; the image was not tested"
rm -rf --one-file-system "$tmp/base"

# ---- The build -----------------------------------------------------------------------------------------------------------

say IMAGE "scripts/image.sh"
export IMAGE=dnsbuddy
if out=$(scripts/image.sh --network host 2>&1); then
	pass "Dockerfile.scratch builds"
else
	fail "Dockerfile.scratch builds" "$out"
	sum
fi

# ---- What is in it -------------------------------------------------------------------------------------------------------

mkdir "$tmp/saved"
docker save "$IMAGE" | tar -x -C "$tmp/saved"
files=$("$PYTHON" - "$tmp/saved" <<'PY'
import json, pathlib, sys, tarfile
root = pathlib.Path(sys.argv[1])
for layer in json.loads((root / "manifest.json").read_text())[0]["Layers"]:
    with tarfile.open(root / layer) as tar:
        for m in tar:
            print(m.name, oct(m.mode & 0o7777), f"{m.uid}:{m.gid}")
            if m.name == "dnsbuddy":
                (root / "binary").write_bytes(tar.extractfile(m).read())
PY
)
same "the layers hold one file" "$files" "dnsbuddy 0o755 0:0"

docker create --name listing "$IMAGE" >/dev/null
# The engine puts these mount points and names into every container.
files=$(docker export listing | tar -t | grep -vE '^(\.dockerenv|(dev|proc|sys|etc)/|dev/(console|pts/|shm/)|etc/(hostname|hosts|mtab|resolv\.conf))$' || :)
docker rm listing >/dev/null
same "a container has /dnsbuddy, and what the engine adds" "$files" "dnsbuddy"

size=$(docker image inspect -f '{{.Size}}' "$IMAGE")
same "image size = size of the program" "$size" "$(stat -c %s "$tmp/saved/binary")"
if [ "$size" -lt "$MAX" ]; then pass "$size bytes, below $MAX"; else fail "$size bytes, not below $MAX"; fi
has "the program is a static-pie" "$(file -b "$tmp/saved/binary")" "static-pie linked"
same "user, entry point, command, environment" \
	"$(docker image inspect -f '{{.Config.User}} {{json .Config.Entrypoint}} {{json .Config.Cmd}}' "$IMAGE")" '65534:65534 ["/dnsbuddy"] null'

# ---- What it does --------------------------------------------------------------------------------------------------------

locked=(--read-only --cap-drop ALL --security-opt no-new-privileges --memory 16m --pids-limit 4)
out=$(docker run --rm --network none "${locked[@]}" "$IMAGE" version 2>&1) || :
same "docker run … version" "$out" "dnsbuddy $(cat VERSION)"
for shell in /bin/sh sh bash /busybox; do
	code=0
	docker run --rm --network none --entrypoint "$shell" "$IMAGE" -c : >/dev/null 2>&1 || code=$?
	[ "$code" -eq 127 ] || break
done
same "no shell in it" "$code" 127

# The example's, on a base that stands for an image with Containerbuddy.
if out=$(docker build --network none --target handler --build-arg BASE=debian:bookworm-slim -t example examples/containerbuddy 2>&1); then
	out=$(docker run --rm --network none --entrypoint /opt/containerbuddy/update-dns.sh example 2>&1) || :
fi
has "examples/containerbuddy/Dockerfile copies the program over another's handler" "$out" "dnsbuddy sync: "

# A network with a loopback device alone, kept by a container of the base image.
holder=$(docker run -d --network none --add-host consul:127.0.0.1 --init debian:bookworm-slim sleep infinity)
apis_start "$(docker inspect -f '{{.State.Pid}}' "$holder")"
same "the test network has a loopback device alone" "$(inside cat /proc/net/dev | awk -F: 'NR > 2 { print $1 }' | tr -d ' ')" lo

for n in 1 2; do
	register "$n"
done
for _ in {1..100}; do
	[ "$(get http://127.0.0.1:8500/v1/health/service/nginx | grep -o '"Node": *{' | wc -l)" -ne 2 ] || break
	sleep 0.05
done

# A secret as Docker mounts it, readable by the user the image runs as and by nobody else.
field token >"$tmp/token"
chown 65534:65534 "$tmp/token"
chmod 400 "$tmp/token"
where=(--network "container:$holder" "${locked[@]}"
	-e CF_API_TOKEN_FILE=/run/secrets/token -v "$tmp/token:/run/secrets/token:ro" -e "CF_API_URL=$(field url)" -e TTL=60
	-e SERVICE=nginx -e "RECORD=$name" -e DNSBUDDY_RETRY_FOR=0)
trust=(-e SSL_CERT_FILE=/ca.pem -v "$(field ca_file):/ca.pem:ro")

# no_routes: how often somebody in that network called an address outside it, over IPv4 or IPv6, TCP or UDP
no_routes() {
	inside cat /proc/net/snmp /proc/net/snmp6 | awk '
		$1 == "Ip:" && !col { for (i = 2; i <= NF; i++) if ($i == "OutNoRoutes") col = i; next }
		$1 == "Ip:" { sum += $col }
		$1 == "Ip6OutNoRoutes" { sum += $2 }
		END { print sum + 0 }'
}
# stat NAME: a number of the stand-in's statistics
stat_of() { get "$control/stats" | "$PYTHON" -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

before=$(no_routes)
! inside curl -s --noproxy '*' --max-time 2 http://192.0.2.200/ || :
if [ "$(no_routes)" -gt "$before" ]; then
	pass "the counter of calls to elsewhere counts (one made on purpose)"
else
	fail "the counter of calls to elsewhere counts (one made on purpose)"
fi

code=0
out=$(docker run --rm "${where[@]}" "$IMAGE" sync 2>&1) || code=$?
same "without the test's root certificate: refused, exit code 1" "$code" 1
has "… as its issuer is not among the roots built in" "$out" "is not among the"
same "… and no call reached the API" "$(get "$control/calls")" "[]"

# The first call is held up, so that the process can be looked at while it runs.
get "$control/faults" -d '{"do":"delay","seconds":2,"times":1}' >/dev/null
before=$(no_routes) connections=$(stat_of connections)
box=$(docker run -d "${where[@]}" "${trust[@]}" "$IMAGE" sync)
pid=$(docker inspect -f '{{.State.Pid}}' "$box")
for _ in {1..40}; do
	# It is connected to the API, and waits.
	! grep -qs "^ *[0-9]*: 0100007F:[0-9A-F]* 0100007F:$(printf %04X "$(field url | sed 's/.*:\([0-9]*\).*/\1/')") 01 " "/proc/$pid/net/tcp" || break
	sleep 0.05
done
status=$(cat "/proc/$pid/status" 2>/dev/null || :)
sockets=$(find "/proc/$pid/fd" -lname 'socket:*' 2>/dev/null | wc -l) || :
line() { printf '%s\n' "$status" | sed -n "s/^$1:[[:space:]]*//p" | tr '\t' ' '; }
same "it runs as 65534, group 65534" "$(line Uid) $(line Gid)" "65534 65534 65534 65534 65534 65534 65534 65534"
same "… without any capability, and can gain none" "$(line CapEff) $(line CapPrm) $(line NoNewPrivs)" "0000000000000000 0000000000000000 1"
same "… as one process with one thread" "$(line Threads)" 1
if [ "$sockets" -ge 1 ] && [ "$sockets" -le 2 ]; then
	pass "… with $sockets sockets open"
else
	fail "… with one or two sockets open" "$sockets"
fi
say IMAGE "resident: $(line VmRSS), at most $(line VmHWM)"
code=$(docker wait "$box")
out=$(docker logs "$box" 2>&1)
docker rm "$box" >/dev/null
same "sync ends with 0" "$code $([ "$code" -eq 0 ] || printf '%s' "$out")" "0 "
has "… having created the records" "$out" "record created"
same "… which are what Consul lists" \
	"$(records "$name")" \
	"192.0.2.1 192.0.2.2"
same "… over one connection to the API" $(($(stat_of connections) - connections)) 1
same "… calling nothing but Consul and the API" $(($(no_routes) - before)) 0
same "… and breaking none of the API's rules" "$(get "$control/violations")" "[]"

writes=$(stat_of writes)
out=$(docker run --rm "${where[@]}" "${trust[@]}" "$IMAGE" sync nginx "$name" 60 2>&1) || :
has "a second sync finds it in sync" "$out" "in sync"
same "… and writes nothing" "$(stat_of writes)" "$writes"
out=$(docker run --rm "${where[@]}" "${trust[@]}" "$IMAGE" plan 2>&1) || :
has "plan says so too" "$out" "nothing to do"

# ---- README's container, by itself ---------------------------------------------------------------------------------------

# The command as README.md has it, but for the token and the port: nothing is published of a network that has a loopback
# device alone. What a test needs besides comes first. In that network `consul` is the name of 127.0.0.1.
run=$(awk '/^docker run -d --name cloudflare /, !/\\$/' README.md | sed 's/ -p [^ ]*//')
read -ra words <<<"${run//$'\\\n'/ }"
has "README.md has a command to run a container" "${words[*]}" " dnsbuddy watch"
more=(--network "container:$holder" --cap-drop ALL --security-opt no-new-privileges --health-interval 1s --health-retries 1
	-e CF_API_URL="$(field url)" -e DNSBUDDY_UNHEALTHY_AFTER=1 "${trust[@]}")
token=$(field token)
words=("${words[@]/TOKEN=.../TOKEN=$token}")

port=$(field dns port)
dns() { inside dig @127.0.0.1 -p "$port" +short "$name" A | sort | paste -sd ' '; }
health() { docker inspect -f '{{.State.Health.Status}}' cloudflare; }
# own_check: of the services named cloudflare in Consul, each check of its own: status and output
own_check() {
	get "http://127.0.0.1:8500/v1/health/service/cloudflare" | "$PYTHON" -c '
import json, sys
print(*(c["Status"] + ": " + c["Output"] for i in json.load(sys.stdin) for c in i["Checks"] if c["ServiceID"]))'
}
services() { inside "$CONSUL_BIN" services "$@" >/dev/null; }

before=$(no_routes) connections=$(stat_of connections)
docker run -d "${more[@]}" "${words[@]:3}" >/dev/null
same "docker run … watch: healthy, says HEALTHCHECK" "$(until_is 20 healthy health)" healthy
pid=$(docker inspect -f '{{.State.Pid}}' cloudflare)
same "… as PID 1 of user 65534" "$(awk '/^NSpid:/ { print $NF } /^Uid:/ { print $2 }' "/proc/$pid/status" | sort -n | paste -sd ' ')" "1 65534"
same "… on a read-only file system" "$(docker inspect -f '{{.HostConfig.ReadonlyRootfs}}' cloudflare)" true
has "… a service cloudflare in Consul, and passing" "$(own_check)" "passing: "
same "… DNS has what Consul lists" "$(dns)" "192.0.2.1 192.0.2.2"
services register -name=nginx -id=nginx-3 -address=192.0.2.3 -port=80
same "consul services register: DNS has it" "$(until_is 5 "192.0.2.1 192.0.2.2 192.0.2.3" dns)" "192.0.2.1 192.0.2.2 192.0.2.3"
services deregister -id=nginx-1
same "consul services deregister: DNS has it no more" "$(until_is 5 "192.0.2.2 192.0.2.3" dns)" "192.0.2.2 192.0.2.3"
get "$control/faults" -d '{"do":"status","status":503,"kind":"write","times":0}' >/dev/null
services register -name=nginx -id=nginx-4 -address=192.0.2.4 -port=80
same "unhealthy while the API refuses what is to be written" "$(until_is 20 unhealthy health)" unhealthy
get -X DELETE "$control/faults" >/dev/null
same "… and healthy when it is written" "$(until_is 60 healthy health) $(dns)" "healthy 192.0.2.2 192.0.2.3 192.0.2.4"
say IMAGE "resident: $(awk '/^VmRSS:/ { print $2, $3 }' "/proc/$pid/status"), at most $(awk '/^VmHWM:/ { print $2, $3 }' "/proc/$pid/status")"
began=$(date +%s%N)
docker stop cloudflare >/dev/null
took=$((($(date +%s%N) - began) / 1000000))
if [ "$took" -lt 2000 ]; then pass "docker stop: ended after $took ms"; else fail "docker stop: ended after $took ms, not within 2000"; fi
code=$(docker inspect -f '{{.State.ExitCode}}' cloudflare)
out=$(docker logs cloudflare 2>&1)
same "… with 0" "$code $([ "$code" -eq 0 ] || printf '%s' "$out")" "0 "
same "… and its service is gone from Consul" "$(own_check)" ""
same "… and the records stay" "$(dns)" "192.0.2.2 192.0.2.3 192.0.2.4"
if [[ $out == *"$token"* ]]; then fail "no token in its log"; else pass "no token in its log"; fi
same "it called nothing but Consul and the API" $(($(no_routes) - before)) 0
same "… and broke none of the API's rules" "$(get "$control/violations")" "[]"
docker rm cloudflare >/dev/null

sum
