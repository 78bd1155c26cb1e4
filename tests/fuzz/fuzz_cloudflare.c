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

#define NAMES 3
#define OPS 4

static const struct job jobs[NAMES] = {
	{.types = JOB_TYPES, .name = NAME, .owner = "me"},
	{.types = JOB_TYPES, .name = NAME, .owner = "you"},
	{.types = JOB_TYPES, .name = "api.example.com"},
};

static char element_buf[JSON_ELEMENT_MAX + 1], rest[JSON_REST_MAX + 1];
static struct record records[NAMES][RECORDS_MAX];

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

static void read_records(struct fuzz_input in, struct fuzz_cuts cuts, bool is_whole, struct buf *told)
{
	static struct target_hosts hosts[NAMES];
	struct cf_name name[NAMES], *names[NAMES];
	static struct cf_listing l;
	struct err e = {0};
	bool again = true;

	for (size_t i = 0; i < NAMES; i++) {
		name[i] = (struct cf_name){.job = &jobs[i], .records = records[i], .hosts = &hosts[i]};
		names[i] = &name[i];
	}
	cf_listing_init(&l, "z0ne", names, is_whole ? NAMES : 1, is_whole);
	for (int failed = 0; again && !failed;) {
		struct http_sink sink = cf_listing_begin(&l, element_buf, rest);
		unsigned page = l.page;

		again = false;
		failed = fuzz_answer(fuzz_take_until(&in, '\f'), cuts, &sink, &e);
		if (!failed)
			failed = cf_listing_finish(&l, &again, &e);
		fuzz_tell_err(told, failed, &e);
		tell_reply(&l.reply, told);
		MUST(memchr(l.suffix, '\0', sizeof l.suffix));
		if (failed)
			return;
		MUST(l.page == page + again);
		again = again && in.n;
	}
	buf_fmt(told, "end %s of %zu\n", l.suffix, l.seen_n);
	for (size_t i = 0; i < l.names_n; i++) {
		MUST(name[i].records_n <= name[i].seen_n && name[i].seen_n <= l.seen_n);
		MUST(!name[i].seen_n || name_is_within(jobs[i].name, l.suffix) || !l.suffix[0]);
		for (size_t k = 0; k < name[i].records_n; k++)
			tell_record(&records[i][k], told);
	}
}

static void read_zones(struct fuzz_input in, struct fuzz_cuts cuts, bool is_exact, bool has_book, struct buf *told)
{
	static struct cf_zone_book book;
	static struct cf_zone_search s;
	const char *name = is_exact ? "example.com" : NAME;
	struct err e = {0};
	bool again = true;

	cf_zone_book_forget(&book);
	cf_zone_search_init(&s, name, is_exact);
	s.book = has_book ? &book : NULL;
	s.names_n = 9;
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
	MUST(book.n <= CF_BOOK_ZONES_MAX);
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
	struct cf_part parts[2] = {{.job = &jobs[0], .created = created}, {.job = &jobs[2], .ops = &picked[OPS - 1], .ops_n = 1}};
	static struct cf_write w;
	struct http_sink sink;
	struct err e = {0};
	int failed;

	w = (struct cf_write){.zone_id = "z0ne", .parts = parts, .is_single = single < OPS};
	w.parts_n = w.is_single ? 1 : 2;
	parts[0].ops = w.is_single ? &picked[single] : picked;
	parts[0].ops_n = w.is_single ? 1 : OPS - 1;
	sink = cf_write_begin(&w, element_buf, rest);
	failed = fuzz_answer(in, cuts, &sink, &e);
	if (!failed)
		failed = cf_write_finish(&w, &e);
	fuzz_tell_err(told, failed, &e);
	tell_reply(&w.reply, told);
	MUST(parts[0].created_n <= parts[0].ops_n);
	for (size_t i = 0; i < parts[0].created_n; i++) {
		MUST(created[i].target.host == NULL || created[i].target.host == want[2].host);
		tell_record(&created[i], told);
	}
	for (size_t i = 0; i < OPS; i++)
		MUST(failed || ops[i].is_done || (w.is_single && i != single));
}

int fuzz_cloudflare(const uint8_t *p, size_t n)
{
	struct fuzz_input in = {p, n};
	unsigned which = fuzz_take(&in) & 15, seed = fuzz_take(&in);

	for (int way = 0; way < FUZZ_WAYS; way++) {
		struct fuzz_cuts cuts = fuzz_way(way, seed);
		struct buf told;

		fuzz_tell_start(&told, way);
		if ((which & 7) == 0)
			read_records(in, cuts, which & 8, &told);
		else if ((which & 7) < 3)
			read_zones(in, cuts, (which & 7) == 2, which & 8, &told);
		else
			read_write(in, cuts, (which & 7) - 3, &told);
		fuzz_tell_same(way);
	}
	return 0;
}
