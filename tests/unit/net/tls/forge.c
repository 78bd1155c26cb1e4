#include "net/tls/forge.h"

#include <bearssl.h>

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

/* A key pair from a name: the private one is its hash. */
static void make_key(const char *name, size_t n, br_ec_private_key *key, unsigned char x[32])
{
	br_sha256_context h;

	br_sha256_init(&h);
	br_sha256_update(&h, name, n);
	br_sha256_out(&h, x);
	*key = (br_ec_private_key){.curve = BR_EC_secp256r1, .x = x, .xlen = 32};
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
	bool is_critical = *word == '!';
	struct bytes value, ext;
	const char *arg;

	word += is_critical;
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
	if (is_critical)
		put(&ext, "\x01\x01\xff", 3);
	put_within(&ext, 4, &value);
	put_within(list, 0x30, &ext);
	return true;
}

struct spec {
	struct bytes extensions;
	const char *from, *until;
	bool is_version_1, is_forged;
};

static void read_words(struct spec *s, char *words)
{
	start(&s->extensions);
	s->from = "200101000000Z";
	s->until = "400101000000Z";
	for (char *word = strtok_r(words, " ", &words); word; word = strtok_r(NULL, " ", &words)) {
		if (!strncmp(word, "from=", 5))
			s->from = word + 5;
		else if (!strncmp(word, "until=", 6))
			s->until = word + 6;
		else if (!strcmp(word, "v1"))
			s->is_version_1 = true;
		else if (!strcmp(word, "forged"))
			s->is_forged = true;
		else if (!put_extension(&s->extensions, word))
			fail_msg("no such word: %s", word);
	}
}

static void put_public_key(struct bytes *out, const br_ec_private_key *key)
{
	static const unsigned char algorithm[] = {0x30, 0x13, 6,    7,    0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1,
						  6,    8,    0x2a, 0x86, 0x48, 0xce, 0x3d, 3,    1,    7};
	unsigned char bits[1 + BR_EC_KBUF_PUB_MAX_SIZE] = {0};
	size_t n = br_ec_compute_pub(&br_ec_all_m31, NULL, bits + 1, key);
	struct bytes both;

	put(start(&both), algorithm, sizeof algorithm);
	put_element(&both, 3, bits, n + 1);
	put_within(out, 0x30, &both);
}

static const unsigned char ecdsa_sha256[] = {0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2};

static void put_time(struct bytes *out, const char *text)
{
	put_element(out, strlen(text) == 13 ? 0x17 : 0x18, text, strlen(text));
}

static void make_body(struct bytes *body, const struct spec *s, const char *text, size_t subject_n, size_t issuer_n)
{
	static unsigned char serial;
	struct bytes tbs, dates, list, outer;
	br_ec_private_key key;
	unsigned char x[32];

	start(&tbs);
	if (!s->is_version_1)
		put(&tbs, "\xa0\x03\x02\x01\x02", 5);
	serial = (unsigned char)(serial % 100 + 1);
	put_element(&tbs, 2, &serial, 1);
	put(&tbs, ecdsa_sha256, sizeof ecdsa_sha256);
	put_name(&tbs, text + subject_n + 1, issuer_n);
	put_time(start(&dates), s->from);
	put_time(&dates, s->until);
	put_within(&tbs, 0x30, &dates);
	put_name(&tbs, text, subject_n);
	make_key(text, subject_n, &key, x);
	put_public_key(&tbs, &key);
	if (s->extensions.b.len) {
		put_within(start(&list), 0x30, &s->extensions);
		put_within(start(&outer), 0xa3, &list);
		put(&tbs, outer.p, outer.b.len);
	}
	put_within(body, 0x30, &tbs);
}

size_t forge_cert(const char *text, unsigned char out[FORGE_MAX])
{
	size_t subject_n = strcspn(text, "<"), issuer_n = strcspn(text + subject_n + 1, " ");
	struct bytes all, whole;
	struct spec s = {.from = NULL};
	unsigned char hash[32], x[32], bits[1 + 80] = {0};
	br_ec_private_key signer;
	br_sha256_context h;
	char words[512];
	size_t n;

	(void)snprintf(words, sizeof words, "%s", text + subject_n + 1 + issuer_n);
	read_words(&s, words);
	make_body(start(&all), &s, text, subject_n, issuer_n);
	br_sha256_init(&h);
	br_sha256_update(&h, all.p, all.b.len);
	br_sha256_out(&h, hash);
	hash[0] ^= s.is_forged;
	make_key(text + subject_n + 1, issuer_n, &signer, x);
	n = br_ecdsa_i31_sign_asn1(&br_ec_all_m31, &br_sha256_vtable, hash, &signer, bits + 1);
	assert_true(n > 0);
	put(&all, ecdsa_sha256, sizeof ecdsa_sha256);
	put_element(&all, 3, bits, n + 1);
	put_within(start(&whole), 0x30, &all);
	memcpy(out, whole.p, whole.b.len);
	return whole.b.len;
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
