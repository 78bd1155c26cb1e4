#include "consul/agent.h"

#include "base/err.h"
#include "base/json.h"

static void add_text(struct buf *b, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	buf_fmt(b, ",\"%s\":", name);
	buf_json_string(b, value);
}

static void add_tags(struct buf *b, const struct consul_service *s)
{
	for (size_t i = 0; i < s->tags_n; i++) {
		buf_str(b, i ? "," : ",\"Tags\":[");
		buf_json_string(b, s->tags[i]);
	}
	if (s->tags_n)
		buf_str(b, "]");
}

static void add_metas(struct buf *b, const struct consul_service *s)
{
	for (size_t i = 0; i < s->metas_n; i++) {
		buf_str(b, i ? "," : ",\"Meta\":{");
		buf_json_string(b, s->metas[i].key);
		buf_str(b, ":");
		buf_json_string(b, s->metas[i].value);
	}
	if (s->metas_n)
		buf_str(b, "}");
}

void consul_agent_register_body(struct buf *b, const struct consul_service *s,
				enum instance_state state)
{
	buf_str(b, "{\"ID\":");
	buf_json_string(b, s->id);
	add_text(b, "Name", s->name);
	add_text(b, "Address", s->address);
	if (s->port)
		buf_fmt(b, ",\"Port\":%u", (unsigned)s->port);
	add_tags(b, s);
	add_metas(b, s);
	if (s->has_tag_override)
		buf_str(b, ",\"EnableTagOverride\":true");
	buf_fmt(b, ",\"Check\":{\"TTL\":\"%us\",\"Status\":\"%s\"", s->ttl_sec,
		instance_state_name(state));
	if (s->gone_sec)
		buf_fmt(b, ",\"DeregisterCriticalServiceAfter\":\"%us\"", s->gone_sec);
	buf_str(b, "}}");
}

void consul_agent_report_target(struct buf *b, const char *id)
{
	buf_str(b, "/v1/agent/check/update/service:");
	buf_url_part(b, id);
}

void consul_agent_report_body(struct buf *b, enum instance_state state, const char *output)
{
	buf_fmt(b, "{\"Status\":\"%s\",\"Output\":", instance_state_name(state));
	buf_json_string(b, output);
	buf_str(b, "}");
}

void consul_agent_maintenance_target(struct buf *b, const char *id, bool is_on, const char *reason)
{
	buf_str(b, "/v1/agent/service/maintenance/");
	buf_url_part(b, id);
	buf_fmt(b, "?enable=%s", is_on ? "true" : "false");
	if (is_on) {
		buf_str(b, "&reason=");
		buf_url_part(b, reason);
	}
}

void consul_agent_look_target(struct buf *b, const char *id)
{
	buf_str(b, "/v1/agent/service/");
	buf_url_part(b, id);
}

void consul_agent_find_maintenance_target(struct buf *b, const char *id)
{
	/* ServiceID could need escapes of the filter's own language; so it is quoted by `...`. */
	buf_str(b, "/v1/agent/checks?filter=");
	buf_url_part(b, "CheckID == `_service_maintenance:");
	buf_url_part(b, id);
	buf_url_part(b, "`");
}

void consul_agent_maintenance_reason(const char *body, size_t len, char *out, size_t cap)
{
	struct err e;
	int check;

	out[0] = '\0';
	if (json_parse(body, len, &e) || !json_is_object(0))
		return;
	check = json_first(0);
	if (check == JSON_NONE || json_get_string(json_value(check), "Notes", out, cap))
		out[0] = '\0';
}

void consul_agent_deregister_target(struct buf *b, const char *id)
{
	buf_str(b, "/v1/agent/service/deregister/");
	buf_url_part(b, id);
}
