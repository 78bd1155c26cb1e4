/* net/tls/pem: what of a file is read, and what around it is passed over. */
#include "support.h"

#include "net/tls/pem.h"

struct seen {
	size_t n;
	char labels[200];
};

static int note(void *ctx, const char *label, const unsigned char *p, size_t n, struct err *e)
{
	struct seen *s = ctx;

	(void)e;
	s->n++;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
