#include "consul/place.h"

#include <string.h>

void consul_parameter_add(struct buf *b, const char *name, const char *value)
{
	if (!*value)
		return;
	buf_fmt(b, "%s%s=", strchr(b->p, '?') ? "&" : "?", name);
	buf_url_part(b, value);
}

void consul_place_add(struct buf *b, const struct job *job)
{
	consul_parameter_add(b, "dc", job->datacenter);
	consul_place_add_local(b, job);
}

void consul_place_add_local(struct buf *b, const struct job *job)
{
	consul_parameter_add(b, "ns", job->ns);
	consul_parameter_add(b, "partition", job->partition);
}
