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

		assert_int_equal(inet_pton(is_v6 ? AF_INET6 : AF_INET, kept[i], bytes), 1);
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
		CHECK(inet_pton(AF_INET6, text, again) == 1, "cannot read %s", text);
		assert_memory_equal(again, bytes, sizeof bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
