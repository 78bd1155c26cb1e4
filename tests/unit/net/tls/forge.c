#include "net/tls/forge.h"

#include <bearssl.h>

#include "net/tls/forge_key.h"
#include "support.h"

#define TEXT_MAX 2048

/* Everything is built from the inside out: an element around what is already there. */
struct bytes {
	struct buf b;
	char p[TEXT_MAX];
};

static struct bytes *start(struct bytes *s)
{
	buf_init(&s->b, s->p, sizeof s->p);
	return s;
}

static void put(struct bytes *s, const void *p, size_t n)
{
	buf_add(&s->b, p, n);
	assert_true(buf_ok(&s->b));
}

static void put_element(struct bytes *s, unsigned tag, const void *p, size_t n)
{
	const unsigned char head[] = {(unsigned char)tag, 0x82, (unsigned char)(n >> 8), (unsigned char)n};

	if (n < 128) {
		put(s, head, 1);
		put(s, head + 3, 1);
	} else if (n < 256) {
		put(s, (const unsigned char[]){(unsigned char)tag, 0x81, (unsigned char)n}, 3);
	} else {
		put(s, head, 4);
	}
	put(s, p, n);
}

static void put_within(struct bytes *s, unsigned tag, const struct bytes *inner)
{
	put_element(s, tag, inner->p, inner->b.len);
}

static size_t from_hex(const char *text, size_t n, unsigned char *out)
{
	assert_true(n % 2 == 0);
	for (size_t i = 0; i < n; i += 2) {
		const char digits[] = {text[i], text[i + 1], '\0'};

		out[i / 2] = (unsigned char)strtoul(digits, NULL, 16);
	}
	return n / 2;
}

/* text: NULL for nothing */
static void put_hex(struct bytes *s, const char *text)
{
	unsigned char raw[64];

	if (text)
		put(s, raw, from_hex(text, strlen(text), raw));
}

/* A name of one attribute, without what follows '#'. */
static void put_name(struct bytes *s, const char *name, size_t n)
{
	static const unsigned char oid[] = {6, 3, 0x55, 4, 3};
	const char *mark = memchr(name, '#', n);
	struct bytes attribute, set, list;

	if (mark)
		n = (size_t)(mark - name);
	put(start(&attribute), oid, sizeof oid);
	put_element(&attribute, 0x0c, name, n);
	put_within(start(&set), 0x30, &attribute);
	put_within(start(&list), 0x31, &set);
	put_within(s, 0x30, &list);
}

/* "DNS:x", "IP:hex", "MAIL:x", "RAW:tag:hex" */
static void put_general_name(struct bytes *s, const char *text, size_t n)
{
	unsigned char raw[256];

	if (!strncmp(text, "DNS:", 4)) {
		put_element(s, 0x82, text + 4, n - 4);
	} else if (!strncmp(text, "IP:", 3)) {
		put_element(s, 0x87, raw, from_hex(text + 3, n - 3, raw));
	} else if (!strncmp(text, "MAIL:", 5)) {
		put_element(s, 0x81, text + 5, n - 5);
	} else {
		assert_true(!strncmp(text, "RAW:", 4));
		put(s, raw, from_hex(text + 4, n - 4, raw));
	}
}

/* Walk over what commas divide. */
static bool next_item(const char **at, const char **item, size_t *n)
{
	if (!**at)
		return false;
	*item = *at;
	*n = strcspn(*at, ",");
	*at += *n;
	if (**at == ',')
		++*at;
	return true;
}

static void make_names(struct bytes *out, const char *text)
{
	struct bytes list;
	const char *item;
	size_t n;

	start(&list);
	while (next_item(&text, &item, &n))
		put_general_name(&list, item, n);
	put_within(out, 0x30, &list);
}

static void make_purposes(struct bytes *out, const char *text)
{
	static const unsigned char any[] = {0x55, 0x1d, 0x25, 0};
	unsigned char oid[] = {0x2b, 6, 1, 5, 5, 7, 3, 0};
	struct bytes list;
	const char *item;
	size_t n;

	start(&list);
	while (next_item(&text, &item, &n)) {
		oid[7] = *item == 's' ? 1 : *item == 'c' ? 2 : 4;
		if (*item == 'a')
			put_element(&list, 6, any, sizeof any);
		else
			put_element(&list, 6, oid, sizeof oid);
	}
	put_within(out, 0x30, &list);
}

static void make_constraints(struct bytes *out, const char *text)
{
	struct bytes both, list, base;

	start(&both);
	for (int is_excluded = 0; is_excluded < 2; is_excluded++) {
		const char *at = text, *item;
		size_t n;

		start(&list);
		while (next_item(&at, &item, &n)) {
			if ((*item == '-') != is_excluded)
				continue;
			put_general_name(start(&base), item + 1, n - 1);
			put_within(&list, 0x30, &base);
		}
		if (list.b.len)
			put_within(&both, 0xa0 + (unsigned)is_excluded, &list);
	}
	put_within(out, 0x30, &both);
}

static void make_basic(struct bytes *out, bool is_ca, const char *path_len)
{
	unsigned char n = (unsigned char)(path_len ? strtoul(path_len, NULL, 10) : 0);
	struct bytes list;

	start(&list);
	if (is_ca)
		put(&list, "\x01\x01\xff", 3);
	if (path_len)
		put_element(&list, 2, &n, 1);
	put_within(out, 0x30, &list);
}

/* The extension that a word stands for; false: it is none's. */
static bool put_extension(struct bytes *list, const char *word)
{
	unsigned char oid[] = {6, 3, 0x55, 0x1d, 0}, raw[256];
	bool is_critical = *word == '!', is_not = *word == '?';
	struct bytes value, ext;
	const char *arg;

	word += is_critical || is_not;
	arg = strchr(word, '=');
	arg = arg ? arg + 1 : NULL;
	start(&value);
	if (!strncmp(word, "san=", 4)) {
		oid[4] = 17;
		make_names(&value, arg);
	} else if (!strncmp(word, "eku=", 4)) {
		oid[4] = 37;
		make_purposes(&value, arg);
	} else if (!strncmp(word, "nc=", 3)) {
		oid[4] = 30;
		make_constraints(&value, arg);
	} else if (!strncmp(word, "ku=", 3)) {
		oid[4] = 15;
		raw[0] = 0;
		(void)from_hex(arg, 2, raw + 1);
		put_element(&value, 3, raw, 2);
	} else if (!strncmp(word, "raw=", 4)) {
		oid[4] = (unsigned char)strtoul(arg, NULL, 10);
		arg = strchr(arg, ':') + 1;
		put(&value, raw, from_hex(arg, strlen(arg), raw));
	} else if (!strcmp(word, "unknown")) {
		oid[4] = 99;
	} else if (!strncmp(word, "ca", 2) || !strcmp(word, "noca")) {
		oid[4] = 19;
		make_basic(&value, *word == 'c', arg);
	} else {
		return false;
	}
	put(start(&ext), oid, sizeof oid);
	if (is_critical || is_not)
		put(&ext, is_critical ? "\x01\x01\xff" : "\x01\x01\x00", 3);
	put_within(&ext, 4, &value);
	put_within(list, 0x30, &ext);
	return true;
}

struct spec {
	struct bytes extensions;
	const char *from, *until;
	bool is_version_1, is_forged, is_raw;
	const struct forge_hash *hash, *inner_hash, *digest;
	const char *by, *key_algorithm, *oid, *params, *exponent, *tail, *after, *behind;
	unsigned char unused, key_unused;
};

/* The argument of a word that is called so, else NULL. */
static const char *argument(const char *word, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(word, name, n) && word[n] == '=' ? word + n + 1 : NULL;
}

/* Words about the signature and the key; false: it is another one. */
static bool read_signing_word(struct spec *s, const char *word)
{
	const char *arg;

	if (!strcmp(word, "forged"))
		s->is_forged = true;
	else if (!strcmp(word, "raw"))
		s->is_raw = true;
	else if ((arg = argument(word, "hash")))
		s->hash = s->inner_hash = s->digest = forge_hash(arg);
	else if ((arg = argument(word, "inner")))
		s->inner_hash = forge_hash(arg);
	else if ((arg = argument(word, "digest")))
		s->digest = forge_hash(arg);
	else if ((arg = argument(word, "by")))
		s->by = arg;
	else if ((arg = argument(word, "oid")))
		s->oid = arg;
	else if ((arg = argument(word, "key")))
		s->key_algorithm = arg;
	else if ((arg = argument(word, "after")))
		s->after = arg;
	else if ((arg = argument(word, "behind")))
		s->behind = arg;
	else if ((arg = argument(word, "keyunused")))
		s->key_unused = (unsigned char)strtoul(arg, NULL, 10);
	else if ((arg = argument(word, "params")))
		s->params = arg;
	else if ((arg = argument(word, "e")))
		s->exponent = arg;
	else if ((arg = argument(word, "tail")))
		s->tail = arg;
	else if ((arg = argument(word, "unused")))
		s->unused = (unsigned char)strtoul(arg, NULL, 10);
	else
		return false;
	return true;
}

static void read_words(struct spec *s, char *words)
{
	start(&s->extensions);
	s->from = "200101000000Z";
	s->until = "400101000000Z";
	s->hash = s->inner_hash = s->digest = forge_hash("256");
	for (char *word = strtok_r(words, " ", &words); word; word = strtok_r(NULL, " ", &words)) {
		if (!strncmp(word, "from=", 5))
			s->from = word + 5;
		else if (!strncmp(word, "until=", 6))
			s->until = word + 6;
		else if (!strcmp(word, "v1"))
			s->is_version_1 = true;
		else if (!read_signing_word(s, word) && !put_extension(&s->extensions, word))
			fail_msg("no such word: %s", word);
	}
}

/* The algorithm of the public key, without its outer tag. */
static void put_key_algorithm(struct bytes *out, int curve)
{
	static const unsigned char rsa[] = {6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0};
	static const unsigned char ec[] = {6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1};
	static const unsigned char p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
	const unsigned char other[] = {6, 5, 0x2b, 0x81, 4, 0, curve == BR_EC_secp384r1 ? 0x22 : 0x23};

	if (!curve) {
		put(out, rsa, sizeof rsa);
		return;
	}
	put(out, ec, sizeof ec);
	if (curve == BR_EC_secp256r1)
		put(out, p256, sizeof p256);
	else
		put(out, other, sizeof other);
}

/* exponent: in hex; NULL for that which fits */
static void put_rsa_numbers(struct bytes *out, const struct forge_key *key, const char *exponent)
{
	unsigned char raw[256] = {3};
	size_t n = exponent ? from_hex(exponent, strlen(exponent), raw) : 1;
	struct bytes modulus, numbers;

	start(&modulus);
	if (key->n[0] & 0x80)
		put(&modulus, "", 1);
	put(&modulus, key->n, key->n_len);
	put_within(start(&numbers), 2, &modulus);
	put_element(&numbers, 2, raw, n);
	put_within(out, 0x30, &numbers);
}

static void put_public_key(struct bytes *out, const struct forge_key *key, const struct spec *s)
{
	unsigned char point[BR_EC_KBUF_PUB_MAX_SIZE];
	struct bytes algorithm, bits, both;

	start(&algorithm);
	if (s->key_algorithm)
		put_hex(&algorithm, s->key_algorithm);
	else
		put_key_algorithm(&algorithm, key->curve);
	put(start(&bits), &s->key_unused, 1);
	if (key->curve) {
		const br_ec_private_key x = forge_ec(key);

		put(&bits, point, br_ec_compute_pub(&br_ec_all_m31, NULL, point, &x));
	} else {
		put_rsa_numbers(&bits, key, s->exponent);
	}
	put_within(start(&both), 0x30, &algorithm);
	put_within(&both, 3, &bits);
	put_within(out, 0x30, &both);
}

/* AlgorithmIdentifier of a signature. */
static void put_algorithm(struct bytes *out, const struct spec *s, const struct forge_hash *hash, bool by_ec)
{
	unsigned char oid[64], params[64] = {5, 0};
	size_t n = s->params ? from_hex(s->params, strlen(s->params), params) : by_ec ? 0 : 2;
	size_t oid_n = s->oid ? from_hex(s->oid, strlen(s->oid), oid) : forge_algorithm(hash, by_ec, oid);
	struct bytes list;

	put_element(start(&list), 6, oid, oid_n);
	put(&list, params, n);
	put_within(out, 0x30, &list);
}

static void put_time(struct bytes *out, const char *text)
{
	put_element(out, strlen(text) == 13 ? 0x17 : 0x18, text, strlen(text));
}

/* What of the text before the words is the subject, and the issuer. */
struct names {
	const char *subject, *issuer;
	size_t subject_n, issuer_n;
	bool by_ec; /* what the signature is said to be */
};

static void make_body(struct bytes *body, const struct spec *s, const struct names *who)
{
	struct bytes tbs, dates, list, outer;
	struct forge_key key;

	start(&tbs);
	if (!s->is_version_1)
		put(&tbs, "\xa0\x03\x02\x01\x02", 5);
	put_element(&tbs, 2, "\x01", 1);
	put_algorithm(&tbs, s, s->inner_hash, who->by_ec);
	put_name(&tbs, who->issuer, who->issuer_n);
	put_time(start(&dates), s->from);
	put_time(&dates, s->until);
	put_within(&tbs, 0x30, &dates);
	put_name(&tbs, who->subject, who->subject_n);
	forge_key_make(&key, who->subject, who->subject_n);
	put_public_key(&tbs, &key, s);
	if (s->extensions.b.len) {
		put_within(start(&list), 0x30, &s->extensions);
		put_within(start(&outer), 0xa3, &list);
		put(&tbs, outer.p, outer.b.len);
	}
	put_within(body, 0x30, &tbs);
}

static void put_signature(struct bytes *all, const struct spec *s, const struct names *who, const struct forge_key *signer)
{
	unsigned char hash[64], made[FORGE_SIGNATURE_MAX];
	struct bytes bits;
	size_t n;

	forge_digest(s->digest, all->p, all->b.len, hash);
	hash[sizeof hash / 4] ^= s->is_forged; /* within each of them */
	n = forge_sign(signer, s->digest, hash, !s->is_raw, made);
	put(start(&bits), &s->unused, 1);
	put(&bits, made, n);
	put_hex(&bits, s->tail);
	put_algorithm(all, s, s->hash, who->by_ec);
	put_within(all, 3, &bits);
}

static size_t make_cert(const char *text, unsigned char out[FORGE_MAX])
{
	struct names who = {.subject = text, .subject_n = strcspn(text, "<")};
	struct spec s = {.from = NULL};
	struct forge_key signer;
	struct bytes all, whole;
	char words[512];

	who.issuer = text + who.subject_n + 1;
	who.issuer_n = strcspn(who.issuer, " ");
	(void)snprintf(words, sizeof words, "%s", who.issuer + who.issuer_n);
	read_words(&s, words);
	forge_key_make(&signer, who.issuer, who.issuer_n);
	who.by_ec = s.by ? !strcmp(s.by, "ec") : signer.curve != 0;
	make_body(start(&all), &s, &who);
	put_signature(&all, &s, &who, &signer);
	put_hex(&all, s.after);
	put_within(start(&whole), 0x30, &all);
	put_hex(&whole, s.behind);
	memcpy(out, whole.p, whole.b.len);
	return whole.b.len;
}

/* The last ones made: most are asked for again, and signing is slow. */
struct made {
	char text[512];
	unsigned char der[FORGE_MAX];
	size_t n;
};

size_t forge_cert(const char *text, unsigned char out[FORGE_MAX])
{
	static struct made kept[64];
	static size_t next;
	size_t i = 0;

	while (i < COUNT(kept) && strcmp(kept[i].text, text) != 0)
		i++;
	if (i == COUNT(kept)) {
		i = next++ % COUNT(kept);
		assert_true(strlen(text) < sizeof kept[i].text);
		kept[i].n = make_cert(text, kept[i].der);
		(void)snprintf(kept[i].text, sizeof kept[i].text, "%s", text);
	}
	memcpy(out, kept[i].der, kept[i].n);
	return kept[i].n;
}

void forge_pem(const char *text, struct buf *out)
{
	unsigned char der[FORGE_MAX];
	size_t n = forge_cert(text, der);

	buf_str(out, "-----BEGIN CERTIFICATE-----\n");
	for (size_t at = 0; at < n; at += 48) {
		buf_base64(out, (const char *)der + at, n - at < 48 ? n - at : 48);
		buf_str(out, "\n");
	}
	buf_str(out, "-----END CERTIFICATE-----\n");
}
