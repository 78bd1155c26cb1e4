# shellcheck shell=bash
# Sourced, after third_party/lib.sh and scripts/engine.sh: the images of examples/, made without a registry. What the
# official images of nginx and Consul have that the example counts on (entry point, folders, signal to stop) these have.

# One tree for all of them. Their packages, and what the stand-in for Cloudflare's API needs (tests/cloudflare/README.md).
PACKAGES=nginx-light,curl,python3,python3-jsonschema,openssl,pdns-server,pdns-backend-sqlite3,bind9-dnsutils,bash,jq

# nginx as its official image has it
dress_nginx() {
	rm -rf "$1"/etc/nginx/{sites-*,modules-*,conf.d,nginx.conf} "$1"/var/www
	mkdir -p "$1"/etc/nginx/conf.d "$1"/usr/share/nginx/html
	cat >"$1/etc/nginx/nginx.conf" <<'EOF'
user www-data;
worker_processes auto;
error_log /var/log/nginx/error.log notice;
events { worker_connections 1024; }
http {
	include /etc/nginx/mime.types;
	default_type application/octet-stream;
	access_log /var/log/nginx/access.log;
	sendfile on;
	keepalive_timeout 65;
	include /etc/nginx/conf.d/*.conf;
}
EOF
	cat >"$1/etc/nginx/conf.d/default.conf" <<'EOF'
server {
	listen 80;
	listen [::]:80;
	server_name localhost;
	location / {
		root /usr/share/nginx/html;
		index index.html index.htm;
	}
}
EOF
	echo '<h1>Welcome to nginx!</h1>' >"$1/usr/share/nginx/html/index.html"
	ln -sf /dev/stdout "$1/var/log/nginx/access.log"
	ln -sf /dev/stderr "$1/var/log/nginx/error.log"
	printf '#!/bin/sh\nexec "$@"\n' >"$1/docker-entrypoint.sh"
	chmod 755 "$1/docker-entrypoint.sh"
}

# dress_consul TREE CONSUL
dress_consul() {
	install -m 755 "$2" "$1/bin/consul"
	mkdir -p "$1/consul/data" "$1/consul/config"
	cat >"$1/usr/local/bin/docker-entrypoint.sh" <<'EOF'
#!/bin/sh
if [ "$1" = agent ]; then
	shift
	set -- consul agent -data-dir=/consul/data -config-dir=/consul/config "$@"
fi
exec "$@"
EOF
	chmod 755 "$1/usr/local/bin/docker-entrypoint.sh"
}

# tree_archive CONSUL: prints the path of the tree's archive, which is kept and made again when its recipe changes
tree_archive() {
	local archive tree
	archive=$CACHE/rolling-$({ declare -p PACKAGES; declare -f base_tree dress_nginx dress_consul; cat "$1"; } | sha256sum | cut -c 1-16).tar
	if [ ! -s "$archive" ]; then
		rm -f "$CACHE"/rolling-*.tar
		tree=$(mktemp -d "${TMPDIR:-/tmp}/dnsbuddy-tree.XXXXXX")
		base_tree "$tree/root" "$PACKAGES" >&2
		dress_nginx "$tree/root"
		dress_consul "$tree/root" "$1"
		tar -C "$tree/root" -c . >"$archive.new"
		rm -rf --one-file-system "$tree"
		mv "$archive.new" "$archive"
	fi
	echo "$archive"
}

# image NAME INSTRUCTION...: the tree under another name
image() {
	local name=$1
	shift
	printf '%s\n' "FROM debian:bookworm-slim" "$@" | DOCKER_BUILDKIT=0 docker build -q -t "$name" - >/dev/null 2>&1 ||
		die "cannot make the image $name"
}

# docker_build NAME FOLDER: with the Dockerfile in it, less what installs packages: those are in the tree
docker_build() {
	local out
	out=$(sed -E '/^RUN apt-get/,/[^\\]$/d' "$2/Dockerfile" | DOCKER_BUILDKIT=0 docker build -t "$1" -f - "$2" 2>&1) ||
		die "cannot make the image $1: $(tail -n 5 <<<"$out")"
}

# bases: the names of images, not ours, that the example's files start from
bases() {
	sed -nE 's/^ *image: *"?([^" ]+)"? *$/\1/p; s/^FROM +([^ ]+).*/\1/p' examples/*.y*ml examples/Dockerfile* examples/*/Dockerfile* 2>/dev/null |
		grep -E '(^|/)(nginx|consul)(:|$)' | grep -v dnsbuddy | sort -u
}

# make_images CONSUL DNSBUDDY: all of them
make_images() {
	local name context
	docker import - debian:bookworm-slim <"$(tree_archive "$1")" >/dev/null || die "this machine does not let the engine unpack an image"
	for name in $(bases); do
		case $name in
		*nginx*)
			image "$name" 'EXPOSE 80' 'STOPSIGNAL SIGQUIT' 'ENTRYPOINT ["/docker-entrypoint.sh"]' 'CMD ["nginx", "-g", "daemon off;"]'
			;;
		*consul*)
			image "$name" 'EXPOSE 8300 8301 8301/udp 8302 8302/udp 8500 8600 8600/udp' 'ENTRYPOINT ["docker-entrypoint.sh"]' \
				'CMD ["agent", "-dev", "-client", "0.0.0.0"]'
			;;
		esac
	done
	# As Dockerfile.scratch, but for where the program comes from.
	context=$(mktemp -d "${TMPDIR:-/tmp}/dnsbuddy-context.XXXXXX")
	install -m 755 "$2" "$context/dnsbuddy"
	sed -n '/^FROM scratch/,$ { s/^COPY --from=build [^ ]*/COPY dnsbuddy/; p }' Dockerfile.scratch >"$context/Dockerfile"
	docker_build dnsbuddy "$context"
	rm -rf "$context"
	docker_build dnsbuddy-nginx examples/nginx
	docker_build dnsbuddy-standin tests/cloudflare
}
