#include "net/dns/message.h"

#include <string.h>

#define CLASS_IN 1
#define RECORD_FIXED_BYTES 10  /* type, class, TTL and length, after a record's name */
#define RECURSION_DESIRED 0x01 /* of byte 2 */
#define AUTHORITATIVE 0x04
#define POINTER 0xc0 /* RFC 1035 section 4.1.4: the two high bits of a label's length */

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

/* Both sound; in two messages. */
static bool is_equal_name(const struct message *ma, size_t a, const struct message *mb, size_t b)
{
	struct place pa = name_at(a), pb = name_at(b);
	int n;

	do {
		n = next_label(ma, &pa);
		if (n < 0 || n != next_label(mb, &pb) ||
		    !is_equal_nocase(ma->p + pa.at - n, mb->p + pb.at - n, (size_t)n))
			return false;
	} while (n);
	return true;
}

static bool is_same_name(const struct message *m, size_t a, size_t b)
{
	return is_equal_name(m, a, m, b);
}

static bool is_text(const unsigned char *p, int n)
{
	for (int i = 0; i < n; i++)
		if (!(lower(p[i]) >= 'a' && lower(p[i]) <= 'z') && !(p[i] >= '0' && p[i] <= '9') &&
		    p[i] != '-' && p[i] != '_')
			return false;
	return true;
}

/* The name as text, dotted; -1: it is the root, or holds what is not printed. */
static int format_name(const struct message *m, size_t at, char out[DNS_TEXT_CAP])
{
	struct place p = name_at(at);
	size_t len = 0;
	int n;

	while ((n = next_label(m, &p)) > 0) {
		if (!is_text(m->p + p.at - n, n))
			return -1;
		if (len)
			out[len++] = '.';
		for (int i = 0; i < n; i++)
			out[len++] = (char)lower(m->p[p.at - (size_t)n + (size_t)i]);
	}
	out[len] = '\0';
	return n < 0 || !len ? -1 : 0;
}

/* ---- Records ---- */

struct resource {
	size_t owner; /* where its name is */
	unsigned type, class;
	uint32_t ttl_sec;
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
	r->ttl_sec = (uint32_t)get16(m->p + end + 4) << 16 | get16(m->p + end + 6);
	if (r->ttl_sec > INT32_MAX) /* RFC 2181 section 8 */
		r->ttl_sec = 0;
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

/* The answer section; of a truncated message up to the first record that is not sound. */
static int open_answer(struct section *s, const unsigned char *p, size_t n,
		       const unsigned char *query, size_t query_n)
{
	*s = (struct section){.m = {.p = p, .n = n}, .at = query_n};
	if (!is_answer_to(p, n, query, query_n))
		return -1;
	s->n = get16(p + 6);
	return check_section(s, p[2] & DNS_TRUNCATED);
}

bool dns_is_answer(const unsigned char *p, size_t n, const unsigned char *query, size_t query_n)
{
	struct section s;

	return open_answer(&s, p, n, query, query_n) == 0;
}

/* The name at the end of the CNAMEs that begin at the one asked for. */
static size_t follow_aliases(const struct section *s)
{
	size_t name = DNS_HEADER_BYTES;

	for (int i = 0; i < DNS_CHAIN_MAX; i++) {
		size_t to = find_alias(s, name);

		if (!to)
			break;
		name = to;
	}
	return name;
}

int dns_read_answer(const unsigned char *p, size_t n, const unsigned char *query, size_t query_n,
		    struct dns_answer *out)
{
	struct dns_answer a = {0};
	struct section s;

	if (open_answer(&s, p, n, query, query_n))
		return -1;
	a.rcode = p[3] & 0x0f;
	a.is_truncated = p[2] & DNS_TRUNCATED;
	if (a.rcode == DNS_NOERROR)
		take_addresses(&s, follow_aliases(&s), get16(query + query_n - 4), &a);
	*out = a;
	return 0;
}

/* ---- One record ---- */

int dns_want_name(struct dns_wanted *w, const char *name)
{
	unsigned char query[DNS_QUERY_MAX];
	size_t n = dns_write_query(query, name, "");

	if (!n)
		return -1;
	w->type = DNS_CNAME;
	w->n = n - DNS_HEADER_BYTES - 4;
	memcpy(w->data, query + DNS_HEADER_BYTES, w->n);
	return 0;
}

static bool is_wanted(const struct message *m, const struct resource *r, const struct dns_wanted *w)
{
	const struct message wanted = {w->data, w->n};

	if (w->type == DNS_CNAME)
		return is_equal_name(m, r->data, &wanted, 0);
	return r->data_n == w->n && memcmp(m->p + r->data, w->data, w->n) == 0;
}

/* All records count: more than an answer's addresses that are kept. */
static void look_at(const struct section *s, size_t name, const struct dns_wanted *w,
		    struct dns_sight *out)
{
	struct resource r;
	size_t at = s->at;

	for (unsigned i = 0; i < s->n && !read_resource(&s->m, &at, &r); i++) {
		bool is_one = r.type == (unsigned)w->type && is_same_name(&s->m, r.owner, name);

		if (r.class != CLASS_IN || !(is_one || r.type == DNS_CNAME))
			continue;
		out->ttl_sec = r.ttl_sec > out->ttl_sec ? r.ttl_sec : out->ttl_sec;
		out->n += is_one;
		out->has_it |= is_one && is_wanted(&s->m, &r, w);
	}
}

int dns_read_sight(const unsigned char *p, size_t n, const unsigned char *query, size_t query_n,
		   const struct dns_wanted *w, struct dns_sight *out)
{
	struct dns_sight a = {0};
	struct section s;
	size_t name = DNS_HEADER_BYTES;

	if (get16(query + query_n - 4) != (unsigned)w->type ||
	    open_answer(&s, p, n, query, query_n))
		return -1;
	a.rcode = p[3] & 0x0f;
	a.is_truncated = p[2] & DNS_TRUNCATED;
	a.is_authoritative = p[2] & AUTHORITATIVE;
	if (w->type != DNS_CNAME)
		name = follow_aliases(&s);
	look_at(&s, name, w, &a);
	if (!a.n && name != DNS_HEADER_BYTES && format_name(&s.m, name, a.alias))
		a.alias[0] = '\0';
	*out = a;
	return 0;
}

/* ---- A zone's servers ---- */

int dns_read_servers(const unsigned char *p, size_t n, const unsigned char *query, size_t query_n,
		     struct dns_servers *out)
{
	struct resource r;
	struct section s;
	size_t at;

	if (get16(query + query_n - 4) != DNS_NS || open_answer(&s, p, n, query, query_n))
		return -1;
	*out = (struct dns_servers){.rcode = p[3] & 0x0f, .is_truncated = p[2] & DNS_TRUNCATED};
	at = s.at;
	for (unsigned i = 0; i < s.n && !read_resource(&s.m, &at, &r); i++)
		if (r.class == CLASS_IN && r.type == DNS_NS && out->n < DNS_SERVERS_MAX &&
		    is_same_name(&s.m, r.owner, DNS_HEADER_BYTES) &&
		    !format_name(&s.m, r.data, out->list[out->n]))
			out->n++;
	return 0;
}
