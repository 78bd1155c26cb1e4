#include "engine/call.h"

const struct cf_reply *call_reply(const struct call *c)
{
	if (c->zones)
		return &c->zones->reply;
	if (c->list)
		return &c->list->reply;
	return c->write ? &c->write->reply : NULL;
}
