#include "consul/agent.h"

void consul_agent_register_body(struct buf *b, const char *id, const char *name, unsigned ttl_sec,
				unsigned gone_sec)
{
	buf_str(b, "{\"ID\":");
	buf_json_string(b, id);
	buf_str(b, ",\"Name\":");
	buf_json_string(b, name);
	buf_fmt(b,
		",\"Check\":{\"TTL\":\"%us\",\"Status\":\"%s\","
		"\"DeregisterCriticalServiceAfter\":\"%us\"}}",
		ttl_sec, instance_state_name(INSTANCE_PASSING), gone_sec);
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

void consul_agent_deregister_target(struct buf *b, const char *id)
{
	buf_str(b, "/v1/agent/service/deregister/");
	buf_url_part(b, id);
}
