#include "consul/health.h"

#include <string.h>

#include "base/digest.h"
#include "base/fmt.h"
#include "base/secret.h"
#include "base/sort.h"
#include "base/str.h"
#include "consul/place.h"

#define LABEL_CAP 97 /* bytes of an instance's ID, a CheckID, a status that are looked at */

void consul_health_target(struct buf *b, const struct consul_query *q)
{
	/* Without ?passing: "none registered" and "none healthy" must not look alike. */
	buf_str(b, "/v1/health/service/");
	buf_url_part(b, q->job->service);
	consul_place_add(b, q->job);
	consul_parameter_add(b, "tag", q->job->tag);
	consul_list_add(b, q->is_consistent, q->index, q->wait_sec);
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
		char id[LABEL_CAP], status[LABEL_CAP];
		enum instance_state one;

		json_label(json_get(c, "CheckID"), id, sizeof id);
		json_label(json_get(c, "Status"), status, sizeof status);
		one = instance_check_state(id, status);
		if (!json_is_string(json_get(c, "Status")) && one != INSTANCE_MAINTENANCE)
			return err_set(e, ERR_PROTO, "a check has no Status");
		if (instance_compare(one, *state) < 0)
			*state = one;
	}
	return 0;
}

/* Its addresses by one source: of each family one at most, or a host name. */
struct found {
	struct target of[2];
	size_t n;
};

static int find_address(struct found *f, int object, struct target_hosts *hosts, struct err *why)
{
	char text[NAME_CAP + 1];
	int address = json_get(object, "Address");

	if (!json_is_string(address) || json_equals(address, ""))
		return -1;
	if (json_string(address, text, sizeof text))
		return err_set(why, ERR_PROTO, "an address too long, or no text");
	if (target_parse(&f->of[f->n], text, hosts, why))
		return -1;
	f->n++;
	return 0;
}

/*
 * An explicit wan or lan first; of those by family what it leaves open. An agent adds these by
 * itself where the user set none, with Service.Address in them: then they are no wan, or lan, of
 * anybody's. (Measured with 1.8.7; newer ones do the same.)
 */
static void find_tagged(struct found *f, int service, enum address_source source,
			struct target_hosts *hosts, struct err *why)
{
	static const char tags[][3][9] = {
		[ADDRESS_WAN] = {"wan", "wan_ipv4", "wan_ipv6"},
		[ADDRESS_LAN] = {"lan", "lan_ipv4", "lan_ipv6"},
	};
	int tagged = json_get(service, "TaggedAddresses");
	bool has_explicit = !find_address(f, json_get(tagged, tags[source][0]), hosts, why);
	struct found own = {.n = 0};
	struct err ignored;

	if (has_explicit && target_is_alone(&f->of[0]))
		return;
	(void)find_address(&own, service, NULL, &ignored);
	for (int i = 1; i < 3; i++) {
		const struct target *t = &f->of[f->n];

		if (f->n == 2 || find_address(f, json_get(tagged, tags[source][i]), NULL, why))
			continue;
		if ((f->n == 2 && f->of[0].type == t->type) ||
		    (own.n && target_compare(t, &own.of[0]) == 0 &&
		     (!has_explicit || (source == ADDRESS_WAN && !target_can_be_proxied(t)))))
			f->n--;
	}
}

static void find_targets(struct found *f, enum address_source source, struct target_hosts *hosts,
			 struct err *why)
{
	int service = json_get(0, "Service");

	f->n = 0;
	if (source == ADDRESS_SERVICE || source == ADDRESS_NODE)
		(void)find_address(f, source == ADDRESS_NODE ? json_get(0, "Node") : service, hosts,
				   why);
	else
		find_tagged(f, service, source, hosts, why);
}

/* Nothing was found where to look: say where there is something. */
static void say_no_address(const struct address_list *list, struct err *why)
{
	const char *more = "; with node after the others, as --address service,node, its node's";

	for (size_t i = 0; i < list->n; i++)
		if (list->of[i] == ADDRESS_NODE)
			more = "";
	(void)err_set(why, ERR_CONFIG, "no address%s", more);
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

/* It is left out; the first one is told. */
static void leave_out(struct consul_view *v, const char *id, struct err *why)
{
	if (v->count.unaddressed_n++)
		return;
	(void)err_wrap(why, "%s", *id ? id : "an instance");
	(void)fmt_text(v->count.unaddressed, sizeof v->count.unaddressed, "%s", why->text);
	secret_clean(v->count.unaddressed);
}

/* Host names that could be wanted find room, however many cannot. */
static bool is_crowding(enum instance_state state, const struct target_hosts *hosts, size_t before)
{
	return instance_compare(state, INSTANCE_WARNING) < 0 && hosts->len > before &&
	       hosts->len > TARGET_HOSTS_CAP / 2;
}

static int read_targets(struct consul_reader *r, const char *id, enum instance_state state,
			struct err *e)
{
	const struct address_list *sources = &r->query->job->addresses;
	struct target_hosts *hosts = &r->view->hosts;
	size_t before = hosts->len;
	struct found f = {.n = 0};
	struct err why = {.kind = ERR_NONE};

	for (size_t i = 0; i < sources->n && !f.n; i++)
		find_targets(&f, sources->of[i], hosts, &why);
	if (is_crowding(state, hosts, before)) {
		hosts->len = before;
		f.n = 0;
		(void)err_set(&why, ERR_LIMIT, "one host name too many");
	}
	for (size_t i = 0; i < f.n; i++)
		if (list_target(r->view, state, f.of[i], e))
			return -1;
	if (f.n)
		return 0;
	if (!why.kind)
		say_no_address(sources, &why);
	leave_out(r->view, id, &why);
	return 0;
}

/* That it is one, and its state: who is not understood may be alive. */
static int read_instance(const char *text, size_t len, enum instance_state *state, struct err *e)
{
	int service;

	if (json_parse(text, len, e))
		return len == JSON_ELEMENT_MAX
			       ? err_set(e, ERR_LIMIT, "longer than %d bytes", JSON_ELEMENT_MAX)
			       : -1;
	service = json_get(0, "Service");
	if (!json_is_object(json_get(0, "Node")) || !json_is_string(json_get(service, "Address")))
		return err_set(e, ERR_PROTO, "no Node, Service or Service.Address");
	return read_state(json_get(0, "Checks"), state, e);
}

/* So mixed that sums of such numbers tell sets apart. */
static uint64_t hash_instance(void)
{
	int service = json_get(0, "Service");
	uint64_t h;
	char text[NAME_CAP + 1];
	int64_t port = 0;

	json_label(json_get(service, "Address"), text, sizeof text);
	if (!*text)
		json_label(json_get(json_get(0, "Node"), "Address"), text, sizeof text);
	(void)json_get_integer(service, "Port", &port);
	h = (digest_text(DIGEST_START, text) ^ (uint64_t)port) * 0xff51afd7ed558ccdu;
	return (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
}

static int take_instance(void *ctx, const char *list, const char *text, size_t len, struct err *e)
{
	struct consul_reader *r = ctx;
	struct consul_view *v = r->view;
	enum instance_state state = INSTANCE_CRITICAL;
	char id[LABEL_CAP];
	struct err why;
	bool is_read;

	(void)list;
	is_read = !read_instance(text, len, &state, &why);
	json_label(json_get(json_get(0, "Service"), "ID"), id, sizeof id);
	v->count.instances_n++;
	if (is_read) {
		v->count.state_n[state]++;
		if (state == INSTANCE_PASSING && r->query->sums_passing)
			v->passing_sum += hash_instance();
		return read_targets(r, id, state, e);
	}
	r->list.evidence.unread_n++;
	leave_out(v, id, &why);
	return 0;
}

/* ---- the answer ---- */

struct http_sink consul_health_begin(struct consul_reader *r, const struct consul_query *q,
				     struct consul_view *view, char *element_buf, char *rest)
{
	struct http_sink sink =
		consul_list_begin(&r->list, JSON_CUT_ROOT, take_instance, r, element_buf, rest);

	r->query = q;
	r->view = view;
	r->list.evidence.is_consistent = q->is_consistent;
	r->list.evidence.has_token = q->job->has_token;
	view->listed_n = 0;
	view->hosts.len = 0;
	view->passing_sum = 0;
	view->count = (struct instance_counts){0};
	return sink;
}

int consul_health_finish(struct consul_reader *r, struct err *e)
{
	struct consul_view *v = r->view;

	if (consul_list_finish(&r->list, e))
		return -1;
	v->evidence = r->list.evidence;
	v->index = r->list.index;
	if (v->evidence.unread_n && v->evidence.unread_n == v->count.instances_n)
		return err_set(e, ERR_PROTO, "no instance can be read: %s", v->count.unaddressed);
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
	sort(v->listed, v->listed_n, sizeof *v->listed, listed_order);
}

void consul_view_copy(struct consul_view *to, const struct consul_view *from)
{
	struct endpoint *listed = to->listed;

	/* Not the whole struct: of the host names' storage only what is used. */
	to->listed_n = from->listed_n;
	to->count = from->count;
	to->evidence = from->evidence;
	to->index = from->index;
	to->passing_sum = from->passing_sum;
	to->hosts.len = from->hosts.len;
	memcpy(to->hosts.text, from->hosts.text, from->hosts.len);
	for (size_t i = 0; i < from->listed_n; i++) {
		listed[i] = from->listed[i];
		if (listed[i].target.host)
			listed[i].target.host =
				to->hosts.text + (listed[i].target.host - from->hosts.text);
	}
}
