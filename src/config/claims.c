#include "config/claims.h"

#include <string.h>

#include "base/digest.h"
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
static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = compare_texts(a, b);

	return order ? order : strcmp(x->by->tags.service, y->by->tags.service);
}

/* The first element that is like key. */
static void *find(void *array, size_t n, size_t size, const void *key,
		  int (*compare)(const void *a, const void *b))
{
	char *from = array;

	while (n) {
		char *middle = from + n / 2 * size;

		if (compare(middle, key) < 0) {
			from = middle + size;
			n -= n / 2 + 1;
		} else {
			n /= 2;
		}
	}
	return from;
}

struct claim *claims_find(struct claims *c, const char *name)
{
	struct claim *claim = find(c->of, c->n, sizeof c->of[0], &name, compare_texts);

	return claim < c->of + c->n && strcmp(claim->name, name) == 0 ? claim : NULL;
}

struct claimant *claims_find_by(struct claims *c, const char *service)
{
	struct claimant *by = find(c->by, c->by_n, sizeof c->by[0], &service, compare_texts);

	return by < c->by + c->by_n && strcmp(by->tags.service, service) == 0 ? by : NULL;
}

/* ---- an answer ---- */

void claims_begin(struct claims *c, struct claims *old)
{
	for (size_t i = 0; old && i < old->by_n; i++)
		old->by[i].is_listed = false;
	c->by_n = c->n = c->granted_n = 0;
	buf_init(&c->text, c->storage, sizeof c->storage);
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
	struct claimant *before = old ? claims_find_by(old, service) : NULL;
	char *const begin = c->text.p + c->text.len, *p = begin;
	struct claimant by = {.tags.text = begin};

	if (before)
		before->is_listed = true;
	if (c->text.cap - c->text.len < CLAIMS_TAGS_CAP)
		return full(e);
	for (int i = json_first(tags); i != JSON_NONE && !by.is_large; i = json_next(i)) {
		json_label(i, p, (size_t)(begin + CLAIMS_TAGS_CAP - p));
		if (!tags_is_ours(p, prefix))
			continue;
		by.tags.n++;
		by.sum += digest_text(DIGEST_START, p);
		p += strlen(p) + 1;
		by.is_large = p == begin + CLAIMS_TAGS_CAP; /* if it was not cut, the next would */
	}
	if (!by.tags.n)
		return 0;
	if (by.is_large) {
		by.tags.n = 0;
		p = begin;
	}
	c->text.len += (size_t)(p - begin);
	by.tags.service = p;
	by.sum = digest_text(by.sum, service);
	buf_add(&c->text, service, strlen(service) + 1);
	return add_by(c, &by, e);
}

/* Who is not listed and has names, or may be hidden, stays. Its name stands behind its tags. */
static int keep_vanished(struct claims *c, const struct claims *old, struct err *e)
{
	for (size_t i = 0; old && i < old->by_n; i++) {
		struct claimant by = old->by[i];
		const char *text = c->text.p + c->text.len;
		const size_t len = (size_t)(by.tags.service - by.tags.text);

		by.is_gone = c->gap == EVIDENCE_OK;
		if (by.is_listed || (by.is_gone && !by.granted_n))
			continue;
		buf_add(&c->text, by.tags.text, len + strlen(by.tags.service) + 1);
		by.tags.text = text;
		by.tags.service = text + len;
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

	const char *kept = c->text.p + c->text.len;

	buf_add(&c->text, name, strlen(name) + 1);
	if (!buf_ok(&c->text) || c->n == CLAIMS_MAX)
		return full(e);
	c->of[c->n++] = (struct claim){.name = kept, .by = n->by};
	return 0;
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

static enum claim_verdict verdict_before(struct claims *old, const struct claim *claim)
{
	const struct claim *was =
		old ? find(old->of, old->n, sizeof *was, claim, compare_claims) : NULL;

	return was && was < old->of + old->n && compare_claims(was, claim) == 0 ? was->verdict
										: CLAIM_NEW;
}

static bool is_configured(const char *name, const struct config *config)
{
	for (size_t i = 0; i < config->jobs_n; i++)
		if (strcmp(config->jobs[i].name, name) == 0)
			return true;
	return false;
}

static enum claim_verdict judge(const struct claim *claim, const struct config *config,
				size_t living_n)
{
	return claim->by->is_bad                       ? CLAIM_BAD
	       : !tags_is_allowed(config, claim->name) ? CLAIM_NOT_ALLOWED
	       : is_configured(claim->name, config)    ? CLAIM_CONFIGURED
	       : living_n > 1                          ? CLAIM_TWICE
						       : CLAIM_GRANTED;
}

/* Where there is no room for all, who has a name keeps it. */
static void make_room(struct claims *c, size_t room)
{
	for (size_t i = c->n; i-- && c->granted_n > room;) {
		struct claim *claim = &c->of[i];

		if (claim->verdict || !claim->before)
			continue;
		claim->verdict = CLAIM_NO_ROOM;
		claim->by->granted_n--;
		c->granted_n--;
	}
}

/*
 * Name by name. Of a service that is gone there is a claim only as long as it has the name, and
 * nobody else wants it.
 */
void claims_judge(struct claims *c, const struct config *config)
{
	const size_t n = c->n;

	for (size_t i = 0; i < c->by_n; i++)
		c->by[i].granted_n = 0;
	c->n = c->granted_n = 0;
	for (size_t i = 0, end; i < n; i = end) {
		const size_t first = c->n;
		size_t living_n = 0;

		for (end = i; end < n && is_same(&c->of[i], &c->of[end]); end++)
			living_n += !c->of[end].by->is_gone &&
				    (end == i || c->of[end].by != c->of[end - 1].by);
		for (size_t k = i; k < end; k++) {
			struct claim claim = c->of[k];

			claim.before = claim.verdict;
			claim.is_served = false;
			if ((claim.by->is_gone && (living_n || claim.before)) ||
			    (c->n > first && c->of[c->n - 1].by == claim.by))
				continue;
			claim.verdict = judge(&claim, config, living_n);
			c->granted_n += !claim.verdict;
			claim.by->granted_n += !claim.verdict;
			c->of[c->n++] = claim;
		}
	}
	make_room(c, CONFIG_RECORDS_MAX - config->jobs_n);
}

int claims_end(struct claims *c, struct claims *old, const struct config *config,
	       enum evidence_gap gap, struct err *e)
{
	c->gap = gap;
	if (keep_vanished(c, old, e))
		return -1;
	sort(c->by, c->by_n, sizeof c->by[0], compare_texts);
	for (size_t i = 0; i < c->by_n; i++)
		if (read_claims(c, &c->by[i], config, e))
			return -1;
	sort(c->of, c->n, sizeof c->of[0], compare_claims);
	for (size_t i = 0; i < c->n; i++)
		c->of[i].verdict = verdict_before(old, &c->of[i]);
	claims_judge(c, config);
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

const char *claims_why(const struct claim *claim, const struct config *config, struct err *out)
{
	static const char texts[CLAIM_VERDICTS][36] = {
		[CLAIM_BAD] = "there are too many tags",
		[CLAIM_TWICE] = "two services claim it",
		[CLAIM_NOT_ALLOWED] = "--discover-allow does not allow it",
		[CLAIM_CONFIGURED] = "the configuration has it",
		[CLAIM_NO_ROOM] = "there are too many names",
	};
	struct job job;

	if (claim->verdict != CLAIM_BAD || claim->by->is_large ||
	    !tags_read(config, &claim->by->tags, &job, pass_over, NULL, out))
		(void)err_set(out, ERR_CONFIG, "%s", texts[claim->verdict]);
	return out->text;
}
