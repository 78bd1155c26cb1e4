#include "core/job.h"

#include <string.h>

#define AND_SAME_TEXT(field, ...) &&strcmp(a->field, b->field) == 0
#define AND_SAME_VALUE(type, field, ...) &&memcmp(&a->field, &b->field, sizeof a->field) == 0

#define OF_QUERY(type) JOB_EXPAND(AND_SAME_##type)
#define OF_OTHER(type)

bool job_is_same_query(const struct job *a, const struct job *b)
{
	return true
#define JOB_SETTING(id, groups, role, type, ...) OF_##role(type)
#include "core/job.def"
		;
}

void job_comment(struct buf *b, const struct job *job)
{
	buf_str(b, "managed by dnsbuddy");
	if (job->owner[0])
		buf_fmt(b, " owner=%s", job->owner);
}

bool job_overlaps(const struct job *a, const struct job *b)
{
	return strcmp(a->name, b->name) == 0 &&
	       (!a->owner[0] || !b->owner[0] || strcmp(a->owner, b->owner) == 0);
}
