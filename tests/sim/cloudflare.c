#include "sim/cloudflare.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "core/record.h"

#define CHANGES_MAX 1024
#define OPS_MAX 200
#define ID_LEN 32
#define MARK "managed by dnsbuddy"

struct cloud cloud;

static const char *const type_names[] = {[CLOUD_A] = "A", [CLOUD_AAAA] = "AAAA", [CLOUD_CNAME] = "CNAME", [CLOUD_TXT] = "TXT"};

_Static_assert(sizeof type_names / sizeof type_names[0] == CLOUD_TYPES, "a name for each");

/* ---- small things ---- */

static void no_room(const char *what)
{
	(void)fprintf(stderr, "the simulated Cloudflare has no room for more %s\n", what);
	abort();
}

static uint32_t below(uint32_t n)
{
	return cloud.setup.below(n);
}

static bool chance(const char *what, unsigned per_million)
{
	return per_million && !cloud.is_calm && cloud.setup.chance(what, per_million);
}

/* FNV-1a, letter case ignored. */
static uint32_t digest(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (uint8_t)(*s >= 'A' && *s <= 'Z' ? *s + 32 : *s)) * 16777619u;
	return h;
}

/* Whose a record is, by its comment: the owner, or nobody in particular. */
static uint32_t mark_of(const char *comment)
{
	static const char words[] = MARK " owner=";
	char owner[128];

	if (strncmp(comment, words, sizeof words - 1) != 0)
		return 0;
	(void)snprintf(owner, sizeof owner, "%.*s", (int)strcspn(comment + sizeof words - 1, " "), comment + sizeof words - 1);
	return digest(owner);
}

/* Ids are in no order of time. */
static uint64_t new_id(void)
{
	uint64_t x = ++cloud.next_id * UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static void format_id(char out[ID_LEN + 1], uint64_t id)
{
	(void)snprintf(out, ID_LEN + 1, "%016" PRIx64 "%016" PRIx64, id, ~id);
}

static int parse_id(const char *s, uint64_t *id)
{
	char high[17], back[ID_LEN + 1];

	if (strlen(s) != ID_LEN)
		return -1;
	(void)snprintf(high, sizeof high, "%.16s", s);
	*id = strtoull(high, NULL, 16);
	format_id(back, *id);
	return strcasecmp(back, s) == 0 ? 0 : -1;
}

/* ---- text that grows: answers ---- */

struct text {
	char *p;
	size_t len, cap;
};

static void add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	if (t->cap - t->len < 1024) {
		t->cap = t->cap ? 2 * t->cap : 4096;
		t->p = realloc(t->p, t->cap);
		if (!t->p)
			no_room("memory");
	}
	va_start(ap, format);
	n = vsnprintf(t->p + t->len, t->cap - t->len, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->cap - t->len)
		no_room("bytes of one field");
	t->len += (size_t)n;
}

static void add_string(struct text *t, const char *s)
{
	add(t, "\"");
	for (; *s; s++)
		add(t, *s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
	add(t, "\"");
}

static char *copy_of(const char *s, size_t len)
{
	char *p = malloc(len + 1);

	if (!p)
		no_room("memory");
	if (len)
		memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

/* ---- records ---- */

bool cloud_is_live(const struct cloud_record *r)
{
	return r->until_ms == CLOCK_NEVER;
}

static bool is_within(const char *name, const char *zone)
{
	size_t n = strlen(name), z = strlen(zone);

	return n >= z && strcasecmp(name + n - z, zone) == 0 && (n == z || name[n - z - 1] == '.');
}

int cloud_zone_of(const char *name)
{
	int best = -1;

	for (size_t i = 0; i < cloud.zones_n; i++)
		if (is_within(name, cloud.zones[i].name) &&
		    (best < 0 || strlen(cloud.zones[i].name) > strlen(cloud.zones[best].name)))
			best = (int)i;
	return best;
}

static bool is_gone(const struct cloud_zone *z)
{
	return cloud.now_ms < z->gone_until_ms;
}

static struct cloud_record *find(int zone, uint64_t id)
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

/* One transaction under way: what it changed so far. */
static struct {
	struct cloud_change changes[CHANGES_MAX];
	size_t n, records_n;
} transaction;

static void start(int64_t now_ms)
{
	cloud.now_ms = now_ms;
	collect();
	transaction.n = 0;
	transaction.records_n = cloud.records_n;
}

static void note(struct cloud_record *before, struct cloud_record *after)
{
	if (transaction.n == CHANGES_MAX)
		no_room("changes of one transaction");
	if (before)
		before->until_ms = cloud.now_ms;
	transaction.changes[transaction.n++] = (struct cloud_change){before, after};
}

static void roll_back(void)
{
	for (size_t i = transaction.n; i--;) {
		const struct cloud_record *before = transaction.changes[i].before;

		if (before)
			cloud.records[before - cloud.records].until_ms = CLOCK_NEVER;
	}
	cloud.records_n = transaction.records_n;
	transaction.n = 0;
}

static void commit(int who, const struct cloud_exchange *x)
{
	if (transaction.n && cloud.setup.committed)
		cloud.setup.committed(who, x, transaction.changes, transaction.n);
}

/* A version for r, which is what it shall be. */
static struct cloud_record *put(const struct cloud_record *r, struct cloud_record *before)
{
	struct cloud_record *new;

	if (cloud.records_n == CLOUD_RECORDS)
		no_room("records");
	new = &cloud.records[cloud.records_n++];
	*new = *r;
	new->from_ms = cloud.now_ms;
	new->until_ms = CLOCK_NEVER;
	if (new->is_proxied)
		new->ttl = 1;
	note(before, new);
	return new;
}

const struct cloud_record *cloud_add_record(int zone, enum cloud_type type, const char *name, const char *content, uint32_t ttl,
					    bool is_proxied, const char *comment)
{
	struct cloud_record r = {.id = new_id(), .zone = zone, .type = type, .ttl = ttl, .is_proxied = is_proxied};

	start(cloud.now_ms);
	r.is_others = true;
	(void)snprintf(r.name, sizeof r.name, "%s", name);
	(void)snprintf(r.content, sizeof r.content, "%s", content);
	(void)snprintf(r.comment, sizeof r.comment, "%s", comment ? comment : "");
	return put(&r, NULL);
}

/* ---- what the API refuses ---- */

struct refusal {
	int status;
	unsigned code, chained;
	const char *message;
};

static bool is_address(const struct cloud_record *r)
{
	return r->type == CLOUD_A || r->type == CLOUD_AAAA;
}

static bool is_content_good(const struct cloud_record *r)
{
	unsigned char bytes[16];

	if (is_address(r))
		return inet_pton(r->type == CLOUD_A ? AF_INET : AF_INET6, r->content, bytes) == 1;
	return r->content[0] != '\0';
}

static bool is_private(const struct cloud_record *r)
{
	struct target t;
	struct err e;

	return is_address(r) && (target_parse(&t, r->content, NULL, &e) || !target_can_be_proxied(&t));
}

static bool refuse(struct refusal *f, unsigned code, unsigned chained, const char *message)
{
	*f = (struct refusal){400, code, chained, message};
	return true;
}

/* Beside the records that are there but the one before it. */
static bool collides(const struct cloud_record *r, const struct cloud_record *before, struct refusal *f)
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
			return refuse(f, 81058, 0, "An identical record already exists.");
		if (r->type == CLOUD_CNAME)
			return refuse(f, 81053, 0, "An A, AAAA, or CNAME record with that host already exists.");
		if (o->type == CLOUD_CNAME)
			return refuse(f, 81054, 0, "A CNAME record with that host already exists.");
	}
	if (!before && n >= (cloud.now_ms < cloud.full_until_ms ? 0 : cloud.zones[r->zone].quota))
		return refuse(f, 81045, 0, "Record quota exceeded.");
	return false;
}

static bool is_refused(const struct cloud_record *r, const struct cloud_record *before, struct refusal *f)
{
	if (r->ttl != 1 && (r->ttl < 60 || r->ttl > 86400))
		return refuse(f, 1004, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.");
	if (!is_content_good(r))
		return refuse(f, 1004, 9005, "Content for the record is invalid.");
	if (r->is_proxied && is_private(r))
		return refuse(f, 9003, 0, "Target is not allowed for a proxied record.");
	if (cloud_is_refused(r->content, cloud.now_ms))
		return refuse(f, 1004, 9007, "This content is not restricted to what is allowed.");
	if (strlen(r->comment) > 100)
		return refuse(f, 1004, 9313, "The comment is too long.");
	return collides(r, before, f);
}

/* ---- writes ---- */

static int read_type(int object, enum cloud_type *out)
{
	for (int i = 0; i < CLOUD_TYPES; i++)
		if (json_equals(json_get(object, "type"), type_names[i])) {
			*out = (enum cloud_type)i;
			return 0;
		}
	return -1;
}

/* The fields that are sent; what is not stays. */
static bool read_fields(struct cloud_record *r, int object, bool is_new, struct refusal *f)
{
	enum cloud_type type = r->type;
	int64_t ttl = r->ttl;

	if (read_type(object, &type) && (is_new || json_get(object, "type") != JSON_NONE))
		return refuse(f, 1004, 9008, "DNS record type is invalid.");
	if (!is_new && type != r->type)
		return refuse(f, 1004, 9056, "The type of a record cannot be changed.");
	if (json_get(object, "ttl") != JSON_NONE && json_get_integer(object, "ttl", &ttl))
		return refuse(f, 1004, 9020, "TTL must be a number.");
	r->type = type;
	r->ttl = (uint32_t)ttl;
	(void)json_get_string(object, "name", r->name, sizeof r->name);
	(void)json_get_string(object, "content", r->content, sizeof r->content);
	(void)json_get_string(object, "comment", r->comment, sizeof r->comment);
	(void)json_boolean(json_get(object, "proxied"), &r->is_proxied);
	/* In another zone it is put in front. */
	if (!is_within(r->name, cloud.zones[r->zone].name)) {
		size_t n = strlen(r->name);

		(void)snprintf(r->name + n, sizeof r->name - n, ".%s", cloud.zones[r->zone].name);
	}
	return false;
}

static bool write_one(int zone, char kind, int object, const char *id_text, struct refusal *f)
{
	char text[ID_LEN + 1] = "";
	struct cloud_record r = {.zone = zone, .ttl = 1}, *before = NULL;
	uint64_t id;

	if (kind != '+') {
		if (!id_text && !json_get_string(object, "id", text, sizeof text))
			id_text = text;
		if (!id_text || parse_id(id_text, &id) || !(before = find(zone, id)))
			return refuse(f, 81044, 0, "Record does not exist.");
		r = *before;
	}
	if (kind == '-') {
		note(before, NULL);
		return false;
	}
	if (kind == '=') { /* PUT: what is not sent is the default */
		r.ttl = 1;
		r.is_proxied = false;
		r.comment[0] = '\0';
	}
	if (kind == '+')
		r.id = new_id();
	if (read_fields(&r, object, kind == '+', f) || is_refused(&r, before, f))
		return true;
	(void)put(&r, before);
	return false;
}

static void add_record(struct text *t, const struct cloud_record *r)
{
	char id[ID_LEN + 1];

	format_id(id, r->id);
	add(t, "{\"id\":\"%s\",\"name\":", id);
	add_string(t, r->name);
	add(t, ",\"type\":\"%s\",\"content\":", type_names[r->type]);
	add_string(t, r->content);
	add(t, ",\"proxiable\":%s,\"proxied\":%s,\"ttl\":%u,\"settings\":{},\"meta\":{},\"comment\":",
	    is_private(r) ? "false" : "true", r->is_proxied ? "true" : "false", (unsigned)r->ttl);
	if (r->comment[0])
		add_string(t, r->comment);
	else
		add(t, "null");
	add(t, ",\"tags\":[],\"created_on\":\"2026-01-01T00:00:00.00000Z\",\"modified_on\":\"2026-01-01T00:00:00.00000Z\"}");
}

static void say_refused(struct cloud_exchange *x, struct text *t, const struct refusal *f)
{
	bool has_echo = chance("echo of the token", cloud.setup.rates.echo);

	cloud.counts.refused++;
	x->status = f->status;
	t->len = 0;
	add(t, "{\"result\":null,\"success\":false,\"errors\":[{\"code\":%u,\"message\":", f->code);
	if (f->chained) {
		add_string(t, "DNS Validation Error");
		add(t, ",\"error_chain\":[{\"code\":%u,\"message\":", f->chained);
	}
	add_string(t, f->message);
	if (has_echo) {
		t->len--; /* the quote */
		add(t, " Authorization: Bearer %s\"", cloud.setup.token);
	}
	add(t, f->chained ? "}]}],\"messages\":[]}" : "}],\"messages\":[]}");
}

static bool write_list(int zone, char kind, int list, unsigned *ops_n, struct refusal *f)
{
	for (int i = json_first(list); i != JSON_NONE; i = json_next(i)) {
		if (++*ops_n > OPS_MAX)
			return refuse(f, 1004, 9999, "Too many operations in one batch.");
		if (write_one(zone, kind, i, NULL, f))
			return true;
	}
	return false;
}

static void serve_batch(struct cloud_exchange *x, int zone, struct text *t)
{
	static const struct {
		const char *name;
		char kind;
	} lists[] = {{"deletes", '-'}, {"patches", '~'}, {"puts", '='}, {"posts", '+'}};
	struct refusal f;
	struct err e;
	unsigned ops_n = 0;
	size_t from[5] = {0};

	if (json_parse(x->body, x->body_len, &e)) {
		say_refused(x, t, &(struct refusal){400, 9207, 0, "Request body is invalid."});
		return;
	}
	for (int i = 0; i < 4; i++) {
		if (write_list(zone, lists[i].kind, json_get(0, lists[i].name), &ops_n, &f)) {
			roll_back();
			say_refused(x, t, &f);
			return;
		}
		from[i + 1] = transaction.n;
	}
	x->status = 200;
	add(t, "{\"result\":{");
	for (int i = 0; i < 4; i++) {
		add(t, "%s\"%s\":[", i ? "," : "", lists[i].name);
		for (size_t k = from[i]; k < from[i + 1]; k++) {
			const struct cloud_change *c = &transaction.changes[k];

			add(t, k > from[i] ? "," : "");
			add_record(t, c->after ? c->after : c->before);
		}
		add(t, "]");
	}
	add(t, "},\"success\":true,\"errors\":[],\"messages\":[]}");
	x->is_done = transaction.n > 0;
	commit(x->who, x);
}

static void serve_single(struct cloud_exchange *x, int zone, const char *id, struct text *t)
{
	char kind = x->method[1] == 'O' ? '+' : x->method[1] == 'E' ? '-' : x->method[1] == 'U' ? '=' : '~';
	struct refusal f;
	struct err e;

	if (kind != '-' && json_parse(x->body, x->body_len, &e)) {
		say_refused(x, t, &(struct refusal){400, 9207, 0, "Request body is invalid."});
		return;
	}
	if (write_one(zone, kind, 0, id, &f)) {
		roll_back();
		say_refused(x, t, &f);
		return;
	}
	x->status = 200;
	add(t, "{\"result\":");
	if (kind == '-')
		add(t, "{\"id\":\"%s\"}", id);
	else
		add_record(t, transaction.changes[0].after);
	add(t, ",\"success\":true,\"errors\":[],\"messages\":[]}");
	x->is_done = true;
	commit(x->who, x);
}

/* ---- reads ---- */

/* The value of a parameter, decoded; -1: it is not there. */
static int parameter(const char *target, const char *name, char *out, size_t cap)
{
	size_t len = strlen(name), n = 0;
	const char *p = strchr(target, '?');

	for (; p && *p; p = strchr(p, '&')) {
		p++;
		if (strncmp(p, name, len) == 0 && p[len] == '=')
			break;
	}
	if (!p || !*p)
		return -1;
	for (p += len + 1; *p && *p != '&' && n + 1 < cap; p++) {
		unsigned byte;

		if (*p == '%' && sscanf(p + 1, "%2x", &byte) == 1) {
			out[n++] = (char)byte;
			p += 2;
		} else {
			out[n++] = *p;
		}
	}
	out[n] = '\0';
	return 0;
}

static unsigned number_parameter(const char *target, const char *name, unsigned otherwise)
{
	char text[16];

	return parameter(target, name, text, sizeof text) ? otherwise : (unsigned)strtoul(text, NULL, 10);
}

static int by_type_and_id(const void *a, const void *b)
{
	const struct cloud_record *x = *(const struct cloud_record *const *)a, *y = *(const struct cloud_record *const *)b;
	int order = strcmp(type_names[x->type], type_names[y->type]);

	if (order)
		return order;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void add_info(struct text *t, unsigned page, unsigned per_page, size_t count, size_t total)
{
	add(t, "],\"result_info\":{\"page\":%u,\"per_page\":%u,\"count\":%zu,\"total_count\":%zu", page, per_page, count, total);
	if (cloud.setup.has_total_pages)
		add(t, ",\"total_pages\":%zu", total ? (total + per_page - 1) / per_page : 1);
	add(t, "},\"success\":true,\"errors\":[],\"messages\":[]}");
}

static size_t select_records(const struct cloud_exchange *x, int zone, const struct cloud_record **out)
{
	int64_t at_ms = cloud.now_ms - (cloud.is_calm ? 0 : cloud.setup.lag_ms);
	char name[256], end[256], type[16];
	bool has_name = !parameter(x->target, "name.exact", name, sizeof name) || !parameter(x->target, "name", name, sizeof name);
	bool has_end = !parameter(x->target, "name.endswith", end, sizeof end);
	bool has_type = !parameter(x->target, "type", type, sizeof type);
	size_t n = 0;

	for (size_t i = 0; i < cloud.records_n; i++) {
		const struct cloud_record *r = &cloud.records[i];

		if (r->zone == zone && r->from_ms <= at_ms && at_ms < r->until_ms && (!has_name || !strcasecmp(r->name, name)) &&
		    (!has_end || is_within(r->name, end)) && (!has_type || !strcmp(type_names[r->type], type)))
			out[n++] = r;
	}
	qsort(out, n, sizeof *out, by_type_and_id);
	return n;
}

static void serve_list(struct cloud_exchange *x, int zone, struct text *t)
{
	static const struct cloud_record *found[CLOUD_RECORDS];
	unsigned per_page = number_parameter(x->target, "per_page", 100);
	size_t n = select_records(x, zone, found), from, to;

	if (!per_page || !x->page) {
		say_refused(x, t, &(struct refusal){400, 1004, 9000, "Invalid page or per_page."});
		return;
	}
	if (cloud.setup.per_page && per_page > cloud.setup.per_page)
		per_page = cloud.setup.per_page;
	from = (size_t)(x->page - 1) * per_page;
	from = from < n ? from : n;
	to = n - from > per_page ? from + per_page : n;
	x->status = 200;
	x->has_last_page = to == n;
	add(t, "{\"result\":[");
	for (size_t i = from; i < to; i++) {
		add(t, i > from ? "," : "");
		add_record(t, found[i]);
	}
	add_info(t, x->page, per_page, to - from, n);
}

static void add_zone(struct text *t, const struct cloud_zone *z)
{
	char id[ID_LEN + 1];

	format_id(id, z->id);
	add(t, "{\"id\":\"%s\",\"name\":", id);
	add_string(t, z->name);
	add(t, ",\"status\":\"%s\",\"paused\":false,\"type\":\"full\"}", z->status);
}

static bool is_seen(const struct cloud_zone *z)
{
	return !is_gone(z) && cloud.now_ms >= z->refused_until_ms;
}

static void serve_zones(struct cloud_exchange *x, struct text *t)
{
	unsigned page = number_parameter(x->target, "page", 1), per_page = number_parameter(x->target, "per_page", 20);
	char name[256];
	bool has_name = !parameter(x->target, "name", name, sizeof name);
	size_t n = 0, count = 0;

	if (per_page < 5 || per_page > 50 || !page) {
		say_refused(x, t, &(struct refusal){400, 1004, 9000, "Invalid page or per_page."});
		return;
	}
	x->status = 200;
	add(t, "{\"result\":[");
	for (size_t i = 0; i < cloud.zones_n; i++) {
		const struct cloud_zone *z = &cloud.zones[i];

		if (!is_seen(z) || (has_name && strcasecmp(name, z->name) != 0))
			continue;
		if (n / per_page == page - 1) {
			add(t, count++ ? "," : "");
			add_zone(t, z);
		}
		n++;
	}
	add_info(t, page, per_page, count, n);
}

static void serve_zone(struct cloud_exchange *x, const struct cloud_zone *z, struct text *t)
{
	x->status = 200;
	add(t, "{\"result\":");
	add_zone(t, z);
	add(t, ",\"success\":true,\"errors\":[],\"messages\":[]}");
}

/* ---- others ---- */

/* A record of ours, or of whoever is at one of the names; NULL: there is none. */
static struct cloud_record *pick_ours(int zone)
{
	struct cloud_record *picked = NULL;
	uint32_t n = 0;

	for (size_t i = 0; i < cloud.records_n; i++) {
		struct cloud_record *r = &cloud.records[i];
		bool is_ours = false;

		if (!cloud_is_live(r) || r->type == CLOUD_TXT || (zone >= 0 && r->zone != zone))
			continue;
		for (size_t k = 0; k < cloud.setup.names_n; k++)
			is_ours |= strcasecmp(r->name, cloud.setup.names[k]) == 0;
		if (is_ours && below(++n) == 0)
			picked = r;
	}
	return picked;
}

static const char *pick_name(int *zone)
{
	const char *name;

	if (!cloud.setup.names_n)
		return NULL;
	name = cloud.setup.names[below((uint32_t)cloud.setup.names_n)];
	*zone = cloud_zone_of(name);
	return *zone < 0 || is_gone(&cloud.zones[*zone]) ? NULL : name;
}

/* Put it there if the API would take it. */
static bool others_put(struct cloud_record *r, struct cloud_record *before)
{
	struct refusal f;

	r->is_others = true;
	if (!before)
		r->id = new_id();
	if (is_refused(r, before, &f))
		return false;
	(void)put(r, before);
	commit(CLOUD_OTHERS, NULL);
	return true;
}

static bool others_add(enum cloud_type type, const char *content, const char *comment)
{
	struct cloud_record r = {.type = type, .ttl = 300};
	const char *name = pick_name(&r.zone);

	if (!name)
		return false;
	(void)snprintf(r.name, sizeof r.name, "%s", name);
	(void)snprintf(r.content, sizeof r.content, "%s", content);
	(void)snprintf(r.comment, sizeof r.comment, "%s", comment);
	return others_put(&r, NULL);
}

/* Records of names that nobody here rules over come and go. */
static bool others_pad(int zone)
{
	struct cloud_record r = {.type = CLOUD_A, .ttl = 300, .zone = zone}, *old;

	if (zone < 0)
		r.zone = (int)below((uint32_t)cloud.zones_n);
	(void)snprintf(r.name, sizeof r.name, "pad%u.%s", (unsigned)below(20), cloud.zones[r.zone].name);
	for (size_t i = 0; i < cloud.records_n; i++) {
		old = &cloud.records[i];
		if (cloud_is_live(old) && old->zone == r.zone && strcmp(old->name, r.name) == 0) {
			note(old, NULL);
			commit(CLOUD_OTHERS, NULL);
			return true;
		}
	}
	(void)snprintf(r.content, sizeof r.content, "203.0.113.%u", 1 + (unsigned)below(250));
	return others_put(&r, NULL);
}

static bool others_change(bool is_content)
{
	struct cloud_record *r = pick_ours(-1), new;

	if (!r || (is_content && r->type != CLOUD_A))
		return false;
	new = *r;
	if (is_content)
		(void)snprintf(new.content, sizeof new.content, "203.0.113.%u", 1 + (unsigned)below(250));
	else
		new.ttl = r->ttl == 600 ? 900 : 600;
	return (is_content || !r->is_proxied) && others_put(&new, r);
}

static bool others_delete(void)
{
	struct cloud_record *r = pick_ours(-1);

	if (!r)
		return false;
	note(r, NULL);
	commit(CLOUD_OTHERS, NULL);
	return true;
}

#define IN_THE_WAY "in-the-way.example.net"

static bool others_put_in_the_way(void)
{
	struct cloud_record r = {.type = CLOUD_CNAME, .ttl = 300};
	const char *name = pick_name(&r.zone);

	if (!name)
		return false;
	for (size_t i = 0; i < cloud.records_n; i++)
		if (cloud_is_live(&cloud.records[i]) && cloud.records[i].type != CLOUD_TXT &&
		    strcasecmp(cloud.records[i].name, name) == 0)
			note(&cloud.records[i], NULL);
	(void)snprintf(r.name, sizeof r.name, "%s", name);
	(void)snprintf(r.content, sizeof r.content, IN_THE_WAY);
	r.is_others = true;
	r.id = new_id();
	(void)put(&r, NULL);
	commit(CLOUD_OTHERS, NULL);
	return true;
}

static void clear_the_way(void)
{
	for (size_t i = 0; i < cloud.records_n; i++)
		if (cloud_is_live(&cloud.records[i]) && strcmp(cloud.records[i].content, IN_THE_WAY) == 0)
			note(&cloud.records[i], NULL);
	commit(CLOUD_OTHERS, NULL);
}

static int64_t a_while(void)
{
	return cloud.now_ms + 10000 + below(600000);
}

static bool others_take_zone(void)
{
	int zone = (int)below((uint32_t)cloud.zones_n);
	struct cloud_zone *z = &cloud.zones[zone];

	if (is_gone(z))
		return false;
	z->gone_until_ms = a_while();
	if (below(2))
		return true;
	/* For good: another one of the name comes back, with nothing in it. */
	z->id = new_id();
	for (size_t i = 0; i < cloud.records_n; i++)
		if (cloud_is_live(&cloud.records[i]) && cloud.records[i].zone == zone)
			note(&cloud.records[i], NULL);
	commit(CLOUD_OTHERS, NULL);
	return true;
}

static bool others_take_right(void)
{
	cloud.zones[below((uint32_t)cloud.zones_n)].refused_until_ms = a_while();
	return true;
}

static bool others_refuse(void)
{
	const struct cloud_record *r = pick_ours(-1);

	if (!r || !is_address(r))
		return false;
	(void)snprintf(cloud.refused_content, sizeof cloud.refused_content, "%.63s", r->content);
	cloud.refused_until_ms = below(2) ? a_while() : cloud.now_ms + 86400000;
	return true;
}

bool cloud_is_refused(const char *content, int64_t now_ms)
{
	return now_ms < cloud.refused_until_ms && strcasecmp(content, cloud.refused_content) == 0;
}

static bool do_deed(unsigned deed)
{
	char content[32];

	(void)snprintf(content, sizeof content, "203.0.113.%u", 1 + (unsigned)below(250));
	switch ((enum cloud_deed)deed) {
	case CLOUD_DO_PAD: return others_pad(-1);
	case CLOUD_DO_TXT: return others_add(CLOUD_TXT, content, "");
	case CLOUD_DO_DELETE: return others_delete();
	case CLOUD_DO_TTL: return others_change(false);
	case CLOUD_DO_CONTENT: return others_change(true);
	case CLOUD_DO_ADD: return others_add(CLOUD_A, content, "");
	case CLOUD_DO_FOREIGN: return others_add(CLOUD_A, content, MARK " owner=somebody-else");
	case CLOUD_DO_IN_THE_WAY: return others_put_in_the_way();
	case CLOUD_DO_ZONE: return others_take_zone();
	case CLOUD_DO_TOKEN: return others_take_right();
	case CLOUD_DO_QUOTA: cloud.full_until_ms = a_while(); return true;
	case CLOUD_DO_PAGES: cloud.setup.per_page = 2 + below(below(2) ? 20 : 5000); return true;
	case CLOUD_DO_REFUSE: return others_refuse();
	case CLOUD_DEEDS:
	default: return false;
	}
}

static const char *const deed_texts[CLOUD_DEEDS] = {
	"cloudflare: another name's record comes or goes",
	"cloudflare: a TXT record is added",
	"cloudflare: a record is deleted by hand",
	"cloudflare: a ttl is changed by hand",
	"cloudflare: an address is changed by hand",
	"cloudflare: an address is added by hand",
	"cloudflare: another owner's record is added",
	"cloudflare: a CNAME takes the place of a name's records",
	"cloudflare: a zone vanishes",
	"cloudflare: the token loses a zone",
	"cloudflare: a zone is full",
	"cloudflare: another page size is granted",
	"cloudflare: an address is refused",
};

static const char *stir(unsigned deeds)
{
	unsigned of[CLOUD_DEEDS], n = 0, i;

	for (i = 0; i < CLOUD_DEEDS; i++)
		if (deeds & 1u << i)
			of[n++] = i;
	if (!n || cloud.is_calm || !cloud.zones_n)
		return NULL;
	i = of[below(n)];
	return do_deed(1u << i) ? deed_texts[i] : NULL;
}

const char *cloud_stir(int64_t now_ms)
{
	start(now_ms);
	return stir(cloud.setup.deeds);
}

void cloud_calm(int64_t now_ms)
{
	start(now_ms);
	cloud.is_calm = true;
	cloud.full_until_ms = cloud.limited_until_ms = 0;
	if (cloud.refused_until_ms < now_ms + 3600000)
		cloud.refused_until_ms = 0;
	cloud.window_calls = 0;
	for (size_t i = 0; i < cloud.zones_n; i++)
		cloud.zones[i].gone_until_ms = cloud.zones[i].refused_until_ms = 0;
	clear_the_way();
}

/* ---- a call ---- */

static enum cloud_fate draw_fate(void)
{
	const struct cloud_rates *r = &cloud.setup.rates;
	const struct {
		const char *what;
		unsigned per_million;
	} fates[] = {
		[CLOUD_FATE_LOST_BEFORE] = {"cloudflare: the request is lost", r->lost_before},
		[CLOUD_FATE_LOST_AFTER] = {"cloudflare: the answer is lost", r->lost_after},
		[CLOUD_FATE_SILENT] = {"cloudflare: no answer", r->silent},
		[CLOUD_FATE_LATE] = {"cloudflare: the request comes late", r->late},
		[CLOUD_FATE_CUT] = {"cloudflare: the answer is cut", r->cut},
		[CLOUD_FATE_SLOW] = {"cloudflare: the answer comes slowly", r->slow},
		[CLOUD_FATE_HTML] = {"cloudflare: 5xx", r->error_html},
		[CLOUD_FATE_HTML_AFTER] = {"cloudflare: 5xx after it was done", r->error_after},
		[CLOUD_FATE_JSON] = {"cloudflare: 500", r->error_json},
		[CLOUD_FATE_FORBIDDEN] = {"cloudflare: 403 for nothing", r->forbidden},
		[CLOUD_FATE_LIMITED] = {"cloudflare: others use up the window", r->limited},
	};

	for (size_t i = 1; i < sizeof fates / sizeof fates[0]; i++)
		if (chance(fates[i].what, fates[i].per_million))
			return (enum cloud_fate)i;
	return CLOUD_FATE_GOOD;
}

static void draw_way(struct cloud_exchange *x)
{
	x->arrive_ms = x->begun_ms + cloud.setup.latency_ms;
	x->answer_ms = x->arrive_ms + cloud.setup.latency_ms;
	x->break_ms = CLOCK_NEVER;
	x->cut_len = SIZE_MAX;
	x->fate = draw_fate();
	switch (x->fate) {
	case CLOUD_FATE_LOST_BEFORE:
		x->break_ms = x->arrive_ms;
		x->arrive_ms = x->answer_ms = CLOCK_NEVER;
		break;
	case CLOUD_FATE_LOST_AFTER:
		x->break_ms = x->answer_ms;
		x->answer_ms = CLOCK_NEVER;
		break;
	case CLOUD_FATE_SILENT: x->answer_ms = CLOCK_NEVER; break;
	case CLOUD_FATE_LATE:
		x->arrive_ms += cloud.setup.rates.late_ms ? below((uint32_t)cloud.setup.rates.late_ms) : 0;
		x->answer_ms = x->arrive_ms + cloud.setup.latency_ms;
		break;
	default: break;
	}
}

static void break_rule(const char *invariant, const char *how)
{
	if (cloud.setup.broken)
		cloud.setup.broken(invariant, how);
}

/* Secrets go where they belong, in the place they belong to. */
static void check_secrets(struct cloud_exchange *x, const char *headers)
{
	const char *token = cloud.setup.token, *at;

	for (size_t i = 0; i < sizeof cloud.setup.secrets / sizeof cloud.setup.secrets[0]; i++) {
		const char *s = cloud.setup.secrets[i];

		if (s && *s && (strstr(headers, s) || strstr(x->target, s) || strstr(x->body, s)))
			break_rule("I8", "a secret for somebody else came to Cloudflare");
	}
	if (!token || !*token)
		return;
	if (strstr(x->target, token) || strstr(x->body, token))
		break_rule("I8", "the token is outside of its header");
	at = strstr(headers, "Authorization: Bearer ");
	x->is_refused_token = !at || strncmp(at + 22, token, strlen(token)) != 0 || at[22 + strlen(token)] != '\r';
}

static void check_budget(const struct cloud_exchange *x)
{
	struct cloud_caller *c = &cloud.callers[x->who];

	/* Another page of a listing that was under way is asked for as soon as the one before came. */
	if (x->begun_ms < c->told_ms && !(x->kind == CLOUD_LIST && x->page > 1))
		break_rule("budget", "a call in the time that a 429 told to wait");
	if (x->begun_ms - c->window_ms >= CLOUD_WINDOW_MS) {
		c->window_ms = x->begun_ms;
		c->window_calls = 0;
	}
	if (++c->window_calls == CLOUD_WINDOW_CALLS + 1)
		break_rule("budget", "more than 1200 calls of one process in 300 s");
}

/* ---- what a caller cannot know ---- */

static void touch(struct cloud_exchange *x, const char *name, const char *comment)
{
	struct cloud_touch of = {digest(name), mark_of(comment)};

	for (size_t i = 0; i < x->touches_n; i++)
		if (x->touches[i].name == of.name && x->touches[i].mark == of.mark)
			return;
	if (x->touches_n < CLOUD_TOUCHES)
		x->touches[x->touches_n++] = of;
}

static int split_target(const struct cloud_exchange *x, char zone[ID_LEN + 1], char tail[64]);

static void touch_op(struct cloud_exchange *x, int object, const char *id_text)
{
	char text[ID_LEN + 1] = "", name[256] = "", comment[128] = "";
	uint64_t id;

	if (!id_text && !json_get_string(object, "id", text, sizeof text))
		id_text = text;
	if (!id_text) {
		if (!json_get_string(object, "name", name, sizeof name)) {
			(void)json_get_string(object, "comment", comment, sizeof comment);
			touch(x, name, comment);
		}
		return;
	}
	for (size_t i = 0; !parse_id(id_text, &id) && i < cloud.records_n; i++)
		if (cloud.records[i].id == id && cloud_is_live(&cloud.records[i]))
			touch(x, cloud.records[i].name, cloud.records[i].comment);
}

static void find_touches(struct cloud_exchange *x)
{
	static const char *const lists[] = {"deletes", "patches", "puts", "posts"};
	char zone[ID_LEN + 1], tail[64], name[256];
	struct err e;

	if (x->kind == CLOUD_LIST) {
		x->is_whole = parameter(x->target, "name.exact", name, sizeof name);
		if (!x->is_whole)
			touch(x, name, "");
		return;
	}
	if (x->kind == CLOUD_SINGLE) {
		(void)split_target(x, zone, tail);
		touch_op(x, x->body_len && !json_parse(x->body, x->body_len, &e) ? 0 : JSON_NONE, tail[0] ? tail : NULL);
		return;
	}
	if (x->kind != CLOUD_BATCH || json_parse(x->body, x->body_len, &e))
		return;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		for (int k = json_first(json_get(0, lists[i])); k != JSON_NONE; k = json_next(k))
			touch_op(x, k, NULL);
}

/* What is written stands on a listing that is newer than every write whose answer was lost. */
static void check_lost(const struct cloud_exchange *x)
{
	const struct cloud_caller *c = &cloud.callers[x->who];

	for (size_t i = 0; i < x->touches_n; i++)
		for (size_t k = 0; k < c->lost_n; k++)
			if (c->lost[k].of.name == x->touches[i].name && c->lost[k].of.mark == x->touches[i].mark) {
				break_rule("I3", "a write without a new listing after one whose answer was lost");
				return;
			}
}

static void note_lost(const struct cloud_exchange *x)
{
	struct cloud_caller *c = &cloud.callers[x->who];

	cloud.counts.lost++;
	for (size_t i = 0; i < x->touches_n && c->lost_n < CLOUD_LOST; i++)
		c->lost[c->lost_n++] = (struct cloud_lost){x->touches[i], c->calls};
}

static void note_listed(const struct cloud_exchange *x)
{
	struct cloud_caller *c = &cloud.callers[x->who];
	size_t n = 0;

	for (size_t k = 0; k < c->lost_n; k++)
		if (c->lost[k].serial >= x->serial || (!x->is_whole && c->lost[k].of.name != x->touches[0].name))
			c->lost[n++] = c->lost[k];
	c->lost_n = n;
}

/* ---- */

/* "/zones/ZONE/dns_records[/TAIL]". */
static int split_target(const struct cloud_exchange *x, char zone[ID_LEN + 1], char tail[64])
{
	const char *p = strstr(x->target, "/zones/"), *end;

	zone[0] = tail[0] = '\0';
	if (!p)
		return -1;
	p += 7;
	end = p + strcspn(p, "/?");
	(void)snprintf(zone, ID_LEN + 1, "%.*s", (int)(end - p), p);
	if (end - p > ID_LEN)
		zone[0] = '\0';
	if (strncmp(end, "/dns_records", 12) != 0)
		return -1;
	end += 12;
	if (*end == '/')
		(void)snprintf(tail, 64, "%.*s", (int)strcspn(end + 1, "?"), end + 1);
	return 0;
}

static enum cloud_kind kind_of(const struct cloud_exchange *x)
{
	char zone[ID_LEN + 1], tail[64];
	bool is_get = strcmp(x->method, "GET") == 0;

	if (is_get && strstr(x->target, "/zones?"))
		return CLOUD_ZONES_LIST;
	if (split_target(x, zone, tail))
		return is_get && zone[0] ? CLOUD_ZONE_GET : CLOUD_OTHER;
	if (is_get)
		return tail[0] ? CLOUD_OTHER : CLOUD_LIST;
	return strcmp(tail, "batch") == 0 ? CLOUD_BATCH : CLOUD_SINGLE;
}

void cloud_begin(struct cloud_exchange *x, int who, int64_t now_ms, const char *method, const char *target, const char *headers,
		 const char *body, size_t body_len)
{
	struct cloud_caller *c = &cloud.callers[who];

	*x = (struct cloud_exchange){.who = who, .life = c->life, .begun_ms = now_ms, .serial = ++c->calls};
	cloud.now_ms = now_ms;
	(void)snprintf(x->method, sizeof x->method, "%s", method);
	x->target = copy_of(target, strlen(target));
	x->body = copy_of(body, body_len);
	x->body_len = body_len;
	x->kind = kind_of(x);
	x->page = number_parameter(target, "page", 1);
	cloud.counts.calls++;
	cloud.counts.zone_calls += x->kind == CLOUD_ZONES_LIST || x->kind == CLOUD_ZONE_GET;
	cloud.counts.lists += x->kind == CLOUD_LIST && x->page == 1;
	cloud.counts.more_pages += x->kind == CLOUD_LIST && x->page > 1;
	cloud.counts.writes += x->kind == CLOUD_BATCH || x->kind == CLOUD_SINGLE;
	if (x->kind == CLOUD_OTHER)
		break_rule("protocol", "a call that the API does not know");
	find_touches(x);
	check_secrets(x, headers);
	check_budget(x);
	if (x->kind != CLOUD_LIST)
		check_lost(x);
	draw_way(x);
}

void cloud_delay(struct cloud_exchange *x, int64_t ms)
{
	if (x->is_served || x->arrive_ms == CLOCK_NEVER)
		return;
	x->arrive_ms += ms;
	if (x->answer_ms != CLOCK_NEVER)
		x->answer_ms += ms;
	if (x->break_ms != CLOCK_NEVER)
		x->break_ms += ms;
}

static void serve_html(struct cloud_exchange *x, struct text *t, int status)
{
	x->status = status;
	t->len = 0;
	add(t, "<html>\r\n<head><title>%d</title></head>\r\n<body><center><h1>%d</h1></center>cloudflare</body>\r\n</html>\r\n",
	    status, status);
}

static int an_edge_status(void)
{
	static const int statuses[] = {500, 502, 503, 504, 520, 522};

	return statuses[below(6)];
}

static bool is_limited(void)
{
	if (cloud.now_ms < cloud.limited_until_ms)
		return true;
	if (cloud.now_ms - cloud.window_ms >= CLOUD_WINDOW_MS) {
		cloud.window_ms = cloud.now_ms;
		cloud.window_calls = 0;
	}
	if (++cloud.window_calls <= CLOUD_WINDOW_CALLS)
		return false;
	cloud.limited_until_ms = cloud.now_ms + CLOUD_WINDOW_MS;
	return true;
}

static void add_header(struct cloud_exchange *x, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_header(struct cloud_exchange *x, const char *format, ...)
{
	size_t n = strlen(x->headers);
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(x->headers + n, sizeof x->headers - n, format, ap);
	va_end(ap);
}

static void serve_limited(struct cloud_exchange *x, struct text *t)
{
	int64_t sec = (cloud.limited_until_ms - cloud.now_ms + 999) / 1000;

	cloud.counts.limited++;
	say_refused(x, t,
		    &(struct refusal){429, 10100, 0,
				      "More than 1200 requests per 300 seconds reached. Please wait and consider throttling your "
				      "request speed"});
	if (cloud.setup.has_retry_after)
		add_header(x, "Retry-After: %" PRId64 "\n", sec);
	x->limited_ms = cloud.setup.has_retry_after && sec < 300 ? sec * 1000 : CLOUD_WINDOW_MS;
	if (!cloud.setup.has_retry_after && cloud.setup.has_ratelimit) {
		add_header(x, "Ratelimit: \"default\";r=0;t=%" PRId64 "\n", sec);
		x->limited_ms = (sec < 300 ? sec : 300) * 1000;
	} else if (cloud.setup.has_ratelimit) {
		add_header(x, "Ratelimit: \"default\";r=0;t=%" PRId64 "\n", sec);
	}
}

/* The zone of a call; -1: the call was answered. */
static int zone_of(struct cloud_exchange *x, struct text *t)
{
	char id_text[ID_LEN + 1], tail[64];
	uint64_t id;

	(void)split_target(x, id_text, tail);
	for (size_t i = 0; !parse_id(id_text, &id) && i < cloud.zones_n; i++) {
		if (cloud.zones[i].id != id || is_gone(&cloud.zones[i]))
			continue;
		if (cloud.now_ms >= cloud.zones[i].refused_until_ms)
			return (int)i;
		say_refused(x, t, &(struct refusal){403, 10000, 0, "Authentication error"});
		return -1;
	}
	say_refused(
		x, t,
		&(struct refusal){below(2) ? 404 : 400, 7003, 0,
				  "Could not route to /client/v4/zones/dns_records, perhaps your object identifier is invalid?"});
	return -1;
}

/* Somebody adds a record of a page that was read, or deletes one: of the name, if one is listed. */
static void shift_pages(const struct cloud_exchange *x, int zone)
{
	struct cloud_record r = {.type = CLOUD_A, .ttl = 300, .zone = zone}, *first = NULL;

	if (parameter(x->target, "name.exact", r.name, sizeof r.name)) {
		(void)others_pad(zone);
		return;
	}
	for (size_t i = 0; i < cloud.records_n; i++) {
		struct cloud_record *o = &cloud.records[i];

		if (cloud_is_live(o) && o->type == CLOUD_A && strcasecmp(o->name, r.name) == 0 && (!first || o->id < first->id))
			first = o;
	}
	if (first && cloud.setup.deeds & CLOUD_DO_DELETE && below(2)) {
		note(first, NULL);
		commit(CLOUD_OTHERS, NULL);
		start(cloud.now_ms);
	}
	if (!(cloud.setup.deeds & CLOUD_DO_ADD) || !below(3))
		return;
	(void)snprintf(r.content, sizeof r.content, "203.0.113.%u", 1 + (unsigned)below(250));
	(void)others_put(&r, NULL);
}

/* Somebody has just deleted what a write is about, or added what it adds. */
static bool forestall(const struct cloud_exchange *x, int zone)
{
	static const char *const lists[] = {"deletes", "patches", "posts"};
	struct cloud_record r = {.type = CLOUD_A, .ttl = 300, .zone = zone}, *old = NULL;
	char id_text[ID_LEN + 1];
	uint64_t id;
	struct err e;
	int op = JSON_NONE;

	if (x->kind != CLOUD_BATCH || json_parse(x->body, x->body_len, &e))
		return false;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0] && op == JSON_NONE; i++)
		op = json_first(json_get(0, lists[i]));
	if (!json_get_string(op, "id", id_text, sizeof id_text) && !parse_id(id_text, &id))
		old = find(zone, id);
	if (old && cloud.setup.deeds & CLOUD_DO_DELETE) {
		note(old, NULL);
		commit(CLOUD_OTHERS, NULL);
		return true;
	}
	if (old || !(cloud.setup.deeds & CLOUD_DO_ADD) || !json_equals(json_get(op, "type"), "A") ||
	    json_get_string(op, "name", r.name, sizeof r.name) || json_get_string(op, "content", r.content, sizeof r.content))
		return false;
	(void)json_get_string(op, "comment", r.comment, sizeof r.comment);
	return others_put(&r, NULL);
}

static void serve_call(struct cloud_exchange *x, struct text *t)
{
	char id[ID_LEN + 1], tail[64];
	int zone;

	if (x->is_refused_token) {
		say_refused(x, t, &(struct refusal){403, 9109, 0, "Invalid access token"});
		return;
	}
	if (x->kind == CLOUD_ZONES_LIST) {
		serve_zones(x, t);
		return;
	}
	zone = zone_of(x, t);
	if (zone < 0)
		return;
	if (x->kind == CLOUD_LIST && x->page > 1 && chance("cloudflare: pages shift", cloud.setup.rates.shifted))
		shift_pages(x, zone);
	else if (x->kind != CLOUD_LIST && chance("cloudflare: somebody was faster", cloud.setup.rates.raced) && !forestall(x, zone))
		(void)stir(cloud.setup.deeds & (CLOUD_DO_PAD | CLOUD_DO_DELETE | CLOUD_DO_TTL | CLOUD_DO_CONTENT | CLOUD_DO_ADD));
	start(cloud.now_ms);
	(void)split_target(x, id, tail);
	switch (x->kind) {
	case CLOUD_ZONE_GET: serve_zone(x, &cloud.zones[zone], t); break;
	case CLOUD_LIST: serve_list(x, zone, t); break;
	case CLOUD_BATCH: serve_batch(x, zone, t); break;
	case CLOUD_SINGLE: serve_single(x, zone, tail, t); break;
	case CLOUD_ZONES_LIST:
	case CLOUD_OTHER:
	default: say_refused(x, t, &(struct refusal){400, 7000, 0, "No route for that URI"});
	}
}

static void serve_whole(struct cloud_exchange *x, struct text *t)
{
	if (x->fate == CLOUD_FATE_LIMITED && cloud.now_ms >= cloud.limited_until_ms)
		cloud.limited_until_ms = cloud.now_ms + 5000 + below(300000);
	if (is_limited()) {
		serve_limited(x, t);
	} else if (x->fate == CLOUD_FATE_HTML || x->fate == CLOUD_FATE_FORBIDDEN) {
		serve_html(x, t, x->fate == CLOUD_FATE_HTML ? an_edge_status() : 403);
	} else if (x->fate == CLOUD_FATE_JSON) {
		say_refused(x, t, &(struct refusal){500, 1000, 0, "Internal error"});
	} else {
		serve_call(x, t);
		if (x->fate == CLOUD_FATE_HTML_AFTER)
			serve_html(x, t, an_edge_status());
	}
}

void cloud_serve(struct cloud_exchange *x, int64_t now_ms)
{
	struct text t = {0};

	if (x->is_served)
		return;
	start(now_ms);
	serve_whole(x, &t);
	if (cloud.setup.has_ratelimit && x->status != 429)
		add_header(x, "Ratelimit: \"default\";r=%u;t=%" PRId64 "\n", CLOUD_WINDOW_CALLS - cloud.window_calls,
			   (cloud.window_ms + CLOUD_WINDOW_MS - now_ms + 999) / 1000);
	add_header(x, "CF-RAY: %016" PRIx64 "-FRA\nContent-Type: %s\n", x->serial,
		   t.len && t.p[0] == '<' ? "text/html" : "application/json");
	x->is_served = true;
	x->answer = t.p;
	x->answer_len = t.len;
	if (x->answer_ms != CLOCK_NEVER && x->answer_ms < now_ms)
		x->answer_ms = now_ms;
	if (x->fate == CLOUD_FATE_CUT)
		x->cut_len = below((uint32_t)t.len);
	if (x->fate == CLOUD_FATE_SLOW) {
		x->piece_len = t.len / 5 + 1;
		x->piece_ms = 1 + below(400);
	}
}

enum cloud_progress cloud_progress(const struct cloud_exchange *x, int64_t now_ms, size_t *len, int64_t *next_ms)
{
	size_t n = x->answer_len;

	*len = 0;
	*next_ms = CLOCK_NEVER;
	if (now_ms >= x->break_ms)
		return CLOUD_BROKEN;
	if (!x->is_served || now_ms < x->answer_ms) {
		*next_ms = x->is_served ? x->answer_ms : x->arrive_ms;
		if (x->break_ms < *next_ms)
			*next_ms = x->break_ms;
		return CLOUD_WAITING;
	}
	if (x->piece_len) {
		size_t pieces = (size_t)((now_ms - x->answer_ms) / x->piece_ms) + 1;

		n = pieces < n / x->piece_len + 1 ? pieces * x->piece_len : n;
		n = n < x->answer_len ? n : x->answer_len;
		*next_ms = x->answer_ms + (int64_t)pieces * x->piece_ms;
	}
	*len = n < x->cut_len ? n : x->cut_len;
	if (n >= x->cut_len)
		return CLOUD_BROKEN;
	if (n == x->answer_len)
		*next_ms = CLOCK_NEVER;
	return n == x->answer_len ? CLOUD_WHOLE : CLOUD_PART;
}

void cloud_end(struct cloud_exchange *x, int64_t now_ms, bool is_answered)
{
	struct cloud_caller *c = &cloud.callers[x->who];
	bool is_write = x->kind == CLOUD_BATCH || x->kind == CLOUD_SINGLE;

	cloud.now_ms = now_ms;
	if (c->life != x->life)
		return;
	if (is_write && (!is_answered || x->status >= 500))
		note_lost(x);
	if (x->kind == CLOUD_LIST && x->page == 1 && is_answered && x->status == 200)
		note_listed(x);
	if (is_answered && x->limited_ms && now_ms + x->limited_ms > c->told_ms)
		c->told_ms = now_ms + x->limited_ms;
}

void cloud_free(struct cloud_exchange *x)
{
	free(x->target);
	free(x->body);
	free(x->answer);
	*x = (struct cloud_exchange){0};
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
		no_room("zones");
	*z = (struct cloud_zone){.id = new_id(), .status = "active", .quota = 1000};
	(void)snprintf(z->name, sizeof z->name, "%s", name);
	return (int)cloud.zones_n++;
}

void cloud_restart(int who)
{
	unsigned life = cloud.callers[who].life;

	cloud.callers[who] = (struct cloud_caller){.life = life + 1};
}
