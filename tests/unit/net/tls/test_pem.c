/* net/tls/pem: what of a file is read, and what around it is passed over. */
#include "support.h"

#include "net/tls/pem.h"

struct seen {
	size_t n;
	char labels[200];
	unsigned char last[48]; /* the beginning of the last object */
};

static int note(void *ctx, const char *label, const unsigned char *p, size_t n, struct err *e)
{
	struct seen *s = ctx;

	(void)e;
	s->n++;
	memcpy(s->last, p, n < sizeof s->last ? n : sizeof s->last);
	(void)snprintf(s->labels + strlen(s->labels), sizeof s->labels - strlen(s->labels), "%s:%zu:%02x ", label, n, n ? p[0] : 0);
	return 0;
}

#define MARK "\xef\xbb\xbf"
#define ONE "-----BEGIN A-----\nMAMCAQE=\n-----END A-----\n"
#define TWO "-----BEGIN B-----\r\nMAMC\r\nAQE=\r\n-----END B-----\r\n"

/* Text around objects, either end of a line, byte order marks: each in one block, and across two. */
static void test_pem(void **state)
{
	static const struct {
		const char *text, *labels;
	} rows[] = {
		{ONE, "A:5:30 "},
		{TWO, "B:5:30 "},
		{ONE TWO, "A:5:30 B:5:30 "},
		{"text\n" ONE "more\n" TWO "end", "A:5:30 B:5:30 "},
		{MARK ONE, "A:5:30 "},
		{MARK TWO, "B:5:30 "},
		{MARK ONE MARK TWO, "A:5:30 B:5:30 "},
		{MARK "text\r\n\r\n" TWO, "B:5:30 "},
		{"\n" MARK ONE, "A:5:30 "},
		{" " ONE, ""},
		{MARK, ""},
	};
	static char text[4096 + 300];

	(void)state;
	/* In front of it so much that a block of 4096 bytes ends at each of its bytes. */
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t n = strlen(rows[i].text);

		for (size_t before = 0; before <= n + 1; before++) {
			struct seen seen = {.n = 0};
			struct pem_sink sink = {.ctx = &seen, .object = note};
			size_t padding = before ? 4096 - before + 1 : 0;
			struct err e = {0};

			memset(text, '#', padding);
			if (padding)
				text[padding - 1] = '\n';
			memcpy(text + padding, rows[i].text, n);
			assert_int_equal(pem_read_file(test_file(text, padding + n), &sink, &e), 0);
			CHECK(!strcmp(seen.labels, rows[i].labels), "row %zu, %zu: %s", i, before, seen.labels);
		}
	}
}

/* What base64 says, byte by byte; and what is damaged, however it is. */
static void test_data(void **state)
{
	static const struct {
		const char *text, *labels, *error;
	} rows[] = {
		{"-----begin rsa key-----\nMAMC\n-----end x", "RSA KEY:3:30 ", NULL},
		{"-----BEGIN A-----\n-----END A-----", "A:0:00 ", NULL},
		{"-----BEGIN A-----\nMA==\n-----END A-----", "A:1:30 ", NULL},
		{"-----BEGIN A-----\nMAM=\n\n-----END A-----\nx", "A:2:30 ", NULL},
		{"-----BEGIN A-----\n M AMC\n\t+/+/ \n-----END A-----\n", "A:6:30 ", NULL},
		{"-----BEGIN A----\n/+89\n-----END ", "A:3:ff ", NULL},
		{"-----BEGIN\n-----BEGIN A\nMAMC\n-----END ", "A:3:30 ", NULL},
		{"------BEGIN A-----\nMAMC\n-----END A-----\n", "", NULL},
		{"-----BEGIN A-----\nMA\n-----END A-----", "", "a A is damaged"},
		{"-----BEGIN A-----\nMB==\n-----END A-----", "", "a A is damaged"},
		{"-----BEGIN A-----\nMAN=\n-----END A-----", "", "a A is damaged"},
		{"-----BEGIN A-----\nA===\n-----END A-----", "", "a A is damaged"},
		{"-----BEGIN A-----\nMA=C\n-----END A-----", "", "a A is damaged"},
		{"-----BEGIN A-----\nMA==\nMAMC\n-----END A-----", "", "a A is damaged"},
		{"-----BEGIN A-----\nMA==\n=\n-----END A-----", "", "a A is damaged"},
		{"-----BEGIN A-----\nMA-C\n-----END A-----", "", "a A is damaged"},
		{"-----BEGIN A-----\nMAMC-----END A-----", "", "a A is damaged"},
		{"-----BEGIN A-----\nMA_C\n-----END A-----", "", "a A is damaged"},
		{"-----BEGIN A-----\nM\200MC\n-----END A-----", "", "a A is damaged"},
		{"-----BEGIN A-----\nMAMC\n-----BEGIN B-----\n", "", "a A is damaged"},
		{"-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n", "", "a A is damaged, or encrypted"},
		{"-----BEGIN A-----\nMAMC\n", "", "the last A has no end"},
		{"-----BEGIN A-----\nMAMC\n-----END", "", "a A is damaged"},
		{"-----BEGIN A", "", "the last A has no end"},
		{"-----BEGIN 123456789012345678901234567890123456789012345678901234567890123\nMAMC\n-----END ",
		 "123456789012345678901234567890123456789012345678901234567890123:3:30 ", NULL},
		{"-----BEGIN 1234567890123456789012345678901234567890123456789012345678901234\nMAMC\n-----END ", "",
		 "a PEM label is too long"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct seen seen = {.n = 0};
		struct pem_sink sink = {.ctx = &seen, .object = note};
		struct err e = {0};
		int failed = pem_read_file(test_file(rows[i].text, strlen(rows[i].text)), &sink, &e);

		CHECK(failed == (rows[i].error ? -1 : 0), "row %zu: %d %s", i, failed, e.text);
		CHECK(!strcmp(seen.labels, rows[i].labels), "row %zu: %s", i, seen.labels);
		CHECK(!rows[i].error || (e.kind == ERR_CONFIG && strstr(e.text, rows[i].error)), "row %zu: %s", i, e.text);
	}
}

/* Each digit. */
static void test_digits(void **state)
{
	static const char text[] = "-----BEGIN A-----\n"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\n"
				   "-----END A-----\n";
	struct seen seen = {.n = 0};
	struct pem_sink sink = {.ctx = &seen, .object = note};
	struct err e = {0};

	(void)state;
	CHECK(pem_read_file(test_file(text, sizeof text - 1), &sink, &e) == 0, "%s", e.text);
	for (size_t i = 0; i < 64; i += 4) {
		const unsigned char *p = seen.last + i / 4 * 3;
		unsigned bits = (unsigned)(p[0] << 16 | p[1] << 8 | p[2]);

		CHECK(bits == (i << 18 | (i + 1) << 12 | (i + 2) << 6 | (i + 3)), "digit %zu: %06x", i, bits);
	}
}

/* The longest object, and one byte more. */
static void test_object_max(void **state)
{
	static char text[64 + PEM_OBJECT_MAX * 4 / 3 + 64];

	(void)state;
	for (size_t more = 0; more < 2; more++) {
		struct seen seen = {.n = 0};
		struct pem_sink sink = {.ctx = &seen, .object = note};
		struct err e = {0};
		size_t n = (size_t)sprintf(text, "-----BEGIN A-----\n");

		for (size_t i = 0; i < PEM_OBJECT_MAX / 3; i++)
			n += (size_t)sprintf(text + n, "gYGB");
		n += (size_t)sprintf(text + n, "%s\n-----END A-----\n", more ? "gYE=" : "gQ==");
		CHECK(pem_read_file(test_file(text, n), &sink, &e) == (more ? -1 : 0), "%s", e.text);
		CHECK(!strcmp(seen.labels, more ? "" : "A:16384:81 "), "%s", seen.labels);
		CHECK(!more || strstr(e.text, "longer than 16384 bytes"), "%s", e.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pem),
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_digits),
		cmocka_unit_test(test_object_max),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
