/*
 * net/tls/verifier against `openssl verify -purpose sslserver -auth_level 2`: chains put together at
 * random, and both must come to the same verdict. (ROUNDS=1000 in the environment: so many, others.)
 * Left out is where they are meant to differ: OpenSSL takes no anyExtendedKeyUsage, looks at common
 * names when there is no dNSName, lets a wildcard stand for a name that is excluded, does not count
 * issuers that signed themselves, knows kinds of constraints that are refused here, tries one path
 * where several bear the same names, wants no digitalSignature of a server that could do a key
 * exchange, takes 2047 bits for 2048, judges the length of the root's key, and no algorithm's parameters.
 */
#include "support.h"

#include <sys/wait.h>
#include <unistd.h>

#include "net/tls/forge.h"
#include "net/tls/judge.h"

#define ROUNDS 100
#define TEXT_CAP 200

static char folder[] = "/tmp/dnsbuddy-unit-XXXXXX";

/* More often nothing than something, so that enough of the chains are good ones. */
static const char *const of_issuers[] = {
	"",
	"",
	"",
	"",
	"",
	"",
	"",
	" eku=server",
	" !eku=client,server",
	" eku=mail",
	" eku=client",
	" nc=+DNS:test",
	" !nc=+DNS:test,+DNS:other",
	" nc=+DNS:.server.test",
	" nc=+DNS:a.server.test",
	" !nc=-DNS:other.test",
	" nc=-DNS:server.test",
	" nc=-DNS:a.server.test,+DNS:test",
	" nc=+IP:0a000000ff000000",
	" nc=-IP:0a010000ffff0000",
	" nc=+IP:0a000000ff000000,+DNS:server.test",
	" !ku=04",
	" !ku=80",
	" !unknown",
	" unknown",
	" san=DNS:ca.other.test",
	" until=250101000000Z",
	" from=300101000000Z",
	" raw=37:0500",
};
static const char *const kinds[] = {"", "", "", "", "", "#p384", "#p521", "#rsa2048", "#rsa2048b"};
static const char *const hashes[] = {"", "", "", "", " hash=384", " hash=512"};
static const char *const odd_signatures[] = {
	" hash=1", " inner=384", " unused=1", " tail=00", " digest=384", " params=", " params=0500", " raw", " forged",
};
static const char *const of_servers[] = {
	"",
	"",
	"",
	"",
	"",
	"",
	" eku=server",
	" !eku=server",
	" eku=client",
	" !eku=mail,server",
	" ku=80",
	" ku=a0",
	" ku=04",
	" unknown",
	" !unknown",
	" until=250101000000Z",
};
static const char *const names[] = {
	"DNS:server.test",
	"DNS:server.test",
	"DNS:server.test",
	"DNS:Server.TEST,DNS:a.server.test",
	"DNS:*.test,DNS:server.test",
	"DNS:server.test,IP:0a010203",
	"DNS:server.test,IP:0b010203",
	"DNS:a.server.test",
	"IP:0a010203",
	"DNS:server.test,DNS:x.other.test",
	"DNS:server.test,MAIL:me@other.test",
};
static const char *const of_basics[] = {"!ca", "!ca", "!ca", "!ca", "ca", "!ca=0", "!ca=1", "!ca=2", "noca"};

#define PICK(seed, list) (list)[test_random_below(seed, COUNT(list))]

struct scene {
	char root[1][TEXT_CAP];
	char chain[8][TEXT_CAP]; /* the server's own first */
	size_t n;
};

static void shuffle(struct scene *s, uint32_t *seed)
{
	for (size_t i = 1; i < s->n; i++) {
		size_t k = 1 + test_random_below(seed, (uint32_t)(s->n - 1));
		char kept[TEXT_CAP];

		memcpy(kept, s->chain[i], TEXT_CAP);
		memcpy(s->chain[i], s->chain[k], TEXT_CAP);
		memcpy(s->chain[k], kept, TEXT_CAP);
	}
}

static const char *pick_kind(uint32_t *seed)
{
	return test_random_below(seed, 40) ? PICK(seed, kinds) : "#rsa1024";
}

static const char *pick_signature(uint32_t *seed)
{
	return test_random_below(seed, 12) ? PICK(seed, hashes) : PICK(seed, odd_signatures);
}

static void make_scene(struct scene *s, uint32_t *seed)
{
	size_t depth = test_random_below(seed, 4);
	const char *kind[4];

	/* The root's key may be short here. */
	kind[0] = PICK(seed, kinds);
	for (size_t i = 1; i <= depth; i++)
		kind[i] = pick_kind(seed);
	(void)snprintf(s->root[0], TEXT_CAP, "CA0%s<CA0%s %s%s", kind[0], kind[0], PICK(seed, of_basics), PICK(seed, of_issuers));
	(void)snprintf(s->chain[0], TEXT_CAP, "leaf%s<CA%zu%s san=%s%s%s", pick_kind(seed), depth, kind[depth], PICK(seed, names),
		       PICK(seed, of_servers), pick_signature(seed));
	s->n = 1;
	for (size_t i = depth; i > 0; i--)
		(void)snprintf(s->chain[s->n++], TEXT_CAP, "CA%zu%s<CA%zu%s %s%s%s", i, kind[i], i - 1, kind[i - 1],
			       PICK(seed, of_basics), PICK(seed, of_issuers), pick_signature(seed));
	if (depth && !test_random_below(seed, 12))
		s->n--; /* one is missing */
	if (!test_random_below(seed, 3))
		memcpy(s->chain[s->n++], s->root[0], TEXT_CAP);
	if (!test_random_below(seed, 3))
		(void)snprintf(s->chain[s->n++], TEXT_CAP, "Stray<Nobody !ca");
	if (!test_random_below(seed, 2))
		shuffle(s, seed);
}

static void write_pem(const char *name, char (*certs)[TEXT_CAP], size_t n)
{
	static char text[65536];
	char path[128];
	struct buf b;
	FILE *file;

	buf_init(&b, text, sizeof text);
	for (size_t i = 0; i < n; i++)
		forge_pem(certs[i], &b);
	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_true(file && fwrite(b.p, 1, b.len, file) == b.len && !fclose(file));
}

static bool is_right_for_openssl(struct scene *s)
{
	char command[1024];
	int status;

	write_pem("root", s->root, 1);
	write_pem("leaf", s->chain, 1);
	write_pem("rest", s->chain, s->n);
	(void)snprintf(
		command, sizeof command,
		"cd %s && openssl verify -no-CAfile -no-CApath -trusted root -untrusted rest -purpose sslserver -auth_level 2 "
		"-attime %d -verify_hostname server.test leaf >out 2>&1",
		folder, JUDGE_NOW_SEC);
	status = system(command); /* NOLINT(cert-env33-c): a test */
	assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2));
	return WEXITSTATUS(status) == 0;
}

static void test_same(void **state)
{
	const char *more = getenv("ROUNDS");
	size_t right_n = 0, rounds = more ? strtoul(more, NULL, 10) : ROUNDS;
	uint32_t seed = more ? (uint32_t)rounds : 20161125;

	(void)state;
	for (size_t i = 0; i < rounds; i++) {
		struct scene s;
		struct judged j = {.roots = {s.root[0]}};
		const char *text;
		bool is_right;

		make_scene(&s, &seed);
		for (size_t k = 0; k < s.n; k++)
			j.chain[k] = s.chain[k];
		text = judge_text(&j);
		is_right = is_right_for_openssl(&s);
		right_n += is_right;
		CHECK(is_right == (strcmp(text, "ok") == 0), "round %zu: openssl: %s; here: %s\n  %s\n  %s\n  %s\n  %s\n  %s", i,
		      is_right ? "ok" : "refused", text, s.root[0], s.chain[0], s.n > 1 ? s.chain[1] : "",
		      s.n > 2 ? s.chain[2] : "", s.n > 3 ? s.chain[3] : "");
	}
	/* Both verdicts were asked for. */
	CHECK(right_n > rounds / 10 && right_n < rounds * 9 / 10, "%zu of %zu are right", right_n, rounds);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const files[] = {"root", "leaf", "rest", "out"};
	char path[128];

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, files[i]);
		(void)unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
