/*
 * A configuration, as JSON in the setting itself, with its templates. Input: text.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/secret.h"
#include "config/config.h"
#include "config/template.h"

#define VARIABLE "FUZZ"
#define TOKEN "s3cr3t-of-the-fuzzer"
#define GROUPS (GROUP_RECORDS | GROUP_CLOUDFLARE | GROUP_CONSUL | GROUP_RETRY | GROUP_WATCH | GROUP_LISTEN | GROUP_LOG)
#define TEXT_CAP ((size_t)1 << 20)

static int expand(struct buf *out, const char *text, const char *value)
{
	struct err e = {0};

	buf_reset(out);
	MUST(setenv(VARIABLE, value, 1) == 0);
	if (template_expand(out, text, &e) == 0)
		return 0;
	fuzz_check_err(&e);
	MUST(e.kind == ERR_CONFIG || e.kind == ERR_LIMIT);
	return -1;
}

/* All values of the parsed text, names of members too, in the order of their places. */
static size_t count_values(void)
{
	size_t n = 0;

	while (json_is_object((int)n) || json_is_array((int)n) || json_is_string((int)n) || json_offset((int)n))
		n++;
	return n;
}

/*
 * No value breaks out of its string. A plain x as the value tells whether all templates stand in
 * strings: anywhere else it is not JSON. If so, whatever the value, the structure stays.
 */
static void check_expansion(const char *text)
{
	static const char *const hostile[] = {"\"", "\\", "\\\"", "\"}],\"x\":[{\"", "\n", "{{ .X }}", "\\u0022", "\xc3", "\x01"};
	static char storage[TEXT_CAP];
	struct err e = {0};
	struct buf out;
	size_t n;

	/* These tell one value from another: the structure may follow. */
	if (strstr(text, "eq") || strstr(text, "ne"))
		return;
	buf_init(&out, storage, sizeof storage);
	if (expand(&out, text, "x") || json_parse(out.p, out.len, &e))
		return;
	n = count_values();
	for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
		MUST(expand(&out, text, hostile[i]) == 0);
		MUST(json_parse(out.p, out.len, &e) == 0);
		MUST(count_values() == n);
	}
}

static void check_record(const struct job *r)
{
	char again[NAME_CAP];
	struct err e = {0};

	MUST(*r->service && strlen(r->service) < sizeof r->service);
	MUST(name_normalize(again, r->name, NAME_RECORD, &e) == 0 && !strcmp(again, r->name));
	if (*r->zone)
		MUST(name_is_within(r->name, r->zone));
	MUST(strlen(r->owner) < sizeof r->owner);
	MUST(r->ttl == 1 || r->ttl >= 30);
	MUST(r->addresses.n && r->addresses.n <= JOB_ADDRESSES_MAX);
	MUST(r->min_records <= RECORDS_MAX && r->grace_ms >= 0);
	MUST((r->on_empty == ON_EMPTY_FALLBACK) == (*r->fallback != '\0'));
}

/* A template may put a secret into any value; what is logged of it is masked. */
static void check_secret(const struct err *e)
{
	char text[ERR_TEXT_MAX];

	memcpy(text, e->text, sizeof text);
	secret_mask(text);
	MUST(!strstr(text, TOKEN));
}

static void check_config(const char *text)
{
	static struct config c;
	static struct values v;
	struct err e = {0}, crowded = {0};
	int failed;

	memset(&c, 0, sizeof c);
	values_init(&v);
	secret_forget();
	MUST(setenv(VARIABLE, "fuzz", 1) == 0 && setenv("DNSBUDDY_CONFIG", text, 1) == 0);
	failed = config_read(&c, &v, GROUPS, &e);
	MUST(config_hide_secrets(&c, &crowded) == 0);
	if (failed) {
		fuzz_check_err(&e);
		MUST(e.kind == ERR_CONFIG);
		check_secret(&e);
		return;
	}
	MUST(c.jobs_n >= 1 || c.discover);
	MUST(!c.discover || (c.common.owner[0] && c.discover_allow[0]));
	MUST(c.jobs_n <= CONFIG_RECORDS_MAX);
	for (size_t i = 0; i < c.jobs_n; i++)
		check_record(&c.jobs[i]);
	MUST(c.timeout_ms > 0 && c.retry_for_ms >= 0 && c.resync_ms >= 0);
	MUST(c.log_format < LOG_FORMATS && c.log_level < LOG_LEVELS);
	MUST(!strcmp(c.api_token, TOKEN));
}

int fuzz_config(const uint8_t *p, size_t n)
{
	char *text = fuzz_string((struct fuzz_input){p, n});

	/* What the environment says goes before the file. */
	MUST(setenv("CF_API_TOKEN", TOKEN, 1) == 0);
	check_expansion(text);
	/* Anything else is a file's name. */
	if (text[strspn(text, " \t\r\n")] == '{')
		check_config(text);
	free(text);
	return 0;
}
