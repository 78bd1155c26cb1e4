#include "sim/cloud_parts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"

/* A record of ours, or of whoever is at one of the names; NULL: there is none. */
static struct cloud_record *pick_ours(int zone)
{
	struct cloud_record *picked = NULL;
	uint32_t n = 0;

	for (size_t i = 0; i < cloud.records_n; i++) {
		struct cloud_record *r = &cloud.records[i];
		bool is_ours = false;

		if (!cloud_is_live(r) || r->type == CLOUD_TXT || (zone >= 0 && r->zone != zone))
			continue;
		for (size_t k = 0; k < cloud.setup.names_n; k++)
			is_ours |= strcasecmp(r->name, cloud.setup.names[k]) == 0;
		if (is_ours && cloud_draw(++n) == 0)
			picked = r;
	}
	return picked;
}

static const char *pick_name(int *zone)
{
	const char *name;

	if (!cloud.setup.names_n)
		return NULL;
	name = cloud.setup.names[cloud_draw((uint32_t)cloud.setup.names_n)];
	*zone = cloud_zone_of(name);
	return *zone < 0 || cloud_is_gone(&cloud.zones[*zone]) ? NULL : name;
}

/* Put it there if the API would take it. */
static bool others_put(struct cloud_record *r, struct cloud_record *before)
{
	struct cloud_refusal f;

	r->is_others = true;
	if (!before)
		r->id = cloud_new_id();
	if (cloud_would_refuse(r, before, &f))
		return false;
	(void)cloud_put(r, before);
	cloud_commit(CLOUD_OTHERS, NULL);
	return true;
}

static bool others_add(enum cloud_type type, const char *content, const char *comment)
{
	struct cloud_record r = {.type = type, .ttl = 300};
	const char *name = pick_name(&r.zone);

	if (!name)
		return false;
	(void)snprintf(r.name, sizeof r.name, "%s", name);
	(void)snprintf(r.content, sizeof r.content, "%s", content);
	(void)snprintf(r.comment, sizeof r.comment, "%s", comment);
	return others_put(&r, NULL);
}

/* Records of names that nobody here rules over come and go. */
static bool others_pad(int zone)
{
	struct cloud_record r = {.type = CLOUD_A, .ttl = 300, .zone = zone}, *old;

	if (zone < 0)
		r.zone = (int)cloud_draw((uint32_t)cloud.zones_n);
	(void)snprintf(r.name, sizeof r.name, "pad%u.%s", (unsigned)cloud_draw(20), cloud.zones[r.zone].name);
	for (size_t i = 0; i < cloud.records_n; i++) {
		old = &cloud.records[i];
		if (cloud_is_live(old) && old->zone == r.zone && strcmp(old->name, r.name) == 0) {
			cloud_note(old, NULL);
			cloud_commit(CLOUD_OTHERS, NULL);
			return true;
		}
	}
	(void)snprintf(r.content, sizeof r.content, "203.0.113.%u", 1 + (unsigned)cloud_draw(250));
	return others_put(&r, NULL);
}

static bool others_change(bool is_content)
{
	struct cloud_record *r = pick_ours(-1), new;

	if (!r || (is_content && r->type != CLOUD_A))
		return false;
	new = *r;
	if (is_content)
		(void)snprintf(new.content, sizeof new.content, "203.0.113.%u", 1 + (unsigned)cloud_draw(250));
	else
		new.ttl = r->ttl == 600 ? 900 : 600;
	return (is_content || !r->is_proxied) && others_put(&new, r);
}

static bool others_delete(void)
{
	struct cloud_record *r = pick_ours(-1);

	if (!r)
		return false;
	cloud_note(r, NULL);
	cloud_commit(CLOUD_OTHERS, NULL);
	return true;
}

#define IN_THE_WAY "in-the-way.example.net"

static bool others_put_in_the_way(void)
{
	struct cloud_record r = {.type = CLOUD_CNAME, .ttl = 300};
	const char *name = pick_name(&r.zone);

	if (!name)
		return false;
	for (size_t i = 0; i < cloud.records_n; i++)
		if (cloud_is_live(&cloud.records[i]) && cloud.records[i].type != CLOUD_TXT &&
		    strcasecmp(cloud.records[i].name, name) == 0)
			cloud_note(&cloud.records[i], NULL);
	(void)snprintf(r.name, sizeof r.name, "%s", name);
	(void)snprintf(r.content, sizeof r.content, IN_THE_WAY);
	r.is_others = true;
	r.id = cloud_new_id();
	(void)cloud_put(&r, NULL);
	cloud_commit(CLOUD_OTHERS, NULL);
	return true;
}

static void clear_the_way(void)
{
	for (size_t i = 0; i < cloud.records_n; i++)
		if (cloud_is_live(&cloud.records[i]) && strcmp(cloud.records[i].content, IN_THE_WAY) == 0)
			cloud_note(&cloud.records[i], NULL);
	cloud_commit(CLOUD_OTHERS, NULL);
}

static int64_t a_while(void)
{
	return cloud.now_ms + 10000 + cloud_draw(600000);
}

static bool others_take_zone(void)
{
	int zone = (int)cloud_draw((uint32_t)cloud.zones_n);
	struct cloud_zone *z = &cloud.zones[zone];

	if (cloud_is_gone(z))
		return false;
	z->gone_until_ms = a_while();
	if (cloud_draw(2))
		return true;
	/* For good: another one of the name comes back, with nothing in it. */
	z->id = cloud_new_id();
	for (size_t i = 0; i < cloud.records_n; i++)
		if (cloud_is_live(&cloud.records[i]) && cloud.records[i].zone == zone)
			cloud_note(&cloud.records[i], NULL);
	cloud_commit(CLOUD_OTHERS, NULL);
	return true;
}

static bool others_take_right(void)
{
	cloud.zones[cloud_draw((uint32_t)cloud.zones_n)].refused_until_ms = a_while();
	return true;
}

static bool others_refuse(void)
{
	const struct cloud_record *r = pick_ours(-1);

	if (!r || !cloud_is_address(r))
		return false;
	(void)snprintf(cloud.refused_content, sizeof cloud.refused_content, "%.63s", r->content);
	cloud.refused_until_ms = cloud_draw(2) ? a_while() : cloud.now_ms + 86400000;
	return true;
}

static bool do_deed(unsigned deed)
{
	char content[32];

	(void)snprintf(content, sizeof content, "203.0.113.%u", 1 + (unsigned)cloud_draw(250));
	switch ((enum cloud_deed)deed) {
	case CLOUD_DO_PAD: return others_pad(-1);
	case CLOUD_DO_TXT: return others_add(CLOUD_TXT, content, "");
	case CLOUD_DO_DELETE: return others_delete();
	case CLOUD_DO_TTL: return others_change(false);
	case CLOUD_DO_CONTENT: return others_change(true);
	case CLOUD_DO_ADD: return others_add(CLOUD_A, content, "");
	case CLOUD_DO_FOREIGN: return others_add(CLOUD_A, content, CLOUD_MARK " owner=somebody-else");
	case CLOUD_DO_IN_THE_WAY: return others_put_in_the_way();
	case CLOUD_DO_ZONE: return others_take_zone();
	case CLOUD_DO_TOKEN: return others_take_right();
	case CLOUD_DO_QUOTA: cloud.full_until_ms = a_while(); return true;
	case CLOUD_DO_PAGES: cloud.setup.per_page = 2 + cloud_draw(cloud_draw(2) ? 20 : 5000); return true;
	case CLOUD_DO_REFUSE: return others_refuse();
	case CLOUD_DEEDS:
	default: return false;
	}
}

static const char *const deed_texts[CLOUD_DEEDS] = {
	"cloudflare: another name's record comes or goes",
	"cloudflare: a TXT record is added",
	"cloudflare: a record is deleted by hand",
	"cloudflare: a ttl is changed by hand",
	"cloudflare: an address is changed by hand",
	"cloudflare: an address is added by hand",
	"cloudflare: another owner's record is added",
	"cloudflare: a CNAME takes the place of a name's records",
	"cloudflare: a zone vanishes",
	"cloudflare: the token loses a zone",
	"cloudflare: a zone is full",
	"cloudflare: another page size is granted",
	"cloudflare: an address is refused",
};

const char *cloud_do_some(unsigned deeds)
{
	unsigned of[CLOUD_DEEDS], n = 0, i;

	for (i = 0; i < CLOUD_DEEDS; i++)
		if (deeds & 1u << i)
			of[n++] = i;
	if (!n || cloud.is_calm || !cloud.zones_n)
		return NULL;
	i = of[cloud_draw(n)];
	return do_deed(1u << i) ? deed_texts[i] : NULL;
}

const char *cloud_stir(int64_t now_ms)
{
	cloud_start(now_ms);
	return cloud_do_some(cloud.setup.deeds);
}

void cloud_calm(int64_t now_ms)
{
	cloud_start(now_ms);
	cloud.is_calm = true;
	cloud.full_until_ms = cloud.limited_until_ms = 0;
	if (cloud.refused_until_ms < now_ms + 3600000)
		cloud.refused_until_ms = 0;
	cloud.window_calls = 0;
	for (size_t i = 0; i < cloud.zones_n; i++)
		cloud.zones[i].gone_until_ms = cloud.zones[i].refused_until_ms = 0;
	clear_the_way();
}

/* ---- between the calls of a caller ---- */

/* Somebody adds a record of a page that was read, or deletes one: of the name, if one is listed. */
void cloud_shift_pages(const struct cloud_exchange *x, int zone)
{
	struct cloud_record r = {.type = CLOUD_A, .ttl = 300, .zone = zone}, *first = NULL;

	if (cloud_parameter(x->target, "name.exact", r.name, sizeof r.name)) {
		(void)others_pad(zone);
		return;
	}
	for (size_t i = 0; i < cloud.records_n; i++) {
		struct cloud_record *o = &cloud.records[i];

		if (cloud_is_live(o) && o->type == CLOUD_A && strcasecmp(o->name, r.name) == 0 && (!first || o->id < first->id))
			first = o;
	}
	if (first && cloud.setup.deeds & CLOUD_DO_DELETE && cloud_draw(2)) {
		cloud_note(first, NULL);
		cloud_commit(CLOUD_OTHERS, NULL);
		cloud_start(cloud.now_ms);
	}
	if (!(cloud.setup.deeds & CLOUD_DO_ADD) || !cloud_draw(3))
		return;
	(void)snprintf(r.content, sizeof r.content, "203.0.113.%u", 1 + (unsigned)cloud_draw(250));
	(void)others_put(&r, NULL);
}

/* Somebody has just deleted what a write is about, or added what it adds. */
bool cloud_forestall(const struct cloud_exchange *x, int zone)
{
	static const char *const lists[] = {"deletes", "patches", "posts"};
	struct cloud_record r = {.type = CLOUD_A, .ttl = 300, .zone = zone}, *old = NULL;
	char id_text[CLOUD_ID_LEN + 1];
	uint64_t id;
	struct err e;
	int op = JSON_NONE;

	if (x->kind != CLOUD_BATCH || json_parse(x->body, x->body_len, &e))
		return false;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0] && op == JSON_NONE; i++)
		op = json_first(json_get(0, lists[i]));
	if (!json_get_string(op, "id", id_text, sizeof id_text) && !cloud_parse_id(id_text, &id))
		old = cloud_find(zone, id);
	if (old && cloud.setup.deeds & CLOUD_DO_DELETE) {
		cloud_note(old, NULL);
		cloud_commit(CLOUD_OTHERS, NULL);
		return true;
	}
	if (old || !(cloud.setup.deeds & CLOUD_DO_ADD) || !json_equals(json_get(op, "type"), "A") ||
	    json_get_string(op, "name", r.name, sizeof r.name) || json_get_string(op, "content", r.content, sizeof r.content))
		return false;
	(void)json_get_string(op, "comment", r.comment, sizeof r.comment);
	return others_put(&r, NULL);
}
