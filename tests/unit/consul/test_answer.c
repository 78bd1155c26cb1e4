/* consul/answer: what a status means, and from which index a blocking query goes on. */
#include "support.h"

#include "consul/answer.h"

static const struct {
	int first, last;
	enum consul_meaning meaning;
	enum err_kind kind;
} meanings[] = {
	{100, 199, CONSUL_REFUSED, ERR_REFUSED}, {200, 200, CONSUL_DONE, ERR_NONE},       {201, 400, CONSUL_REFUSED, ERR_REFUSED},
	{401, 401, CONSUL_AUTH, ERR_AUTH},       {402, 402, CONSUL_REFUSED, ERR_REFUSED}, {403, 403, CONSUL_AUTH, ERR_AUTH},
	{404, 404, CONSUL_MISSING, ERR_REFUSED}, {405, 428, CONSUL_REFUSED, ERR_REFUSED}, {429, 429, CONSUL_TRANSIENT, ERR_RETRY},
	{430, 499, CONSUL_REFUSED, ERR_REFUSED}, {500, 599, CONSUL_TRANSIENT, ERR_RETRY},
};

static void test_meanings(void **state)
{
	static struct consul_answer a;

	(void)state;
	for (size_t i = 0; i < COUNT(meanings); i++) {
		for (int status = meanings[i].first; status <= meanings[i].last; status++) {
			struct http_sink sink = consul_answer_begin(&a);
			struct err e = {0};
			bool is_done = meanings[i].meaning == CONSUL_DONE;
			char text[32];

			assert_int_equal(test_answer(&sink, status, "", "why", 0, &e), 0);
			CHECK(consul_meaning(status) == meanings[i].meaning, "%d", status);
			CHECK(consul_answer_finish(&a, &e) == (is_done ? 0 : -1), "%d", status);
			CHECK(e.kind == meanings[i].kind, "%d: %s", status, err_kind_name(e.kind));
			(void)snprintf(text, sizeof text, "HTTP %d: why", status);
			CHECK(is_done || strcmp(e.text, text) == 0, "%d: %s", status, e.text);
		}
	}
}

static const struct {
	const char *headers;
	uint64_t index;
} indexes[] = {
	{"", 0},
	{"X-Consul-Index: 17\n", 17},
	{"x-consul-index: 18446744073709551615\n", UINT64_MAX},
	{"X-Consul-Index: 18446744073709551616\n", 0},
	{"X-Consul-Index: -1\n", 0},
	{"X-Consul-Index: 7\nX-Consul-Index: x\n", 0},
	{"X-Consul-Indexes: 7\n", 0},
};

static void test_index(void **state)
{
	static struct consul_answer a;

	(void)state;
	for (size_t i = 0; i < COUNT(indexes); i++) {
		struct http_sink sink = consul_answer_begin(&a);
		struct err e = {0};

		assert_int_equal(test_answer(&sink, 200, indexes[i].headers, "", 0, &e), 0);
		CHECK(a.index == indexes[i].index, "%s", indexes[i].headers);
	}
}

/* Too much is a fault of what is wanted; an error is told by its status, however long it is. */
static void test_long(void **state)
{
	static char body[2 * CONSUL_BODY_MAX];
	static struct consul_answer a;

	(void)state;
	for (size_t len = CONSUL_BODY_MAX; len < sizeof body; len += CONSUL_BODY_MAX - 1)
		for (size_t step = 0; step < 1000; step += 999) {
			struct http_sink sink = consul_answer_begin(&a);
			struct err e = {0};
			bool fits = len == CONSUL_BODY_MAX;

			memset(body, 'a', len);
			body[len] = '\0';
			assert_int_equal(test_answer(&sink, 503, "", body, step, &e), 0);
			assert_int_equal(consul_answer_finish(&a, &e), -1);
			assert_int_equal(e.kind, ERR_RETRY);
			assert_memory_equal(e.text, "HTTP 503: aaa", 13);
			assert_int_equal(a.len, CONSUL_BODY_MAX);
			sink = consul_answer_begin(&a);
			assert_int_equal(test_answer(&sink, 200, "", body, step, &e), fits ? 0 : -1);
			assert_int_equal(e.kind, fits ? ERR_RETRY : ERR_LIMIT);
		}
}

static void test_next_index(void **state)
{
	(void)state;
	assert_int_equal(consul_next_index(0, 7), 7);
	assert_int_equal(consul_next_index(7, 7), 7);
	assert_int_equal(consul_next_index(7, 8), 8);
	assert_int_equal(consul_next_index(7, 6), 0); /* it went back */
	assert_int_equal(consul_next_index(7, 0), 0);
	assert_int_equal(consul_next_index(0, 0), 1); /* 0 would not block */
}

static void test_wait(void **state)
{
	(void)state;
	assert_int_equal(consul_wait_ms(0), 0);
	assert_int_equal(consul_wait_ms(60), 63750);
	assert_int_equal(consul_wait_ms(4000000), 4250000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meanings),   cmocka_unit_test(test_index), cmocka_unit_test(test_long),
		cmocka_unit_test(test_next_index), cmocka_unit_test(test_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
