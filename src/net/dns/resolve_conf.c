#include "net/dns/resolve_conf.h"

#include <net/if.h>
#include <stdbool.h>
#include <string.h>

#include "base/str.h"
#include "base/tokens.h"

enum keyword { OTHER, NAMESERVER, SEARCH, DOMAIN, OPTIONS };

/* A zone is an interface's name or number, RFC 4007 section 11.2. */
static int read_zone(const char *zone, uint32_t *scope)
{
	uint64_t number;

	*scope = if_nametoindex(zone);
	if (*scope)
		return 0;
	if (str_u64(zone, UINT32_MAX, &number) || !number)
		return -1;
	*scope = (uint32_t)number;
	return 0;
}

static void add_server(struct resolve_conf *c, char *word)
{
	struct resolve_server s = {.scope = 0};
	char *zone = strchr(word, '%');

	if (c->servers_n == RESOLVE_SERVERS_MAX)
		return;
	if (zone) {
		*zone++ = '\0';
		if (read_zone(zone, &s.scope))
			return;
	}
	if (net_read_address(word, &s.family, s.bytes))
		return;
	c->servers[c->servers_n++] = s;
}

/* "." stands for the root: the name as it is, which is asked for anyway. */
static void add_search(struct resolve_conf *c, const char *word)
{
	size_t n = strlen(word) + 1;

	if (n == 1 || !strcmp(word, ".") || c->search_n == RESOLVE_SEARCH_MAX ||
	    n > sizeof c->search - c->search_len)
		return;
	memcpy(c->search + c->search_len, word, n);
	c->search_len += n;
	c->search_n++;
}

/* The number after "name:", or what it was before. */
static void take_option(const char *word, const char *name, unsigned min, unsigned max,
			unsigned *out)
{
	uint64_t v;

	if (!str_starts_nocase(word, name) || str_u64(word + strlen(name), UINT32_MAX, &v))
		return;
	*out = v < min ? min : v > max ? max : (unsigned)v;
}

static enum keyword begin_line(struct resolve_conf *c, const char *word)
{
	static const char names[][11] = {[NAMESERVER] = "nameserver",
					 [SEARCH] = "search",
					 [DOMAIN] = "domain",
					 [OPTIONS] = "options"};
	enum keyword key = OPTIONS;

	while (key != OTHER && strcmp(word, names[key]) != 0)
		key--;
	if (key == SEARCH || key == DOMAIN)
		c->search_n = c->search_len = 0;
	return key;
}

/* One of the words after the keyword. */
static void take_value(struct resolve_conf *c, enum keyword key, bool is_first, char *word)
{
	if (key == NAMESERVER && is_first)
		add_server(c, word);
	else if (key == SEARCH || (key == DOMAIN && is_first))
		add_search(c, word);
	else if (key == OPTIONS) {
		take_option(word, "ndots:", 0, RESOLVE_NDOTS_MAX, &c->ndots);
		take_option(word, "timeout:", 1, RESOLVE_TIMEOUT_MAX_SEC, &c->timeout_sec);
		take_option(word, "attempts:", 1, RESOLVE_ATTEMPTS_MAX, &c->attempts);
	}
}

static void set_defaults(struct resolve_conf *c)
{
	memset(c, 0, sizeof *c);
	c->ndots = 1;
	c->timeout_sec = 5;
	c->attempts = 2;
}

void resolve_conf_read(struct resolve_conf *c, const char *path)
{
	char loopback[] = "127.0.0.1";
	enum keyword key = OTHER;
	struct tokens w;

	set_defaults(c);
	tokens_open(&w, path, TOKENS_SIZELESS_MAX);
	while (tokens_next(&w)) {
		if (w.words == 1)
			key = begin_line(c, w.token);
		else
			take_value(c, key, w.words == 2, w.token);
	}
	tokens_close(&w);
	if (!c->servers_n)
		add_server(c, loopback);
}

const char *resolve_conf_search(const struct resolve_conf *c, size_t i)
{
	const char *s = c->search;

	while (i--)
		s += strlen(s) + 1;
	return s;
}

void resolve_hosts_find(const char *path, const char *name, struct net_found *out)
{
	enum net_family family = NET_IP4;
	bool has_address = false;
	unsigned char bytes[16];
	struct tokens w;

	tokens_open(&w, path, TOKENS_SIZELESS_MAX);
	while (tokens_next(&w)) {
		if (w.words == 1)
			has_address = !net_read_address(w.token, &family, bytes);
		else if (has_address && str_eq_nocase(w.token, name))
			net_found_add(out, family, bytes);
	}
	tokens_close(&w);
}
