#include "consul/instance.h"

#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "consul/place.h"

/* Raw between grave accents; in a regular expression (RE2's) between \Q and \E. */
void consul_instance_target(struct buf *b, const char *id, bool is_end)
{
	buf_str(b, "/v1/agent/services?filter=");
	buf_url_part(b, is_end ? "ID matches `-\\Q" : "ID == `");
	buf_url_part(b, id);
	buf_url_part(b, is_end ? "\\E$`" : "`");
}

static int read_service(int service, struct consul_instance *out)
{
	int64_t port = 0;

	(void)json_get_integer(service, "Port", &port);
	if (json_get_string(service, "ID", out->id, sizeof out->id) ||
	    json_get_string(service, "Service", out->service, sizeof out->service) ||
	    json_get_string(service, "Address", out->address, sizeof out->address) || port < 0 ||
	    port > UINT16_MAX)
		return -1;
	out->port = (uint16_t)port;
	return 0;
}

int consul_instance_read(const struct consul_answer *a, struct consul_instance *out, struct err *e)
{
	struct consul_instance one = {.id = ""}, other;
	int first, second = JSON_NONE;

	if (json_parse(a->body, a->len, e))
		return -1;
	first = json_first(0);
	if (first != JSON_NONE)
		second = json_next(first);
	if (!json_is_object(0) || (first != JSON_NONE && read_service(json_value(first), &one)) ||
	    (second != JSON_NONE && read_service(json_value(second), &other)))
		return err_set(e, ERR_PROTO, "not a list of services");
	if (second != JSON_NONE)
		return err_set(e, ERR_CONFIG, "several services of this host: --id %s, --id %s?",
			       one.id, other.id);
	*out = one;
	return 0;
}

void consul_instance_state_target(struct buf *b, const char *id)
{
	buf_str(b, "/v1/agent/health/service/id/");
	buf_url_part(b, id);
	buf_str(b, "?format=text");
}

/* The status is 200, 429 or 503 as it is passing, in warning or worse; the text tells apart. */
int consul_instance_state_read(const struct consul_answer *a, enum instance_state *out,
			       struct err *e)
{
	static const enum instance_state states[] = {INSTANCE_PASSING, INSTANCE_MAINTENANCE,
						     INSTANCE_CRITICAL, INSTANCE_WARNING};

	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		const char *name = instance_state_name(states[i]);

		if (!str_starts_nocase(a->body, name) || a->status == 404)
			continue;
		*out = i < 2 ? states[i] : INSTANCE_CRITICAL;
		return 0;
	}
	return consul_fail(a->status, a->body, e);
}

void consul_instance_place_target(struct buf *b, const char *service, const char *id,
				  const struct job *job)
{
	buf_str(b, "/v1/catalog/service/");
	buf_url_part(b, service);
	buf_str(b, "?filter=");
	buf_url_part(b, "ServiceID == `");
	buf_url_part(b, id);
	buf_url_part(b, "`");
	consul_place_add(b, job);
}

int consul_instance_place_read(const struct consul_answer *a, struct consul_place *out,
			       struct err *e)
{
	struct consul_place place = {.node = ""};
	int first;

	if (json_parse(a->body, a->len, e))
		return -1;
	first = json_first(0);
	if (!json_is_array(0) ||
	    (first != JSON_NONE &&
	     (json_get_string(first, "Node", place.node, sizeof place.node) ||
	      json_get_string(first, "Address", place.address, sizeof place.address))))
		return err_set(e, ERR_PROTO, "not a list of instances");
	*out = place;
	return 0;
}
