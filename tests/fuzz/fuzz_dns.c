/*
 * An answer of a name server. Input: bit 0 AAAA, bit 1 raw; then, raw, a whole message, else
 * flags and counts (10 bytes of the header, the id left out) and what follows the question.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "net/dns/message.h"

#define ID 0x1234

/* What was written is read as the name that was given. */
static void check_query(struct fuzz_input in)
{
	unsigned char out[DNS_QUERY_MAX];
	char *name = fuzz_string(in), read[DNS_NAME_MAX + 1] = "";
	size_t n = dns_write_query(out, name, ""), at = DNS_HEADER_BYTES, len = 0;

	while (n && out[at]) {
		MUST(out[at] <= DNS_LABEL_MAX && at + 1 + out[at] < n);
		memcpy(read + len, out + at + 1, out[at]);
		len += out[at];
		read[len++] = '.';
		at += 1u + out[at];
	}
	if (n) {
		MUST(n <= DNS_QUERY_MAX && at + 5 == n && len <= DNS_NAME_MAX);
		read[len] = '\0';
		MUST(strncmp(read, name, strlen(name)) == 0 && len - strlen(name) <= 1);
	}
	free(name);
}

static unsigned char *make_message(struct fuzz_input in, const unsigned char *query, size_t query_n, size_t *n)
{
	size_t head_n = in.n < 10 ? in.n : 10;
	unsigned char *p = malloc(query_n + in.n);

	MUST(p);
	memcpy(p, query, query_n);
	memcpy(p + 2, in.p, head_n);
	p[2] = (unsigned char)((p[2] | 0x80) & ~0x78); /* a response, opcode 0 */
	p[4] = 0;
	p[5] = 1;
	memcpy(p + query_n, in.p + head_n, in.n - head_n);
	*n = query_n + in.n - head_n;
	return realloc(p, *n);
}

static void check_answer(const unsigned char *p, size_t n, const unsigned char *query, size_t query_n)
{
	unsigned char other[DNS_QUERY_MAX], list[DNS_ANSWER_MAX][16];
	struct dns_answer a, b;
	int rc;

	memset(&a, 0x55, sizeof a);
	b = a;
	rc = dns_read_answer(p, n, query, query_n, &a);
	if (rc) {
		MUST(rc == -1 && memcmp(&a, &b, sizeof a) == 0);
		return;
	}
	MUST(dns_read_addresses(&a, list) <= DNS_ANSWER_MAX && a.rcode <= 15 && n >= query_n);
	MUST(a.is_truncated == !!(p[2] & DNS_TRUNCATED));
	/* It answers no other question. */
	memcpy(other, query, query_n);
	dns_set_question(other, query_n, ID + 1, query[query_n - 3] == DNS_A ? DNS_A : DNS_AAAA);
	MUST(dns_read_answer(p, n, other, query_n, &b) == -1);
	dns_set_question(other, query_n, ID, query[query_n - 3] == DNS_A ? DNS_AAAA : DNS_A);
	MUST(dns_read_answer(p, n, other, query_n, &b) == -1);
}

/* The same message as an answer of a zone's server, to a question for an address or for a zone's servers. */
static void check_sight(const unsigned char *p, size_t n, const unsigned char *query, size_t query_n)
{
	const bool is_ip6 = query[query_n - 3] == DNS_AAAA;
	static const unsigned char address[16];
	const struct dns_wanted wanted = {.type = is_ip6 ? DNS_AAAA : DNS_A, .data = address};
	struct dns_answer a;
	struct dns_sight sight;

	if (dns_read_answer(p, n, query, query_n, &a))
		return;
	dns_read_sight(&a, &wanted, &sight);
	MUST(sight.ttl_sec <= INT32_MAX && (sight.n || !sight.has_it) && (!sight.n || !*sight.alias));
	MUST(strlen(sight.alias) < DNS_NAME_MAX &&
	     sight.alias[strspn(sight.alias, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0');
}

static void check_servers(unsigned char *p, size_t n, unsigned char *query, size_t query_n)
{
	static const struct dns_wanted wanted = {.type = DNS_CNAME, .host = "a.example.com"};
	char list[DNS_SERVERS_MAX][DNS_TEXT_CAP];
	struct dns_answer a;
	struct dns_sight sight;
	size_t servers_n;

	dns_set_question(query, query_n, ID, DNS_NS);
	if (n > query_n)
		memcpy(p + query_n - 4, query + query_n - 4, 4); /* to that question */
	if (!dns_read_answer(p, n, query, query_n, &a)) {
		servers_n = dns_read_servers(&a, list);
		MUST(servers_n <= DNS_SERVERS_MAX);
		for (size_t i = 0; i < servers_n; i++)
			MUST(*list[i] && strlen(list[i]) < DNS_NAME_MAX);
	}
	dns_set_question(query, query_n, ID, DNS_CNAME);
	if (n > query_n)
		memcpy(p + query_n - 4, query + query_n - 4, 4);
	if (!dns_read_answer(p, n, query, query_n, &a)) {
		dns_read_sight(&a, &wanted, &sight);
		MUST((sight.n || !sight.has_it) && !*sight.alias);
	}
}

int fuzz_dns(const uint8_t *p, size_t n)
{
	struct fuzz_input in = {p, n};
	unsigned choice = fuzz_take(&in);
	unsigned char query[DNS_QUERY_MAX], *message;
	size_t query_n = dns_write_query(query, "www", "example.com"), message_n = in.n;

	MUST(query_n == DNS_HEADER_BYTES + 17 + 4);
	dns_set_question(query, query_n, ID, choice & 1 ? DNS_AAAA : DNS_A);
	if (choice & 2) {
		message = malloc(in.n ? in.n : 1);
		MUST(message);
		if (in.n)
			memcpy(message, in.p, in.n);
	} else {
		message = make_message(in, query, query_n, &message_n);
		MUST(message);
	}
	check_answer(message, message_n, query, query_n);
	check_sight(message, message_n, query, query_n);
	check_servers(message, message_n, query, query_n);
	free(message);
	check_query(in);
	return 0;
}
