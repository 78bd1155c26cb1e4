#include "sim/check.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "engine/reconcile.h"
#include "pages/pages.h"
#include "sim/copy.h"
#include "sim/wire.h"

#define WANTED_MAX (SIM_SLOTS + 1)
#define MARK_CAP JOB_COMMENT_CAP
#define TROUBLE_MS 60000
#define SHOWN_MAX 2048  /* a power of two */
#define EVIDENCE_MAX 32 /* that are remembered of each service */

/* What a copy was told of a service, and when. */
struct heard {
	bool is_set;
	int64_t begun_ms, heard_ms;
	struct consul_said said;
};

/* A version of a record that it was shown, or made. */
struct shown {
	uint64_t id;
	int64_t from_ms, first_ms; /* the version's; when it was shown first, as the API served it */
};

static struct known {
	struct shown shown[SHOWN_MAX];
	struct heard evidence[SIM_SERVICES][EVIDENCE_MAX]; /* rings */
	size_t evidence_n[SIM_SERVICES];
	int64_t passing_ms[SIM_SERVICES][SIM_SLOTS], warning_ms[SIM_SERVICES][SIM_SLOTS]; /* when an answer last said so */
	int64_t listed_ms[SIM_JOBS]; /* so new is what it was shown of the name's records */
	int64_t whole_ms[SIM_JOBS];  /* the same, but it may have been listed for other names */
	int64_t trouble_ms;          /* when a call failed last */
	int64_t refused_ms;          /* when a write of its was refused last */
	int64_t others_ms[SIM_JOBS]; /* when somebody else changed them, which it need not know */
} known[SIM_COPIES];

struct check_counts check_counts;

void check_begin(void)
{
	memset(known, 0, sizeof known);
}

void check_restart(int who)
{
	memset(&known[who], 0, sizeof known[who]);
}

/* ---- what is known ---- */

void check_failed(int who, int64_t until_ms)
{
	if (known[who].trouble_ms < until_ms)
		known[who].trouble_ms = until_ms;
}

void check_heard(int who, const struct consul_said *said, int64_t begun_ms)
{
	struct known *k = &known[who];

	for (size_t i = 0; i < SIM_SLOTS && !said->is_false; i++) {
		if (said->slots[i] == SLOT_PASSING)
			k->passing_ms[said->service][i] = sim.now_ms;
		if (said->slots[i] == SLOT_WARNING)
			k->warning_ms[said->service][i] = sim.now_ms;
	}
	if (said->is_false)
		check_failed(who, sim.now_ms);
	if (said->is_evidence)
		k->evidence[said->service][k->evidence_n[said->service]++ % EVIDENCE_MAX] =
			(struct heard){true, begun_ms, sim.now_ms, *said};
}

/* A whole zone is listed: is the name in it? */
static bool is_of_zone(const struct cloud_exchange *x, const char *name)
{
	const char *id = strstr(x->target, "/zones/");
	int zone = cloud_zone_of(name);

	char text[17];

	if (!id || zone < 0)
		return false;
	(void)snprintf(text, sizeof text, "%016llx", (unsigned long long)cloud.zones[zone].id);
	return strncmp(id + 7, text, 16) == 0;
}

/*
 * Somebody else has changed the records, and it need not know. A listing of a whole zone tells its names only when it was for
 * them: after a resync's time at the latest.
 */
static bool is_excused_for(int who, size_t job)
{
	const struct known *k = &known[who];
	bool is_told = sim.now_ms - k->others_ms[job] > sim.setup.resync_ms * 12 / 10 + TROUBLE_MS;

	return k->others_ms[job] && k->others_ms[job] >= k->listed_ms[job] && !(is_told && k->others_ms[job] < k->whole_ms[job]);
}

/* Its place among those that were shown; an empty one when it was not. */
static struct shown *find_shown(int who, const struct cloud_record *r)
{
	size_t i = (size_t)(r->id ^ (uint64_t)r->from_ms * 0x9e3779b97f4a7c15u) % SHOWN_MAX;

	for (size_t n = 0; n < SHOWN_MAX; n++, i = (i + 1) % SHOWN_MAX) {
		struct shown *s = &known[who].shown[i];

		if (!s->id || (s->id == r->id && s->from_ms == r->from_ms))
			return s;
	}
	memset(known[who].shown, 0, sizeof known[who].shown); /* it is full: begin anew */
	return &known[who].shown[i];
}

static void note_shown(int who, const struct cloud_record *r, int64_t at_ms)
{
	struct shown *s = find_shown(who, r);

	if (!s->id)
		*s = (struct shown){r->id, r->from_ms, at_ms};
}

static void note_listing(int who, const struct cloud_exchange *x, const char *name, size_t len)
{
	int64_t at_ms = x->arrive_ms - cloud.setup.lag_ms;

	for (size_t i = 0; i < cloud.records_n; i++) {
		const struct cloud_record *r = &cloud.records[i];

		if (r->from_ms <= at_ms && r->until_ms > at_ms &&
		    (name ? strlen(r->name) == len && strncasecmp(name, r->name, len) == 0 : is_of_zone(x, r->name)))
			note_shown(who, r, at_ms);
	}
}

static bool is_shared(size_t job)
{
	for (size_t i = 0; i < sim.setup.jobs_n; i++)
		if (i != job && strcmp(sim.setup.jobs[i].name, sim.setup.jobs[job].name) == 0)
			return true;
	return false;
}

void check_listed(int who, const struct cloud_exchange *x)
{
	const char *at = strstr(x->target, "name.exact=");
	size_t len = at ? strcspn(at + 11, "&") : 0;

	if (x->status != 200)
		check_failed(who, sim.now_ms);
	if (x->kind == CLOUD_BATCH || x->kind == CLOUD_SINGLE) {
		if (x->status != 200)
			known[who].refused_ms = sim.now_ms;
		return;
	}
	if (x->kind != CLOUD_LIST || x->status != 200)
		return;
	note_listing(who, x, at ? at + 11 : NULL, len);
	if (x->page > 1)
		return;
	for (size_t i = 0; i < sim.setup.jobs_n; i++) {
		const char *name = sim.setup.jobs[i].name;

		if ((!at && is_of_zone(x, name)) || (at && strlen(name) == len && strncasecmp(name, at + 11, len) == 0))
			*(at && !is_shared(i) ? &known[who].listed_ms[i] : &known[who].whole_ms[i]) =
				x->arrive_ms - cloud.setup.lag_ms;
	}
}

/* Requests of one process: at most 1,200 in any five minutes. */
void check_call(int who)
{
	struct copy *c = &copies[who];
	size_t cap = sizeof c->called_ms / sizeof c->called_ms[0];
	int64_t *oldest = &c->called_ms[c->calls % cap];

	if (c->calls >= cap && sim.now_ms - *oldest < CLOUD_WINDOW_MS)
		sim_broken("budget", "more than %zu calls in five minutes", cap - 1);
	*oldest = sim.now_ms;
	c->calls++;
}

/* ---- what is wanted ---- */

static bool is_address(const char *content)
{
	return content[strspn(content, "0123456789.")] == '\0' || strchr(content, ':');
}

static bool is_wanted_state(const struct job *job, unsigned char state)
{
	return state == SLOT_PASSING || (state == SLOT_WARNING && job->include_warning);
}

/* The contents that the records of a job shall have. A host name stands alone. */
static size_t find_wanted(size_t job, const unsigned char *slots, const char *out[WANTED_MAX])
{
	const struct job *j = &sim.setup.jobs[job];
	size_t service = sim.setup.service_of[job], n = 0;
	bool has_address = false;

	for (size_t i = 0; i < SIM_SLOTS; i++)
		has_address |= is_wanted_state(j, slots[i]) && is_address(consul_content(service, i));
	for (size_t i = 0; i < SIM_SLOTS; i++)
		if (is_wanted_state(j, slots[i]) && (!has_address || is_address(consul_content(service, i))))
			out[n++] = consul_content(service, i);
	if (!n && j->on_empty == ON_EMPTY_FALLBACK)
		out[n++] = j->fallback;
	return n;
}

static bool is_among(const char *content, const char *const *contents, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(contents[i], content) == 0)
			return true;
	return false;
}

static bool is_of_service(size_t job, const char *content)
{
	for (size_t i = 0; i < SIM_SLOTS; i++)
		if (strcasecmp(consul_content(sim.setup.service_of[job], i), content) == 0)
			return true;
	return strcmp(content, sim.setup.jobs[job].fallback) == 0;
}

/* ---- whose a record is ---- */

static void format_mark(const struct job *job, char out[MARK_CAP])
{
	(void)snprintf(out, MARK_CAP, "managed by dnsbuddy%s%s", job->owner[0] ? " owner=" : "", job->owner);
}

static bool is_marked(const struct job *job, const char *comment)
{
	char mark[MARK_CAP];
	size_t len;

	format_mark(job, mark);
	len = strlen(mark);
	return strncmp(comment, mark, len) == 0 && (!comment[len] || comment[len] == ' ') &&
	       (job->owner[0] || strncmp(comment + len, " owner=", 7) != 0);
}

static bool has_type(size_t job, enum cloud_type type)
{
	for (size_t i = 0; i < SIM_SLOTS; i++) {
		const char *content = consul_content(sim.setup.service_of[job], i);
		enum cloud_type one = strchr(content, ':') ? CLOUD_AAAA : is_address(content) ? CLOUD_A : CLOUD_CNAME;

		if (one == type)
			return true;
	}
	return false;
}

static bool is_ours(size_t job, const struct cloud_record *r)
{
	const struct job *j = &sim.setup.jobs[job];

	if (strcasecmp(j->name, r->name) != 0 || r->type == CLOUD_TXT)
		return false;
	return is_marked(j, r->comment) || (!j->owner[0] && r->type == CLOUD_A);
}

/* The job that may have written this; SIM_JOBS: none. */
static size_t job_of(const struct cloud_record *r)
{
	for (size_t i = 0; i < sim.setup.jobs_n; i++)
		if (is_ours(i, r))
			return i;
	for (size_t i = 0; i < sim.setup.jobs_n; i++)
		if (strcasecmp(sim.setup.jobs[i].name, r->name) == 0 && !sim.setup.jobs[i].owner[0] && r->type != CLOUD_TXT &&
		    has_type(i, r->type))
			return i;
	return SIM_JOBS;
}

/* ---- a transaction ---- */

/* While a zone is away a name may be written to the one that holds it: then that counts. */
static const struct cloud_record *find_live(int zone, const char *name, const char *content)
{
	for (size_t i = 0; i < cloud.records_n; i++) {
		const struct cloud_record *r = &cloud.records[i];

		if (r->zone == zone && cloud_is_live(r) && strcasecmp(r->name, name) == 0 && strcasecmp(r->content, content) == 0)
			return r;
	}
	return NULL;
}

static void check_create(size_t job, const struct cloud_record *r)
{
	const struct job *j = &sim.setup.jobs[job];
	char mark[MARK_CAP];

	format_mark(j, mark);
	if (strcmp(r->comment, mark) != 0)
		sim_broken("I6", "%s %s is created with the comment \"%s\"", r->name, r->content, r->comment);
	if (!is_of_service(job, r->content))
		sim_broken("I4", "%s %s is created, which no instance of %s has", r->name, r->content, j->service);
	if (r->ttl != (r->is_proxied ? 1 : j->ttl))
		sim_broken("I4", "%s %s is created with ttl %u", r->name, r->content, (unsigned)r->ttl);
}

static void check_update(const struct cloud_record *a, const struct cloud_record *b, bool is_excused)
{
	if (!is_excused && strcasecmp(a->content, b->content) == 0 && a->ttl == b->ttl && a->is_proxied == b->is_proxied &&
	    strcmp(a->comment, b->comment) == 0)
		sim_broken("I4", "%s %s is updated to what it is", a->name, a->content);
	if (a->type != b->type || strcasecmp(a->name, b->name) != 0)
		sim_broken("I6", "%s %s becomes %s %s", a->name, a->content, b->name, b->content);
}

/* Records that somebody can be served by, whose they may be. */
static void count_lit(size_t job, int zone, const struct cloud_change *changes, size_t n, const char *const *want, size_t want_n,
		      size_t *before, size_t *after)
{
	const char *name = sim.setup.jobs[job].name;
	unsigned types = 0;

	for (size_t i = 0; i < want_n; i++)
		types |= 1u << (strchr(want[i], ':') ? CLOUD_AAAA : is_address(want[i]) ? CLOUD_A : CLOUD_CNAME);
	*after = 0;
	for (size_t i = 0; i < cloud.records_n; i++) {
		const struct cloud_record *r = &cloud.records[i];

		*after += r->zone == zone && cloud_is_live(r) && strcasecmp(r->name, name) == 0 &&
			  (is_ours(job, r) || types >> r->type & 1);
	}
	*before = *after;
	for (size_t i = 0; i < n; i++) {
		const struct cloud_record *a = changes[i].before, *b = changes[i].after;

		*before += a && strcasecmp(a->name, name) == 0 && (is_ours(job, a) || types >> a->type & 1);
		*before -= b && strcasecmp(b->name, name) == 0 && (is_ours(job, b) || types >> b->type & 1);
	}
}

/* Why it may not go for the sake of its grace; NULL: it may. */
static const char *judge_grace(int who, size_t job, const struct cloud_record *gone, const struct heard *evidence)
{
	const struct job *j = &sim.setup.jobs[job];
	size_t service = sim.setup.service_of[job];

	for (size_t i = 0; i < SIM_SLOTS; i++) {
		int64_t wanted_ms = known[who].passing_ms[service][i];

		if (strcasecmp(consul_content(service, i), gone->content) != 0 || evidence->said.slots[i] == SLOT_MAINTENANCE)
			continue;
		if (j->include_warning && known[who].warning_ms[service][i] > wanted_ms)
			wanted_ms = known[who].warning_ms[service][i];
		/* While calls fail, names wait: that it was wanted for a moment may pass unseen. */
		if (known[who].trouble_ms > wanted_ms - TROUBLE_MS && known[who].trouble_ms)
			continue;
		if (wanted_ms && wanted_ms <= evidence->heard_ms && sim.now_ms < wanted_ms + j->grace_ms)
			return "grace: it goes before that is over";
	}
	return NULL;
}

/* What this evidence has against it that a record goes; NULL: nothing. */
static const char *judge(int who, size_t job, const struct heard *evidence, const struct cloud_record *gone,
			 const struct cloud_change *changes, size_t n, bool is_excused)
{
	const struct job *j = &sim.setup.jobs[job];
	const char *want[WANTED_MAX], *why = NULL;
	size_t want_n = find_wanted(job, evidence->said.slots, want), before, after;

	if (is_among(gone->content, want, want_n) && !is_excused)
		return "I7: the evidence lists it";
	if (evidence->begun_ms < find_shown(who, gone)->first_ms)
		return "I7: the evidence is older than the listing that showed it first";
	if (!want_n && j->on_empty != ON_EMPTY_REMOVE)
		return "I2: nothing is wanted, and then it is to be kept";
	if (want_n && is_address(want[0]) == is_address(gone->content))
		why = judge_grace(who, job, gone, evidence);
	if (why || is_excused)
		return why;
	for (size_t i = 0; i < want_n; i++)
		if (!find_live(gone->zone, j->name, want[i]))
			return "I1: what is wanted is not all there";
	count_lit(job, gone->zone, changes, n, want, want_n, &before, &after);
	return want_n && after < before && after < j->min_records ? "I2: fewer than min_records are left" : NULL;
}

/* A record goes, or becomes another: was that right by anything that who did it knew? */
static void check_removal(int who, size_t job, const struct cloud_exchange *x, const struct cloud_record *gone,
			  const struct cloud_change *changes, size_t n)
{
	const struct known *k = &known[who];
	const struct heard *ring = k->evidence[sim.setup.service_of[job]];
	bool is_excused = is_excused_for(who, job);
	const struct cloud_record *twin = find_live(gone->zone, gone->name, gone->content);
	const char *why = "I7: there is no evidence, or it is old";
	int64_t newest_ms = -1;

	check_counts.checked++;
	check_counts.excused += is_excused;
	if ((!k->listed_ms[job] && !k->whole_ms[job]) || (!is_excused && !find_shown(who, gone)->id))
		sim_broken("I3", "%s %s goes, and was never shown", gone->name, gone->content);
	/* What it wrote to was something else when it was sent, or when it was listed for this name. */
	if (is_excused && (!find_shown(who, gone)->id || gone->from_ms == k->others_ms[job]))
		return;
	if (copies[who].is_dropped[job] || (twin && is_ours(job, twin)))
		return; /* of two one stays */
	for (size_t i = 0; i < EVIDENCE_MAX; i++) {
		const struct heard *h = &ring[i];
		const char *one;

		if (!h->is_set || h->heard_ms > x->begun_ms ||
		    (x->begun_ms - h->heard_ms > RECONCILE_READ_MS && k->refused_ms < h->heard_ms))
			continue;
		one = judge(who, job, h, gone, changes, n, is_excused);
		if (!one)
			return;
		if (h->heard_ms > newest_ms)
			why = one;
		newest_ms = h->heard_ms > newest_ms ? h->heard_ms : newest_ms;
	}
	{
		char invariant[16];

		(void)snprintf(invariant, sizeof invariant, "%.*s", (int)strcspn(why, ":"), why);
		sim_broken(invariant, "%s %s (%s) goes:%s", gone->name, gone->content, sim.setup.jobs[job].service,
			   strchr(why, ':') + 1);
	}
}

/* Who leads now besides him? */
static void check_alone(int who)
{
	/* Whoever deletes the key of a lock that is held takes what protects it. */
	if (consul_key_gone_ms && sim.now_ms - consul_key_gone_ms < LEADER_TTL_MS)
		return;
	for (size_t i = 0; sim.setup.has_lock && i < sim.setup.copies_n; i++)
		if ((int)i != who && copies[i].is_alive && watch_may_write(copies[i].watch, sim.now_ms))
			sim_broken("lock", "copy %d writes while copy %zu may", who, i);
}

/* What others do, who knows other things need not know. */
static void note_others(int who, size_t job, bool is_late)
{
	const char *name = sim.setup.jobs[job].name;

	for (size_t i = 0; i < sim.setup.jobs_n; i++)
		for (int k = 0; strcasecmp(sim.setup.jobs[i].name, name) == 0 && k < SIM_COPIES; k++)
			if (is_late || i != job || (k != who && !sim.setup.has_lock))
				known[k].others_ms[i] = sim.now_ms;
}

static void note_strangers(const struct cloud_record *r)
{
	for (size_t i = 0; i < sim.setup.jobs_n; i++)
		for (int k = 0; strcasecmp(sim.setup.jobs[i].name, r->name) == 0 && k < SIM_COPIES; k++)
			known[k].others_ms[i] = sim.now_ms;
}

void check_committed(int who, const struct cloud_exchange *x, const struct cloud_change *changes, size_t n)
{
	bool is_late = x && !wire_is_awaited(x);

	for (size_t i = 0; i < n; i++) {
		const struct cloud_record *a = changes[i].before, *b = changes[i].after;

		NOTE("cloudflare: %s %s %s: %s%s%s%s",
		     who < 0   ? "others"
		     : is_late ? "late"
			       : "",
		     (a ? a : b)->name, (a ? a : b)->comment, a ? "-" : "", a ? a->content : "", b ? " +" : "",
		     b ? b->content : "");
		if (who < 0)
			note_strangers(a ? a : b);
	}
	if (who < 0)
		return;
	check_counts.writes++;
	check_alone(who);
	for (size_t i = 0; i < n; i++) {
		const struct cloud_record *a = changes[i].before, *b = changes[i].after;
		size_t job = job_of(a ? a : b);

		if (job == SIM_JOBS) {
			sim_broken("I6", "%s %s (%s) is not ours", (a ? a : b)->name, (a ? a : b)->content, (a ? a : b)->comment);
			return;
		}
		if (!a)
			check_create(job, b);
		if (a && b)
			check_update(a, b, is_late || is_excused_for(who, job));
		if (!is_late && a && (!b || strcasecmp(a->content, b->content) != 0))
			check_removal(who, job, x, a, changes, n);
		if (b && !is_late)
			note_shown(who, b, 0);
		note_others(who, job, is_late);
	}
}

/* ---- at rest ---- */

/* Somebody else's record does not let it be. */
static bool is_blocked(size_t job, const char *const *want, size_t want_n)
{
	for (size_t i = 0; want_n && i < cloud.records_n; i++) {
		const struct cloud_record *r = &cloud.records[i];

		if (cloud_is_live(r) && r->type != CLOUD_TXT && strcasecmp(r->name, sim.setup.jobs[job].name) == 0 &&
		    !is_ours(job, r) && (r->type == CLOUD_CNAME || !is_address(want[0])))
			return true;
	}
	return false;
}

static void check_record(size_t job, const struct cloud_record *r)
{
	const struct job *j = &sim.setup.jobs[job];
	bool wants_proxy = j->proxied == PROXIED_KEEP ? r->is_proxied : j->proxied == PROXIED_ON;
	struct target t;
	struct target_hosts hosts = {0};
	struct err e;

	if (target_parse(&t, r->content, &hosts, &e) == 0 && !target_can_be_proxied(&t))
		wants_proxy = false;
	if (r->is_proxied != wants_proxy || r->ttl != (r->is_proxied ? 1 : j->ttl))
		sim_broken("I5", "%s %s has ttl %u, proxied %d", r->name, r->content, (unsigned)r->ttl, r->is_proxied);
}

/* A CNAME and addresses cannot stand beside each other: what would come are fewer than min_records, so nothing does. */
static bool is_swap_held(size_t job, int zone, const char *const *want, size_t want_n)
{
	for (size_t i = 0; want_n && want_n < sim.setup.jobs[job].min_records && i < cloud.records_n; i++) {
		const struct cloud_record *r = &cloud.records[i];

		if (r->zone == zone && cloud_is_live(r) && is_ours(job, r) && is_address(r->content) != is_address(want[0]))
			return true;
	}
	return false;
}

/* The API will not have one of these. */
static bool has_refused(const char *const *want, size_t want_n)
{
	for (size_t i = 0; i < want_n; i++)
		if (cloud_is_refused(want[i], sim.now_ms))
			return true;
	return false;
}

/* One is refused, and what is to go stays for it. The others are there, but for what needs a transaction. */
static void check_others_of_refused(size_t job, int zone, const char *const *want, size_t want_n)
{
	const struct job *j = &sim.setup.jobs[job];

	if (!is_address(want[0]) || copies[0].is_dropped[job])
		return;
	for (size_t i = 0; i < cloud.records_n; i++) {
		const struct cloud_record *r = &cloud.records[i];

		if (r->zone == zone && cloud_is_live(r) && r->type == CLOUD_CNAME && strcasecmp(r->name, j->name) == 0)
			return;
	}
	for (size_t i = 0; i < want_n; i++)
		if (!cloud_is_refused(want[i], sim.now_ms) && !find_live(zone, j->name, want[i]))
			sim_broken("I5", "%s: %s is missing, and only another one is refused", j->name, want[i]);
}

/* Whether it is as it shall be; false: something is in the way that is not ours. */
static bool check_job(size_t job, bool is_soon)
{
	const struct job *j = &sim.setup.jobs[job];
	const char *want[WANTED_MAX];
	size_t want_n = find_wanted(job, consul_slots(sim.setup.service_of[job]), want), lit, after, unwanted = 0;
	int zone = cloud_zone_of(j->name);

	if (is_blocked(job, want, want_n))
		return false;
	if (has_refused(want, want_n)) {
		check_others_of_refused(job, zone, want, want_n);
		return false;
	}
	if (copies[0].is_dropped[job] || (!want_n && j->on_empty == ON_EMPTY_KEEP) || is_swap_held(job, zone, want, want_n))
		return true;
	for (size_t i = 0; i < want_n; i++)
		if (!find_live(zone, j->name, want[i]))
			sim_broken("I5", "%s: %s is missing", j->name, want[i]);
	for (size_t i = 0; i < cloud.records_n; i++) {
		const struct cloud_record *r = &cloud.records[i];

		if (r->zone != zone || !cloud_is_live(r) || !is_ours(job, r))
			continue;
		if (cloud_is_refused(r->content, sim.now_ms))
			return false; /* what is to go is updated in its grace, and that is refused */
		if (!is_among(r->content, want, want_n)) {
			unwanted++;
			continue;
		}
		check_record(job, r);
		for (size_t k = i + 1; k < cloud.records_n; k++)
			if (cloud.records[k].zone == zone && cloud_is_live(&cloud.records[k]) && is_ours(job, &cloud.records[k]) &&
			    strcasecmp(cloud.records[k].content, r->content) == 0)
				sim_broken("I5", "%s: %s is there twice", j->name, r->content);
	}
	count_lit(job, zone, NULL, 0, want, want_n, &lit, &after);
	/* Of another owner's records, which count for min_records, a name knows what it listed last. */
	if (unwanted && (!want_n || lit > j->min_records) && !(is_soon && is_shared(job)))
		sim_broken("I5", "%s: %zu records are not wanted, of %zu", j->name, unwanted, lit);
	return true;
}

/* Whatever was said to it, a page shows no secret. */
static void check_pages(int who)
{
	static const char *const paths[] = {"/", "/metrics", "/health"};
	static char page[512 * 1024];

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		struct status s;
		struct buf b;
		const char *type;

		buf_init(&b, page, sizeof page);
		watch_status(copies[who].watch, sim.now_ms, &s);
		(void)pages_answer(&s, paths[i], "", &b, &type);
		if (sim_has_secret(page, b.len))
			sim_broken("I8", "a secret on the page %s", paths[i]);
	}
}

/* Who was refused at the last look: he waits for minutes, whatever changes. */
static bool is_troubled[SIM_JOBS];

void check_rest(bool is_soon)
{
	bool is_good = true;

	check_counts.episodes++;
	for (size_t i = 0; i < sim.setup.jobs_n; i++) {
		bool is_fit = is_soon && is_troubled[i] ? false : check_job(i, is_soon);

		is_troubled[i] = !is_fit;
		is_good &= is_fit;
	}
	for (size_t i = 0; i < sim.setup.copies_n; i++) {
		if (!copies[i].is_alive) {
			sim_broken("I5", "copy %zu is not there", i);
			continue;
		}
		if (is_good && !watch_is_healthy(copies[i].watch, sim.now_ms))
			sim_broken("I5", "copy %zu says that it is not well", i);
		copy_now = (int)i;
		check_pages((int)i);
		copy_now = -1;
	}
}

static uint64_t quiet_writes, quiet_calls;

void check_begin_quiet(void)
{
	quiet_writes = cloud.counts.writes;
	quiet_calls = cloud.counts.calls - cloud.counts.more_pages;
}

/*
 * Nothing changes: nothing is written, and what is read is a listing now and then. What the other
 * owner of a name wrote last counts for its floor from the next listing on: one may go then.
 */
void check_end_quiet(int64_t quiet_ms)
{
	uint64_t writes = cloud.counts.writes - quiet_writes, shared_n = 0;
	uint64_t turns = (uint64_t)(quiet_ms / (sim.setup.resync_ms * 9 / 10)) + 2;
	uint64_t most = turns * sim.setup.jobs_n * (sim.setup.has_lock ? 1 : sim.setup.copies_n);

	for (size_t i = 0; i < sim.setup.jobs_n; i++) {
		const char *want[WANTED_MAX];
		size_t want_n = find_wanted(i, consul_slots(sim.setup.service_of[i]), want);

		if (is_troubled[i] || is_blocked(i, want, want_n) || has_refused(want, want_n))
			return; /* that is tried again and again */
		shared_n += is_shared(i);
	}
	if (writes > shared_n)
		sim_broken("I4", "%llu writes though nothing changes", (unsigned long long)writes);
	if (cloud.counts.calls - cloud.counts.more_pages - quiet_calls > most)
		sim_broken("budget", "%llu calls in %lld s though nothing changes",
			   (unsigned long long)(cloud.counts.calls - quiet_calls), (long long)(quiet_ms / 1000));
}
