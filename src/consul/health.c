#include "consul/health.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/str.h"
#include "consul/answer.h"
#include "consul/place.h"

#define FIELD_CAP 512 /* bytes of a CheckID, a status or an address that are looked at */

void consul_health_target(struct buf *b, const struct consul_query *q)
{
	/* Without ?passing: "none registered" and "none healthy" must not look alike. */
	buf_str(b, "/v1/health/service/");
	buf_url_part(b, q->job->service);
	consul_place_add(b, q->job);
	consul_parameter_add(b, "tag", q->job->tag);
	if (q->is_consistent)
		buf_str(b, strchr(b->p, '?') ? "&consistent" : "?consistent");
	if (q->index)
		buf_fmt(b, "%cindex=%llu&wait=%us", strchr(b->p, '?') ? '&' : '?',
			(unsigned long long)q->index, q->wait_sec);
}

void consul_headers(struct buf *b, const char *token, const char *http_auth)
{
	if (*token)
		buf_fmt(b, "X-Consul-Token: %s\r\n", token);
	if (*http_auth) {
		buf_str(b, "Authorization: Basic ");
		buf_base64(b, http_auth, strlen(http_auth));
		buf_str(b, "\r\n");
	}
}

/* ---- one instance ---- */

/* The service's own checks and its node's; none at all counts as passing, as in Consul. */
static int read_state(int checks, enum instance_state *state, struct err *e)
{
	*state = INSTANCE_PASSING;
	if (!json_is_array(checks))
		return err_set(e, ERR_PROTO, "Checks is not a list");
	for (int c = json_first(checks); c != JSON_NONE; c = json_next(c)) {
		char id[FIELD_CAP], status[FIELD_CAP];
		enum instance_state one;

		if (json_string(json_get(c, "CheckID"), id, sizeof id) ||
		    json_string(json_get(c, "Status"), status, sizeof status))
			return err_set(e, ERR_PROTO, "a check has no CheckID or no Status");
		one = instance_check_state(id, status);
		if (instance_compare(one, *state) < 0)
			*state = one;
	}
	return 0;
}

/* The candidates one source gives: at most two texts. Returns how many; "" is none. */
static size_t read_source(enum address_source source, int node, int service,
			  char texts[2][NAME_CAP + 1])
{
	static const char *const tags[][3] = {
		[ADDRESS_WAN] = {"wan_ipv4", "wan_ipv6", "wan"},
		[ADDRESS_LAN] = {"lan_ipv4", "lan_ipv6", "lan"},
	};
	size_t n = 0;

	if (source == ADDRESS_SERVICE || source == ADDRESS_NODE) {
		int object = source == ADDRESS_NODE ? node : service;

		return json_string(json_get(object, "Address"), texts[0], NAME_CAP + 1) == 0 &&
		       texts[0][0];
	}
	for (int i = 0; i < 3 && (i < 2 || !n); i++) {
		int tagged = json_get(json_get(service, "TaggedAddresses"), tags[source][i]);

		if (json_string(json_get(tagged, "Address"), texts[n], NAME_CAP + 1) == 0 &&
		    texts[n][0])
			n++;
	}
	return n;
}

static int list_target(struct consul_view *v, enum instance_state state, struct target t,
		       struct err *e)
{
	if (v->listed_n == CONSUL_INSTANCES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d addresses of one service",
			       CONSUL_INSTANCES_MAX);
	v->listed[v->listed_n++] = (struct endpoint){.state = state, .target = t};
	return 0;
}

static void note_unaddressed(struct consul_view *v, const char *id, const char *why)
{
	struct buf b;

	if (v->count.unaddressed_n++)
		return;
	buf_init(&b, v->count.unaddressed, sizeof v->count.unaddressed);
	buf_fmt(&b, "%.96s: %.140s", id, why);
	secret_clean(b.p);
}

static int read_targets(struct consul_reader *r, int node, int service, const char *id,
			enum instance_state state, struct err *e)
{
	struct err why = {0};

	(void)err_set(&why, ERR_CONFIG, "no address");
	for (size_t i = 0; i < r->query->job->addresses.n; i++) {
		char texts[2][NAME_CAP + 1];
		size_t n = read_source(r->query->job->addresses.of[i], node, service, texts),
		       good_n = 0;

		for (size_t k = 0; k < n; k++) {
			struct target t;

			if (target_parse(&t, texts[k], &r->view->hosts, &why)) {
				if (why.kind == ERR_LIMIT)
					return err_set(e, why.kind, "%s", why.text);
				continue;
			}
			if (list_target(r->view, state, t, e))
				return -1;
			good_n++;
		}
		if (good_n)
			return 0;
	}
	note_unaddressed(r->view, id, why.text);
	return 0;
}

static int take_instance(void *ctx, const char *list, const char *text, size_t len, struct err *e)
{
	struct consul_reader *r = ctx;
	enum instance_state state;
	char id[FIELD_CAP];
	int node, service;

	(void)list;
	if (json_parse(text, len, e))
		return -1;
	node = json_get(0, "Node");
	service = json_get(0, "Service");
	if (!json_is_object(node) || !json_is_object(service) ||
	    json_string(json_get(service, "ID"), id, sizeof id) ||
	    !json_is_string(json_get(service, "Address")))
		return err_set(e, ERR_PROTO,
			       "an instance has no Node, Service, Service.ID or "
			       "Service.Address");
	if (read_state(json_get(0, "Checks"), &state, e))
		return err_wrap(e, "instance %.96s", id);
	r->view->count.instances_n++;
	r->view->count.state_n[state]++;
	return read_targets(r, node, service, id, state, e);
}

/* ---- the answer ---- */

static int take_status(void *ctx, int status, struct err *e)
{
	struct consul_reader *r = ctx;

	(void)e;
	r->status = status;
	return 0;
}

static int take_header(void *ctx, const char *name, const char *value, struct err *e)
{
	struct consul_reader *r = ctx;
	struct evidence *v = &r->view->evidence;
	uint64_t number;

	(void)e;
	if (consul_take_index(name, value, &r->view->index))
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
	struct consul_reader *r = ctx;

	if (consul_meaning(r->status) == CONSUL_DONE)
		return json_split_feed(&r->split, p, n, e);
	if (n > CONSUL_REASON_MAX - r->reason_len)
		n = CONSUL_REASON_MAX - r->reason_len;
	memcpy(r->reason + r->reason_len, p, n);
	r->reason_len += n;
	return 0;
}

struct http_sink consul_health_begin(struct consul_reader *r, const struct consul_query *q,
				     struct consul_view *view, char *element_buf, char *rest)
{
	*r = (struct consul_reader){.query = q, .view = view};
	json_split_init(&r->split, JSON_CUT_ROOT, take_instance, r, element_buf, rest);
	view->listed_n = 0;
	view->hosts.len = 0;
	view->index = 0;
	view->count = (struct instance_counts){0};
	view->evidence = (struct evidence){
		.is_consistent = q->is_consistent,
		.has_token = q->job->has_token,
	};
	return (struct http_sink){
		.ctx = r,
		.status = take_status,
		.header = take_header,
		.body = take_body,
	};
}

int consul_health_finish(struct consul_reader *r, struct err *e)
{
	if (consul_meaning(r->status) != CONSUL_DONE)
		return consul_fail(r->status, str_trim(r->reason), e);
	if (json_split_end(&r->split, e))
		return -1;
	if (!r->split.has_cut)
		return err_set(e, ERR_PROTO, "not a list of instances");
	return 0;
}

/* ---- what it said ---- */

static int listed_order(const void *a, const void *b)
{
	const struct endpoint *x = a, *y = b;
	int order = target_compare(&x->target, &y->target);

	return order ? order : instance_compare(x->state, y->state);
}

void consul_view_sort(struct consul_view *v)
{
	if (v->listed_n)
		qsort(v->listed, v->listed_n, sizeof *v->listed, listed_order);
}

void consul_view_copy(struct consul_view *to, const struct consul_view *from)
{
	struct endpoint *listed = to->listed;

	/* Not the whole struct: of the host names' storage only what is used. */
	to->listed_n = from->listed_n;
	to->count = from->count;
	to->evidence = from->evidence;
	to->index = from->index;
	to->hosts.len = from->hosts.len;
	memcpy(to->hosts.text, from->hosts.text, from->hosts.len);
	for (size_t i = 0; i < from->listed_n; i++) {
		listed[i] = from->listed[i];
		if (listed[i].target.host)
			listed[i].target.host =
				to->hosts.text + (listed[i].target.host - from->hosts.text);
	}
}
