/* net/http/listener: exchanges as they should go, and requests that are none. */
#include "support.h"

#include <sys/socket.h>
#include <unistd.h>

#include "net/http/guest.h"

static void test_get(void **state)
{
	(void)state;
	guest_ask(GET("/"));
	assert_string_equal(body(), "hello\n");
	assert_true(is_status(200));
	assert_true(has_field("Content-Type: text/html"));
	assert_true(has_field("Content-Length: 6"));
	assert_true(has_field("Connection: close"));
	assert_true(has_field("Cache-Control: no-store"));
	assert_true(is_idle());
	guest_ask(GET("/?who=you"));
	assert_string_equal(body(), "hellowho=you\n");
}

static void test_head(void **state)
{
	(void)state;
	guest_ask("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_true(is_status(200));
	assert_true(has_field("Content-Length: 6"));
	assert_string_equal(body(), "");
}

static void test_statuses(void **state)
{
	static const struct {
		const char *text;
		int status;
		const char *body;
	} cases[] = {
		{GET("/sick"), 503, "sick\n"},
		{GET("/empty"), 503, "503 Service Unavailable\n"},
		{GET("/none"), 404, "404 Not Found\n"},
		{GET("/huge"), 500, "500 Internal Server Error\n"},
		{"nonsense\r\n\r\n", 400, "400 Bad Request\n"},
		{"POST / HTTP/1.1\r\nHost: x\r\n\r\n", 405, "405 Method Not Allowed\n"},
		{"GET / HTTP/2.0\r\n\r\n", 505, "505 HTTP Version Not Supported\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		guest_ask(cases[i].text);
		CHECK(is_status(cases[i].status), "%s: %s", cases[i].text, got);
		assert_string_equal(body(), cases[i].body);
		assert_true(has_field("Allow: GET, HEAD") == (cases[i].status == 405));
	}
}

static void test_hosts(void **state)
{
	static const char evil[] = "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n";

	(void)state;
	guest_ask(evil);
	assert_true(is_status(403));
	assert_non_null(strstr(body(), "403 Forbidden: "));
	assert_non_null(strstr(body(), "--listen-host"));
	assert_null(strstr(got, "hello"));
	l.names = "a.example,www.example.com";
	guest_ask(evil);
	assert_true(is_status(200));
	l.names = NULL;
	guest_ask("GET /sick HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n");
	assert_true(is_status(503));
}

static void test_byte_by_byte(void **state)
{
	static const char text[] = GET("/");
	int fd = guest_connect();

	(void)state;
	for (size_t i = 0; i < sizeof text - 1; i++) {
		step();
		assert_int_equal(hear_anew(fd), OPEN);
		assert_int_equal(got_n, 0);
		assert_int_equal(send(fd, text + i, 1, MSG_NOSIGNAL), 1);
	}
	step();
	assert_int_equal(hear_anew(fd), CLOSED);
	assert_string_equal(body(), "hello\n");
	(void)close(fd);
}

/* The bytes that nobody reads must not take the answer away: no reset before it is read. */
static void test_too_long(void **state)
{
	static char text[LISTEN_REQUEST_MAX * 3];
	int fd = guest_connect();

	(void)state;
	memset(text, 'a', sizeof text - 1);
	memcpy(text, "GET /", 5);
	say(fd, text);
	for (int i = 0; i < 4; i++)
		step();
	assert_int_equal(hear_anew(fd), CLOSED);
	assert_true(is_status(414));
	(void)close(fd);
	fd = guest_connect();
	memcpy(text, "GET / HTTP/1.1\r\nA: ", 19);
	say(fd, text);
	for (int i = 0; i < 4; i++)
		step();
	assert_int_equal(hear_anew(fd), CLOSED);
	assert_true(is_status(431));
	(void)close(fd);
}

static void test_pipelined(void **state)
{
	/* The first read takes what fits beside the request; then so much may come, and no more. */
	static char text[LISTEN_REQUEST_MAX - (sizeof GET("/") - 1) + LISTEN_LINGER_MAX + 1];
	int fd = guest_connect();

	(void)state;
	memset(text, 'z', sizeof text - 1);
	say(fd, GET("/"));
	say(fd, text);
	for (int i = 0; i < 20; i++)
		step();
	assert_int_equal(used_n(LISTEN_LINGER), 1);
	assert_int_equal(hear_anew(fd), CLOSED);
	assert_string_equal(body(), "hello\n"); /* one answer */
	say(fd, "z");
	step();
	assert_true(is_idle());
	(void)close(fd);
}

static void test_half_closed(void **state)
{
	int fd = guest_connect();

	(void)state;
	say(fd, GET("/"));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	step();
	assert_int_equal(hear_anew(fd), CLOSED);
	assert_string_equal(body(), "hello\n");
	(void)close(fd);
	fd = guest_connect();
	say(fd, "GET /");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	step();
	step();
	assert_int_equal(hear_anew(fd), CLOSED);
	assert_int_equal(got_n, 0);
	assert_true(is_idle());
	(void)close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, guest_setup, guest_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_get),          TEST(test_head),     TEST(test_statuses),  TEST(test_hosts),
		TEST(test_byte_by_byte), TEST(test_too_long), TEST(test_pipelined), TEST(test_half_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
