/*
 * A DNS record's target (what an A, AAAA or CNAME record points to) and the record itself, as
 * plain values: comparing, ordering, reading and printing. What the types are is one table.
 */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/instance.h"
#include "core/name.h"

#define RECORD_ID_CAP 33 /* Cloudflare's ids have 32 characters */
#define TARGET_TEXT_CAP NAME_CAP
#define TARGET_HOSTS_CAP 8192 /* bytes of all different host names of one list */

/*
 * Records of one name; a zone holds 3,500. Each name has addresses set apart for as many, and 2,048
 * names would have more of them than a program of 32 bit has in all.
 */
#define RECORDS_MAX_32 4096
#if UINTPTR_MAX > UINT32_MAX
#define RECORDS_MAX 16384
#else
#define RECORDS_MAX RECORDS_MAX_32
#endif

/* The types that can be read; in no order. Which of them a job rules over is its own matter. */
enum record_type { RECORD_A, RECORD_AAAA, RECORD_CNAME, RECORD_TYPES };

/* A set of types is an unsigned with a bit for each. */
#define RECORD_BIT(type) (1u << (type))
#define RECORD_READABLE (RECORD_BIT(RECORD_TYPES) - 1)

/* Host names of targets, stored one after the other; the caller owns it and resets it. */
struct target_hosts {
	size_t len;
	char text[TARGET_HOSTS_CAP];
};

struct target {
	enum record_type type;
	unsigned char addr[16]; /* network order; 4 bytes with A, the rest 0 */
	const char *host;       /* CNAME: in a struct target_hosts; of an address NULL */
};

struct record {
	char id[RECORD_ID_CAP];
	struct target target;
	uint32_t ttl; /* seconds; 1 is automatic */
	bool proxied;
	bool is_ours;              /* set by who knows the owner; only ours may be written */
	bool is_unmarked;          /* it is only as long as the service has a target of its type */
	bool has_comment;          /* of whosoever: it stays */
	enum instance_state state; /* of its target in Consul; INSTANCE_VANISHED if not listed */
	bool is_leaving;           /* its target is not wanted... */
	int64_t leaving_since_ms;  /* ...since then */
};

/* It is what Cloudflare has for ids: 32 hexadecimal digits, and nothing that could end a path. */
bool record_id_is_good(const char *id);

/* "A", "AAAA", "CNAME". */
const char *record_type_name(enum record_type type);

/* The type by that name; -1 when it is another one. */
int record_type_parse(const char *s, enum record_type *out) __attribute__((warn_unused_result));

/*
 * Read an IPv4 or IPv6 address or a host name. An IPv4 address mapped into IPv6 is taken as the
 * IPv4 address that it is. What nobody else can reach is refused: unspecified, loopback,
 * link-local, multicast and reserved addresses, an IPv6 address with a zone index, a host name
 * without a dot.
 *   hosts  where a host name is kept; NULL: only addresses are taken
 *   e      ERR_CONFIG: what is wrong with the text; ERR_LIMIT: hosts is full
 */
int target_parse(struct target *t, const char *text, struct target_hosts *hosts, struct err *e)
	__attribute__((warn_unused_result));

/*
 * The same for the content of a record that exists, of a type that is known: what DNS holds is
 * taken as it is, 0.0.0.0 and odd host names too.
 *   e  ERR_PROTO: not a content of that type; ERR_LIMIT: hosts is full
 */
int target_from_content(struct target *t, enum record_type type, const char *content,
			struct target_hosts *hosts, struct err *e)
	__attribute__((warn_unused_result));

/* The text form: dotted quad, RFC 5952, or the host name. */
void target_format(const struct target *t, char out[TARGET_TEXT_CAP]);

/* Order by the type's name, then by bytes. 0 when equal. Spellings of one address are equal. */
int target_compare(const struct target *a, const struct target *b);

/* No other record can stand at its name: a CNAME. */
bool target_is_alone(const struct target *t);

/* Two records of these, one of them alone, cannot stand at one name. */
bool target_excludes(const struct target *a, const struct target *b);

/* The address in 16 bytes, network order; IPv4 is mapped into IPv6. */
void target_from_bytes(struct target *t, const unsigned char bytes[16]);

/* Somebody else can reach this address: not an unspecified, loopback, link-local, multicast... */
bool target_is_reachable(const struct target *t);

/*
 * Anybody can: it is not private (RFC 1918, RFC 4193), shared (RFC 6598) or of another special use
 * either. The networks for documentation (RFC 5737, RFC 3849) are taken for public: they stand for
 * such addresses, in tests too.
 */
bool target_is_public(const struct target *t);

/* Cloudflare can proxy to it: not to a private, loopback, link-local or shared address. */
bool target_can_be_proxied(const struct target *t);

#endif
