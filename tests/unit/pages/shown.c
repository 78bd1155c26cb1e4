#include "pages/shown.h"

#include "support.h"

#include "pages/pages.h"

#define LISTED_MAX 65536

struct status shown;
struct status_record shown_records[SHOWN_NAMES_MAX];
static struct instance_counts counts[SHOWN_NAMES_MAX];
static struct endpoint endpoints[LISTED_MAX];
static struct record records[LISTED_MAX];
static struct target_hosts hosts;
static size_t endpoints_n, records_n;
static struct status_claim claims[SHOWN_CLAIMS_MAX];

static void fill(const struct status *s, size_t i, struct status_record *r)
{
	(void)s;
	*r = shown_records[i];
}

static void fill_claim(const struct status *s, size_t i, struct status_claim *c)
{
	(void)s;
	*c = claims[i];
}

void shown_init(void)
{
	memset(shown_records, 0, sizeof shown_records);
	memset(counts, 0, sizeof counts);
	hosts.len = endpoints_n = records_n = 0;
	shown = (struct status){
		.version = "1.2.3",
		.uptime_ms = 93784005,
		.now_sec = SHOWN_NOW_SEC,
		.is_leader = true,
		.is_healthy = true,
		.fill_record = fill,
		.fill_claim = fill_claim,
		.has_name_series = true,
	};
}

void shown_claim(const char *name, const char *why)
{
	claims[shown.claims_n++] = (struct status_claim){.name = name, .service = "web", .why = why};
}

struct status_record *shown_name(const char *name)
{
	struct status_record *r = &shown_records[shown.records_n++];

	r->name = name;
	r->service = "web";
	r->state = STATUS_IN_SYNC;
	r->since_ms = 3600000;
	r->records = &records[records_n];
	status_set(r, FACT_WANTED, 0);
	status_set(r, FACT_HELD, 0);
	status_set(r, FACT_UNCONVERGED, 0);
	return r;
}

struct status_record *shown_failing(const char *name)
{
	struct status_record *r = shown_name(name);

	r->state = STATUS_FAILING;
	r->why = "cloudflare: list records: status 502";
	status_set(r, FACT_UNCONVERGED, 75250);
	r->is_unhealthy = true;
	shown.is_healthy = false;
	return r;
}

static struct target target_of(const char *text)
{
	struct target t = {0};
	struct err e;

	if (target_parse(&t, text, &hosts, &e))
		abort();
	return t;
}

struct instance_counts *shown_count_of(const struct status_record *r)
{
	return &counts[r - shown_records];
}

void shown_instance(enum instance_state state, const char *address)
{
	struct status_record *r = &shown_records[shown.records_n - 1];

	if (!r->count)
		r->endpoints = &endpoints[endpoints_n];
	r->count = shown_count_of(r);
	status_set(r, FACT_CONSUL_AGE, 2500);
	endpoints[endpoints_n++] = (struct endpoint){.state = state, .target = target_of(address)};
	r->endpoints_n++;
	shown_count_of(r)->instances_n++;
	shown_count_of(r)->state_n[state]++;
}

struct record *shown_record(const char *content)
{
	struct record *r = &records[records_n++];

	*r = (struct record){
		.id = "0123456789abcdef0123456789abcdef",
		.target = target_of(content),
		.ttl = 60,
		.is_ours = true,
		.state = INSTANCE_PASSING,
	};
	shown_records[shown.records_n - 1].has_records = true;
	shown_records[shown.records_n - 1].records_n++;
	return r;
}

const char *shown_page(const char *path, size_t cap, int *status)
{
	static char *text; /* of just the size: a byte too many is seen */
	const char *content_type = NULL, *query = strchr(path, '?');
	char only_path[16] = "";
	struct buf b;

	(void)snprintf(only_path, sizeof only_path, "%.*s", (int)strcspn(path, "?"), path);
	free(text);
	text = malloc(cap);
	if (!text)
		abort();
	buf_init(&b, text, cap);
	*status = pages_answer(&shown, only_path, query ? query + 1 : "", &b, &content_type);
	if (!buf_ok(&b) || strlen(text) != b.len || (*status != 404) != (content_type != NULL))
		abort();
	return text;
}

const char *shown_at(const char *path)
{
	int status;

	return shown_page(path, SHOWN_CAP, &status);
}

bool shown_has(const char *path, const char *part)
{
	return strstr(shown_at(path), part) != NULL;
}

size_t shown_count(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
		n++;
	return n;
}

void shown_check_families(const char *text)
{
	char name[128] = "";
	const char *line = text;

	while (*line) {
		size_t name_len = strcspn(line, "{ "), len = strcspn(line, "\n");

		if (strncmp(line, "# HELP ", 7) == 0) {
			char head[160];
			const char *end = strchr(line + 7, ' ');

			(void)snprintf(name, sizeof name, "%.*s", (int)(end - line - 7), line + 7);
			(void)snprintf(head, sizeof head, "# HELP %s ", name);
			CHECK(shown_count(text, head) == 1, "%s", head);
			(void)snprintf(head, sizeof head, "\n# TYPE %s ", name);
			assert_ptr_equal(strstr(text, head), line + len);
		} else if (line[0] != '#') {
			CHECK(strlen(name) == name_len && strncmp(line, name, name_len) == 0, "under %s: %.*s", name, (int)len,
			      line);
		}
		assert_int_equal(line[len], '\n');
		line += len + 1;
	}
}
