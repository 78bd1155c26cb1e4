/*
 * Services that name their records: answers of the catalog, one after the other. Input: a line for
 * each, a digit for what it lacks as evidence, then {"service": ["tag"...]...}.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "config/claims.h"

static struct claims storage[2];
static struct config config;

static void configure(void)
{
	config.discover = true;
	config.common.types = JOB_TYPES;
	config.common.ttl = 60;
	config.fixed = 1u << SET_MIN_RECORDS;
	memcpy(config.common.owner, "me", 3);
	memcpy(config.discover_prefix, "d", 2);
	memcpy(config.discover_allow, "*.example.com,a.b", 18);
	memcpy(config.jobs[0].name, "w.example.com", 14);
	config.jobs_n = 1;
}

static void check_granted(const struct claim *claim)
{
	char name[NAME_CAP];
	struct err e = {0};
	struct job job;

	claims_job(claim, &config, &job);
	MUST(!claim->by->is_bad && !strcmp(job.name, claim->name) && !strcmp(job.service, claim->by->tags.service));
	MUST(tags_is_allowed(&config, job.name) && job.name[0] != '*' && strcmp(job.name, "w.example.com") != 0);
	MUST(name_normalize(name, job.name, NAME_HOST, &e) == 0 && !strcmp(name, job.name));
	MUST(!strcmp(job.owner, "me") && !job.is_dropped && job.types == JOB_TYPES);
	MUST(job.ttl == 1 || (job.ttl >= 30 && job.ttl <= 86400));
	MUST(job.min_records == 0 && job.addresses.n <= JOB_ADDRESSES_MAX && job.grace_ms <= 86400000);
	MUST(job.on_empty != ON_EMPTY_FALLBACK || (*job.fallback && strcmp(job.fallback, job.name) != 0));
}

static void check(struct claims *c)
{
	size_t granted_n = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct claim *claim = &c->of[i];
		/* A service that stands there twice counts as two. */
		int order = i ? strcmp(claim[-1].name, claim->name) : -1;
		struct err why = {0};

		MUST(order < 0 || (!order && strcmp(claim[-1].by->tags.service, claim->by->tags.service) <= 0));
		granted_n += !claim->verdict;
		if (!claim->verdict) {
			check_granted(claim);
			MUST(claims_find(c, claim->name) == claim && order &&
			     (i + 1 == c->n || strcmp(claim[1].name, claim->name) != 0));
		} else {
			MUST(*claims_why(claim, &config, &why));
			fuzz_check_err(&why);
		}
	}
	MUST(granted_n == c->granted_n && granted_n < CONFIG_RECORDS_MAX);
	for (size_t i = 0; i < c->by_n; i++)
		MUST(claims_find_by(c, c->by[i].tags.service));
}

/* -1: it is no answer, or cannot be taken. */
static int take(struct claims *c, struct claims *old, const char *text, enum evidence_gap gap)
{
	struct err e = {0};

	claims_begin(c, old);
	if (json_parse(text, strlen(text), &e))
		return -1;
	for (int m = json_first(0); json_is_object(0) && m != JSON_NONE; m = json_next(m)) {
		char service[JOB_TEXT_CAP];

		if (json_string(m, service, sizeof service))
			continue;
		if (claims_take(c, old, "d", service, json_value(m), &e))
			return -1;
	}
	if (!claims_end(c, old, &config, gap, &e))
		return 0;
	MUST(e.kind == ERR_LIMIT);
	return -1;
}

int fuzz_claims(const uint8_t *p, size_t n)
{
	struct fuzz_input in = {p, n};
	struct claims *old = NULL, *next = &storage[0];

	configure();
	while (in.n) {
		struct fuzz_input line = fuzz_take_until(&in, '\n');
		enum evidence_gap gap = (enum evidence_gap)(fuzz_take(&line) % EVIDENCE_GAPS);
		char *text = fuzz_string(line);

		if (!take(next, old, text, gap)) {
			struct claims *spare = old ? old : &storage[1];
			size_t granted_n = next->granted_n;

			check(next);
			old = next;
			next = spare;
			/* Judged anew it says the same. */
			claims_judge(old, &config);
			check(old);
			MUST(old->granted_n == granted_n);
		}
		free(text);
	}
	return 0;
}
