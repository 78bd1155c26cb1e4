/* engine/driver: one call by itself, without a reconcile, against a peer on loopback. */
#include "support.h"

#include "base/clock.h"
#include "engine/driver.h"
#include "net/http/peer.h"

static struct driver driver;
static struct http_origin origin;
static struct record records[RECORDS_MAX];
static struct target_hosts hosts;
static struct cf_name name = {.records = records, .hosts = &hosts}, *names[] = {&name};
static struct cf_listing list;
static const struct job job = {.types = JOB_TYPES, .name = "www.example.com"};

static void start(struct peer *p, const struct peer_step *steps)
{
	char url[64];
	struct err e;

	peer_start(p, NULL, steps);
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/v4", (unsigned)p->port);
	assert_int_equal(url_parse(&origin.url, url, URL_HTTP, 0, &e), 0);
	http_client_init(&driver.cloudflare, &origin, NULL);
	driver.cf_headers = "Authorization: Bearer t0ken\r\n";
	driver.timeout_ms = 3000;
	name.job = &job;
	cf_listing_init(&list, "z0ne", names, 1, false);
}

#define ANSWER(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body
#define RECORD(id, content)                                                                                                        \
	"{\"id\":\"" id "0000000000000000000000000000000\",\"type\":\"A\",\"name\":\"www.example.com\",\"content\":\"" content     \
	"\",\"ttl\":60,\"proxied\":false}"
#define PAGE(number, record)                                                                                                       \
	"{\"result\":[" record "],\"success\":true,\"result_info\":{\"page\":" number ",\"total_pages\":2,\"total_count\":2}}"

static void test_a_call_of_two_pages(void **state)
{
	static const struct peer_step steps[] = {
		{PEER_ACCEPT, NULL},
		{PEER_READ, NULL},
		{PEER_SEND, ANSWER("200 OK", PAGE("1", RECORD("a", "192.0.2.1")))},
		{PEER_CLOSE, NULL},
		{PEER_ACCEPT, NULL},
		{PEER_READ, NULL},
		{PEER_SEND, ANSWER("200 OK", PAGE("2", RECORD("b", "192.0.2.2")))},
		{PEER_CLOSE, NULL},
		{PEER_STAY, NULL},
	};
	const struct call call = {.kind = CALL_LIST, .list = &list};
	struct peer p;
	struct err e = {0};

	(void)state;
	start(&p, steps);
	CHECK(driver_call(&driver, &call, &e) == 0, "%s", e.text);
	assert_int_equal(name.records_n, 2);
	assert_int_equal(p.seen->requests, 2);
	assert_non_null(strstr(p.seen->request, "GET /v4/zones/z0ne/dns_records?name.exact=www.example.com&"));
	assert_non_null(strstr(p.seen->request, "&page=2 "));
	assert_non_null(strstr(p.seen->request, "Bearer t0ken"));
	assert_ptr_equal(call_reply(&driver.call), &list.reply);
	peer_end(&p);
}

/* Over a connection that is kept, the next request is on its way at once. */
static void test_a_kept_connection(void **state)
{
	static const struct peer_step steps[] = {
		{PEER_ACCEPT, NULL},
		{PEER_READ, NULL},
		{PEER_SEND, "HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\n{}"},
		{PEER_READ, NULL},
		{PEER_SEND, "HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\n{}"},
		{PEER_STAY, NULL},
	};
	const struct call call = {.kind = CALL_LIST, .list = &list};
	struct peer p;
	struct err e = {0};

	(void)state;
	start(&p, steps);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(driver_call(&driver, &call, &e), -1);
		CHECK(e.kind == ERR_REFUSED, "%s", e.text);
	}
	assert_int_equal(p.seen->connections, 1);
	peer_end(&p);
}

static void test_what_failed_is_named(void **state)
{
	static const struct peer_step steps[] = {
		{PEER_ACCEPT, NULL}, {PEER_READ, NULL}, {PEER_SEND, ANSWER("503 No", "busy")},
		{PEER_CLOSE, NULL},  {PEER_STAY, NULL},
	};
	const struct call call = {.kind = CALL_LIST, .list = &list};
	struct peer p;
	struct err e = {0};

	(void)state;
	start(&p, steps);
	assert_int_equal(driver_call(&driver, &call, &e), -1);
	assert_int_equal(e.kind, ERR_RETRY);
	assert_non_null(strstr(e.text, "cloudflare: list records of www.example.com: GET http://127.0.0.1:"));
	assert_non_null(strstr(e.text, "/v4/zones/z0ne/"));
	assert_non_null(strstr(e.text, "HTTP 503"));
	assert_int_equal(list.reply.meaning, CF_TRANSIENT);
	peer_end(&p);
}

static void test_wait(void **state)
{
	int64_t from_ms = clock_now_ms();
	struct err e = {0};

	(void)state;
	assert_int_equal(driver_call(&driver, &(struct call){.kind = CALL_WAIT, .until_ms = from_ms - 5}, &e), 0);
	assert_int_equal(driver_call(&driver, &(struct call){.kind = CALL_WAIT, .until_ms = from_ms + 30}, &e), 0);
	assert_in_range(clock_now_ms() - from_ms, 30, 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_call_of_two_pages),
		cmocka_unit_test(test_a_kept_connection),
		cmocka_unit_test(test_what_failed_is_named),
		cmocka_unit_test(test_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
