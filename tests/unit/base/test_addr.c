/* base/addr: addresses as RFC 5952 wants them, and what is written is read back. */
#include "support.h"

#include <arpa/inet.h>

#include "base/addr.h"

static const char *const kept[] = {
	"0.0.0.0",
	"192.0.2.1",
	"255.255.255.255",
	"::",
	"::1",
	"1::",
	"2001:db8::1",
	"2001:db8::1:0:0:1",    /* the first of two runs of the same length */
	"2001:0:0:1::1",        /* the longer, though it comes later */
	"2001:db8:0:1:1:1:1:1", /* a single zero stays: section 4.2.2 */
	"1:0:3:4:5:6:7:0",
	"0:1:2:3:4:5:6:7",
	"::2:3:4:5:6:7",
	"1:2:3:4:5:6::",
	"fe80::abcd:ef01",
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	"::ffff:192.0.2.1",
	"::fffe:c000:201",
};

static void test_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(kept); i++) {
		bool is_v6 = strchr(kept[i], ':');
		unsigned char bytes[16];
		char text[ADDR_TEXT_CAP];

		assert_int_equal(addr_parse(kept[i], bytes), is_v6 ? 16 : 4);
		addr_format(bytes, is_v6 ? 16 : 4, text);
		assert_string_equal(text, kept[i]);
	}
}

static void test_round_trip(void **state)
{
	uint32_t seed = 20260101;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		unsigned char bytes[16], again[16];
		char text[ADDR_TEXT_CAP];

		/* Half the groups zero, so that runs of all lengths and places occur. */
		for (size_t k = 0; k < 16; k += 2) {
			uint32_t r = test_random(&seed);

			bytes[k] = r & 1 ? 0 : (unsigned char)(r >> 8);
			bytes[k + 1] = r & 1 ? 0 : (unsigned char)(r >> 16);
		}
		addr_format(bytes, 16, text);
		CHECK(addr_parse(text, again) == 16, "cannot read %s", text);
		assert_memory_equal(again, bytes, sizeof bytes);
	}
}

static const struct {
	const char *text;
	size_t n;
} read[] = {
	{"0.0.0.0", 4},
	{"255.255.255.255", 4},
	{"256.0.0.0", 0},
	{"1.2.3", 0},
	{"1.2.3.", 0},
	{"1.2.3.4.", 0},
	{"1.2.3.4.5", 0},
	{".1.2.3", 0},
	{"1..2.3", 0},
	{"01.2.3.4", 0},
	{"1.2.3.00", 0},
	{"1.2.3.4 ", 0},
	{" 1.2.3.4", 0},
	{"1.2.3.-4", 0},
	{"0x1.2.3.4", 0},
	{"99999999999.2.3.4", 0},
	{"", 0},
	{":", 0},
	{"::", 16},
	{":::", 0},
	{"1:", 0},
	{":1", 0},
	{"::1:", 0},
	{":1::", 0},
	{"1::2::3", 0},
	{"1:2:3:4:5:6:7:8", 16},
	{"1:2:3:4:5:6:7", 0},
	{"1:2:3:4:5:6:7:8:9", 0},
	{"1:2:3:4:5:6:7:8:", 0},
	{"1:2:3:4:5:6:7::", 16},
	{"::2:3:4:5:6:7:8", 16},
	{"1:2:3:4:5:6:7:8::", 0},
	{"::1:2:3:4:5:6:7:8", 0},
	{"00001::", 0},
	{"0001::", 16},
	{"g::", 0},
	{"ABCD::ef", 16},
	{"::1.2.3.4", 16},
	{"1:2:3:4:5:6:1.2.3.4", 16},
	{"1:2:3:4:5:6:7:1.2.3.4", 0},
	{"::1:2:3:4:5:6:1.2.3.4", 0},
	{"1:2:3:4:5:1.2.3.4", 0},
	{"::1.2.3", 0},
	{"::1.2.3.4:5", 0},
	{"::1.2.3.256", 0},
	{"fe80::1%eth0", 0},
	{"::1 ", 0},
};

static void test_read(void **state)
{
	unsigned char bytes[16];

	(void)state;
	for (size_t i = 0; i < COUNT(read); i++)
		CHECK(addr_parse(read[i].text, bytes) == read[i].n, "%s", read[i].text);
}

/* As the C library has it, whatever the text. */
static void test_as_libc(void **state)
{
	static const char letters[] = "::::....0125fF9";
	size_t good_n = 0;
	uint32_t seed = 7;

	(void)state;
	for (int i = 0; i < 2000000; i++) {
		unsigned char ours[16], theirs[16];
		size_t len = test_random(&seed) % 14, n;
		char text[16];

		for (size_t k = 0; k < len; k++)
			text[k] = letters[test_random(&seed) % (sizeof letters - 1)];
		text[len] = '\0';
		n = inet_pton(AF_INET, text, theirs) == 1 ? 4 : inet_pton(AF_INET6, text, theirs) == 1 ? 16 : 0;
		CHECK(addr_parse(text, ours) == n, "%s: not %zu", text, n);
		CHECK(!n || !memcmp(ours, theirs, n), "%s", text);
		good_n += n != 0;
	}
	assert_true(good_n > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_as_libc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
