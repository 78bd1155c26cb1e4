/* engine/round, as sync drives it: what the calls of several names are together, and whom a fault concerns. */
#include "support.h"

#include "base/log.h"
#include "engine/round.h"

#define NAMES 12

static struct job jobs[NAMES];
static struct reconcile r[NAMES];
static struct reconcile_seldom seldom[NAMES];
static struct consul_view views[NAMES];
static struct endpoint listed[NAMES][CONSUL_INSTANCES_MAX];
static struct record have[NAMES][RECORDS_MAX];
static struct reconcile_storage storage;
static struct zone_table zones;
static struct round together;

/* The world: each name has the records that are there, each service one instance. */
static struct world {
	size_t names_n;
	int64_t now_ms;
	int64_t read_takes_ms;
	const char *bad;     /* name: records of it are refused */
	const char *refused; /* zone id: it is refused so often */
	enum err_kind refused_as;
	unsigned refusals;
	unsigned next_id;
	char calls[4096]; /* H: a read; C: a consistent one; Z; L; + and - with the number of names: a write */
	size_t there_n[NAMES];
	struct record there[NAMES][4];
} w;

static const char *zone_of(const char *name)
{
	return strstr(name, "example.org") ? "b0000000000000000000000000000000" : "a0000000000000000000000000000000";
}

static struct target address(unsigned host, unsigned net)
{
	return (struct target){.type = RECORD_A, .addr = {192, 0, (unsigned char)net, (unsigned char)host}};
}

static void put(size_t i, const struct target *t)
{
	struct record *record = &w.there[i][w.there_n[i]++];

	*record = (struct record){.target = *t, .ttl = 60, .is_ours = true, .state = INSTANCE_VANISHED};
	(void)snprintf(record->id, sizeof record->id, "%032x", ++w.next_id);
}

/* So many names, each of a service of its own: the first in example.org_n, the others in example.com. */
static void set_up(size_t n, size_t org_n)
{
	log_setup(LOG_LOGFMT, LOG_LEVELS); /* quiet */
	memset(&w, 0, sizeof w);
	w.names_n = n;
	w.now_ms = 1000000;
	memset(zones.zones, 0, sizeof zones.zones);
	zones.n = 0;
	cf_zone_book_forget(&zones.book);
	memset(storage.trust, 0, sizeof storage.trust);
	storage.zones = &zones;
	for (size_t i = 0; i < n; i++) {
		jobs[i] = (struct job){.types = JOB_TYPES, .ttl = 60, .min_records = 1, .proxied = PROXIED_OFF};
		(void)snprintf(jobs[i].name, sizeof jobs[i].name, "n%zu.example.%s", i, i < org_n ? "org" : "com");
		(void)snprintf(jobs[i].service, sizeof jobs[i].service, "s%zu", i);
	}
}

static void tell(const char *call)
{
	(void)snprintf(w.calls + strlen(w.calls), sizeof w.calls - strlen(w.calls), "%s%s", w.calls[0] ? " " : "", call);
}

static int answer_health(const struct call *c)
{
	unsigned host = (unsigned)strtoul(c->query->job->service + 1, NULL, 10);

	tell(c->query->is_consistent ? "C" : "H");
	w.now_ms += w.read_takes_ms;
	*c->view = (struct consul_view){.listed = c->view->listed, .listed_n = 1};
	c->view->listed[0] = (struct endpoint){.target = address(host, 1), .state = INSTANCE_PASSING};
	c->view->count.instances_n = c->view->count.state_n[INSTANCE_PASSING] = 1;
	c->view->evidence = (struct evidence){.has_leader = true, .is_consistent = c->query->is_consistent};
	return 0;
}

static int answer_zone(struct cf_zone_search *s)
{
	tell("Z");
	s->has_found = s->is_served = true;
	(void)snprintf(s->id, sizeof s->id, "%s", zone_of(s->name));
	(void)snprintf(s->zone, sizeof s->zone, "%s", strstr(s->name, "example."));
	/* They are all that there are. */
	for (size_t i = 0; i < 2; i++) {
		struct cf_zone *z = &s->book->zones[i];
		const char *name = i ? "example.org" : "example.com";

		(void)snprintf(z->name, sizeof z->name, "%s", name);
		(void)snprintf(z->id, sizeof z->id, "%s", zone_of(name));
		(void)snprintf(z->status, sizeof z->status, "active");
	}
	s->book->n = 2;
	s->book->is_whole = true;
	return 0;
}

static bool is_refused(const char *zone_id)
{
	return w.refusals && w.refused && strcmp(zone_id, w.refused) == 0 && w.refusals--;
}

static int answer_list(struct cf_listing *l, struct err *e)
{
	tell("L");
	l->reply = (struct cf_reply){0};
	if (is_refused(l->zone_id))
		return err_set(e, w.refused_as, "refused");
	for (size_t k = 0; k < l->names_n; k++) {
		struct cf_name *name = l->names[k];
		size_t i = strtoul(name->job->name + 1, NULL, 10);

		assert_string_equal(zone_of(name->job->name), l->zone_id);
		name->records_n = name->seen_n = w.there_n[i];
		memcpy(name->records, w.there[i], sizeof w.there[i]);
	}
	l->seen_n = 1;
	(void)snprintf(l->suffix, sizeof l->suffix, "%s", strstr(l->names[0]->job->name, "example."));
	return 0;
}

static void carry_out(size_t i, struct cf_part *part, struct op *op)
{
	if (op->kind == OP_CREATE) {
		put(i, op->target);
		if (part->created)
			part->created[part->created_n++] = w.there[i][w.there_n[i] - 1];
	} else {
		assert_int_equal(op->kind, OP_DELETE);
		for (size_t k = 0; k < w.there_n[i]; k++)
			if (strcmp(w.there[i][k].id, op->record->id) == 0)
				w.there[i][k] = w.there[i][--w.there_n[i]];
	}
	op->is_done = true;
}

/* One transaction. */
static int answer_write(struct cf_write *write, struct err *e)
{
	enum op_kind kind = write->parts[0].ops[0]->kind;
	char text[32];

	(void)snprintf(text, sizeof text, "%c%zu", kind == OP_DELETE ? '-' : '+', write->parts_n);
	tell(text);
	write->reply = (struct cf_reply){0};
	for (size_t k = 0; k < write->parts_n; k++) {
		assert_string_equal(zone_of(write->parts[k].job->name), write->zone_id);
		if (w.bad && strcmp(write->parts[k].job->name, w.bad) == 0 && kind == OP_CREATE) {
			write->reply.meaning = CF_REFUSED;
			return err_set(e, ERR_REFUSED, "a bad record");
		}
	}
	for (size_t k = 0; k < write->parts_n; k++)
		for (size_t o = 0; o < write->parts[k].ops_n; o++)
			carry_out(strtoul(write->parts[k].job->name + 1, NULL, 10), &write->parts[k], write->parts[k].ops[o]);
	return 0;
}

static void go(int64_t retry_ms)
{
	memset(&together, 0, sizeof together);
	together.storage = &storage;
	reconcile_forget_all(&storage);
	for (size_t i = 0; i < w.names_n; i++) {
		views[i].listed = listed[i];
		const struct reconcile_own own = {have[i], &seldom[i], &views[i]};

		reconcile_init(&r[i], &jobs[i], &storage, &own, false, w.now_ms + retry_ms);
		round_add(&together, &r[i]);
	}
	for (int calls = 0;; calls++) {
		struct call c = round_next(&together, w.now_ms);
		struct err e = {0};
		int rc = 0;

		assert_true(calls < 200);
		while (round_take_ended(&together))
			;
		if (c.kind == CALL_END)
			break;
		switch (c.kind) {
		case CALL_HEALTH: rc = answer_health(&c); break;
		case CALL_ZONE: rc = answer_zone(c.zones); break;
		case CALL_LIST: rc = answer_list(c.list, &e); break;
		case CALL_WRITE: rc = answer_write(c.write, &e); break;
		case CALL_WAIT: w.now_ms = c.until_ms; break;
		case CALL_END: break;
		}
		round_take(&together, rc, &e, w.now_ms, 0);
	}
	assert_int_equal(together.n, 0);
}

/* Names that do not have what is wanted, alone: "n3 n7". */
static const char *wrong(void)
{
	static char text[256];

	text[0] = '\0';
	for (unsigned i = 0; i < w.names_n; i++) {
		struct target t = address((unsigned)strtoul(jobs[i].service + 1, NULL, 10), 1);
		bool is_right = w.there_n[i] == 1 && target_compare(&w.there[i][0].target, &t) == 0;

		CHECK(is_right || r[i].out.result != RECONCILE_DONE, "n%u is wrong, and said to be done", i);
		if (!is_right)
			(void)snprintf(text + strlen(text), sizeof text - strlen(text), "%sn%u", text[0] ? " " : "", i);
	}
	return text;
}

static void old_ones(void)
{
	for (unsigned i = 0; i < w.names_n; i++) {
		struct target t = address(i, 9);

		put(i, &t);
	}
}

static void test_calls(void **state)
{
	struct target wanted;

	(void)state;
	set_up(4, 0);
	go(0);
	assert_string_equal(wrong(), "");
	assert_string_equal(w.calls, "H H H H Z L +4");
	/* All right already. */
	w.calls[0] = '\0';
	go(0);
	assert_string_equal(w.calls, "H H H H L");
	/* Another address each: what is new of all comes before what is old of any. */
	set_up(4, 0);
	old_ones();
	go(0);
	assert_string_equal(wrong(), "");
	assert_string_equal(w.calls, "H H H H Z L C C C C +4 -4");
	/* So also where one name has only something to remove. */
	set_up(2, 0);
	old_ones();
	wanted = address(0, 1);
	put(0, &wanted);
	w.there_n[1] = 0;
	go(0);
	assert_string_equal(wrong(), "");
	assert_string_equal(w.calls, "H H Z L C +1 -1");
	/* Two zones, one service. */
	set_up(6, 3);
	for (size_t i = 0; i < 6; i++)
		memcpy(jobs[i].service, "s7", sizeof "s7");
	go(0);
	assert_string_equal(wrong(), "");
	assert_string_equal(w.calls, "H Z L L +3 +3");
}

/* However slow Consul is: who has an answer waits for the others, as long as it does not grow old. */
static void test_slow_reads(void **state)
{
	(void)state;
	set_up(NAMES, 0);
	old_ones();
	w.read_takes_ms = RECONCILE_READ_MS / 2 / NAMES - 1;
	go(0);
	assert_string_equal(wrong(), "");
	assert_non_null(strstr(w.calls, " +12 -12"));
	/* One that is slower than that: some go first, and all come to their end. */
	set_up(NAMES, 0);
	old_ones();
	w.read_takes_ms = RECONCILE_READ_MS / 4;
	go(0);
	assert_string_equal(wrong(), "");
}

static void test_one_bad_name(void **state)
{
	(void)state;
	for (size_t bad = 0; bad < NAMES; bad++) {
		char name[NAME_CAP];

		set_up(NAMES, 0);
		old_ones();
		(void)snprintf(name, sizeof name, "n%zu.example.com", bad);
		w.bad = name;
		go(0);
		CHECK(strncmp(wrong(), name, strcspn(name, ".")) == 0 && !strchr(wrong(), ' '), "%s: %s", name, wrong());
		/* I1: what it has stays as long as what is wanted cannot come. */
		assert_int_equal(w.there_n[bad], 1);
		assert_int_equal(r[bad].out.result, RECONCILE_FAILED);
		CHECK(strstr(r[bad].out.err->text, "a bad record"), "%s", r[bad].out.err->text);
	}
}

/* A zone that is gone, or not for us: the names of others have nothing to do with it. */
static void test_a_zone_that_is_refused(void **state)
{
	static const enum err_kind kinds[] = {ERR_CONFIG, ERR_AUTH, ERR_REFUSED, ERR_RETRY};

	(void)state;
	for (size_t k = 0; k < COUNT(kinds); k++) {
		set_up(6, 3);
		w.refused = zone_of("example.org");
		w.refused_as = kinds[k];
		w.refusals = 1000;
		go(0);
		CHECK(strcmp(wrong(), "n0 n1 n2") == 0, "case %zu: %s", k, wrong());
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(r[i].out.err->kind, kinds[k]);
	}
}

/* A refusal that passes is the same try of all it was for: all come again. */
static void test_a_passing_refusal(void **state)
{
	static const struct {
		enum err_kind kind;
		int64_t retry_ms;
	} cases[] = {
		{ERR_AUTH, 0}, /* a verdict takes two looks */
		{ERR_AUTH, 60000},
		{ERR_RETRY, 60000},
	};

	(void)state;
	for (size_t k = 0; k < COUNT(cases); k++) {
		set_up(6, 3);
		w.refused = zone_of("example.org");
		w.refused_as = cases[k].kind;
		w.refusals = 1;
		go(cases[k].retry_ms);
		CHECK(strcmp(wrong(), "") == 0, "case %zu: %s: %s", k, wrong(), w.calls);
		CHECK(strlen(w.calls) < 60, "case %zu: %s", k, w.calls);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_slow_reads),
		cmocka_unit_test(test_one_bad_name),
		cmocka_unit_test(test_a_zone_that_is_refused),
		cmocka_unit_test(test_a_passing_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
