#include "core/job.h"

#include <string.h>

#define AND_SAME_TEXT(field, ...) &&strcmp(a->field, b->field) == 0
#define AND_SAME_VALUE(type, field, ...) &&memcmp(&a->field, &b->field, sizeof a->field) == 0

#define OF_QUERY_QUERY(type) AND_SAME_##type
#define OF_QUERY_NAME(type)
#define OF_QUERY_OTHER(type)
#define OF_NAME_QUERY(type)
#define OF_NAME_NAME(type) AND_SAME_##type
#define OF_NAME_OTHER(type)

bool job_is_same_query(const struct job *a, const struct job *b)
{
	return true
#define JOB_SETTING(id, groups, role, type, ...) OF_QUERY_##role(type)
#include "core/job.def"
		;
}

bool job_is_same_name(const struct job *a, const struct job *b)
{
	return true
#define JOB_SETTING(id, groups, role, type, ...) OF_NAME_##role(type)
#include "core/job.def"
		;
}
