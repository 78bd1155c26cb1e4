#include "consul/agent.h"

void consul_agent_register_body(struct buf *b, const char *id, const char *name, unsigned ttl_sec,
				unsigned gone_sec)
{
	buf_str(b, "{\"ID\":");
	buf_json_string(b, id);
	buf_str(b, ",\"Name\":");
	buf_json_string(b, name);
	buf_fmt(b,
		",\"Check\":{\"TTL\":\"%us\",\"Status\":\"passing\","
		"\"DeregisterCriticalServiceAfter\":\"%us\"}}",
		ttl_sec, gone_sec);
}

void consul_agent_report_target(struct buf *b, const char *id)
{
	buf_str(b, "/v1/agent/check/update/service:");
	buf_url_part(b, id);
}

void consul_agent_report_body(struct buf *b, const char *status, const char *output)
{
	buf_fmt(b, "{\"Status\":\"%s\",\"Output\":", status);
	buf_json_string(b, output);
	buf_str(b, "}");
}

void consul_agent_deregister_target(struct buf *b, const char *id)
{
	buf_str(b, "/v1/agent/service/deregister/");
	buf_url_part(b, id);
}
