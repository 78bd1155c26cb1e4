#include "sim/cloud_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"

#define OPS_MAX 200

static const char *const type_names[] = {[CLOUD_A] = "A", [CLOUD_AAAA] = "AAAA", [CLOUD_CNAME] = "CNAME", [CLOUD_TXT] = "TXT"};

_Static_assert(sizeof type_names / sizeof type_names[0] == CLOUD_TYPES, "a name for each");

/* ---- text that grows: answers ---- */

void text_add(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	if (t->cap - t->len < 1024) {
		t->cap = t->cap ? 2 * t->cap : 4096;
		t->p = realloc(t->p, t->cap);
		if (!t->p)
			cloud_no_room("memory");
	}
	va_start(ap, format);
	n = vsnprintf(t->p + t->len, t->cap - t->len, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->cap - t->len)
		cloud_no_room("bytes of one field");
	t->len += (size_t)n;
}

void text_add_string(struct text *t, const char *s)
{
	text_add(t, "\"");
	for (; *s; s++)
		text_add(t, *s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
	text_add(t, "\"");
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
static bool read_fields(struct cloud_record *r, int object, bool is_new, struct cloud_refusal *f)
{
	enum cloud_type type = r->type;
	int64_t ttl = r->ttl;

	if (read_type(object, &type) && (is_new || json_get(object, "type") != JSON_NONE))
		return cloud_refuse(f, 1004, 9008, "DNS record type is invalid.");
	if (!is_new && type != r->type)
		return cloud_refuse(f, 1004, 9056, "The type of a record cannot be changed.");
	if (json_get(object, "ttl") != JSON_NONE && json_get_integer(object, "ttl", &ttl))
		return cloud_refuse(f, 1004, 9020, "TTL must be a number.");
	r->type = type;
	r->ttl = (uint32_t)ttl;
	(void)json_get_string(object, "name", r->name, sizeof r->name);
	(void)json_get_string(object, "content", r->content, sizeof r->content);
	(void)json_get_string(object, "comment", r->comment, sizeof r->comment);
	(void)json_boolean(json_get(object, "proxied"), &r->is_proxied);
	/* In another zone it is put in front. */
	if (!cloud_is_within(r->name, cloud.zones[r->zone].name)) {
		size_t n = strlen(r->name);

		(void)snprintf(r->name + n, sizeof r->name - n, ".%s", cloud.zones[r->zone].name);
	}
	return false;
}

static bool write_one(int zone, char kind, int object, const char *id_text, struct cloud_refusal *f)
{
	char text[CLOUD_ID_LEN + 1] = "";
	struct cloud_record r = {.zone = zone, .ttl = 1}, *before = NULL;
	uint64_t id;

	if (kind != '+') {
		if (!id_text && !json_get_string(object, "id", text, sizeof text))
			id_text = text;
		if (!id_text || cloud_parse_id(id_text, &id) || !(before = cloud_find(zone, id)))
			return cloud_refuse(f, 81044, 0, "Record does not exist.");
		r = *before;
	}
	if (kind == '-') {
		cloud_note(before, NULL);
		return false;
	}
	if (kind == '=') { /* PUT: what is not sent is the default */
		r.ttl = 1;
		r.is_proxied = false;
		r.comment[0] = '\0';
	}
	if (kind == '+')
		r.id = cloud_new_id();
	if (read_fields(&r, object, kind == '+', f) || cloud_would_refuse(&r, before, f))
		return true;
	(void)cloud_put(&r, before);
	return false;
}

static void add_record(struct text *t, const struct cloud_record *r)
{
	char id[CLOUD_ID_LEN + 1];

	cloud_format_id(id, r->id);
	text_add(t, "{\"id\":\"%s\",\"name\":", id);
	text_add_string(t, r->name);
	text_add(t, ",\"type\":\"%s\",\"content\":", type_names[r->type]);
	text_add_string(t, r->content);
	text_add(t, ",\"proxiable\":%s,\"proxied\":%s,\"ttl\":%u,\"settings\":{},\"meta\":{},\"comment\":",
		 cloud_is_private(r) ? "false" : "true", r->is_proxied ? "true" : "false", (unsigned)r->ttl);
	if (r->comment[0])
		text_add_string(t, r->comment);
	else
		text_add(t, "null");
	text_add(t, ",\"tags\":[],\"created_on\":\"2026-01-01T00:00:00.00000Z\",\"modified_on\":\"2026-01-01T00:00:00.00000Z\"}");
}

void cloud_say_refused(struct cloud_exchange *x, struct text *t, const struct cloud_refusal *f)
{
	bool has_echo = cloud_happens("echo of the token", cloud.setup.rates.echo);

	cloud.counts.refused++;
	x->status = f->status;
	t->len = 0;
	text_add(t, "{\"result\":null,\"success\":false,\"errors\":[{\"code\":%u,\"message\":", f->code);
	if (f->chained) {
		text_add_string(t, "DNS Validation Error");
		text_add(t, ",\"error_chain\":[{\"code\":%u,\"message\":", f->chained);
	}
	text_add_string(t, f->message);
	if (has_echo) {
		t->len--; /* the quote */
		text_add(t, " Authorization: Bearer %s\"", cloud.setup.token);
	}
	text_add(t, f->chained ? "}]}],\"messages\":[]}" : "}],\"messages\":[]}");
}

static bool write_list(int zone, char kind, int list, unsigned *ops_n, struct cloud_refusal *f)
{
	for (int i = json_first(list); i != JSON_NONE; i = json_next(i)) {
		if (++*ops_n > OPS_MAX)
			return cloud_refuse(f, 1004, 9999, "Too many operations in one batch.");
		if (write_one(zone, kind, i, NULL, f))
			return true;
	}
	return false;
}

void cloud_serve_batch(struct cloud_exchange *x, int zone, struct text *t)
{
	static const struct {
		const char *name;
		char kind;
	} lists[] = {{"deletes", '-'}, {"patches", '~'}, {"puts", '='}, {"posts", '+'}};
	struct cloud_refusal f;
	struct err e;
	unsigned ops_n = 0;
	size_t from[5] = {0};

	if (json_parse(x->body, x->body_len, &e)) {
		cloud_say_refused(x, t, &(struct cloud_refusal){400, 9207, 0, "Request body is invalid."});
		return;
	}
	for (int i = 0; i < 4; i++) {
		if (write_list(zone, lists[i].kind, json_get(0, lists[i].name), &ops_n, &f)) {
			cloud_roll_back();
			cloud_say_refused(x, t, &f);
			return;
		}
		from[i + 1] = cloud_transaction.n;
	}
	x->status = 200;
	text_add(t, "{\"result\":{");
	for (int i = 0; i < 4; i++) {
		text_add(t, "%s\"%s\":[", i ? "," : "", lists[i].name);
		for (size_t k = from[i]; k < from[i + 1]; k++) {
			const struct cloud_change *c = &cloud_transaction.changes[k];

			text_add(t, k > from[i] ? "," : "");
			add_record(t, c->after ? c->after : c->before);
		}
		text_add(t, "]");
	}
	text_add(t, "},\"success\":true,\"errors\":[],\"messages\":[]}");
	x->is_done = cloud_transaction.n > 0;
	cloud_commit(x->who, x);
}

void cloud_serve_single(struct cloud_exchange *x, int zone, const char *id, struct text *t)
{
	char kind = x->method[1] == 'O' ? '+' : x->method[1] == 'E' ? '-' : x->method[1] == 'U' ? '=' : '~';
	struct cloud_refusal f;
	struct err e;

	if (kind != '-' && json_parse(x->body, x->body_len, &e)) {
		cloud_say_refused(x, t, &(struct cloud_refusal){400, 9207, 0, "Request body is invalid."});
		return;
	}
	if (write_one(zone, kind, 0, id, &f)) {
		cloud_roll_back();
		cloud_say_refused(x, t, &f);
		return;
	}
	x->status = 200;
	text_add(t, "{\"result\":");
	if (kind == '-')
		text_add(t, "{\"id\":\"%s\"}", id);
	else
		add_record(t, cloud_transaction.changes[0].after);
	text_add(t, ",\"success\":true,\"errors\":[],\"messages\":[]}");
	x->is_done = true;
	cloud_commit(x->who, x);
}

/* ---- reads ---- */

/* The value of a parameter, decoded; -1: it is not there. */
int cloud_parameter(const char *target, const char *name, char *out, size_t cap)
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

unsigned cloud_number_parameter(const char *target, const char *name, unsigned otherwise)
{
	char text[16];

	return cloud_parameter(target, name, text, sizeof text) ? otherwise : (unsigned)strtoul(text, NULL, 10);
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
	text_add(t, "],\"result_info\":{\"page\":%u,\"per_page\":%u,\"count\":%zu,\"total_count\":%zu", page, per_page, count,
		 total);
	if (cloud.setup.has_total_pages)
		text_add(t, ",\"total_pages\":%zu", total ? (total + per_page - 1) / per_page : 1);
	text_add(t, "},\"success\":true,\"errors\":[],\"messages\":[]}");
}

static size_t select_records(const struct cloud_exchange *x, int zone, const struct cloud_record **out)
{
	int64_t at_ms = cloud.now_ms - (cloud.is_calm ? 0 : cloud.setup.lag_ms);
	char name[256], end[256], type[16];
	bool has_name = !cloud_parameter(x->target, "name.exact", name, sizeof name) ||
			!cloud_parameter(x->target, "name", name, sizeof name);
	bool has_end = !cloud_parameter(x->target, "name.endswith", end, sizeof end);
	bool has_type = !cloud_parameter(x->target, "type", type, sizeof type);
	size_t n = 0;

	for (size_t i = 0; i < cloud.records_n; i++) {
		const struct cloud_record *r = &cloud.records[i];

		if (r->zone == zone && r->from_ms <= at_ms && at_ms < r->until_ms && (!has_name || !strcasecmp(r->name, name)) &&
		    (!has_end || cloud_is_within(r->name, end)) && (!has_type || !strcmp(type_names[r->type], type)))
			out[n++] = r;
	}
	qsort(out, n, sizeof *out, by_type_and_id);
	return n;
}

void cloud_serve_list(struct cloud_exchange *x, int zone, struct text *t)
{
	static const struct cloud_record *found[CLOUD_RECORDS];
	unsigned per_page = cloud_number_parameter(x->target, "per_page", 100);
	size_t n = select_records(x, zone, found), from, to;

	if (!per_page || !x->page) {
		cloud_say_refused(x, t, &(struct cloud_refusal){400, 1004, 9000, "Invalid page or per_page."});
		return;
	}
	if (cloud.setup.per_page && per_page > cloud.setup.per_page)
		per_page = cloud.setup.per_page;
	from = (size_t)(x->page - 1) * per_page;
	from = from < n ? from : n;
	to = n - from > per_page ? from + per_page : n;
	x->status = 200;
	x->has_last_page = to == n;
	text_add(t, "{\"result\":[");
	for (size_t i = from; i < to; i++) {
		text_add(t, i > from ? "," : "");
		add_record(t, found[i]);
	}
	add_info(t, x->page, per_page, to - from, n);
}

static void add_zone(struct text *t, const struct cloud_zone *z)
{
	char id[CLOUD_ID_LEN + 1];

	cloud_format_id(id, z->id);
	text_add(t, "{\"id\":\"%s\",\"name\":", id);
	text_add_string(t, z->name);
	text_add(t, ",\"status\":\"%s\",\"paused\":false,\"type\":\"full\"}", z->status);
}

static bool is_seen(const struct cloud_zone *z)
{
	return !cloud_is_gone(z) && cloud.now_ms >= z->refused_until_ms;
}

void cloud_serve_zones(struct cloud_exchange *x, struct text *t)
{
	unsigned page = cloud_number_parameter(x->target, "page", 1), per_page = cloud_number_parameter(x->target, "per_page", 20);
	char name[256];
	bool has_name = !cloud_parameter(x->target, "name", name, sizeof name);
	size_t n = 0, count = 0;

	if (per_page < 5 || per_page > 50 || !page) {
		cloud_say_refused(x, t, &(struct cloud_refusal){400, 1004, 9000, "Invalid page or per_page."});
		return;
	}
	x->status = 200;
	text_add(t, "{\"result\":[");
	for (size_t i = 0; i < cloud.zones_n; i++) {
		const struct cloud_zone *z = &cloud.zones[i];

		if (!is_seen(z) || (has_name && strcasecmp(name, z->name) != 0))
			continue;
		if (n / per_page == page - 1) {
			text_add(t, count++ ? "," : "");
			add_zone(t, z);
		}
		n++;
	}
	add_info(t, page, per_page, count, n);
}

void cloud_serve_zone(struct cloud_exchange *x, const struct cloud_zone *z, struct text *t)
{
	x->status = 200;
	text_add(t, "{\"result\":");
	add_zone(t, z);
	text_add(t, ",\"success\":true,\"errors\":[],\"messages\":[]}");
}
