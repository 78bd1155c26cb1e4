/*
 * DNS messages, RFC 1035 section 4: writes a query for a name's addresses and reads the answer
 * to it. Knows nothing of sockets; trusts no byte of what it reads.
 */
#ifndef NET_DNS_MESSAGE_H
#define NET_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_LABEL_MAX 63
#define DNS_NAME_MAX 255 /* bytes of a name in a message, its closing zero included */
#define DNS_HEADER_BYTES 12
#define DNS_QUERY_MAX (DNS_HEADER_BYTES + DNS_NAME_MAX + 4)
#define DNS_CHAIN_MAX 16   /* CNAMEs from the name that was asked to the one with addresses */
#define DNS_ANSWER_MAX 16  /* addresses of one answer that are kept */
#define DNS_TRUNCATED 0x02 /* of byte 2 of a message: the sender left records out */

#define DNS_SERVERS_MAX 8 /* names of a zone's servers that are kept */
#define DNS_TEXT_CAP (DNS_NAME_MAX + 1)

enum dns_type { DNS_A = 1, DNS_NS = 2, DNS_CNAME = 5, DNS_AAAA = 28 };
enum dns_rcode { DNS_NOERROR, DNS_FORMERR, DNS_SERVFAIL, DNS_NXDOMAIN, DNS_NOTIMP, DNS_REFUSED };

/* A sound answer. */
struct dns_answer {
	unsigned rcode; /* enum dns_rcode, or another one up to 15 */
	bool is_truncated;
	bool is_authoritative;
	bool can_recurse; /* it would ask others */

	/* The module's own. */
	enum dns_type type; /* that was asked for */
	const unsigned char *p;
	size_t n;
	size_t begin, end; /* of the records */
};

/*
 * Write a recursive query of class IN for "name" or "name.suffix"; dns_set_question() completes it.
 *   suffix  "" for none; a dot at the end of either is passed over
 * Returns its bytes; 0 when that is no name: a label empty or past DNS_LABEL_MAX, the whole past
 * DNS_NAME_MAX.
 */
size_t dns_write_query(unsigned char out[DNS_QUERY_MAX], const char *name, const char *suffix)
	__attribute__((warn_unused_result));

/* Put the id and the type into a query of n bytes. */
void dns_set_question(unsigned char *query, size_t n, uint16_t id, enum dns_type type);

/* A zone's own server is to answer from what it has. */
void dns_set_no_recursion(unsigned char *query);

/*
 * Read p[0..n) as the answer to a query.
 *   p  kept: by the functions below
 * Returns 0; or -1 with *out untouched when it is none: another id, name, type or class, not an
 * answer, or not sound. In a truncated one the records up to the first unsound one count.
 */
int dns_read_answer(const unsigned char *p, size_t n, const unsigned char *query, size_t query_n,
		    struct dns_answer *out) __attribute__((warn_unused_result));

/*
 * The addresses at the end of the chain of CNAMEs that begins at the name asked for; the chain's
 * records may stand in any order. 4 or 16 bytes of each, by the type asked for. Returns how many.
 */
size_t dns_read_addresses(const struct dns_answer *m, unsigned char out[DNS_ANSWER_MAX][16]);

/* A record that is looked for: by an address, or of type CNAME by the name it leads to. */
struct dns_wanted {
	enum dns_type type;
	const unsigned char *data; /* 4 or 16 bytes */
	const char *host;          /* in lower case, without a dot at its end */
};

/* What an answer says of one record. */
struct dns_sight {
	bool has_it;
	size_t n;                 /* records of that type at the name, or where its CNAMEs lead */
	uint32_t ttl_sec;         /* the highest of these, and of the CNAMEs; 0 without any */
	char alias[DNS_TEXT_CAP]; /* where CNAMEs lead when there is no such record; "": none */
};

/* Of an answer to a query of w's type. */
void dns_read_sight(const struct dns_answer *m, const struct dns_wanted *w, struct dns_sight *out);

/*
 * A zone's servers, of an answer to a query for NS: names of letters, digits, hyphens and
 * underscores, in lower case. Returns how many; 0: the name that was asked for is no zone's.
 */
size_t dns_read_servers(const struct dns_answer *m, char out[DNS_SERVERS_MAX][DNS_TEXT_CAP]);

#endif
