#include "config/run_config.h"

#include <string.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/str.h"
#include "config/flaw.h"
#include "config/run_parts.h"

/* ---- parts ---- */

void run_config_init(struct run_config *c, const struct values *v)
{
	/* Of the arrays only what is used is touched. */
	c->services_n = c->backends_n = c->words_n = c->text_len = 0;
	c->app = (struct run_command){v->app_n, v->app, CLOCK_NEVER};
	c->pre_start = c->pre_stop = c->post_stop = (struct run_command){.timeout_ms = CLOCK_NEVER};
	c->is_containerbuddy = false;
	c->hidden_groups = 0;
}

char *run_keep(struct run_config *c, const char *p, size_t n, struct err *e)
{
	char *kept = c->text + c->text_len;

	if (n >= sizeof c->text - c->text_len) {
		(void)err_set(e, ERR_CONFIG, "more than %d bytes of words, tags and metadata",
			      RUN_TEXT_CAP);
		return NULL;
	}
	memcpy(kept, p, n);
	kept[n] = '\0';
	c->text_len += n + 1;
	return kept;
}

void run_command_begin(struct run_config *c, struct run_command *command)
{
	*command = (struct run_command){.argv = c->words + c->words_n, .timeout_ms = CLOCK_NEVER};
}

static int add_word(struct run_config *c, char *word, struct err *e)
{
	if (c->words_n == RUN_WORDS_MAX)
		return err_set(e, ERR_CONFIG, "more than %d words of commands", RUN_WORDS_MAX);
	c->words[c->words_n++] = word;
	return 0;
}

int run_command_add(struct run_config *c, struct run_command *command, const char *p, size_t n,
		    struct err *e)
{
	char *word = run_keep(c, p, n, e);

	if (!word || add_word(c, word, e))
		return -1;
	command->n++;
	return 0;
}

int run_command_end(struct run_config *c, struct run_command *command, struct err *e)
{
	if (command->n && !*command->argv[0])
		return err_set(e, ERR_CONFIG, "the command has no name");
	return command->n ? add_word(c, NULL, e) : 0;
}

int run_command_split(struct run_config *c, struct run_command *command, const char *text,
		      struct err *e)
{
	static const char blanks[] = " \t\r\n\v\f";

	run_command_begin(c, command);
	for (size_t n; text += strspn(text, blanks), *text; text += n) {
		n = strcspn(text, blanks);
		if (run_command_add(c, command, text, n, e))
			return -1;
	}
	return run_command_end(c, command, e);
}

int run_add_tag(struct run_service *s, const char *tag, struct err *e)
{
	char flaw[FLAW_CAP];

	if (s->tags_n == RUN_TAGS_MAX)
		return err_set(e, ERR_CONFIG, "more than %d tags", RUN_TAGS_MAX);
	if (flaw_find(tag, false, flaw))
		return err_set(e, ERR_CONFIG, "tag \"%.64s\": %s", tag, flaw);
	s->tags[s->tags_n++] = tag;
	return 0;
}

int run_take_name(char out[RUN_NAME_MAX + 1], const char *name, struct err *e)
{
	char flaw[FLAW_CAP];

	if (!*name)
		return err_set(e, ERR_CONFIG, "a service must have a name");
	if (flaw_find(name, false, flaw))
		return err_set(e, ERR_CONFIG, "%s", flaw);
	if (url_has_dots(name))
		return err_set(e, ERR_CONFIG, "no part of a path may be . or ..");
	return str_copy(out, RUN_NAME_MAX + 1, name) ? err_set(e, ERR_CONFIG, "it is too long") : 0;
}

/* ---- from the settings ---- */

/* The pieces of a setting: the texts of a list as they are, or what is between separators. */
struct pieces {
	const char *p;
	size_t left; /* of a list */
	bool is_list;
	size_t len; /* of the piece that the last call gave */
};

static struct pieces pieces_of(const struct reading *r, enum setting s)
{
	const char *text = reading_text(r, s);
	size_t n = reading_value(r, s)->words_n;

	return (struct pieces){.p = text ? text : "", .left = n, .is_list = n != 0};
}

/* NULL: there is none any more. Between commas an empty one is none, nor are blanks around. */
static const char *next_piece(struct pieces *of)
{
	const char *piece;

	if (of->is_list) {
		if (!of->left--)
			return NULL;
		piece = of->p;
		of->len = strlen(piece);
		of->p += of->len + 1;
		return piece;
	}
	of->p += strspn(of->p, ", ");
	piece = of->p;
	of->len = strcspn(piece, ",");
	of->p += of->len;
	while (of->len && piece[of->len - 1] == ' ')
		of->len--;
	return *piece ? piece : NULL;
}

/* Who writes quotes thinks of a shell. */
static int check_quotes(const struct run_command *command, struct err *e)
{
	for (size_t i = 0; i < command->n; i++)
		if (strchr("\"'", command->argv[i][0]))
			return err_set(e, ERR_CONFIG,
				       "it is cut at blanks, quotes or not: write a list of words "
				       "in --config");
	return 0;
}

static int take_command(struct run_config *c, const struct reading *r, enum setting s,
			const char *prefix, struct run_command *command, struct err *e)
{
	struct pieces of = pieces_of(r, s);
	size_t skip = strlen(prefix);

	if (!of.is_list)
		return run_command_split(c, command, *of.p ? of.p + skip : of.p, e)
			       ? -1
			       : check_quotes(command, e);
	run_command_begin(c, command);
	for (const char *p; (p = next_piece(&of)); skip = 0)
		if (run_command_add(c, command, p + skip, of.len - skip, e))
			return -1;
	return run_command_end(c, command, e);
}

/* What Consul takes for the keys of metadata. */
static bool is_meta_key(const char *key)
{
	static const char fine[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

	return *key && strlen(key) <= 128 && strspn(key, fine) == strlen(key);
}

static int add_meta(struct run_service *s, char *text, struct err *e)
{
	char *equals = strchr(text, '='), flaw[FLAW_CAP];

	if (s->metas_n == RUN_METAS_MAX)
		return err_set(e, ERR_CONFIG, "more than %d of metadata", RUN_METAS_MAX);
	if (equals)
		*equals = '\0';
	if (!equals || !is_meta_key(text))
		return err_set(e, ERR_CONFIG,
			       "write KEY=VALUE, and a key of letters, digits, _ and -");
	if (strlen(equals + 1) > RUN_META_MAX)
		return err_set(e, ERR_CONFIG, "a value has %d bytes at most", RUN_META_MAX);
	if (flaw_find(equals + 1, false, flaw))
		return err_set(e, ERR_CONFIG, "value of %.128s: %s", text, flaw);
	for (size_t i = 0; i < s->metas_n; i++)
		if (strcmp(s->metas[i].key, text) == 0)
			return err_set(e, ERR_CONFIG, "the key %.128s stands twice", text);
	s->metas[s->metas_n++] = (struct consul_meta){text, equals + 1};
	return 0;
}

/* Of tags, metadata or rules for interfaces. */
static int add_piece(struct run_service *service, enum setting s, char *text, struct err *e)
{
	if (s == SET_TAGS)
		return run_add_tag(service, text, e);
	return s == SET_META ? add_meta(service, text, e)
			     : interface_rules_add(&service->interfaces, text, e);
}

static int take_pieces(struct run_config *c, const struct reading *r, enum setting s, struct err *e)
{
	struct pieces of = pieces_of(r, s);

	for (const char *p; (p = next_piece(&of));) {
		char *text = run_keep(c, p, of.len, e);

		if (!text || add_piece(&c->services[0], s, text, e))
			return -1;
	}
	return 0;
}

static int take_interfaces(struct run_config *c, const struct reading *r, struct err *e)
{
	char origin[192];

	(void)values_origin(r->v, reading_value(r, SET_INTERFACE), origin, sizeof origin);
	c->services[0].interfaces_from = run_keep(c, origin, strlen(origin), e);
	return c->services[0].interfaces_from ? take_pieces(c, r, SET_INTERFACE, e) : -1;
}

static int take_port(const struct reading *r, struct run_service *s, struct err *e)
{
	const char *text = reading_text(r, SET_APP_PORT);
	uint64_t port = 0;

	if (text && str_u64(text, UINT16_MAX, &port))
		return err_set(e, ERR_CONFIG, "a number from 1 to 65535, or 0: none");
	s->port = (uint16_t)port;
	return 0;
}

/* ---- its check ---- */

static int check_target(const char *target, struct err *e)
{
	const char *p = target;

	if (*target && *target != '/')
		return err_set(e, ERR_CONFIG, "the path has to begin with /");
	while (*p > ' ' && *p < 0x7f && *p != '#')
		p++;
	if (*p)
		return err_set(e, ERR_CONFIG, "a character in the path has to be percent-encoded");
	if (p - target > RUN_TARGET_MAX)
		return err_set(e, ERR_CONFIG, "the path is longer than %d bytes", RUN_TARGET_MAX);
	return 0;
}

/* Where the path and query of a URL begin; unix:///SOCKET:/PATH is cut at the colon before them. */
static char *find_target(char *text)
{
	char *rest = text + (str_find(text, "://") - text) + 3;

	if (!str_starts_nocase(text, "unix:"))
		return rest + strcspn(rest, "/?#");
	rest += strcspn(rest, ":");
	if (*rest)
		*rest++ = '\0';
	return rest;
}

static int take_url(struct run_check *check, char *text, struct err *e)
{
	char *target = find_target(text), first = *target;
	int rc;

	*target = '\0';
	rc = url_parse(&check->url, text, URL_HTTP, 0, e);
	*target = first;
	check->kind = RUN_CHECK_HTTP;
	check->target = first ? target : "/";
	return rc ? -1 : check_target(target, e);
}

static int take_tcp(struct run_check *check, const char *text, struct err *e)
{
	const char *bracket = strrchr(text, ']');

	if (!strchr(bracket ? bracket : text, ':') || str_find(text, "://") || strchr(text, '/'))
		return err_set(e, ERR_CONFIG, "write tcp://HOST:PORT");
	check->kind = RUN_CHECK_TCP;
	return url_parse(&check->url, text, URL_HTTP, 0, e);
}

static int take_exec(struct run_config *c, const struct reading *r, const char *prefix,
		     struct run_check *check, struct err *e)
{
	check->kind = RUN_CHECK_EXEC;
	if (take_command(c, r, SET_CHECK, prefix, &check->command, e))
		return -1;
	check->command.timeout_ms = check->timeout_ms;
	return check->command.n ? 0 : err_set(e, ERR_CONFIG, "write exec:COMMAND");
}

static int take_check(struct run_config *c, const struct reading *r, struct run_check *check,
		      struct err *e)
{
	const char *text = reading_text(r, SET_CHECK);
	size_t words_n = reading_value(r, SET_CHECK)->words_n;
	char *kept;

	check->interval_ms = r->config->interval_ms;
	check->timeout_ms = r->config->timeout_ms;
	if (!text)
		return 0;
	if (str_starts_nocase(text, "exec:"))
		return take_exec(c, r, "exec:", check, e);
	if (words_n && !str_find(text, "://"))
		return take_exec(c, r, "", check, e);
	if (words_n > 1)
		return err_set(e, ERR_CONFIG, "a list is a command's words");
	if (str_starts_nocase(text, "tcp://"))
		return take_tcp(check, text + strlen("tcp://"), e);
	if (!str_find(text, "://"))
		return err_set(e, ERR_CONFIG,
			       "http://, https://, unix:///SOCKET:/PATH, tcp://HOST:PORT or "
			       "exec:COMMAND");
	kept = run_keep(c, text, strlen(text), e);
	return kept ? take_url(check, kept, e) : -1;
}

/* A check that comes as late as that leaves the service critical between two of them. */
static int take_ttl(const struct config *config, struct run_service *s, struct err *e)
{
	s->ttl_sec = (uint32_t)(config->check_ttl_ms / 1000);
	return config->check_ttl_ms > config->interval_ms
		       ? 0
		       : err_set(e, ERR_CONFIG, "it has to be longer than the interval, %u seconds",
				 (unsigned)(config->interval_ms / 1000));
}

/* ---- all of it ---- */

static int take(struct run_config *c, const struct reading *r, enum setting s, struct err *e)
{
	struct run_service *service = &c->services[0];

	switch (s) {
	case SET_SERVICE: return run_take_name(service->name, r->job->service, e);
	case SET_APP_PORT: return take_port(r, service, e);
	case SET_TAGS:
	case SET_META: return take_pieces(c, r, s, e);
	case SET_INTERFACE: return take_interfaces(c, r, e);
	case SET_CHECK: return take_check(c, r, &service->check, e);
	case SET_CHECK_TTL: return take_ttl(r->config, service, e);
	case SET_PRE_START: return take_command(c, r, s, "", &c->pre_start, e);
	case SET_PRE_STOP: return take_command(c, r, s, "", &c->pre_stop, e);
	case SET_POST_STOP: return take_command(c, r, s, "", &c->post_stop, e);
	default: return 0;
	}
}

int run_config_take(struct run_config *c, const struct reading *r, struct err *e)
{
	c->services_n = 1;
	c->services[0] =
		(struct run_service){.gone_sec = (uint32_t)(r->config->deregister_after_ms / 1000)};
	for (enum setting s = 0; s < SETTINGS; s++)
		if (take(c, r, s, e))
			return reading_bad(r, s, e->text, e);
	return 0;
}

/* ---- what is not for children ---- */

/* "NAME=..." of that name. */
static bool is_named(const char *pair, const char *name)
{
	size_t n = strlen(name);

	return strncmp(pair, name, n) == 0 && pair[n] == '=';
}

bool run_config_hides(const struct run_config *c, const char *pair)
{
	if (c->hidden_groups && is_named(pair, setting(SET_CONFIG)->env[0]) && strchr(pair, '{'))
		return true; /* JSON, that may hold any of them */
	for (enum setting s = 0; s < SETTINGS; s++) {
		if (!setting(s)->traits.is_secret ||
		    !(setting(s)->traits.groups & c->hidden_groups))
			continue;
		for (int i = 0; i < SETTING_ENV_MAX && setting(s)->env[i]; i++)
			if (is_named(pair, setting(s)->env[i]))
				return true;
	}
	return false;
}
