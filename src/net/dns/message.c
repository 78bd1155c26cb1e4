#include "net/dns/message.h"

#include <string.h>

#define CLASS_IN 1
#define RECORD_FIXED_BYTES 10  /* type, class, TTL and length, after a record's name */
#define RECURSION_DESIRED 0x01 /* of byte 2 */
#define AUTHORITATIVE 0x04
#define RECURSION_AVAILABLE 0x80 /* of byte 3 */
#define POINTER 0xc0             /* RFC 1035 section 4.1.4: the two high bits of a label's length */

static unsigned get16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void put16(unsigned char *p, unsigned v)
{
	p[0] = (unsigned char)(v >> 8);
	p[1] = (unsigned char)v;
}

/* ---- The query ---- */

/* Add the labels of a dotted name at *at. */
static int write_labels(unsigned char *out, size_t *at, const char *name)
{
	do {
		size_t n = strcspn(name, ".");

		/* The closing zero, too, has to fit. */
		if (!n || n > DNS_LABEL_MAX || *at + 1 + n + 1 > DNS_HEADER_BYTES + DNS_NAME_MAX)
			return -1;
		out[*at] = (unsigned char)n;
		memcpy(out + *at + 1, name, n);
		*at += 1 + n;
		name += n;
		name += *name == '.';
	} while (*name);
	return 0;
}

size_t dns_write_query(unsigned char out[DNS_QUERY_MAX], const char *name, const char *suffix)
{
	size_t at = DNS_HEADER_BYTES;

	memset(out, 0, DNS_HEADER_BYTES);
	out[2] = RECURSION_DESIRED;
	out[5] = 1; /* one question */
	if (write_labels(out, &at, name) || (*suffix && write_labels(out, &at, suffix)))
		return 0;
	out[at++] = 0;
	put16(out + at, 0);
	put16(out + at + 2, CLASS_IN);
	return at + 4;
}

void dns_set_question(unsigned char *query, size_t n, uint16_t id, enum dns_type type)
{
	put16(query, id);
	put16(query + n - 4, (unsigned)type);
}

void dns_set_no_recursion(unsigned char *query)
{
	query[2] &= (unsigned char)~RECURSION_DESIRED;
}

/* ---- Names in an answer ---- */

/* A place in a name. Each pointer must lead to before where it was met: so no name is endless. */
struct place {
	size_t at;
	size_t before; /* where the next pointer may not reach */
	size_t len;    /* bytes of the name so far */
	size_t end;    /* the byte after the name as it stands; 0 until known */
};

static struct place name_at(size_t at)
{
	return (struct place){.at = at, .before = at};
}

/* The length of the next label, whose bytes end at p->at then; 0 at the name's end; -1 unsound. */
static int next_label(const struct dns_answer *m, struct place *p)
{
	size_t n;

	while (p->at < m->n && (m->p[p->at] & POINTER) == POINTER) {
		size_t to;

		if (m->n - p->at < 2)
			return -1;
		to = get16(m->p + p->at) & 0x3fff;
		if (!p->end)
			p->end = p->at + 2;
		if (to >= p->before || to < DNS_HEADER_BYTES)
			return -1;
		p->at = p->before = to;
	}
	if (p->at >= m->n)
		return -1;
	n = m->p[p->at];
	p->len += 1 + n;
	if (n > DNS_LABEL_MAX || n >= m->n - p->at || p->len > DNS_NAME_MAX)
		return -1;
	p->at += 1 + n;
	if (!n && !p->end)
		p->end = p->at;
	return (int)n;
}

/* Go through the name at *at, and set *at to the byte after it. */
static int skip_name(const struct dns_answer *m, size_t *at)
{
	struct place p = name_at(*at);
	int n;

	while ((n = next_label(m, &p)) > 0)
		;
	if (n < 0)
		return -1;
	*at = p.end;
	return 0;
}

static unsigned char lower(unsigned char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static bool is_equal_nocase(const unsigned char *a, const unsigned char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

/* Both sound. */
static bool is_same_name(const struct dns_answer *m, size_t a, size_t b)
{
	struct place pa = name_at(a), pb = name_at(b);
	int n;

	do {
		n = next_label(m, &pa);
		if (n < 0 || n != next_label(m, &pb) ||
		    !is_equal_nocase(m->p + pa.at - n, m->p + pb.at - n, (size_t)n))
			return false;
	} while (n);
	return true;
}

static bool is_text(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* The name as text, dotted; -1: it is the root, or holds what is not printed. */
static int format_name(const struct dns_answer *m, size_t at, char out[DNS_TEXT_CAP])
{
	struct place p = name_at(at);
	size_t len = 0;
	int n;

	while ((n = next_label(m, &p)) > 0) {
		if (len)
			out[len++] = '.';
		for (const unsigned char *s = m->p + p.at - n; n--; s++) {
			if (!is_text(lower(*s)))
				return -1;
			out[len++] = (char)lower(*s);
		}
	}
	out[len] = '\0';
	return n < 0 || !len ? -1 : 0;
}

/* ---- Records ---- */

/* Zeroed, then filled by one after the other. */
struct resource {
	size_t next;  /* where the one after it is; 0: the first one's is next */
	size_t owner; /* where its name is */
	unsigned type, class;
	uint32_t ttl_sec;
	size_t data, data_n;
};

/* Read the record at r->next. */
static int read_resource(const struct dns_answer *m, struct resource *r)
{
	size_t end = r->next, target;

	r->owner = end;
	if (skip_name(m, &end) || m->n - end < RECORD_FIXED_BYTES)
		return -1;
	r->type = get16(m->p + end);
	r->class = get16(m->p + end + 2);
	r->ttl_sec = (uint32_t)get16(m->p + end + 4) << 16 | get16(m->p + end + 6);
	if (r->ttl_sec > INT32_MAX) /* RFC 2181 section 8 */
		r->ttl_sec = 0;
	r->data_n = get16(m->p + end + 8);
	r->data = target = end + RECORD_FIXED_BYTES;
	if (r->data_n > m->n - r->data)
		return -1;
	r->next = r->data + r->data_n;
	if (r->class == CLASS_IN && r->type == DNS_CNAME)
		return skip_name(m, &target) || target != r->next ? -1 : 0;
	return 0;
}

/* On to the next record of that owner and type. */
static bool find_next(const struct dns_answer *m, struct resource *r, size_t owner,
		      enum dns_type type)
{
	if (!r->next)
		r->next = m->begin;
	while (r->next < m->end && !read_resource(m, r))
		if (r->class == CLASS_IN && r->type == (unsigned)type &&
		    is_same_name(m, r->owner, owner))
			return true;
	return false;
}

/* Find where the n records end; one that is not sound is the end of a message that was cut off. */
static int check_records(struct dns_answer *m, unsigned n)
{
	struct resource r = {.next = m->begin};

	for (m->end = m->begin; n--; m->end = r.next)
		if (read_resource(m, &r))
			return m->is_truncated ? 0 : -1;
	return 0;
}

/* An answer repeats the question as it was put, but for the case of letters. */
static bool is_answer_to(const unsigned char *p, size_t n, const unsigned char *q, size_t q_n)
{
	bool is_answer = n >= q_n && (p[2] & 0x80) && !(p[2] & 0x78); /* a response; no opcode */

	return is_answer && !memcmp(p, q, 2) && get16(p + 4) == 1 &&
	       is_equal_nocase(p + DNS_HEADER_BYTES, q + DNS_HEADER_BYTES,
			       q_n - DNS_HEADER_BYTES - 4) &&
	       !memcmp(p + q_n - 4, q + q_n - 4, 4);
}

int dns_read_answer(const unsigned char *p, size_t n, const unsigned char *query, size_t query_n,
		    struct dns_answer *out)
{
	struct dns_answer m = {.p = p, .n = n, .begin = query_n};

	if (!is_answer_to(p, n, query, query_n))
		return -1;
	m.rcode = p[3] & 0x0f;
	m.is_truncated = p[2] & DNS_TRUNCATED;
	m.is_authoritative = p[2] & AUTHORITATIVE;
	m.can_recurse = p[3] & RECURSION_AVAILABLE;
	m.type = (enum dns_type)get16(query + query_n - 4);
	if (check_records(&m, get16(p + 6)))
		return -1;
	*out = m;
	return 0;
}

/* ---- What they say ---- */

static void take_ttl(uint32_t *ttl_sec, const struct resource *r)
{
	*ttl_sec = r->ttl_sec > *ttl_sec ? r->ttl_sec : *ttl_sec;
}

/* The name at the end of the CNAMEs that begin at the one asked for, and the highest TTL. */
static size_t follow_aliases(const struct dns_answer *m, uint32_t *ttl_sec)
{
	size_t name = DNS_HEADER_BYTES;

	*ttl_sec = 0;
	for (int i = 0; i < DNS_CHAIN_MAX && m->type != DNS_CNAME; i++) {
		struct resource r = {0};

		if (!find_next(m, &r, name, DNS_CNAME))
			break;
		take_ttl(ttl_sec, &r);
		name = r.data;
	}
	return name;
}

static size_t address_bytes(enum dns_type type)
{
	return type == DNS_AAAA ? 16 : 4;
}

size_t dns_read_addresses(const struct dns_answer *m, unsigned char out[DNS_ANSWER_MAX][16])
{
	size_t n = 0, name;
	struct resource r = {0};
	uint32_t ttl_sec;

	name = follow_aliases(m, &ttl_sec);
	while (n < DNS_ANSWER_MAX && find_next(m, &r, name, m->type))
		if (r.data_n == address_bytes(m->type))
			memcpy(out[n++], m->p + r.data, r.data_n);
	return n;
}

/* text: room for a name. */
static bool is_wanted(const struct dns_answer *m, const struct resource *r,
		      const struct dns_wanted *w, char text[DNS_TEXT_CAP])
{
	if (w->type == DNS_CNAME)
		return !format_name(m, r->data, text) && !strcmp(text, w->host);
	return r->data_n == address_bytes(w->type) && !memcmp(m->p + r->data, w->data, r->data_n);
}

/* All records count: more than an answer's addresses that are kept. */
void dns_read_sight(const struct dns_answer *m, const struct dns_wanted *w, struct dns_sight *out)
{
	size_t name = follow_aliases(m, &out->ttl_sec);
	struct resource r = {0};

	out->has_it = false;
	for (out->n = 0; find_next(m, &r, name, m->type); out->n++) {
		take_ttl(&out->ttl_sec, &r);
		out->has_it |= is_wanted(m, &r, w, out->alias);
	}
	if (out->n || name == DNS_HEADER_BYTES || format_name(m, name, out->alias))
		out->alias[0] = '\0';
}

size_t dns_read_servers(const struct dns_answer *m, char out[DNS_SERVERS_MAX][DNS_TEXT_CAP])
{
	struct resource r = {0};
	size_t n = 0;

	while (n < DNS_SERVERS_MAX && find_next(m, &r, DNS_HEADER_BYTES, DNS_NS))
		n += !format_name(m, r.data, out[n]);
	return n;
}
