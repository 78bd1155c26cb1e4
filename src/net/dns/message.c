#include "net/dns/message.h"

#include <string.h>

#define CLASS_IN 1
#define RECORD_FIXED_BYTES 10 /* type, class, TTL and length, after a record's name */
#define POINTER 0xc0          /* RFC 1035 section 4.1.4: the two high bits of a label's length */

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
	out[2] = 0x01; /* recursion desired */
	out[5] = 1;    /* one question */
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

/* ---- Names in an answer ---- */

struct message {
	const unsigned char *p;
	size_t n;
};

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
static int next_label(const struct message *m, struct place *p)
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
static int skip_name(const struct message *m, size_t *at)
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
static bool is_same_name(const struct message *m, size_t a, size_t b)
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

/* ---- Records ---- */

struct resource {
	size_t owner; /* where its name is */
	unsigned type, class;
	size_t data, data_n;
};

/* Read the record at *at, and set *at to the byte after it. */
static int read_resource(const struct message *m, size_t *at, struct resource *r)
{
	size_t end = *at, target;

	r->owner = *at;
	if (skip_name(m, &end) || m->n - end < RECORD_FIXED_BYTES)
		return -1;
	r->type = get16(m->p + end);
	r->class = get16(m->p + end + 2);
	r->data_n = get16(m->p + end + 8);
	r->data = target = end + RECORD_FIXED_BYTES;
	if (r->data_n > m->n - r->data)
		return -1;
	*at = r->data + r->data_n;
	if (r->class == CLASS_IN && r->type == DNS_CNAME)
		return skip_name(m, &target) || target != *at ? -1 : 0;
	return 0;
}

/* The answer section: n records from `at` on. */
struct section {
	struct message m;
	size_t at;
	unsigned n;
};

/* Where the name leads to by a CNAME, or 0. */
static size_t find_alias(const struct section *s, size_t name)
{
	struct resource r;
	size_t at = s->at;

	for (unsigned i = 0; i < s->n && !read_resource(&s->m, &at, &r); i++)
		if (r.class == CLASS_IN && r.type == DNS_CNAME &&
		    is_same_name(&s->m, r.owner, name))
			return r.data;
	return 0;
}

static void take_addresses(const struct section *s, size_t name, unsigned type,
			   struct dns_answer *out)
{
	size_t bytes = type == DNS_AAAA ? 16 : 4;
	struct resource r;
	size_t at = s->at;

	for (unsigned i = 0; i < s->n && !read_resource(&s->m, &at, &r); i++)
		if (r.class == CLASS_IN && r.type == type && r.data_n == bytes &&
		    out->n < DNS_ANSWER_MAX && is_same_name(&s->m, r.owner, name))
			memcpy(out->list[out->n++], s->m.p + r.data, bytes);
}

/* Count the sound records; -1 when one is not, unless the message was cut off anyway. */
static int check_section(struct section *s, bool is_truncated)
{
	unsigned want = s->n;
	struct resource r;
	size_t at = s->at;

	for (s->n = 0; s->n < want; s->n++)
		if (read_resource(&s->m, &at, &r))
			return is_truncated ? 0 : -1;
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
	struct section s = {.m = {.p = p, .n = n}, .at = query_n};
	struct dns_answer a = {0};
	size_t name = DNS_HEADER_BYTES;

	if (!is_answer_to(p, n, query, query_n))
		return -1;
	a.rcode = p[3] & 0x0f;
	a.is_truncated = p[2] & DNS_TRUNCATED;
	s.n = get16(p + 6);
	if (check_section(&s, a.is_truncated))
		return -1;
	for (int i = 0; i < DNS_CHAIN_MAX; i++) {
		size_t to = find_alias(&s, name);

		if (!to)
			break;
		name = to;
	}
	if (a.rcode == DNS_NOERROR)
		take_addresses(&s, name, get16(query + query_n - 4), &a);
	*out = a;
	return 0;
}
