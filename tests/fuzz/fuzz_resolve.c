/*
 * The machine's files about names. Input: what ('0' resolv.conf, '1' hosts), text.
 */
#include "fuzz.h"

#include <string.h>

#include "net/dns/resolve_conf.h"
#include "base/tokens.h"

static void check_conf(const char *path)
{
	struct resolve_conf c;
	size_t len = 0;

	resolve_conf_read(&c, path);
	MUST(c.servers_n >= 1 && c.servers_n <= RESOLVE_SERVERS_MAX);
	MUST(c.search_n <= RESOLVE_SEARCH_MAX && c.search_len <= RESOLVE_SEARCH_BYTES_MAX);
	for (size_t i = 0; i < c.search_n; i++) {
		const char *domain = resolve_conf_search(&c, i);

		MUST(domain == c.search + len && *domain);
		len += strlen(domain) + 1;
	}
	MUST(len == c.search_len);
	MUST(c.ndots <= RESOLVE_NDOTS_MAX);
	MUST(c.timeout_sec >= 1 && c.timeout_sec <= RESOLVE_TIMEOUT_MAX_SEC);
	MUST(c.attempts >= 1 && c.attempts <= RESOLVE_ATTEMPTS_MAX);
}

static void check_words(const char *path, size_t n)
{
	size_t words_n = 0;
	struct tokens w;

	tokens_open(&w, path, TOKENS_SIZELESS_MAX);
	while (tokens_next(&w)) {
		MUST(++words_n <= n && w.words && w.words <= words_n);
		MUST(strlen(w.token) <= TOKENS_TOKEN_MAX);
		MUST(!strpbrk(w.token, " \t\n#") && w.token[0] != ';');
	}
	tokens_close(&w);
}

int fuzz_resolve(const uint8_t *p, size_t n)
{
	struct fuzz_input in = {p, n};
	unsigned what = fuzz_take(&in);
	const char *path = fuzz_file(in);
	struct net_found found = {.n = {0}};

	check_words(path, in.n);
	if (what & 1)
		resolve_hosts_find(path, "www.example.com", &found);
	else
		check_conf(path);
	MUST(found.n[NET_IP4] <= ADDRESSES_MAX && found.n[NET_IP6] <= ADDRESSES_MAX);
	return 0;
}
