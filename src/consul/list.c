#include "consul/list.h"

#include <string.h>

#include "base/str.h"

void consul_list_add(struct buf *b, bool is_consistent, uint64_t index, unsigned wait_sec)
{
	if (is_consistent)
		buf_str(b, strchr(b->p, '?') ? "&consistent" : "?consistent");
	if (index)
		buf_fmt(b, "%sindex=%llu&wait=%us", strchr(b->p, '?') ? "&" : "?",
			(unsigned long long)index, wait_sec);
}

static int take_status(void *ctx, int status, struct err *e)
{
	struct consul_list *l = ctx;

	(void)e;
	l->status = status;
	return 0;
}

static int take_header(void *ctx, const char *name, const char *value, struct err *e)
{
	struct consul_list *l = ctx;
	struct evidence *v = &l->evidence;
	uint64_t number;

	(void)e;
	if (consul_take_index(name, value, &l->index))
		return 0;
	if (str_eq_nocase(name, "X-Consul-KnownLeader"))
		v->has_leader = str_eq_nocase(value, "true");
	else if (str_eq_nocase(name, "X-Consul-LastContact"))
		v->last_contact_ms =
			str_u64(value, INT64_MAX, &number) ? INT64_MAX : (int64_t)number;
	else if (str_eq_nocase(name, "X-Consul-Effective-Consistency"))
		v->is_stale = str_eq_nocase(value, "stale");
	else if (str_eq_nocase(name, "X-Consul-Results-Filtered-By-ACLs"))
		v->is_filtered = !str_eq_nocase(value, "false");
	else if (str_eq_nocase(name, "X-Consul-Default-ACL-Policy"))
		v->is_default_deny = str_eq_nocase(value, "deny");
	else if (str_eq_nocase(name, "Age"))
		v->is_cached = true;
	else if (str_eq_nocase(name, "X-Cache") && str_starts_nocase(value, "hit"))
		v->is_cached = true;
	return 0;
}

static int take_body(void *ctx, const char *p, size_t n, struct err *e)
{
	struct consul_list *l = ctx;

	if (consul_meaning(l->status) == CONSUL_DONE)
		return json_split_feed(&l->split, p, n, e);
	if (n > CONSUL_REASON_MAX - l->reason_len)
		n = CONSUL_REASON_MAX - l->reason_len;
	memcpy(l->reason + l->reason_len, p, n);
	l->reason_len += n;
	return 0;
}

struct http_sink consul_list_begin(struct consul_list *l, enum json_cut cut,
				   json_element_fn *element, void *ctx, char *element_buf,
				   char *rest)
{
	*l = (struct consul_list){.status = 0};
	json_split_init(&l->split, cut, element, ctx, element_buf, rest);
	l->split.takes_long = true; /* that is one element's fault */
	return (struct http_sink){
		.ctx = l,
		.status = take_status,
		.header = take_header,
		.body = take_body,
	};
}

int consul_list_finish(struct consul_list *l, struct err *e)
{
	if (consul_meaning(l->status) != CONSUL_DONE)
		return consul_fail(l->status, str_trim(l->reason), e);
	if (json_split_end(&l->split, e))
		return -1;
	return l->split.has_cut ? 0 : err_set(e, ERR_PROTO, "not a list");
}
