#!/bin/bash
# update-dns.sh SERVICE RECORD [TTL]: the handler that dnsbuddy is measured against. Written for the comparison in bash, curl
# and jq as somebody who knows them would, it does the same job, properly. (The handler of the 2015 article called the API
# once per record, ignored its errors, and paired ids with addresses by position.)
#
#   - one consistent read of the passing instances; one without an address is skipped; none at all changes nothing
#   - the zone by its name, unless CF_ZONE_ID is set; records page by page to the end
#   - id and content of a record stay together in one object; jq works out what to add, change and remove
#   - adds before it removes, with the batch API, 200 operations in a call; every answer has to say success
#   - one curl process per call: what the next call asks is not known before this one is answered, and jq sits between.
#     So each opens a connection of its own. (curl's --next joins calls that are all known beforehand; there are none here
#     but batches past 200 operations.)
#
# What it leaves out, and dnsbuddy does: AAAA and CNAME records, evidence beyond the consistent read, listing again when
# a batch was refused or its answer lost, retries of writes, an owner's mark, limits on what it reads.
#
# Environment: CONSUL_HTTP_ADDR, CF_API_URL, CF_API_TOKEN, CF_ROOT_DOMAIN or CF_ZONE_ID, SSL_CERT_FILE.
set -euo pipefail

service=${1:?usage: update-dns.sh SERVICE RECORD [TTL]}
record=${2:?usage: update-dns.sh SERVICE RECORD [TTL]}
ttl=${3:-60}
api=${CF_API_URL:-https://api.cloudflare.com/client/v4}
limit=200

die() {
	printf 'update-dns.sh: %s\n' "$*" >&2
	exit 1
}

# call METHOD PATH FILTER [BODY]: prints what jq's FILTER makes of the answer, if that says success. The token goes by a file
# descriptor, not by argv.
call() {
	local body=()
	[ $# -lt 4 ] || body=(-H 'Content-Type: application/json' --data-binary @-)
	curl -sS --max-time 10 -X "$1" "${body[@]}" "$api$2" \
		-K <(printf 'header = "Authorization: Bearer %s"\n' "$CF_API_TOKEN") <<<"${4:-}" |
		jq -er "if .success == true then $3 else error(.errors | tojson) end" || die "$1 $2 failed"
}

wanted=$(curl -fsS --max-time 10 "http://${CONSUL_HTTP_ADDR:-127.0.0.1:8500}/v1/health/service/$service?passing&consistent" |
	jq -c '[.[].Service.Address | select(. != "")] | unique') || die "no answer from Consul"
[ "$wanted" != '[]' ] || die "Consul lists no passing instance of $service: nothing is changed"

zone=${CF_ZONE_ID:-}
[ -n "$zone" ] || zone=$(call GET "/zones?name=$CF_ROOT_DOMAIN" '.result[0].id')

records=''
page=1 pages=1
while [ "$page" -le "$pages" ]; do
	answer=$(call GET "/zones/$zone/dns_records?type=A&name.exact=$record&per_page=5000&page=$page" \
		'"\(.result_info.total_pages) \([.result[] | {id, content, ttl}])"')
	pages=${answer%% *}
	records+=${answer#* }
	page=$((page + 1))
done

# Lines of work, in this order: batches of posts and patches, then batches of deletes.
work=$(jq -rc -s --argjson wanted "$wanted" --arg name "$record" --argjson ttl "$ttl" --argjson limit "$limit" '
	def chunks: [range(0; length; $limit) as $i | .[$i:$i + $limit]];
	(add | group_by(.content) | map({first: .[0], rest: .[1:]})) as $have
	| ($have | map(.first.content)) as $known
	| [($wanted - $known)[] | {post: {type: "A", name: $name, content: ., ttl: $ttl, proxied: false}}] as $posts
	| [$have[].first | select((.content | IN($wanted[])) and .ttl != $ttl)
		| {patch: {id, type: "A", name: $name, content, ttl: $ttl}}] as $patches
	| [$have[] | (.first | select(.content | IN($wanted[]) | not)), .rest[] | {id}] as $deletes
	| ($posts + $patches | chunks[] | {posts: [.[].post // empty], patches: [.[].patch // empty]}
		| with_entries(select(.value != []))),
	  ($deletes | chunks[] | {deletes: .})' <<<"$records")

while IFS= read -r batch; do
	[ -z "$batch" ] || call POST "/zones/$zone/dns_records/batch" .success "$batch" >/dev/null
done <<<"$work"
