#include "consul/catalog.h"

#include "base/json.h"
#include "consul/place.h"

void consul_catalog_target(struct buf *b, const struct consul_catalog_query *q)
{
	buf_str(b, "/v1/catalog/services");
	consul_place_add(b, q->place);
	consul_list_add(b, q->is_consistent, q->index, q->wait_sec);
}

static int take_service(void *ctx, const char *list, const char *text, size_t len, struct err *e)
{
	struct consul_catalog_reader *r = ctx;
	char name[JOB_TEXT_CAP];
	struct err ignored;
	int member, tags;

	(void)list;
	if (!json_parse(text, len, &ignored)) {
		member = json_first(0);
		tags = json_value(member);
		/* Without tags it is an empty list, or null. */
		if (!json_string(member, name, sizeof name) &&
		    (json_is_array(tags) || json_is_null(tags)))
			return r->take(r->ctx, name, tags, e);
	}
	r->list.evidence.unread_n++;
	return 0;
}

struct http_sink consul_catalog_begin(struct consul_catalog_reader *r,
				      const struct consul_catalog_query *q, consul_catalog_fn *take,
				      void *ctx, char *element_buf, char *rest)
{
	struct http_sink sink =
		consul_list_begin(&r->list, JSON_CUT_MEMBERS, take_service, r, element_buf, rest);

	r->take = take;
	r->ctx = ctx;
	r->list.evidence.is_consistent = q->is_consistent;
	r->list.evidence.has_token = q->place->has_token;
	return sink;
}

int consul_catalog_finish(struct consul_catalog_reader *r, struct err *e)
{
	return consul_list_finish(&r->list, e);
}
