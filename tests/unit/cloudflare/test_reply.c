/* The envelope of Cloudflare's answers, its errors, and when to come again. */
#include "support.h"

#include "cloudflare/reply.h"

static char element_buf[JSON_ELEMENT_MAX + 1], rest[JSON_REST_MAX + 1];
static struct cf_reply reply;

static int ask(int status, const char *headers, const char *body, size_t step, struct err *e)
{
	struct http_sink sink = cf_reply_begin(&reply, JSON_CUT_NONE, NULL, NULL, element_buf, rest);

	if (test_answer(&sink, status, headers, body, step, e))
		return -1;
	return cf_reply_finish(&reply, e);
}

#define ERROR(code, message) "{\"code\":" #code ",\"message\":\"" message "\"}"
#define FAILED(errors) "{\"result\":null,\"success\":false,\"errors\":[" errors "],\"messages\":[]}"

static const struct {
	int status;
	const char *body;
	enum err_kind kind;
	const char *says;
} bad[] = {
	/* the envelope */
	{200, "", ERR_PROTO, "cut off"},
	{200, "{", ERR_PROTO, "cut off"},
	{200, "{}", ERR_PROTO, "success"},
	{200, "[]", ERR_PROTO, "success"},
	{200, "{\"success\":\"true\"}", ERR_PROTO, "success"},
	{200, "{\"success\":null}", ERR_PROTO, "success"},
	{200, "<!DOCTYPE html>", ERR_PROTO, "not JSON"},
	{204, "", ERR_PROTO, "cut off"},
	{200, FAILED(ERROR(1004, "DNS Validation Error")), ERR_REFUSED, "HTTP 200: DNS Validation Error (code 1004)"},
	{200, FAILED(""), ERR_REFUSED, "HTTP 200"},
	{400, "{\"success\":true,\"result\":{}}", ERR_REFUSED, "HTTP 400"},
	/* the edge's own pages */
	{502, "<html>\n<h1>Bad gateway</h1></html>", ERR_RETRY, "HTTP 502 with a body that is no JSON"},
	{503, "", ERR_RETRY, "HTTP 503"},
	{403, "<html>Attention required</html>", ERR_RETRY, "HTTP 403 with a body that is no JSON"},
	{404, "not found", ERR_REFUSED, "HTTP 404"},
	{301, "", ERR_REFUSED, "HTTP 301"},
	/* by status */
	{429, "{}", ERR_BUSY, "HTTP 429"},
	{429, "<html>", ERR_BUSY, "HTTP 429"},
	{408, "{}", ERR_RETRY, "HTTP 408"},
	{500, FAILED(ERROR(10000, "Authentication error")), ERR_RETRY, "code 10000"},
	{520, "", ERR_RETRY, "HTTP 520"},
	{599, "{}", ERR_RETRY, "HTTP 599"},
	{401, "{}", ERR_AUTH, "HTTP 401"},
	{403, "{}", ERR_AUTH, "HTTP 403"},
	{400, "{}", ERR_REFUSED, "HTTP 400"},
	/* by code */
	{400, FAILED(ERROR(6003, "Invalid request headers")), ERR_AUTH, "code 6003"},
	{400, FAILED(ERROR(10000, "Authentication error")), ERR_AUTH, "code 10000"},
	{400, FAILED(ERROR(9109, "Invalid access token")), ERR_AUTH, "code 9109"},
	{404, FAILED(ERROR(7003, "Could not route")), ERR_CONFIG, "code 7003"},
	{403, FAILED(ERROR(7003, "Could not route")), ERR_CONFIG, "code 7003"},
	{400, FAILED(ERROR(81058, "An identical record already exists.")), ERR_REFUSED, "81058"},
	{400, FAILED(ERROR(81053, "A CNAME is there")), ERR_REFUSED, "81053"},
	/* several, and chains */
	{400, FAILED(ERROR(1, "one") "," ERROR(2, "two")), ERR_REFUSED, "HTTP 400: one (code 1); two (code 2)"},
	{400,
	 FAILED("{\"code\":6003,\"message\":\"Invalid request headers\",\"error_chain\":[" ERROR(
		 6111, "Invalid format for Authorization header") "]}"),
	 ERR_AUTH, "Invalid request headers (code 6003): Invalid format for Authorization header (code 6111)"},
	{400, FAILED("{\"code\":1004,\"error_chain\":[" ERROR(9005, "a") "," ERROR(9009, "b") "]}"), ERR_REFUSED,
	 "(code 1004): a (code 9005): b (code 9009)"},
	{400, FAILED("{\"code\":1004,\"message\":\"x\",\"error_chain\":[" ERROR(9109, "t") "]}"), ERR_AUTH, "code 9109"},
	/* odd ones */
	{400, FAILED("7,null,{},\"x\",{\"code\":\"1\",\"message\":2}"), ERR_REFUSED, "(code 0)"},
	{400, "{\"errors\":{\"code\":1}}", ERR_REFUSED, "HTTP 400"},
	{400, "{\"errors\":null}", ERR_REFUSED, "HTTP 400"},
	{400, FAILED(ERROR(1, "line\\nbreak")), ERR_REFUSED, "line?break"},
	{400, FAILED(ERROR(1, "") "," ERROR(81044, "gone")), ERR_REFUSED, "gone (code 81044)"},
	{400, "{\"success\":false,\"errors\":[", ERR_REFUSED, "no JSON"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		for (size_t step = 0; step < 3; step++) {
			struct err e = {0};

			CHECK(ask(bad[i].status, "", bad[i].body, step, &e) == -1, "%s", bad[i].body);
			CHECK(e.kind == bad[i].kind && strstr(e.text, bad[i].says), "%d %s: %s (%s)", bad[i].status, bad[i].body,
			      e.text, err_kind_name(e.kind));
		}
	}
}

static void test_good(void **state)
{
	static const int statuses[] = {200, 201, 202};
	struct err e = {0};
	bool on = false;

	(void)state;
	for (size_t i = 0; i < COUNT(statuses); i++)
		for (size_t step = 0; step < 3; step++) {
			assert_int_equal(ask(statuses[i], "",
					     "{\"success\":true,\"errors\":[],"
					     "\"result\":{\"on\":true}} \n",
					     step, &e),
					 0);
			assert_int_equal(json_boolean(json_get(json_get(0, "result"), "on"), &on), 0);
			assert_true(on);
			assert_int_equal(reply.meaning, CF_DONE);
		}
}

/* Every code that means something, and some that do not. */
static const struct {
	int first, last;
	enum cf_meaning meaning;
	enum err_kind kind;
} numbers[] = {
	{7003, 7003, CF_NO_ZONE, ERR_CONFIG},
	{6003, 6003, CF_AUTH, ERR_AUTH},
	{6103, 6103, CF_AUTH, ERR_AUTH},
	{6111, 6111, CF_AUTH, ERR_AUTH},
	{9103, 9103, CF_AUTH, ERR_AUTH},
	{9106, 9106, CF_AUTH, ERR_AUTH},
	{9109, 9109, CF_AUTH, ERR_AUTH},
	{10000, 10001, CF_AUTH, ERR_AUTH},
	{81044, 81044, CF_GONE, ERR_REFUSED},
	{81045, 81045, CF_QUOTA, ERR_REFUSED},
	{81053, 81054, CF_IN_THE_WAY, ERR_REFUSED},
	{81057, 81058, CF_EXISTS, ERR_REFUSED},
	{1004, 1004, CF_REFUSED, ERR_REFUSED}, /* says nothing without its chain */
	{9005, 9041, CF_REFUSED, ERR_REFUSED},
	{81000, 81043, CF_REFUSED, ERR_REFUSED},
	{81059, 82000, CF_REFUSED, ERR_REFUSED},
	/* no codes, though they are statuses that mean something */
	{400, 599, CF_REFUSED, ERR_REFUSED},
	{-403, -403, CF_REFUSED, ERR_REFUSED},
};

static void ask_code(int code, struct err *e)
{
	char body[256];

	(void)snprintf(body, sizeof body, FAILED("{\"code\":%d,\"message\":\"\"}"), code);
	assert_int_equal(ask(400, "", body, 0, e), -1);
}

static void test_numbers(void **state)
{
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		for (int code = numbers[i].first; code <= numbers[i].last; code++) {
			ask_code(code, &e);
			CHECK(reply.meaning == numbers[i].meaning && e.kind == numbers[i].kind, "code %d", code);
		}
	}
}

/* Of several codes, and of status and code. */
static const struct {
	int status;
	const char *body;
	enum cf_meaning meaning;
} several[] = {
	{400, FAILED("{\"code\":1004,\"message\":\"x\",\"error_chain\":[" ERROR(81053, "y") "]}," ERROR(81044, "z")), CF_GONE},
	{400, FAILED(ERROR(81053, "") "," ERROR(81058, "")), CF_EXISTS},
	{400, FAILED(ERROR(81058, "") "," ERROR(9109, "")), CF_AUTH},
	{400, FAILED(ERROR(9109, "") "," ERROR(7003, "")), CF_NO_ZONE},
	{400,
	 FAILED(ERROR(1, "") "," ERROR(2, "") "," ERROR(3, "") "," ERROR(4, "") "," ERROR(5, "") "," ERROR(6, "") "," ERROR(
		 7, "") "," ERROR(8, "") "," ERROR(81057, "")),
	 CF_EXISTS},
	{401, FAILED(ERROR(81058, "")), CF_AUTH},
	{403, FAILED(ERROR(7003, "")), CF_NO_ZONE},
	{403, "<html>", CF_TRANSIENT},
	{401, "<html>", CF_AUTH},
	{408, FAILED(ERROR(7003, "")), CF_TRANSIENT},
	{599, FAILED(ERROR(7003, "")), CF_TRANSIENT},
	{429, FAILED(ERROR(7003, "")), CF_BUSY},
	{200, FAILED(ERROR(81044, "")), CF_GONE},
	{200, FAILED(""), CF_REFUSED},
	{409, "{}", CF_REFUSED},
};

static void test_several(void **state)
{
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(several); i++) {
		assert_int_equal(ask(several[i].status, "", several[i].body, 0, &e), -1);
		CHECK(reply.meaning == several[i].meaning, "%d %s: %d", several[i].status, several[i].body, (int)reply.meaning);
	}
}

/* Even when the answer is never finished: who is to slow down must know. */
static void test_status_alone(void **state)
{
	struct http_sink sink = cf_reply_begin(&reply, JSON_CUT_NONE, NULL, NULL, element_buf, rest);
	struct err e = {0};

	(void)state;
	assert_int_equal(reply.meaning, CF_DONE);
	assert_int_equal(sink.status(sink.ctx, 429, &e), 0);
	assert_int_equal(reply.meaning, CF_BUSY);
}

static const struct {
	const char *headers;
	struct pace_hint hint;
} hints[] = {
	{"", {0}},
	{"Retry-After: 7\n", {true, 7, false, 0, 0, 0}},
	{"retry-after: 0\n", {true, 0, false, 0, 0, 0}},
	{"Retry-After: 00000000000000000000007\n", {true, 7, false, 0, 0, 0}},
	{"Retry-After: 7, 7\n", {true, 7, false, 0, 0, 0}},
	{"Retry-After: 7\nRetry-After: soon\n", {true, 7, false, 0, 0, 0}},
	{"Retry-After: -1\n", {0}},
	{"Retry-After: soon\n", {0}},
	{"Retry-After: \n", {0}},
	{"Retry-After: 7.5\n", {0}},
	{"Retry-After: 7s\n", {0}},
	{"Retry-After: 1e9\n", {0}},
	{"Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\n", {0}},
	{"Ratelimit: \"default\";r=0;t=30\n", {false, 0, true, 0, 30, 0}},
	{"Ratelimit: \"default\";r=50;t=30\n", {false, 0, true, 50, 30, 0}},
	{"Ratelimit: \"default\";r=50;t=86400\n", {false, 0, true, 50, 86400, 0}}, /* of no interest */
	{"Ratelimit: \"default\";r=0;t=30\nRetry-After: 7\n", {true, 7, true, 0, 30, 0}},
	{"Ratelimit: \"default\";t=30;r=0\n", {false, 0, true, 0, 30, 0}},
	{"Ratelimit: \"default\"; r=0;  t=30\n", {false, 0, true, 0, 30, 0}},
	{"Ratelimit: \"default\";r=0;t=30;q=7\n", {false, 0, true, 0, 30, 0}},
	{"Ratelimit: \"default\";r=99999999999999999999;t=7\n", {false, 0, true, 1000000000, 7, 0}},
	{"Ratelimit: \"default\";r=0\n", {0}},
	{"Ratelimit: \"default\";t=30\n", {0}},
	{"Ratelimit: \"default\";r=;t=30\n", {0}},
	{"Ratelimit: \"default\";r=-1;t=30\n", {0}},
	{"Ratelimit: \"default\";r=0;t=-30\n", {0}},
	{"Ratelimit: \"default\";r=0;t=3.5\n", {0}},
	{"Ratelimit: \"default\";rr=0;t=30\n", {0}},
	{"Ratelimit: garbage\n", {0}},
	{"Ratelimit: ;\n", {0}},
	{"Ratelimit: ; \n", {0}},
	{"Ratelimit: ,;,\n", {0}},
	{"Ratelimit: \"default\";r=0;\n", {0}},
	{"Ratelimit: \n", {0}},
	/* several policies: that which leaves the least, for the longest */
	{"Ratelimit: \"a\";r=50;t=30, \"b\";r=0;t=5\n", {false, 0, true, 0, 5, 0}},
	{"Ratelimit: \"b\";r=0;t=5,\"a\";r=50;t=30\n", {false, 0, true, 0, 5, 0}},
	{"Ratelimit: \"a\";r=0;t=5,\"b\";r=0;t=30\n", {false, 0, true, 0, 30, 0}},
	{"Ratelimit: \"a\";r=0;t=30\nRatelimit: \"b\";r=0;t=5\n", {false, 0, true, 0, 30, 0}},
	{"Ratelimit: \"a\";r=0, \"b\";t=30\n", {0}},
	{"Ratelimit: x, \"b\";r=0;t=30\n", {false, 0, true, 0, 30, 0}},
};

static void check_hint(int status, const char *headers, const struct pace_hint *want)
{
	const struct pace_hint *got = &reply.hint;
	struct err e = {0};

	(void)ask(status, headers, "{\"success\":true}", 0, &e);
	CHECK(got->has_retry_after == want->has_retry_after && got->retry_after_sec == want->retry_after_sec, "%d %s", status,
	      headers);
	CHECK(got->has_left == want->has_left && got->left_n == want->left_n && got->reset_sec == want->reset_sec, "%d %s", status,
	      headers);
	CHECK(got->told_sec == want->told_sec, "%d %s", status, headers);
}

/* Whatever the status: what it is good for, core/pace knows. */
static void test_said(void **state)
{
	static const int statuses[] = {200, 429, 503};

	(void)state;
	for (size_t i = 0; i < COUNT(hints); i++)
		for (size_t k = 0; k < COUNT(statuses); k++)
			check_hint(statuses[k], hints[i].headers, &hints[i].hint);
}

/* A number that is too large is a number all the same: with a 429 as much as that may say. */
static const struct {
	const char *headers;
	struct pace_hint hint, busy;
} absurd[] = {
	{"Retry-After: 60\n", {true, 60, false, 0, 0, 0}, {true, 60, false, 0, 0, 0}},
	{"Retry-After: 300\n", {true, 60, false, 0, 0, 300}, {true, 300, false, 0, 0, 0}},
	{"Retry-After: 301\n", {true, 60, false, 0, 0, 301}, {true, 300, false, 0, 0, 301}},
	{"Retry-After: 86401\n", {true, 60, false, 0, 0, 86401}, {true, 300, false, 0, 0, 86401}},
	{"Retry-After: 999999999\n", {true, 60, false, 0, 0, 999999999}, {true, 300, false, 0, 0, 999999999}},
	{"Retry-After: 1000000001\n", {true, 60, false, 0, 0, 1000000000}, {true, 300, false, 0, 0, 1000000000}},
	{"Retry-After: 99999999999999999999999999999\n", {true, 60, false, 0, 0, 1000000000}, {true, 300, false, 0, 0, 1000000000}},
	{"Ratelimit: \"default\";r=0;t=61\n", {false, 0, true, 0, 60, 61}, {false, 0, true, 0, 61, 0}},
	{"Ratelimit: \"default\";r=0;t=99999999999999999999\n",
	 {false, 0, true, 0, 60, 1000000000},
	 {false, 0, true, 0, 300, 1000000000}},
};

static void test_absurd(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(absurd); i++) {
		check_hint(200, absurd[i].headers, &absurd[i].hint);
		check_hint(503, absurd[i].headers, &absurd[i].hint);
		check_hint(429, absurd[i].headers, &absurd[i].busy);
	}
}

static void test_ray(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(ask(502, "CF-RAY: 8a1b2c3d4e5f-FRA\n", "<html>", 0, &e), -1);
	assert_non_null(strstr(e.text, "(CF-RAY 8a1b2c3d4e5f-FRA)"));
	assert_int_equal(ask(400, "cf-ray: 77-AMS\n", FAILED(ERROR(1, "x")), 0, &e), -1);
	assert_string_equal(e.text, "HTTP 400: x (code 1) (CF-RAY 77-AMS)");
	assert_int_equal(ask(400, "CF-RAY: 0123456789012345678901234567890123456789012345678\n", "{}", 0, &e), -1);
	assert_string_equal(e.text, "HTTP 400");
}

static void test_headers(void **state)
{
	char text[256];
	struct buf b;

	(void)state;
	buf_init(&b, text, sizeof text);
	cf_headers(&b, "t0ken", "key", "mail");
	assert_string_equal(text, "Authorization: Bearer t0ken\r\n");
	buf_reset(&b);
	cf_headers(&b, "", "k", "a@example.com");
	assert_string_equal(text, "X-Auth-Key: k\r\nX-Auth-Email: a@example.com\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),     cmocka_unit_test(test_good),         cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_several), cmocka_unit_test(test_status_alone), cmocka_unit_test(test_said),
		cmocka_unit_test(test_absurd),  cmocka_unit_test(test_ray),          cmocka_unit_test(test_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
