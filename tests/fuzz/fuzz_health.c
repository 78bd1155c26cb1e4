/*
 * Consul's answers: the list of instances, those about all services, and the small ones of sessions, locks,
 * keys. Input: options, seed, then "200\nName: value\n\nbody".
 */
#include "fuzz.h"

#include <string.h>

#include "consul/answer.h"
#include "consul/catalog.h"
#include "consul/health.h"
#include "consul/lock.h"

static char element_buf[JSON_ELEMENT_MAX + 1], rest[JSON_REST_MAX + 1];
static struct endpoint listed[CONSUL_INSTANCES_MAX];
static struct consul_view view = {.listed = listed};
static struct consul_reader reader;

static void check_target(const struct target *t)
{
	char text[TARGET_TEXT_CAP];
	static struct target_hosts hosts;
	struct target again;
	struct err e = {0};

	MUST(t->type < RECORD_TYPES);
	MUST(!t->host == (t->type != RECORD_CNAME));
	if (t->host)
		MUST(t->host >= view.hosts.text && t->host < view.hosts.text + view.hosts.len);
	target_format(t, text);
	hosts.len = 0;
	MUST(target_parse(&again, text, &hosts, &e) == 0);
	MUST(target_compare(t, &again) == 0);
}

static void tell_view(struct buf *told)
{
	size_t sum = 0, addressed_n = view.count.instances_n - view.count.unaddressed_n;

	for (int s = 0; s < INSTANCE_STATES; s++) {
		sum += view.count.state_n[s];
		buf_fmt(told, "%zu ", view.count.state_n[s]);
	}
	MUST(sum + view.evidence.unread_n == view.count.instances_n);
	MUST(view.count.unaddressed_n <= view.count.instances_n);
	MUST(view.listed_n >= addressed_n && view.listed_n <= 2 * addressed_n);
	MUST(view.listed_n <= CONSUL_INSTANCES_MAX);
	MUST(memchr(view.count.unaddressed, '\0', sizeof view.count.unaddressed));
	MUST(view.hosts.len <= sizeof view.hosts.text);
	MUST(!view.evidence.is_consistent == !reader.query->is_consistent);
	MUST(view.evidence.last_contact_ms >= 0);
	buf_fmt(told, "instances, index %llu, gap %d\n", (unsigned long long)view.index,
		(int)evidence_assess(&view.evidence, !view.count.instances_n));
	for (size_t i = 0; i < view.listed_n; i++) {
		char text[TARGET_TEXT_CAP];

		MUST(view.listed[i].state < INSTANCE_STATES && view.count.state_n[view.listed[i].state]);
		check_target(&view.listed[i].target);
		target_format(&view.listed[i].target, text);
		buf_fmt(told, "%s %s\n", instance_state_name(view.listed[i].state), text);
	}
	if (view.count.unaddressed_n)
		buf_fmt(told, "%zu without address: %s\n", view.count.unaddressed_n, view.count.unaddressed);
}

static void read_health(struct fuzz_input in, struct fuzz_cuts cuts, const struct consul_query *q, struct buf *told)
{
	struct http_sink sink = consul_health_begin(&reader, q, &view, element_buf, rest);
	struct err e = {0};
	int failed = fuzz_answer(in, cuts, &sink, &e);

	if (!failed)
		failed = consul_health_finish(&reader, &e);
	fuzz_tell_err(told, failed, &e);
	if (!failed)
		tell_view(told);
	else
		MUST(e.kind == ERR_AUTH || e.kind == ERR_RETRY || e.kind == ERR_REFUSED || e.kind == ERR_PROTO ||
		     e.kind == ERR_LIMIT);
}

static int take_piece(void *ctx, const struct consul_catalog_piece *piece, struct err *e)
{
	struct buf *told = ctx;

	(void)e;
	MUST(strlen(piece->service) < JOB_TEXT_CAP && strlen(piece->node) < JOB_TEXT_CAP);
	buf_fmt(told, "%s of %s: %llx\n", piece->service, piece->node, (unsigned long long)piece->sum);
	return 0;
}

static void read_all_services(struct fuzz_input in, struct fuzz_cuts cuts, bool of_checks, struct buf *told)
{
	static struct consul_catalog_reader all;
	const struct job place = {.has_token = true};
	const struct consul_catalog_query q = {.place = &place, .of_checks = of_checks};
	struct http_sink sink = consul_catalog_begin(&all, &q, take_piece, told, element_buf, rest);
	struct err e = {0};
	int failed = fuzz_answer(in, cuts, &sink, &e);

	if (!failed)
		failed = consul_catalog_finish(&all, &e);
	fuzz_tell_err(told, failed, &e);
}

static void read_small(struct fuzz_input in, struct fuzz_cuts cuts, struct buf *told)
{
	static struct consul_answer answer;
	struct http_sink sink = consul_answer_begin(&answer);
	char id[CONSUL_SESSION_CAP] = "";
	struct err e = {0};
	bool is_ours = false;
	int failed = fuzz_answer(in, cuts, &sink, &e);

	fuzz_tell_err(told, failed, &e);
	if (failed)
		return;
	fuzz_tell_err(told, consul_answer_finish(&answer, &e), &e);
	fuzz_tell_err(told, consul_session_read(&answer, id, &e), &e);
	buf_fmt(told, "session %s\n", id);
	fuzz_tell_err(told, consul_lock_read(&answer, &is_ours, &e), &e);
	fuzz_tell_err(told, consul_lock_watch_read(&answer, id, &e), &e);
	buf_fmt(told, "ours %d holder %s index %llu\n", is_ours, id, (unsigned long long)answer.index);
}

int fuzz_health(const uint8_t *p, size_t n)
{
	static const enum address_source sources[] = {ADDRESS_WAN, ADDRESS_SERVICE, ADDRESS_NODE, ADDRESS_LAN};
	struct fuzz_input in = {p, n};
	unsigned options = fuzz_take(&in), seed = fuzz_take(&in);
	struct job job = {.service = "web", .addresses.n = 4};
	struct consul_query q = {.job = &job, .is_consistent = options & 8};

	for (size_t i = 0; i < job.addresses.n; i++)
		job.addresses.of[i] = sources[(i + options) % 4];
	for (int way = 0; way < FUZZ_WAYS; way++) {
		struct buf told;

		fuzz_tell_start(&told, way);
		read_health(in, fuzz_way(way, seed), &q, &told);
		read_all_services(in, fuzz_way(way, seed), false, &told);
		read_all_services(in, fuzz_way(way, seed), true, &told);
		read_small(in, fuzz_way(way, seed), &told);
		fuzz_tell_same(way);
	}
	return 0;
}
