#include "sim/cloud_parts.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "core/record.h"

struct cloud cloud;

/* ---- small things ---- */

void cloud_no_room(const char *what)
{
	(void)fprintf(stderr, "the simulated Cloudflare has no room for more %s\n", what);
	abort();
}

uint32_t cloud_draw(uint32_t n)
{
	return cloud.setup.below(n);
}

bool cloud_happens(const char *what, unsigned per_million)
{
	return per_million && !cloud.is_calm && cloud.setup.chance(what, per_million);
}

/* Ids are in no order of time. */
uint64_t cloud_new_id(void)
{
	uint64_t x = ++cloud.next_id * UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

void cloud_format_id(char out[CLOUD_ID_LEN + 1], uint64_t id)
{
	(void)snprintf(out, CLOUD_ID_LEN + 1, "%016" PRIx64 "%016" PRIx64, id, ~id);
}

int cloud_parse_id(const char *s, uint64_t *id)
{
	char high[17], back[CLOUD_ID_LEN + 1];

	if (strlen(s) != CLOUD_ID_LEN)
		return -1;
	(void)snprintf(high, sizeof high, "%.16s", s);
	*id = strtoull(high, NULL, 16);
	cloud_format_id(back, *id);
	return strcasecmp(back, s) == 0 ? 0 : -1;
}
/* ---- records ---- */

bool cloud_is_live(const struct cloud_record *r)
{
	return r->until_ms == CLOCK_NEVER;
}

bool cloud_is_within(const char *name, const char *zone)
{
	size_t n = strlen(name), z = strlen(zone);

	return n >= z && strcasecmp(name + n - z, zone) == 0 && (n == z || name[n - z - 1] == '.');
}

int cloud_zone_of(const char *name)
{
	int best = -1;

	for (size_t i = 0; i < cloud.zones_n; i++)
		if (cloud_is_within(name, cloud.zones[i].name) &&
		    (best < 0 || strlen(cloud.zones[i].name) > strlen(cloud.zones[best].name)))
			best = (int)i;
	return best;
}

bool cloud_is_gone(const struct cloud_zone *z)
{
	return cloud.now_ms < z->gone_until_ms;
}

struct cloud_record *cloud_find(int zone, uint64_t id)
{
	for (size_t i = cloud.records_n; i--;)
		if (cloud.records[i].id == id && cloud.records[i].zone == zone && cloud_is_live(&cloud.records[i]))
			return &cloud.records[i];
	return NULL;
}

/* Versions that no listing can show any more make room. */
static void collect(void)
{
	size_t n = 0;

	if (cloud.records_n < CLOUD_RECORDS / 4 * 3)
		return;
	for (size_t i = 0; i < cloud.records_n; i++)
		if (cloud.records[i].until_ms > cloud.now_ms - CLOUD_LAG_MAX_MS)
			cloud.records[n++] = cloud.records[i];
	cloud.records_n = n;
}

struct cloud_transaction cloud_transaction;

void cloud_start(int64_t now_ms)
{
	cloud.now_ms = now_ms;
	collect();
	cloud_transaction.n = 0;
	cloud_transaction.records_n = cloud.records_n;
}

void cloud_note(struct cloud_record *before, struct cloud_record *after)
{
	if (cloud_transaction.n == CLOUD_CHANGES)
		cloud_no_room("changes of one transaction");
	if (before)
		before->until_ms = cloud.now_ms;
	cloud_transaction.changes[cloud_transaction.n++] = (struct cloud_change){before, after};
}

void cloud_roll_back(void)
{
	for (size_t i = cloud_transaction.n; i--;) {
		const struct cloud_record *before = cloud_transaction.changes[i].before;

		if (before)
			cloud.records[before - cloud.records].until_ms = CLOCK_NEVER;
	}
	cloud.records_n = cloud_transaction.records_n;
	cloud_transaction.n = 0;
}

void cloud_commit(int who, const struct cloud_exchange *x)
{
	if (cloud_transaction.n && cloud.setup.committed)
		cloud.setup.committed(who, x, cloud_transaction.changes, cloud_transaction.n);
}

/* A version for r, which is what it shall be. */
struct cloud_record *cloud_put(const struct cloud_record *r, struct cloud_record *before)
{
	struct cloud_record *new;

	if (cloud.records_n == CLOUD_RECORDS)
		cloud_no_room("records");
	new = &cloud.records[cloud.records_n++];
	*new = *r;
	new->from_ms = cloud.now_ms;
	new->until_ms = CLOCK_NEVER;
	if (new->is_proxied)
		new->ttl = 1;
	cloud_note(before, new);
	return new;
}

const struct cloud_record *cloud_add_record(int zone, enum cloud_type type, const char *name, const char *content, uint32_t ttl,
					    bool is_proxied, const char *comment)
{
	struct cloud_record r = {.id = cloud_new_id(), .zone = zone, .type = type, .ttl = ttl, .is_proxied = is_proxied};

	cloud_start(cloud.now_ms);
	r.is_others = true;
	(void)snprintf(r.name, sizeof r.name, "%s", name);
	(void)snprintf(r.content, sizeof r.content, "%s", content);
	(void)snprintf(r.comment, sizeof r.comment, "%s", comment ? comment : "");
	return cloud_put(&r, NULL);
}

/* ---- what the API refuses ---- */

bool cloud_is_address(const struct cloud_record *r)
{
	return r->type == CLOUD_A || r->type == CLOUD_AAAA;
}

static bool is_content_good(const struct cloud_record *r)
{
	unsigned char bytes[16];

	if (cloud_is_address(r))
		return inet_pton(r->type == CLOUD_A ? AF_INET : AF_INET6, r->content, bytes) == 1;
	return r->content[0] != '\0';
}

bool cloud_is_private(const struct cloud_record *r)
{
	struct target t;
	struct err e;

	return cloud_is_address(r) && (target_parse(&t, r->content, NULL, &e) || !target_can_be_proxied(&t));
}

bool cloud_refuse(struct cloud_refusal *f, unsigned code, unsigned chained, const char *message)
{
	*f = (struct cloud_refusal){400, code, chained, message};
	return true;
}

/* Beside the records that are there but the one before it. */
static bool collides(const struct cloud_record *r, const struct cloud_record *before, struct cloud_refusal *f)
{
	size_t n = 0;

	for (size_t i = 0; i < cloud.records_n; i++) {
		const struct cloud_record *o = &cloud.records[i];

		if (!cloud_is_live(o) || o == before || o->zone != r->zone)
			continue;
		n++;
		if (o->type == CLOUD_TXT || r->type == CLOUD_TXT || strcasecmp(o->name, r->name) != 0)
			continue;
		if (o->type == r->type && strcasecmp(o->content, r->content) == 0)
			return cloud_refuse(f, 81058, 0, "An identical record already exists.");
		if (r->type == CLOUD_CNAME)
			return cloud_refuse(f, 81053, 0, "An A, AAAA, or CNAME record with that host already exists.");
		if (o->type == CLOUD_CNAME)
			return cloud_refuse(f, 81054, 0, "A CNAME record with that host already exists.");
	}
	if (!before && n >= (cloud.now_ms < cloud.full_until_ms ? 0 : cloud.zones[r->zone].quota))
		return cloud_refuse(f, 81045, 0, "Record quota exceeded.");
	return false;
}

bool cloud_would_refuse(const struct cloud_record *r, const struct cloud_record *before, struct cloud_refusal *f)
{
	if (r->ttl != 1 && (r->ttl < 60 || r->ttl > 86400))
		return cloud_refuse(f, 1004, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.");
	if (!is_content_good(r))
		return cloud_refuse(f, 1004, 9005, "Content for the record is invalid.");
	if (r->is_proxied && cloud_is_private(r))
		return cloud_refuse(f, 9003, 0, "Target is not allowed for a proxied record.");
	if (cloud_is_refused(r->content, cloud.now_ms))
		return cloud_refuse(f, 1004, 9007, "This content is not restricted to what is allowed.");
	if (strlen(r->comment) > 100)
		return cloud_refuse(f, 1004, 9313, "The comment is too long.");
	return collides(r, before, f);
}

bool cloud_is_refused(const char *content, int64_t now_ms)
{
	return now_ms < cloud.refused_until_ms && strcasecmp(content, cloud.refused_content) == 0;
}

/* ---- the world's side ---- */

void cloud_init(const struct cloud_setup *setup, int64_t now_ms)
{
	size_t used = cloud.records_n;

	memset(cloud.records, 0, used * sizeof cloud.records[0]);
	cloud.records_n = cloud.zones_n = 0;
	cloud.setup = *setup;
	cloud.now_ms = cloud.window_ms = now_ms;
	cloud.next_id = 0;
	cloud.is_calm = false;
	cloud.refused_content[0] = '\0';
	cloud.refused_until_ms = cloud.full_until_ms = cloud.limited_until_ms = 0;
	cloud.window_calls = 0;
	memset(cloud.callers, 0, sizeof cloud.callers);
	memset(&cloud.counts, 0, sizeof cloud.counts);
}

int cloud_add_zone(const char *name)
{
	struct cloud_zone *z = &cloud.zones[cloud.zones_n];

	if (cloud.zones_n == CLOUD_ZONES)
		cloud_no_room("zones");
	*z = (struct cloud_zone){.id = cloud_new_id(), .status = "active", .quota = 1000};
	(void)snprintf(z->name, sizeof z->name, "%s", name);
	return (int)cloud.zones_n++;
}
