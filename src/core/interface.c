#include "core/interface.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/sort.h"
#include "base/str.h"
#include "core/record.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define RULES_CAP 160 /* bytes of the rules that an error repeats... */
#define LIST_CAP 480  /* ...and of the addresses that there are */
#define MORE_CAP 96   /* for one of these, and how many more there are */
#define INDEX_MAX (INTERFACE_ADDRESSES_MAX - 1)

_Static_assert(sizeof(struct interface_address) % sizeof(size_t) == 0, "as sort() needs it");

/* ---- reading a rule ---- */

static int read_address(const char *text, unsigned char out[16])
{
	unsigned char bytes[16];
	size_t n = addr_parse(text, bytes);

	if (n == 4)
		addr_map(bytes, out);
	else
		memcpy(out, bytes, sizeof bytes);
	return n ? 0 : -1;
}

static bool is_name(const char *s)
{
	/* Digits and dots alone are a slip of an address. */
	return *s && !s[strspn(s, LETTERS DIGITS "_-.@")] &&
	       !(strchr(s, '.') && !s[strspn(s, DIGITS ".")]);
}

/* at: the '/' */
static int read_network(struct interface_rule *r, char *text, char *at)
{
	const bool is_ip6 = strchr(text, ':');
	uint64_t bits;

	*at = '\0';
	if (read_address(text, r->bytes) || str_u64(at + 1, is_ip6 ? 128 : 32, &bits))
		return -1;
	r->kind = INTERFACE_NETWORK;
	r->n = (unsigned)bits + (is_ip6 ? 0 : 96);
	return 0;
}

/* at: the '[' */
static int read_nth(struct interface_rule *r, char *at)
{
	size_t len = strlen(at);
	uint64_t n;

	if (at[len - 1] != ']')
		return -1;
	*at = at[len - 1] = '\0';
	if (str_u64(at + 1, INDEX_MAX, &n))
		return -1;
	r->kind = INTERFACE_NTH;
	r->n = (unsigned)n;
	return 0;
}

static int read_words(struct interface_rule *r, const char *text)
{
	static const struct {
		char word[8];
		unsigned char kind;
	} words[] = {
		{"inet", INTERFACE_IP4},
		{"inet6", INTERFACE_IP6},
		{"public", INTERFACE_PUBLIC},
		{"private", INTERFACE_PRIVATE},
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(words[i].word, text) == 0) {
			r->kind = (enum interface_kind)words[i].kind;
			return 0;
		}
	}
	return -1;
}

static int read_named(struct interface_rule *r, char *text)
{
	char *bracket = strchr(text, '['), *colon = strchr(text, ':');

	r->kind = INTERFACE_IP4;
	if (bracket && read_nth(r, bracket))
		return -1;
	if (!bracket && colon) {
		*colon++ = '\0';
		if (read_words(r, colon) || r->kind > INTERFACE_IP6)
			return -1;
	}
	return is_name(text) ? str_copy(r->name, sizeof r->name, text) : -1;
}

static int read_rule(struct interface_rule *r, char *text)
{
	static const char fixed[] = "static:";
	char *slash = strchr(text, '/');

	if (strncmp(text, fixed, sizeof fixed - 1) == 0) {
		r->kind = INTERFACE_STATIC;
		return read_address(text + sizeof fixed - 1, r->bytes);
	}
	if (slash)
		return read_network(r, text, slash);
	return read_words(r, text) ? read_named(r, text) : 0;
}

int interface_rules_add(struct interface_rules *r, const char *text, struct err *e)
{
	struct interface_rule rule = {.kind = INTERFACE_IP4};
	char copy[INTERFACE_RULE_CAP];

	if (str_copy(copy, sizeof copy, text) || read_rule(&rule, copy))
		return err_set(e, ERR_CONFIG,
			       "\"%s\" is not NAME, NAME:inet, NAME:inet6, NAME[INDEX], inet, "
			       "inet6, public, private, NETWORK/BITS or static:ADDRESS",
			       text);
	if (r->n == INTERFACE_RULES_MAX)
		return err_set(e, ERR_CONFIG, "more than %d rules", INTERFACE_RULES_MAX);
	memcpy(rule.text, text, strlen(text) + 1);
	r->of[r->n++] = rule;
	return 0;
}

/* ---- choosing ---- */

static int order(const void *a, const void *b)
{
	const struct interface_address *x = a, *y = b;
	int by_name = strcmp(x->name, y->name);

	return by_name ? by_name : memcmp(x->bytes, y->bytes, sizeof x->bytes);
}

static bool is_in_network(const unsigned char *p, const struct interface_rule *r)
{
	unsigned whole = r->n / 8, rest = r->n % 8;

	return memcmp(p, r->bytes, whole) == 0 &&
	       (!rest || (p[whole] ^ r->bytes[whole]) >> (8 - rest) == 0);
}

static bool is_ip4_network(const struct interface_rule *r)
{
	return r->n >= 96 && addr_is_mapped(r->bytes);
}

/* A network of addresses that nobody else can reach: who names it wants one. */
static bool is_unreachable_network(const struct interface_rule *r)
{
	struct target t;

	target_from_bytes(&t, r->bytes);
	return r->n >= (is_ip4_network(r) ? 96 + 8 : 8) && !target_is_reachable(&t);
}

static bool fits(const struct interface_rule *r, const struct interface_address *a,
		 const struct target *t)
{
	const bool is_reachable = target_is_reachable(t), is_ip4 = t->type == RECORD_A;

	if (r->kind == INTERFACE_NETWORK)
		return is_ip4 == is_ip4_network(r) && is_in_network(a->bytes, r) &&
		       (is_reachable || is_unreachable_network(r));
	if (r->name[0] ? strcmp(r->name, a->name) != 0 : a->is_loopback)
		return false;
	switch (r->kind) {
	case INTERFACE_IP4: return is_ip4;
	case INTERFACE_IP6: return !is_ip4 && (is_reachable || a->is_loopback);
	case INTERFACE_PUBLIC: return target_is_public(t);
	case INTERFACE_PRIVATE: return is_reachable && !target_is_public(t);
	default: return true;
	}
}

/* How good it is for a rule; 0: not at all. */
static int rate(const struct interface_rule *r, const struct interface_address *a)
{
	struct target t;

	target_from_bytes(&t, a->bytes);
	if (!fits(r, a, &t))
		return 0;
	if (r->kind == INTERFACE_NTH)
		return 1;
	return (t.type == RECORD_A ? 3 : 1) + (target_is_reachable(&t) && !a->is_fleeting);
}

static const unsigned char *find(const struct interface_rule *r,
				 const struct interface_address *list, size_t n)
{
	const unsigned char *best = r->kind == INTERFACE_STATIC ? r->bytes : NULL;
	unsigned nth = 0;
	int rating = 0;

	for (size_t i = 0; i < n && r->kind != INTERFACE_STATIC; i++) {
		int one = rate(r, &list[i]);

		if (one <= rating || (r->kind == INTERFACE_NTH && nth++ != r->n))
			continue;
		rating = one;
		best = list[i].bytes;
	}
	return best;
}

static void format(const unsigned char *p, char out[ADDR_TEXT_CAP])
{
	if (addr_is_mapped(p))
		addr_format(p + 12, 4, out);
	else
		addr_format(p, 16, out);
}

/* "public,eth0,inet", as far as there is room */
static void put_rules(const struct interface_rules *r, struct buf *b)
{
	for (size_t i = 0; i < r->n; i++)
		buf_fmt(b, "%s%s", i ? "," : "", r->of[i].text);
}

/* "eth0 10.0.0.2, lo 127.0.0.1 and 3 more" */
static void put_list(const struct interface_address *list, size_t n, struct buf *b)
{
	char text[ADDR_TEXT_CAP];
	size_t i;

	for (i = 0; i < n && b->cap - b->len > MORE_CAP; i++) {
		format(list[i].bytes, text);
		buf_fmt(b, "%s%s %s", i ? ", " : "", list[i].name, text);
	}
	if (i < n)
		buf_fmt(b, " and %zu more", n - i);
}

static int fail(const struct interface_rules *r, const struct interface_address *list, size_t n,
		struct err *e)
{
	char rules[RULES_CAP], there[LIST_CAP];
	struct buf b;

	buf_init(&b, rules, sizeof rules);
	put_rules(r, &b);
	buf_init(&b, there, sizeof there);
	put_list(list, n, &b);
	return err_set(e, ERR_CONFIG, "no address for %s: there is %s", rules,
		       n ? there : "no interface that is up and has one");
}

int interface_choose(const struct interface_rules *r, struct interface_address *list, size_t n,
		     char out[ADDR_TEXT_CAP], struct err *e)
{
	sort(list, n, sizeof *list, order);
	for (size_t i = 0; i < r->n; i++) {
		const unsigned char *found = find(&r->of[i], list, n);

		if (found) {
			format(found, out);
			return 0;
		}
	}
	return fail(r, list, n, e);
}
