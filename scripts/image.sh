#!/bin/sh
# image.sh [OPTION...]: build the image of Dockerfile.scratch with the Docker engine that is reachable from here. Options are
# handed to `docker build`. `make image` calls it.
#
#   IMAGE        its name (default dnsbuddy), tagged with VERSION and latest
#   DOCKER       the client (default docker; podman works too)
set -eu
cd "$(dirname "$0")/.."

DOCKER=${DOCKER:-docker}
IMAGE=${IMAGE:-dnsbuddy}
version=$(cat VERSION)
die() { printf 'image.sh: error: %s\n' "$*" >&2; exit 1; }

command -v "$DOCKER" >/dev/null ||
	die "no $DOCKER here. Install Docker (on Debian: apt-get install docker.io), or point DOCKER to another client.
  Where no engine can run as a service, 'sudo make test-image' starts one for itself and tests the image with it."
why=$("$DOCKER" version 2>&1 >/dev/null) ||
	die "$DOCKER is here, but no engine answers it: $(printf '%s\n' "$why" | tail -n 1)
  Start it (systemctl start docker), or name another one with DOCKER_HOST; your user may have to be in the group docker.
  'sudo make test-image' starts an engine for itself and tests the image with it."

"$DOCKER" build -f Dockerfile.scratch -t "$IMAGE:$version" -t "$IMAGE:latest" "$@" .
printf '\n%s:%s, %s bytes\n' "$IMAGE" "$version" "$("$DOCKER" image inspect -f '{{.Size}}' "$IMAGE:$version")"
