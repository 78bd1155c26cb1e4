/*
 * Cloudflare's answers: records, zones, batches, single writes. Input: which, seed, then answers
 * "200\nName: value\n\nbody" with a form feed between the pages.
 */
#include "fuzz.h"

#include <string.h>

#include "cloudflare/records.h"
#include "cloudflare/writes.h"
#include "cloudflare/zones.h"

#define NAME "www.example.com"

static const struct job job = {.types = JOB_TYPES, .name = NAME, .owner = "me"};
#define OPS 4

static char element_buf[JSON_ELEMENT_MAX + 1], rest[JSON_REST_MAX + 1];
static struct record records[RECORDS_MAX];

static void tell_reply(const struct cf_reply *r, struct buf *told)
{
	MUST(memchr(r->ray, '\0', sizeof r->ray));
	MUST(r->hint.retry_after_sec >= 0 && r->hint.left_n >= 0 && r->hint.reset_sec >= 0);
	MUST(r->meaning <= CF_REFUSED);
	buf_fmt(told, "ray %s retry %d %lld means %d\n", r->ray, r->hint.has_retry_after, (long long)r->hint.retry_after_sec,
		(int)r->meaning);
}

static void tell_record(const struct record *r, struct buf *told)
{
	char text[TARGET_TEXT_CAP];

	MUST(record_id_is_good(r->id));
	MUST(r->target.type < RECORD_TYPES);
	MUST(!r->target.host == (r->target.type != RECORD_CNAME));
	target_format(&r->target, text);
	buf_fmt(told, "%s %s %s ttl %u%s%s\n", r->id, record_type_name(r->target.type), text, (unsigned)r->ttl,
		r->proxied ? " proxied" : "", r->is_ours ? " ours" : "");
}

static void read_records(struct fuzz_input in, struct fuzz_cuts cuts, struct buf *told)
{
	static struct cf_record_list l;
	struct err e = {0};
	bool again = true;

	cf_record_list_init(&l, "z0ne", &job, records);
	for (int failed = 0; again && !failed;) {
		struct http_sink sink = cf_record_list_begin(&l, element_buf, rest);
		unsigned page = l.page;

		again = false;
		failed = fuzz_answer(fuzz_take_until(&in, '\f'), cuts, &sink, &e);
		if (!failed)
			failed = cf_record_list_finish(&l, &again, &e);
		fuzz_tell_err(told, failed, &e);
		tell_reply(&l.reply, told);
		MUST(l.records_n <= RECORDS_MAX);
		if (failed)
			return;
		MUST(l.page == page + again);
		MUST(l.records_n <= l.seen_n);
		again = again && in.n;
	}
	for (size_t i = 0; i < l.records_n; i++)
		tell_record(&records[i], told);
}

static void read_zones(struct fuzz_input in, struct fuzz_cuts cuts, bool is_exact, struct buf *told)
{
	static struct cf_zone_search s;
	const char *name = is_exact ? "example.com" : NAME;
	struct err e = {0};
	bool again = true;

	cf_zone_search_init(&s, name, is_exact);
	for (int failed = 0; again && !failed;) {
		struct http_sink sink = cf_zone_search_begin(&s, element_buf, rest);

		again = false;
		failed = fuzz_answer(fuzz_take_until(&in, '\f'), cuts, &sink, &e);
		if (!failed)
			failed = cf_zone_search_finish(&s, &again, &e);
		fuzz_tell_err(told, failed, &e);
		tell_reply(&s.reply, told);
		if (failed)
			return;
		MUST(again || (s.has_found && !s.is_ambiguous));
		again = again && in.n;
	}
	if (!s.has_found)
		return;
	MUST(record_id_is_good(s.id));
	MUST(name_is_within(name, s.zone) && (!is_exact || strcmp(s.zone, name) == 0));
	buf_fmt(told, "zone %s %s\n", s.id, s.zone);
}

/* A create and an update of an address, a create of a host's CNAME, a delete. */
static void read_write(struct fuzz_input in, struct fuzz_cuts cuts, unsigned single, struct buf *told)
{
	static const struct record have[] = {{.id = "b0000000000000000000000000000000"}, {.id = "d"}};
	static const struct target want[] = {
		{.type = RECORD_A, .addr = {192, 0, 2, 1}},
		{.type = RECORD_AAAA, .addr = {0x20, 1, 0xd, 0xb8, [15] = 1}},
		{.type = RECORD_CNAME, .host = "host.example.net"},
	};
	struct op ops[OPS] = {
		{.kind = OP_CREATE, .target = &want[0], .ttl = 60},
		{.kind = OP_UPDATE, .target = &want[1], .ttl = 60, .record = &have[0]},
		{.kind = OP_CREATE, .target = &want[2], .ttl = 60},
		{.kind = OP_DELETE, .record = &have[1]},
	};
	struct op *picked[OPS] = {&ops[0], &ops[1], &ops[2], &ops[3]};
	static struct record created[OPS];
	static struct cf_write w;
	struct http_sink sink;
	struct err e = {0};
	int failed;

	w = (struct cf_write){.zone_id = "z0ne", .job = &job, .created = created};
	w.is_single = single < OPS;
	w.ops = w.is_single ? &picked[single] : picked;
	w.ops_n = w.is_single ? 1 : OPS;
	sink = cf_write_begin(&w, element_buf, rest);
	failed = fuzz_answer(in, cuts, &sink, &e);
	if (!failed)
		failed = cf_write_finish(&w, &e);
	fuzz_tell_err(told, failed, &e);
	tell_reply(&w.reply, told);
	MUST(w.created_n <= w.ops_n);
	for (size_t i = 0; i < w.created_n; i++) {
		MUST(created[i].target.host == NULL || created[i].target.host == want[2].host);
		tell_record(&created[i], told);
	}
	for (size_t i = 0; i < w.ops_n; i++)
		MUST(failed || w.ops[i]->is_done);
}

int fuzz_cloudflare(const uint8_t *p, size_t n)
{
	struct fuzz_input in = {p, n};
	unsigned which = fuzz_take(&in) & 7, seed = fuzz_take(&in);

	for (int way = 0; way < FUZZ_WAYS; way++) {
		struct fuzz_cuts cuts = fuzz_way(way, seed);
		struct buf told;

		fuzz_tell_start(&told, way);
		if (which == 0)
			read_records(in, cuts, &told);
		else if (which < 3)
			read_zones(in, cuts, which == 2, &told);
		else
			read_write(in, cuts, which - 3, &told);
		fuzz_tell_same(way);
	}
	return 0;
}
