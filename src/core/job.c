#include "core/job.h"

#include <string.h>

bool job_is_same_query(const struct job *a, const struct job *b)
{
	return strcmp(a->service, b->service) == 0 && strcmp(a->tag, b->tag) == 0 &&
	       strcmp(a->datacenter, b->datacenter) == 0 && strcmp(a->ns, b->ns) == 0 &&
	       strcmp(a->partition, b->partition) == 0 && a->addresses_n == b->addresses_n &&
	       memcmp(a->addresses, b->addresses, a->addresses_n * sizeof a->addresses[0]) == 0;
}

bool job_is_same_name(const struct job *a, const struct job *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->owner, b->owner) == 0;
}
