/* The services of a place: who is told what, and what is news. The module is compiled a second time: its parts are looked at. */
#include "support.h"

#include "base/json.h"

#define catalog_watch_reserve tested_catalog_reserve
#define catalog_watch_init tested_catalog_init
#define catalog_watch_listen tested_catalog_listen
#define catalog_watch_step tested_catalog_step
#define catalog_watch_wants tested_catalog_wants
#include "engine/catalog_watch.c" /* NOLINT(bugprone-suspicious-include) */

static struct catalog_watch *w;
static struct http_origin origin;
static const struct job place = {.datacenter = "dc2", .has_token = true};

static struct heard {
	char text[512]; /* "<service,service>" for each whole answer */
	uint64_t sum;   /* of the last service */
	uint64_t index;
} heard[2];

static void hear_begin(void *ctx)
{
	strcat(((struct heard *)ctx)->text, "<");
}

static void hear_service(void *ctx, const struct consul_catalog_piece *piece)
{
	struct heard *h = ctx;

	assert_true(json_is_array(piece->tags));
	strcat(strcat(h->text, piece->service), ",");
	h->sum = piece->sum;
}

static void hear_end(void *ctx, const struct consul_list *answer)
{
	struct heard *h = ctx;

	strcat(h->text, ">");
	h->index = answer->index;
	assert_true(answer->evidence.has_leader);
}

static const struct catalog_listener listeners[] = {
	{&heard[0], hear_begin, hear_service, hear_end},
	{&heard[1], hear_begin, hear_service, hear_end},
};

static int set_up(void **state)
{
	(void)state;
	memset(heard, 0, sizeof heard);
	if (!w)
		w = tested_catalog_reserve();
	assert_non_null(w);
	w->listener = NULL;
	tested_catalog_init(w, &place, false, &origin, "", 1000);
	return 0;
}

/* 1: news; 0: none; -1: no answer. */
static int ask(const char *body)
{
	char text[256];
	struct http_sink sink;
	struct buf target;
	struct err e = {0};
	uint64_t index = 0;
	bool is_news = true;

	buf_init(&target, text, sizeof text);
	sink = begin(w, &target);
	assert_string_equal(text, "/v1/catalog/services?dc=dc2");
	if (test_answer(&sink, 200, "X-Consul-KnownLeader: true\nX-Consul-Index: 7\n", body, 0, &e) ||
	    finish(w, &index, &is_news, &e))
		return -1;
	assert_int_equal(index, 7);
	w->read.reads++;
	return is_news;
}

static const struct {
	const char *first, *second;
	bool is_news;
} contents[] = {
	{"{}", "{}", false},
	{"{\"a\":[]}", "{\"a\":[]}", false},
	{"{\"a\":[],\"b\":[]}", "{\"b\":[],\"a\":[]}", false},
	{"{\"a\":[\"x\",\"y\"]}", "{\"a\":[\"y\",\"x\"]}", false},
	{"{\"a\":[\"x\"]}", "{\"a\":[]}", true},
	{"{\"a\":[\"x\"]}", "{\"a\":[\"y\"]}", true},
	{"{\"a\":[]}", "{}", true},
	{"{\"a\":[]}", "{\"a\":[],\"b\":[]}", true},
	{"{\"a\":[\"x\"],\"b\":[\"y\"]}", "{\"a\":[\"y\"],\"b\":[\"x\"]}", true},
};

static void test_news(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(contents); i++) {
		(void)set_up(state);
		assert_int_equal(ask(contents[i].first), 1); /* the first one is, even when empty */
		CHECK(ask(contents[i].second) == contents[i].is_news, "%s %s", contents[i].first, contents[i].second);
		assert_int_equal(ask(contents[i].second), 0);
	}
}

static void test_listener(void **state)
{
	(void)state;
	tested_catalog_listen(w, &listeners[0], true);
	(void)ask("{\"a\":[],\"b\":[\"x\"]}");
	assert_string_equal(heard[0].text, "<a,b,>");
	assert_int_equal(heard[0].index, 7);
	assert_true(heard[0].sum != 0);
	tested_catalog_listen(w, &listeners[1], false); /* does not listen */
	(void)ask("{\"b\":[\"x\",\"x\"]}");
	assert_string_equal(heard[0].text, "<a,b,><b,>");
	tested_catalog_listen(w, &listeners[0], false);
	tested_catalog_listen(w, &listeners[1], true);
	(void)ask("{}");
	assert_string_equal(heard[0].text, "<a,b,><b,>");
	assert_string_equal(heard[1].text, "<>");
}

static void test_what_breaks_off_has_no_end(void **state)
{
	(void)state;
	tested_catalog_listen(w, &listeners[0], true);
	assert_int_equal(ask("{\"a\":[],\"b\":[]"), -1);
	assert_int_equal(ask("{\"a\":[]}"), 1);
	assert_string_equal(heard[0].text, "<a,<a,>");
}

/* Else it would be told the rest of the answer under way, and that this was all. */
static void test_who_comes_is_told_anew(void **state)
{
	(void)state;
	w->read.index = 7;
	tested_catalog_listen(w, &listeners[0], true);
	assert_int_equal(w->read.index, 0);
	w->read.index = 7;
	tested_catalog_listen(w, &listeners[0], true);
	assert_int_equal(w->read.index, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_news, set_up),
		cmocka_unit_test_setup(test_listener, set_up),
		cmocka_unit_test_setup(test_what_breaks_off_has_no_end, set_up),
		cmocka_unit_test_setup(test_who_comes_is_told_anew, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
