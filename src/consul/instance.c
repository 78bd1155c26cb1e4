#include "consul/instance.h"

#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "consul/place.h"

static int parse(const struct consul_answer *a, struct err *e)
{
	return json_parse(a->body, a->len, e);
}

int consul_instance_read(const struct consul_answer *a, struct consul_instance *out, struct err *e)
{
	struct consul_instance i = {.port = 0};
	int64_t port = 0;

	if (parse(a, e))
		return -1;
	(void)json_integer(json_get(0, "Port"), &port);
	if (json_string(json_get(0, "ID"), i.id, sizeof i.id) ||
	    json_string(json_get(0, "Service"), i.service, sizeof i.service) ||
	    json_string(json_get(0, "Address"), i.address, sizeof i.address) || port < 0 ||
	    port > UINT16_MAX)
		return err_set(e, ERR_PROTO, "no service with ID, Service, Address");
	i.port = (uint16_t)port;
	*out = i;
	return 0;
}

/* A regular expression for the text itself. */
static void add_quoted(struct buf *b, const char *text)
{
	for (; *text; text++) {
		if (strchr(".+*?()|[]{}^$\\", *text))
			buf_str(b, "\\");
		buf_add(b, text, 1);
	}
}

void consul_instance_own_target(struct buf *b, const char *host)
{
	char filter[CONSUL_ID_CAP];
	struct buf f;

	buf_init(&f, filter, sizeof filter);
	buf_str(&f, "ID matches `-");
	add_quoted(&f, host);
	buf_str(&f, "$`");
	buf_str(b, "/v1/agent/services?filter=");
	buf_url_part(b, f.p);
	b->overflow |= !buf_ok(&f);
}

int consul_instance_own_read(const struct consul_answer *a, char id[CONSUL_ID_CAP], struct err *e)
{
	char one[CONSUL_ID_CAP], other[CONSUL_ID_CAP];
	int first, second;

	if (parse(a, e))
		return -1;
	if (!json_is_object(0))
		return err_set(e, ERR_PROTO, "not a list of services");
	first = json_first(0);
	if (first == JSON_NONE)
		return err_set(e, ERR_CONFIG, "no service of this host: name it by --id");
	second = json_next(first);
	if (json_string(json_get(json_value(first), "ID"), one, sizeof one))
		return err_set(e, ERR_PROTO, "a service without ID");
	if (second != JSON_NONE) {
		json_label(json_get(json_value(second), "ID"), other, sizeof other);
		return err_set(e, ERR_CONFIG, "several services of this host: --id %s, --id %s?",
			       one, other);
	}
	memcpy(id, one, sizeof one);
	return 0;
}

void consul_instance_state_target(struct buf *b, const char *id)
{
	buf_str(b, "/v1/agent/health/service/id/");
	buf_url_part(b, id);
	buf_str(b, "?format=text");
}

int consul_instance_state_read(const struct consul_answer *a, enum instance_state *out,
			       struct err *e)
{
	char word[32] = "";

	if (a->status == 200 || a->status == 429 || a->status == 503) {
		size_t n = a->len < sizeof word ? a->len : sizeof word - 1;

		memcpy(word, a->body, n);
		word[n] = '\0';
		for (int i = 0; i < INSTANCE_STATES; i++)
			if (strcmp(str_trim(word), instance_state_name(instance_by_rank(i))) == 0) {
				*out = instance_by_rank(i);
				return 0;
			}
	}
	return consul_fail(a->status == 200 ? 500 : a->status, a->body, e);
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

	if (parse(a, e))
		return -1;
	if (!json_is_array(0))
		return err_set(e, ERR_PROTO, "not a list of instances");
	first = json_first(0);
	if (first != JSON_NONE &&
	    (json_string(json_get(first, "Node"), place.node, sizeof place.node) ||
	     json_string(json_get(first, "Address"), place.address, sizeof place.address)))
		return err_set(e, ERR_PROTO, "an instance without Node or Address");
	*out = place;
	return 0;
}
