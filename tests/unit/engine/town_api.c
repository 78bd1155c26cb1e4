#include "engine/town.h"

#include "base/json.h"
#include "core/spec.h"
#include "support.h"

/* ---- what is wanted, what is there ---- */

/* Addresses; when there are none, host names. */
static size_t collect_want(const struct town_name *name, const struct consul_view *v, struct target *want)
{
	size_t n = 0;

	for (int hosts = 0; hosts < 2 && !n && !name->job.is_dropped; hosts++)
		for (size_t i = 0; i < v->listed_n; i++)
			if (v->listed[i].state == INSTANCE_PASSING && !v->listed[i].target.host == !hosts)
				want[n++] = v->listed[i].target;
	return n;
}

static bool is_named(const struct town_record *r, const struct town_name *name)
{
	return strcmp(r->name, name->job.name) == 0;
}

static bool is_host(const char *content)
{
	return content[strspn(content, "0123456789.")] && !strchr(content, ':');
}

/* Ours by the mark; of one without an owner any A record, and others while the service has such. */
static bool is_ours(const struct town_record *r, const struct town_name *name)
{
	if (r->is_marked && strcmp(r->owner, name->job.owner) == 0)
		return true;
	return !name->job.owner[0] && !is_host(r->content) && !strchr(r->content, ':');
}

static size_t count_content(const struct town_name *name, const char *content)
{
	size_t n = 0;

	for (size_t i = 0; i < town.records_n; i++)
		n += is_named(&town.records[i], name) && strcmp(town.records[i].content, content) == 0;
	return n;
}

static bool is_wanted(const struct town_name *name, const struct consul_view *v, const char *content)
{
	struct target want[TOWN_INSTANCES];
	size_t n = collect_want(name, v, want);
	char text[TARGET_TEXT_CAP];

	for (size_t i = 0; i < n; i++) {
		target_format(&want[i], text);
		if (strcmp(text, content) == 0)
			return true;
	}
	return false;
}

static bool has_all_wanted(const struct town_name *name, const struct consul_view *v)
{
	struct target want[TOWN_INSTANCES];
	size_t n = collect_want(name, v, want);
	char text[TARGET_TEXT_CAP];

	for (size_t i = 0; i < n; i++) {
		target_format(&want[i], text);
		if (!count_content(name, text))
			return false;
	}
	return true;
}

size_t town_count_records(size_t i)
{
	size_t n = 0;

	for (size_t k = 0; k < town.records_n; k++)
		n += is_named(&town.records[k], &town_names[i]);
	return n;
}

bool town_is_right(size_t i)
{
	const struct town_name *name = &town_names[i];
	const struct consul_view *v = town_view(name->service);

	if (!has_all_wanted(name, v))
		return false;
	for (size_t k = 0; k < town.records_n; k++) {
		const struct town_record *r = &town.records[k];

		if (!is_named(r, name) || !is_ours(r, name))
			continue;
		if (!is_wanted(name, v, r->content) || count_content(name, r->content) != 1 || r->ttl != name->job.ttl)
			return false;
	}
	return true;
}

size_t town_count_right(void)
{
	size_t n = 0;

	for (size_t i = 0; i < town.names_n; i++)
		n += town_is_right(i);
	return n;
}

/* ---- what must always hold ---- */

static struct town_record *find_id(const char *id)
{
	for (size_t i = 0; i < town.records_n; i++)
		if (strcmp(town.records[i].id, id) == 0)
			return &town.records[i];
	return NULL;
}

static struct town_name *writer_of(const struct cf_part *part)
{
	for (size_t i = 0; i < town.names_n; i++)
		if (part->job == &town_names[i].job)
			return &town_names[i];
	fail_msg("a part of nobody's");
	return NULL;
}

static void check_evidence(const struct town_name *name)
{
	if (name->job.is_dropped)
		return;
	CHECK(name->verified_at > name->begun_at && name->verified_at > name->listed_at,
	      "%s I7: %s: read at %u, listed at %u, begun at %u", town.story, name->job.name, name->verified_at, name->listed_at,
	      name->begun_at);
	CHECK(!town.has_no_leader, "%s I7: no evidence", town.story);
}

/* Before it is carried out: may this be changed or removed at all? */
static void check_op(const struct town_name *name, const struct op *op)
{
	const struct town_record *r = op->record ? find_id(op->record->id) : NULL;
	char content[TARGET_TEXT_CAP];

	CHECK(op->kind != OP_HOLD, "%s a held record is written", town.story);
	CHECK(!op->is_done, "%s what is done is written again", town.story);
	if (op->kind == OP_DELETE)
		check_evidence(name);
	if (!r)
		return;
	CHECK(is_named(r, name), "%s I6: a record of another name", town.story);
	CHECK(is_ours(r, name), "%s I6: a foreign record", town.story);
	if (op->kind != OP_DELETE)
		return;
	target_format(&op->record->target, content);
	CHECK(strcmp(content, r->content) == 0, "%s I3: another record", town.story);
	CHECK(!is_wanted(name, &name->known, content) || count_content(name, content) > 1, "%s I3: a wanted record", town.story);
}

static bool is_swap(const struct cf_part *part)
{
	size_t n[OP_KINDS] = {0};

	for (size_t i = 0; i < part->ops_n; i++)
		n[part->ops[i]->kind]++;
	return n[OP_CREATE] && n[OP_DELETE];
}

static void check_part(const struct cf_write *w, const struct cf_part *part)
{
	const struct town_name *name = writer_of(part);
	bool deletes = false;

	CHECK(part->ops_n, "%s a part without ops", town.story);
	CHECK(name->is_busy, "%s it is not at work", town.story);
	CHECK(strcmp(w->zone_id, town.api[town_zone_of(name->job.name)].id) == 0, "%s another zone", town.story);
	CHECK(name->listed_at, "%s it was never listed", town.story);
	for (size_t i = 0; i < part->ops_n; i++) {
		check_op(name, part->ops[i]);
		deletes |= part->ops[i]->kind == OP_DELETE;
	}
	CHECK(!deletes || is_swap(part) || has_all_wanted(name, &name->known), "%s I1: %s", town.story, name->job.name);
	CHECK(!is_swap(part) || w->parts_n == 1, "%s a swap is not alone", town.story);
}

static void check_write(const struct cf_write *w)
{
	size_t n[OP_KINDS] = {0}, ops_n = 0;

	CHECK(!w->is_single || (w->parts_n == 1 && w->parts->ops_n == 1), "%s no single call", town.story);
	for (size_t p = 0; p < w->parts_n; p++) {
		check_part(w, &w->parts[p]);
		ops_n += w->parts[p].ops_n;
		for (size_t i = 0; i < w->parts[p].ops_n; i++)
			n[w->parts[p].ops[i]->kind]++;
		for (size_t k = 0; k < p; k++)
			CHECK(w->parts[k].job != w->parts[p].job, "%s twice in one batch", town.story);
	}
	CHECK(ops_n && ops_n <= CF_BATCH_MAX, "%s %zu ops", town.story, ops_n);
	CHECK(!n[OP_DELETE] || ops_n == n[OP_DELETE] || is_swap(w->parts), "%s deletes beside others", town.story);
}

static void check_floor(const struct town_name *name, size_t before_n)
{
	size_t floor = name->job.min_records < before_n ? name->job.min_records : before_n;
	struct target want[TOWN_INSTANCES];

	if (collect_want(name, &name->known, want) || name->job.on_empty != ON_EMPTY_REMOVE)
		CHECK(town_count_records((size_t)(name - town_names)) >= floor, "%s I2: %s", town.story, name->job.name);
}

/* ---- Cloudflare ---- */

static bool is_in_the_way(const struct town_record *r, const char *content)
{
	return is_host(r->content) || is_host(content);
}

static bool is_full(size_t zone)
{
	size_t n = 0;

	for (size_t i = 0; i < town.records_n; i++)
		n += town.records[i].zone == zone;
	return town.api[zone].quota && n >= town.api[zone].quota;
}

static enum cf_meaning put(const struct town_name *name, const struct op *op, struct town_record *r)
{
	char content[TARGET_TEXT_CAP];

	target_format(op->target, content);
	if (name->is_bad && !r)
		return CF_REFUSED;
	for (size_t i = 0; i < town.records_n; i++) {
		if (&town.records[i] == r || !is_named(&town.records[i], name))
			continue;
		if (strcmp(town.records[i].content, content) == 0)
			return CF_EXISTS;
		if (is_in_the_way(&town.records[i], content))
			return CF_IN_THE_WAY;
	}
	if (!r && is_full(town_zone_of(name->job.name)))
		return CF_QUOTA;
	if (!r) {
		town_add_record((size_t)(name - town_names), content);
		r = &town.records[town.records_n - 1];
	}
	(void)snprintf(r->content, sizeof r->content, "%.63s", content);
	r->ttl = op->ttl;
	return CF_DONE;
}

static enum cf_meaning carry_out(struct cf_part *part, const struct op *op)
{
	struct town_name *name = writer_of(part);
	struct town_record *r = op->record ? find_id(op->record->id) : NULL;
	enum cf_meaning meaning;

	if (op->record && !r)
		return CF_GONE;
	if (op->kind == OP_DELETE) {
		*r = town.records[--town.records_n];
		return CF_DONE;
	}
	meaning = put(name, op, r);
	if (meaning == CF_DONE && op->kind == OP_CREATE && part->created) {
		struct record *made = &part->created[part->created_n++];

		assert_true(made < name->have + TOWN_HAVE);
		*made = (struct record){
			.target = *op->target,
			.ttl = op->ttl,
			.is_ours = true,
			.has_comment = true,
			.state = INSTANCE_VANISHED,
		};
		memcpy(made->id, town.records[town.records_n - 1].id, RECORD_ID_CAP);
	}
	return meaning;
}

static enum cf_meaning carry_out_all(struct cf_write *w)
{
	static const enum op_kind order[] = {OP_DELETE, OP_UPDATE, OP_CREATE};

	for (size_t k = 0; k < COUNT(order); k++)
		for (size_t p = 0; p < w->parts_n; p++)
			for (size_t i = 0; i < w->parts[p].ops_n; i++) {
				enum cf_meaning meaning = CF_DONE;

				if (w->parts[p].ops[i]->kind == order[k])
					meaning = carry_out(&w->parts[p], w->parts[p].ops[i]);
				if (meaning != CF_DONE)
					return meaning;
			}
	return CF_DONE;
}

static int answer_astray(struct cf_write *w, struct err *e)
{
	bool removes = w->parts->ops[0]->kind == OP_DELETE;

	CHECK(w->parts_n == 1, "%s strays of several", town.story);
	w->reply = (struct cf_reply){0};
	w->has_other = !removes;
	if (removes) {
		assert_int_equal(w->parts->ops_n, town.strays_n);
		town.strays_n = 0;
		return 0;
	}
	for (size_t i = 0; i < w->parts->ops_n; i++)
		(void)snprintf(w->parts->created[i].id, RECORD_ID_CAP, "%032x", town.next_id++);
	w->parts->created_n = town.strays_n = w->parts->ops_n;
	return err_set(e, ERR_CONFIG, "another name");
}

static bool has_poison(const struct cf_write *w)
{
	for (size_t p = 0; p < w->parts_n; p++)
		if (writer_of(&w->parts[p])->is_poison)
			return true;
	return false;
}

int town_answer_write(struct cf_write *w, struct err *e)
{
	static struct town_record saved[TOWN_RECORDS];
	size_t saved_n = town.records_n, before_n[CF_BATCH_MAX];
	enum cf_meaning meaning;

	if (town.goes_astray)
		return answer_astray(w, e);
	check_write(w);
	if (has_poison(w)) {
		w->reply = (struct cf_reply){.status = 500};
		return err_set(e, ERR_RETRY, "HTTP 500");
	}
	memcpy(saved, town.records, saved_n * sizeof *saved);
	for (size_t p = 0; p < w->parts_n; p++) {
		w->parts[p].created_n = 0;
		before_n[p] = town_count_records((size_t)(writer_of(&w->parts[p]) - town_names));
	}
	w->reply = (struct cf_reply){.status = 200};
	meaning = carry_out_all(w);
	if (meaning != CF_DONE) { /* nothing of it was done */
		memcpy(town.records, saved, saved_n * sizeof *saved);
		town.records_n = saved_n;
		w->reply = (struct cf_reply){.status = 400, .meaning = meaning};
		/* What an answer that broke off left there. */
		for (size_t p = 0; p < w->parts_n; p++)
			w->parts[p].ops[0]->is_done = true;
		town.refused_n++;
		return err_set(e, ERR_REFUSED, "refused");
	}
	for (size_t p = 0; p < w->parts_n; p++) {
		check_floor(writer_of(&w->parts[p]), before_n[p]);
		for (size_t i = 0; i < w->parts[p].ops_n; i++)
			w->parts[p].ops[i]->is_done = true;
	}
	return 0;
}

static void show(struct cf_name *to, const struct town_record *r)
{
	const struct town_name *name = writer_of(&(struct cf_part){.job = to->job});
	struct record *out = &to->records[to->records_n++];

	assert_true(to->records_n <= TOWN_HAVE);
	*out = (struct record){.ttl = r->ttl, .has_comment = r->is_marked, .state = INSTANCE_VANISHED};
	(void)spec_targets(r->content, &out->target, to->hosts);
	memcpy(out->id, r->id, RECORD_ID_CAP);
	out->is_ours = is_ours(r, name);
	out->is_unmarked = !out->is_ours && !name->job.owner[0];
}

static size_t zone_by_id(const char *id)
{
	for (size_t z = 0; z < TOWN_ZONES; z++)
		if (strcmp(town.api[z].id, id) == 0)
			return z;
	fail_msg("a zone of nobody's");
	return 0;
}

int town_answer_list(struct cf_listing *l, struct err *e)
{
	size_t z = zone_by_id(l->zone_id);

	l->reply = (struct cf_reply){.status = 200};
	if (town.api[z].is_away) {
		l->reply = (struct cf_reply){.status = 404, .meaning = CF_NO_ZONE};
		return err_set(e, ERR_CONFIG, "no such zone");
	}
	l->seen_n = l->is_whole ? town.api[z].others_n : 0;
	for (size_t i = 0; i < town.records_n; i++)
		l->seen_n += town.records[i].zone == z && (l->is_whole || !strcmp(town.records[i].name, l->names[0]->job->name));
	l->page = (unsigned)((l->seen_n + town.per_page - 1) / town.per_page);
	l->page += !l->page;
	if (l->seen_n)
		(void)snprintf(l->suffix, sizeof l->suffix, "%s", town.api[z].name);
	for (size_t n = 0; n < l->names_n; n++) {
		struct cf_name *to = l->names[n];
		struct town_name *name = writer_of(&(struct cf_part){.job = to->job});

		CHECK(l->is_whole || !strcmp(to->job->name, l->names[0]->job->name), "%s two names", town.story);
		CHECK(!n || strcmp(l->names[n - 1]->job->name, to->job->name) <= 0, "%s not in order", town.story);
		name->listed_at = town.calls;
		if (name->is_odd && l->is_whole)
			to->is_odd = true;
		else if (name->is_ill)
			return err_set(e, ERR_PROTO, "an odd record");
		for (size_t i = 0; i < town.records_n && !to->is_odd; i++)
			if (town.records[i].zone == z && is_named(&town.records[i], name)) {
				to->seen_n++;
				show(to, &town.records[i]);
			}
	}
	return town.api[z].is_torn && l->page > 1 ? err_set(e, ERR_RETRY, "torn") : 0;
}

static char *put_zone(char *out, const char *id, const char *name)
{
	return out + sprintf(out, "%s{\"id\":\"%s\",\"name\":\"%s\",\"status\":\"active\"}", out[-1] == '[' ? "" : ",", id, name);
}

/* The zones as JSON: the first page has those of the town, the others those that nobody here uses. */
static int answer_zone_page(struct cf_zone_search *z, bool *again, struct err *e)
{
	static char element[JSON_ELEMENT_MAX + 1], rest[JSON_REST_MAX + 1], body[16384];
	struct http_sink sink = cf_zone_search_begin(z, element, rest);
	char *out = body + sprintf(body, "{\"success\":true,\"errors\":[],\"messages\":[],\"result\":[");
	size_t n = 0, others_n = z->asked ? 0 : town.unseen_zones_n;

	for (size_t i = 0; i < TOWN_ZONES; i++) {
		if (town.api[i].is_away || (z->asked && strcmp(z->asked, town.api[i].name) != 0))
			continue;
		n++;
		if (z->page == 1)
			out = put_zone(out, town.api[i].id, town.api[i].name);
	}
	for (size_t i = 50 * (z->page - 1); z->page > 1 && i < 50 * z->page && i - 50 < others_n; i++) {
		char id[RECORD_ID_CAP], name[32];

		(void)snprintf(id, sizeof id, "%032zx", 4096 + i);
		(void)snprintf(name, sizeof name, "z%zu.example", i);
		out = put_zone(out, id, name);
	}
	(void)sprintf(out, "],\"result_info\":{\"page\":%u,\"per_page\":50,\"total_pages\":%zu,\"total_count\":%zu}}", z->page,
		      1 + (others_n + 49) / 50, n + others_n);
	if (test_answer(&sink, 200, "", body, 0, e))
		return -1;
	return cf_zone_search_finish(z, again, e);
}

int town_answer_zone(struct cf_zone_search *z, struct err *e)
{
	bool again = true;

	if (z->is_check) {
		z->reply = (struct cf_reply){.status = 200};
		(void)snprintf(z->zone, sizeof z->zone, "%s", town.api[zone_by_id(z->id)].name);
		z->has_found = name_is_within(z->name, z->zone);
		return z->has_found ? 0 : err_set(e, ERR_CONFIG, "another zone");
	}
	while (again)
		if (answer_zone_page(z, &again, e))
			return -1;
	return 0;
}
