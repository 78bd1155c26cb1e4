#include "config/claims.h"

#include <string.h>

#include "base/json.h"
#include "base/sort.h"
#include "base/str.h"
#include "config/tags.h"

static int full(struct err *e)
{
	return err_set(e, ERR_LIMIT, "more tags or names than there is room for");
}

/* ---- in order ---- */

/* Both kinds of elements begin with the text they are found by. */
static const char *text_of(const void *element)
{
	return *(const char *const *)element;
}

static int compare_by(const void *a, const void *b)
{
	return strcmp(text_of(a), text_of(b));
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : strcmp(x->by->tags.service, y->by->tags.service);
}

/* The first element with this text. */
static void *find(void *array, size_t n, size_t size, const char *text)
{
	char *from = array, *to = from + n * size;

	while (from < to) {
		char *middle = from + (size_t)(to - from) / size / 2 * size;

		if (strcmp(text_of(middle), text) < 0)
			from = middle + size;
		else
			to = middle;
	}
	to = (char *)array + n * size;
	return from < to && strcmp(text_of(from), text) == 0 ? from : NULL;
}

struct claim *claims_find(struct claims *c, const char *name)
{
	return find(c->of, c->n, sizeof c->of[0], name);
}

struct claimant *claims_find_by(struct claims *c, const char *service)
{
	return find(c->by, c->by_n, sizeof c->by[0], service);
}

/* ---- an answer ---- */

void claims_begin(struct claims *c, struct claims *old)
{
	for (size_t i = 0; old && i < old->by_n; i++)
		old->by[i].is_listed = false;
	c->by_n = c->n = c->granted_n = 0;
	buf_init(&c->text, c->storage, sizeof c->storage);
}

/* Whether it fits, buf_ok() says. */
static const char *keep(struct claims *c, const char *text)
{
	const char *kept = c->text.p + c->text.len;

	buf_add(&c->text, text, strlen(text) + 1);
	return kept;
}

static bool has_tag(const struct claimant *by, const char *tag)
{
	const char *p = by->tags.text;

	for (size_t i = 0; i < by->tags.n; i++, p += strlen(p) + 1)
		if (strcmp(p, tag) == 0)
			return true;
	return false;
}

static void take_tag(struct claims *c, struct claimant *by, const char *tag)
{
	const size_t begin = (size_t)(by->tags.text - c->text.p);

	if (by->is_large || has_tag(by, tag))
		return;
	by->tags.n++;
	(void)keep(c, tag);
	if (c->text.len - begin < CLAIMS_TAGS_CAP || !buf_ok(&c->text))
		return;
	by->is_large = true;
	by->tags.n = 0;
	buf_cut(&c->text, begin);
}

static int add_by(struct claims *c, const struct claimant *by, struct err *e)
{
	if (!buf_ok(&c->text) || c->by_n == CLAIMS_MAX)
		return full(e);
	c->by[c->by_n++] = *by;
	return 0;
}

int claims_take(struct claims *c, struct claims *old, const char *prefix, const char *service,
		int tags, struct err *e)
{
	static char tag[CLAIMS_TAGS_CAP];
	struct claimant *before = old ? claims_find_by(old, service) : NULL;
	struct claimant by = {.tags.text = c->text.p + c->text.len};

	if (before)
		before->is_listed = true;
	for (int i = json_first(tags); i != JSON_NONE; i = json_next(i)) {
		json_label(i, tag, sizeof tag);
		if (tags_is_ours(tag, prefix))
			take_tag(c, &by, tag);
	}
	if (!by.tags.n && !by.is_large)
		return 0;
	by.tags.service = keep(c, service);
	return add_by(c, &by, e);
}

/* Who is not listed and has names, stays. */
static int keep_vanished(struct claims *c, const struct claims *old, struct err *e)
{
	for (size_t i = 0; old && i < old->by_n; i++) {
		struct claimant by = old->by[i];
		const char *tag = by.tags.text;

		if (by.is_listed || !by.is_kept)
			continue;
		by.tags.text = c->text.p + c->text.len;
		for (size_t k = 0; k < by.tags.n; k++, tag += strlen(tag) + 1)
			(void)keep(c, tag);
		by.tags.service = keep(c, by.tags.service);
		by.is_kept = false;
		by.is_gone = c->gap == EVIDENCE_OK;
		if (add_by(c, &by, e))
			return -1;
	}
	return 0;
}

/* ---- the claims ---- */

struct naming {
	struct claims *c;
	struct claimant *by;
};

static int take_name(void *ctx, const char *name, struct err *e)
{
	const struct naming *n = ctx;
	struct claims *c = n->c;

	if (c->n == CLAIMS_MAX)
		return full(e);
	c->of[c->n++] = (struct claim){.name = keep(c, name), .by = n->by};
	return buf_ok(&c->text) ? 0 : full(e);
}

/* What one service claims, and whether its tags are good. */
static int read_claims(struct claims *c, struct claimant *by, const struct config *config,
		       struct err *e)
{
	struct naming n = {.c = c, .by = by};
	const size_t before_n = c->n;
	struct err wrong = {0};
	struct job job;
	int rc = tags_read(config, &by->tags, &job, take_name, &n, &wrong);

	if (rc && wrong.kind != ERR_CONFIG)
		return full(e);
	by->is_bad = rc || by->is_large;
	return by->is_bad && c->n == before_n ? take_name(&n, "", e) : 0;
}

static bool is_same(const struct claim *a, const struct claim *b)
{
	return strcmp(a->name, b->name) == 0;
}

/* Its service had the name before. */
static bool is_kept(struct claims *old, const struct claim *claim)
{
	struct claim *was = old ? claims_find(old, claim->name) : NULL;

	for (; was && was < old->of + old->n && is_same(was, claim); was++)
		if (was->is_kept && strcmp(was->by->tags.service, claim->by->tags.service) == 0)
			return true;
	return false;
}

static void mark_configured(struct claims *c, const struct config *config)
{
	for (size_t i = 0; i < config->jobs_n; i++) {
		struct claim *claim = claims_find(c, config->jobs[i].name);

		for (; claim && claim < c->of + c->n; claim++) {
			if (strcmp(claim->name, config->jobs[i].name) != 0)
				break;
			claim->is_configured = true;
		}
	}
}

static enum claim_verdict judge(const struct claim *claim, const struct config *config,
				size_t living_n)
{
	return claim->by->is_bad                       ? CLAIM_BAD
	       : !tags_is_allowed(config, claim->name) ? CLAIM_NOT_ALLOWED
	       : claim->is_configured                  ? CLAIM_CONFIGURED
	       : living_n > 1                          ? CLAIM_TWICE
						       : CLAIM_GRANTED;
}

/*
 * Judge all, name by name. Of a service that is gone there is a claim only as long as it has the
 * name, and nobody else wants it.
 */
static void judge_all(struct claims *c, struct claims *old, const struct config *config)
{
	const size_t n = c->n;

	c->n = 0;
	for (size_t i = 0, end; i < n; i = end) {
		size_t living_n = 0, first = c->n;

		for (end = i; end < n && is_same(&c->of[i], &c->of[end]); end++)
			living_n += !c->of[end].by->is_gone &&
				    (end == i || c->of[end].by != c->of[end - 1].by);
		for (size_t k = i; k < end; k++) {
			struct claim claim = c->of[k];

			if ((claim.by->is_gone && (living_n || !is_kept(old, &claim))) ||
			    (c->n > first && c->of[c->n - 1].by == claim.by))
				continue;
			claim.verdict = judge(&claim, config, living_n);
			c->granted_n += claim.verdict == CLAIM_GRANTED;
			c->of[c->n++] = claim;
		}
	}
}

/* Where there is no room for all, who has a name keeps it. */
static void make_room(struct claims *c, struct claims *old, size_t room)
{
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = c->n; i && c->granted_n > room; i--) {
			struct claim *claim = &c->of[i - 1];

			if (claim->verdict || (!pass && is_kept(old, claim)))
				continue;
			claim->verdict = CLAIM_NO_ROOM;
			c->granted_n--;
		}
	}
}

int claims_end(struct claims *c, struct claims *old, const struct config *config,
	       enum evidence_gap gap, struct err *e)
{
	c->gap = gap;
	if (keep_vanished(c, old, e))
		return -1;
	sort(c->by, c->by_n, sizeof c->by[0], compare_by);
	for (size_t i = 0; i < c->by_n; i++)
		if (read_claims(c, &c->by[i], config, e))
			return -1;
	sort(c->of, c->n, sizeof c->of[0], compare_claims);
	mark_configured(c, config);
	judge_all(c, old, config);
	make_room(c, old, CONFIG_RECORDS_MAX - config->jobs_n);
	return 0;
}

/* ---- what comes of them ---- */

static int pass_over(void *ctx, const char *name, struct err *e)
{
	(void)ctx;
	(void)name;
	(void)e;
	return 0;
}

void claims_job(const struct claim *claim, const struct config *config, struct job *job)
{
	struct err e;

	(void)!tags_read(config, &claim->by->tags, job, pass_over, NULL, &e);
	(void)!str_copy(job->name, sizeof job->name, claim->name);
}

const char *claims_verdict_text(enum claim_verdict verdict)
{
	static const char texts[CLAIM_VERDICTS][48] = {
		[CLAIM_BAD] = "a tag of its service is wrong",
		[CLAIM_TWICE] = "two services claim it",
		[CLAIM_NOT_ALLOWED] = "--discover-allow does not allow it",
		[CLAIM_CONFIGURED] = "the configuration has it",
		[CLAIM_NO_ROOM] = "there are too many names",
	};

	return texts[verdict];
}

const char *claims_why(const struct claim *claim, const struct config *config, struct err *out)
{
	struct job job;

	if (claim->by->is_large)
		(void)err_set(out, ERR_CONFIG, "more than %d bytes of tags", CLAIMS_TAGS_CAP);
	else if (claim->verdict != CLAIM_BAD ||
		 !tags_read(config, &claim->by->tags, &job, pass_over, NULL, out))
		(void)err_set(out, ERR_CONFIG, "%s", claims_verdict_text(claim->verdict));
	return out->text;
}
