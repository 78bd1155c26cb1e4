#include "engine/town.h"

#include "base/log.h"
#include "core/spec.h"
#include "support.h"

#define CALLS_MAX 20000 /* past this it is said to run for ever */

struct town town;
struct town_name town_names[TOWN_NAMES];

static struct town_service {
	struct consul_view view;
	struct endpoint listed[TOWN_INSTANCES];
} services[TOWN_NAMES];

static const char *const zone_names[TOWN_ZONES] = {"example.com", "example.net", "example.org", "sub.example.com"};

/* ---- set up ---- */

void town_init(size_t n)
{
	static struct zone none;

	log_setup(LOG_LOGFMT, LOG_LEVELS); /* quiet */
	reconcile_forget_all(&town.storage);
	for (size_t i = 0; i < town.zones.n; i++)
		town.zones.zones[i] = none;
	town.zones.n = 0;
	town.zones.book_ms = 0;
	cf_zone_book_forget(&town.zones.book);
	memset(town.storage.trust, 0, sizeof town.storage.trust);
	town.storage.zones = &town.zones;
	town.round = (struct round){.storage = &town.storage};
	memset(town.api, 0, sizeof town.api);
	for (size_t z = 0; z < TOWN_ZONES; z++) {
		(void)snprintf(town.api[z].id, RECORD_ID_CAP, "%032zx", z + 1);
		town.api[z].name = zone_names[z];
	}
	town.api[3].is_away = true;
	town.now_ms = 1000000;
	for (int i = 0; i < CALL_END; i++)
		town.latency_ms[i] = 10;
	town.random = 0;
	town.seed = 1;
	town.has_no_leader = town.goes_astray = false;
	town.records_n = town.strays_n = town.unseen_zones_n = 0;
	town.per_page = 5000;
	town.next_id = 1;
	town.fault = NULL;
	town.calls = 0;
	town_clear_story();
	town.names_n = n;
	for (size_t i = 0; i < n; i++) {
		struct town_name *name = &town_names[i];

		memset(name, 0, sizeof *name);
		name->service = i;
		name->job = (struct job){
			.types = JOB_TYPES,
			.ttl = 60,
			.min_records = 1,
			.on_empty = ON_EMPTY_REMOVE,
		};
		(void)snprintf(name->job.name, NAME_CAP, "n%03zu.example.com", i);
		(void)snprintf(name->job.service, JOB_TEXT_CAP, "s%zu", i);
		name->own_view.listed = name->own_listed;
		name->known.listed = name->known_listed;
		reconcile_init_watch(&name->r, &name->job, &(struct reconcile_own){name->have, &name->seldom, NULL});
		name->r.owner = name;
		town_set(i, "");
	}
}

void town_clear_story(void)
{
	town.story[0] = '\0';
	town.healths = town.verifies = town.searches = town.lists = town.writes = town.refused_n = 0;
}

void town_set(size_t service, const char *instances)
{
	struct consul_view *v = &services[service].view;
	char copy[1024], *save = NULL;

	(void)snprintf(copy, sizeof copy, "%s", instances);
	memset(&v->count, 0, sizeof v->count);
	v->listed = services[service].listed;
	v->listed_n = v->hosts.len = 0;
	for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		struct endpoint *to = &v->listed[v->listed_n++];
		char *slash = strchr(p, '/');

		assert_true(v->listed_n <= TOWN_INSTANCES);
		to->state = !slash ? INSTANCE_PASSING : slash[1] == 'm' ? INSTANCE_MAINTENANCE : INSTANCE_CRITICAL;
		if (slash)
			*slash = '\0';
		(void)spec_targets(p, &to->target, &v->hosts);
		v->count.state_n[to->state]++;
	}
	v->count.instances_n = v->listed_n;
	v->evidence = (struct evidence){.has_leader = true};
	consul_view_sort(v);
}

size_t town_zone_of(const char *name)
{
	for (size_t z = TOWN_ZONES; z--;)
		if (name_is_within(name, town.api[z].name) && !town.api[z].is_away)
			return z;
	return 0;
}

void town_add_record(size_t i, const char *content)
{
	const struct job *job = &town_names[i].job;
	struct town_record *r = &town.records[town.records_n++];

	assert_true(town.records_n <= TOWN_RECORDS);
	*r = (struct town_record){.zone = town_zone_of(job->name), .ttl = 60, .is_marked = true};
	(void)snprintf(r->name, sizeof r->name, "%s", job->name);
	(void)snprintf(r->content, sizeof r->content, "%s", content);
	(void)snprintf(r->owner, sizeof r->owner, "%s", job->owner);
	(void)snprintf(r->id, sizeof r->id, "%032x", town.next_id++);
}

const struct consul_view *town_view(size_t service)
{
	return &services[service].view;
}

static const char *address_of(size_t i)
{
	static char text[32];

	(void)snprintf(text, sizeof text, "10.%zu.%zu.1", i / 256, i % 256);
	return text;
}

void town_want(size_t i)
{
	town_set(town_names[i].service, address_of(i));
}

void town_have(size_t i)
{
	town_add_record(i, address_of(i));
}

static struct town_name *name_of(const struct reconcile *r)
{
	return r->owner;
}

/* ---- Consul ---- */

static int answer_health(const struct call *c)
{
	const struct town_name *first = NULL;
	struct reconcile *m;
	size_t i = 0;

	while ((m = round_asked(&town.round, &i))) {
		if (!first)
			first = name_of(m);
		CHECK(name_of(m)->service == first->service, "%s another service", town.story);
		name_of(m)->verified_at = town.calls;
		consul_view_copy(&name_of(m)->known, town_view(first->service));
	}
	consul_view_copy(c->view, &services[first->service].view);
	/* In no order. */
	for (size_t k = 0; k < c->view->listed_n / 2; k++) {
		struct endpoint *a = &c->view->listed[k], *b = &c->view->listed[c->view->listed_n - 1 - k], swap = *a;

		*a = *b;
		*b = swap;
	}
	c->view->evidence.is_consistent = c->query->is_consistent;
	c->view->evidence.has_leader = !town.has_no_leader;
	return 0;
}

/* ---- the calls ---- */

static int answer(const struct call *c, struct err *e)
{
	switch (c->kind) {
	case CALL_HEALTH: return answer_health(c);
	case CALL_ZONE: return town_answer_zone(c->zones, e);
	case CALL_LIST: return town_answer_list(c->list, e);
	case CALL_WRITE: return town_answer_write(c->write, e);
	case CALL_WAIT:
	case CALL_END:
	default: return 0;
	}
}

static size_t count_asked(void)
{
	size_t i = 0, n = 0;

	while (round_asked(&town.round, &i))
		n++;
	return n;
}

static void word_of_write(const struct cf_write *w, char word[64])
{
	size_t n[OP_KINDS] = {0};
	int len = sprintf(word, w->is_single ? "S" : "W");

	for (size_t p = 0; p < w->parts_n; p++)
		for (size_t i = 0; i < w->parts[p].ops_n; i++)
			n[w->parts[p].ops[i]->kind]++;
	for (int kind = 0; kind < OP_HOLD; kind++)
		if (n[kind])
			len += sprintf(word + len, "%c%zu", "+~-"[kind], n[kind]);
	(void)sprintf(word + len, "/%zu", w->parts_n);
}

/* A word for the call; counted as well. */
static void word_of(const struct call *c, char word[64])
{
	switch (c->kind) {
	case CALL_HEALTH:
		*(c->query->is_consistent ? &town.verifies : &town.healths) += 1;
		(void)sprintf(word, "%c%zu", c->query->is_consistent ? 'V' : 'H', count_asked());
		break;
	case CALL_ZONE:
		town.searches++;
		(void)sprintf(word, c->zones->is_check ? "C" : "Z");
		break;
	case CALL_LIST:
		town.lists++;
		(void)sprintf(word, "%c%zu", c->list->is_whole ? 'L' : 'l', c->list->names_n);
		break;
	case CALL_WRITE:
		town.writes++;
		word_of_write(c->write, word);
		break;
	default: (void)sprintf(word, ".");
	}
}

static void tell(const char *word, bool has_failed)
{
	size_t len = strlen(town.story);

	if (len + 70 < TOWN_STORY)
		(void)snprintf(town.story + len, TOWN_STORY - len, "%s%s%s", len ? " " : "", word, has_failed ? "!" : "");
}

static void take_ended(void)
{
	struct reconcile *r;

	while ((r = round_take_ended(&town.round))) {
		name_of(r)->is_busy = false;
		name_of(r)->ends_n++;
	}
	if (!town.round.n)
		reconcile_forget_all(&town.storage);
}

static int carry_out_call(const struct call *c, struct err *e)
{
	enum town_fault fault = town.fault && c->kind != CALL_WAIT ? town.fault(c, e) : TOWN_FINE;

	if (fault == TOWN_LOST_BEFORE)
		return -1;
	if (fault == TOWN_LOST_AFTER) {
		struct err ignored = {0};

		if (c->kind != CALL_HEALTH) /* Consul is as it was */
			(void)answer(c, &ignored);
		return -1;
	}
	return answer(c, e);
}

bool town_step(void)
{
	struct err e = {0};
	struct call call;
	char word[64];
	int rc;

	take_ended();
	if (!town.round.n)
		return false;
	call = round_next(&town.round, town.now_ms);
	if (town.calls % 2)
		assert_int_equal(round_next(&town.round, town.now_ms).kind, call.kind);
	if (call.kind == CALL_END) {
		take_ended();
		CHECK(!town.round.n, "%s it ends, and %zu are not at their ends", town.story, town.round.n);
		return false;
	}
	CHECK(town.calls++ < CALLS_MAX, "it does not end: %s", town.story);
	if (call.kind == CALL_WAIT) {
		/* It may be over, as other calls came first. */
		town.now_ms = call.until_ms > town.now_ms ? call.until_ms : town.now_ms;
	}
	word_of(&call, word);
	rc = carry_out_call(&call, &e);
	tell(word, rc != 0);
	if (call.kind != CALL_WAIT)
		town.now_ms += town.latency_ms[call.kind];
	round_take(&town.round, rc, &e, town.now_ms, town.random);
	take_ended();
	return true;
}

void town_run(void)
{
	while (town_step())
		;
}

static struct town_name *take_part(size_t i)
{
	struct town_name *name = &town_names[i];

	CHECK(!name->is_busy, "%s is at work", name->job.name);
	name->is_busy = true;
	name->begun_at = town.calls++;
	return name;
}

void town_begin(size_t i, bool is_resync)
{
	struct town_name *name = take_part(i);

	reconcile_begin(&name->r, &town.storage, &services[name->service].view, is_resync, town.now_ms, town.random);
	round_add(&town.round, &name->r);
}

void town_begin_all(bool is_resync)
{
	for (size_t i = 0; i < town.names_n; i++)
		town_begin(i, is_resync);
}

void town_begin_sync(size_t i, int64_t give_up_ms)
{
	struct town_name *name = take_part(i);

	reconcile_init(&name->r, &name->job, &town.storage, &(struct reconcile_own){name->have, &name->seldom, &name->own_view},
		       false, give_up_ms);
	round_add(&town.round, &name->r);
}

/* ---- all names ---- */

int town_set_up(void **state)
{
	(void)state;
	town_init(0);
	return 0;
}

void town_want_all(void)
{
	for (size_t i = 0; i < town.names_n; i++)
		town_want(i);
}

void town_have_all(void)
{
	for (size_t i = 0; i < town.names_n; i++)
		town_have(i);
}

void town_surplus_all(void)
{
	town_want_all();
	town_have_all();
	for (size_t i = 0; i < town.names_n; i++)
		town_add_record(i, "192.0.2.9");
}

void town_check_all_done(void)
{
	for (size_t i = 0; i < town.names_n; i++)
		CHECK(town_names[i].r.out.result == RECONCILE_DONE && town_names[i].ends_n, "%s: %s", town_names[i].job.name,
		      town_names[i].seldom.err.text);
	assert_int_equal(town_count_right(), town.names_n);
}
