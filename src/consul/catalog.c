#include "consul/catalog.h"

#include "base/digest.h"
#include "base/json.h"
#include "consul/place.h"

void consul_catalog_target(struct buf *b, const struct consul_catalog_query *q)
{
	buf_str(b, q->of_checks ? "/v1/health/state/any" : "/v1/catalog/services");
	consul_place_add(b, q->place);
	consul_list_add(b, q->is_consistent, q->index, q->wait_sec);
}

static uint64_t mix(uint64_t h)
{
	h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
	return h ^ h >> 33;
}

/* Tags come in any order, and maybe one twice. */
static uint64_t sum_tags(uint64_t start, int tags)
{
	uint64_t sum = mix(start);

	for (int t = json_first(tags); t != JSON_NONE; t = json_next(t)) {
		char tag[JOB_TEXT_CAP];

		json_label(t, tag, sizeof tag);
		sum += mix(digest_text(start, tag));
	}
	return sum;
}

/* ---- a service ---- */

static int take_service(void *ctx, const char *list, const char *text, size_t len, struct err *e)
{
	struct consul_catalog_reader *r = ctx;
	struct consul_catalog_piece piece = {.node = ""};
	char name[JOB_TEXT_CAP];
	struct err ignored;
	int member;

	(void)list;
	if (!json_parse(text, len, &ignored)) {
		member = json_first(0);
		piece.tags = json_value(member);
		piece.service = name;
		/* Without tags it is an empty list, or null. */
		if (!json_string(member, name, sizeof name) && *name &&
		    (json_is_array(piece.tags) || json_is_null(piece.tags))) {
			piece.sum = sum_tags(digest_text(DIGEST_START, name), piece.tags);
			return r->take(r->ctx, &piece, e);
		}
	}
	r->list.evidence.unread_n++;
	return 0;
}

/* ---- a check ---- */

static int take_check(void *ctx, const char *list, const char *text, size_t len, struct err *e)
{
	static const char keys[][12] = {"ServiceName", "Node", "ServiceID", "CheckID", "Status"};
	struct consul_catalog_reader *r = ctx;
	struct consul_catalog_piece piece = {.tags = JSON_NONE};
	char texts[sizeof keys / sizeof keys[0]][JOB_TEXT_CAP];
	uint64_t sum = DIGEST_START;
	struct err ignored;

	(void)list;
	if (json_parse(text, len, &ignored) || !json_is_object(0)) {
		r->list.evidence.unread_n++;
		return 0;
	}
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		json_label(json_get(0, keys[i]), texts[i], sizeof texts[i]);
		sum = digest_text(sum, texts[i]);
	}
	piece.service = texts[0];
	piece.node = texts[1];
	piece.sum = sum_tags(sum, json_get(0, "ServiceTags"));
	return r->take(r->ctx, &piece, e);
}

struct http_sink consul_catalog_begin(struct consul_catalog_reader *r,
				      const struct consul_catalog_query *q, consul_catalog_fn *take,
				      void *ctx, char *element_buf, char *rest)
{
	struct http_sink sink =
		consul_list_begin(&r->list, q->of_checks ? JSON_CUT_ROOT : JSON_CUT_MEMBERS,
				  q->of_checks ? take_check : take_service, r, element_buf, rest);

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
