/* Many services on few connections: what is read after which change, when, and what is not. */
#include "support.h"

#include "base/clock.h"
#include "watch/world.h"

#define MANY 1024
#define NODES 16
#define RESYNC_MS 300000

/* ---- a Consul with an instance each of many services, on a few nodes ---- */

static struct many {
	const char *state;
	unsigned address; /* 198.51.100.x; another one is no change of a check */
	bool is_unchecked, is_gone;
	unsigned tag;
	uint64_t created; /* its check */
} many[MANY];
static size_t many_n;
static bool is_maintained[NODES];
static uint64_t indices[TOLD_KINDS], index_now;
static int told_status[TOLD_KINDS], read_status; /* 0: as it should be */
static const char *old_state;                    /* the next read is answered with what was before; or NULL */
static unsigned told_n[TOLD_KINDS], reads_n, read_of[MANY];
static int64_t read_ms;    /* the last one */
static unsigned moments_n; /* at which there were some, 100 ms apart */
static char body[MANY * 512];

static char *put_check(char *out, const char *node, size_t i, const char *id, const char *status, uint64_t created)
{
	out += sprintf(out, "%s{\"Node\":\"%s\",\"CheckID\":\"%s\",\"Status\":\"%s\",\"Output\":\"%u\",\"CreateIndex\":%llu",
		       out[-1] == '[' ? "" : ",", node, id, status, (unsigned)index_now, (unsigned long long)created);
	if (i < MANY)
		out += sprintf(out, ",\"ServiceName\":\"s%zu\",\"ServiceID\":\"s%zu-1\"", i, i);
	return out + sprintf(out, "}");
}

static void put_checks(void)
{
	char node[16], *out = body + sprintf(body, "[");

	for (size_t i = 0; i < NODES; i++) {
		(void)snprintf(node, sizeof node, "n%zu", i);
		out = put_check(out, node, MANY, "serfHealth", "passing", 1);
		if (is_maintained[i])
			out = put_check(out, node, MANY, "_node_maintenance", "critical", 1);
	}
	for (size_t i = 0; i < many_n; i++) {
		(void)snprintf(node, sizeof node, "n%zu", i % NODES);
		if (!many[i].is_unchecked && !many[i].is_gone)
			out = put_check(out, node, i, "c", many[i].state, many[i].created);
	}
	(void)sprintf(out, "]");
}

static void put_catalog(void)
{
	char *out = body + sprintf(body, "{\"consul\":[]");

	for (size_t i = 0; i < many_n; i++)
		out += sprintf(out, ",\"s%zu\":[\"t%u\"]", i, many[i].tag);
	(void)sprintf(out, "}");
}

static void put_instance(size_t i)
{
	const char *state = old_state                  ? old_state
			    : is_maintained[i % NODES] ? "critical"
			    : many[i].is_unchecked     ? "passing"
						       : many[i].state;

	old_state = NULL;
	if (many[i].is_gone)
		(void)strcpy(body, "[]");
	else
		(void)sprintf(body,
			      "[{\"Node\":{\"Address\":\"10.0.0.1\"},\"Service\":{\"ID\":\"s%zu-1\",\"Address\":\"198.51.100.%u\"},"
			      "\"Checks\":[{\"CheckID\":\"c\",\"Status\":\"%s\"}]}]",
			      i, many[i].address, state);
}

static int kind_of(const char *target)
{
	return strncmp(target, "/v1/catalog/services", 20) == 0   ? TOLD_TAGS
	       : strncmp(target, "/v1/health/state/any", 20) == 0 ? TOLD_CHECKS
								  : -1;
}

static uint64_t index_of(const char *target)
{
	return kind_of(target) < 0 ? index_now : indices[kind_of(target)];
}

static int answer(const char *target, char *headers, size_t headers_cap, const char **out)
{
	const int kind = kind_of(target);
	unsigned i = 0;

	*out = body;
	(void)snprintf(headers, headers_cap, "X-Consul-Index: %llu\nX-Consul-KnownLeader: true\n",
		       (unsigned long long)index_of(target));
	(void)strcpy(body, "no");
	if (kind >= 0) {
		told_n[kind]++;
		if (told_status[kind])
			return told_status[kind];
		(kind == TOLD_TAGS ? put_catalog : put_checks)();
		return 200;
	}
	assert_int_equal(sscanf(target, "/v1/health/service/%*[sS]%u", &i), 1);
	assert_true(i < many_n);
	reads_n++;
	read_of[i]++;
	moments_n += world.now_ms - read_ms > 100;
	read_ms = world.now_ms;
	put_instance(i);
	return read_status ? read_status : 200;
}

static void set_state(size_t i, const char *state)
{
	many[i].state = state;
	indices[TOLD_CHECKS] = ++index_now;
}

/* The service as its agent registers it anew: by the catalog alone, or with its check. */
static void set_address(size_t i, unsigned address)
{
	many[i].address = address;
	indices[TOLD_TAGS] = ++index_now;
}

static void come(size_t i)
{
	many[i].created = indices[TOLD_CHECKS] = indices[TOLD_TAGS] = ++index_now;
}

static void set_tag(size_t i, unsigned tag)
{
	many[i].tag = tag;
	indices[TOLD_TAGS] = ++index_now;
}

static void set_node(size_t node, bool is_in_maintenance)
{
	is_maintained[node] = is_in_maintenance;
	indices[TOLD_CHECKS] = ++index_now;
}

/* ---- what follows it ---- */

static struct service_watch *watched[MANY];

static void add(size_t i)
{
	char name[16];
	struct job job;

	(void)snprintf(name, sizeof name, i == 5 ? "S%zu" : "s%zu", i); /* to Consul they are the same */
	job = world_job(name, "www.example.com");
	watched[i] = services_add(&world_watch, &job);
	assert_non_null(watched[i]);
}

static void forget(void)
{
	memset(read_of, 0, sizeof read_of);
	memset(told_n, 0, sizeof told_n);
	reads_n = moments_n = 0;
}

static void follow(size_t n)
{
	struct err e;

	world.consul = answer;
	world.consul_index = index_of;
	world_setup.resync_ms = RESYNC_MS;
	memset(many, 0, sizeof many);
	memset(is_maintained, 0, sizeof is_maintained);
	memset(told_status, 0, sizeof told_status);
	read_status = 0;
	index_now = indices[0] = indices[1] = 10;
	for (size_t i = 0; i < MANY; i++)
		many[i] = (struct many){.state = "passing", .address = 1, .created = 5};
	many_n = n;
	forget();
	assert_int_equal(watch_init(&world_watch, &world_setup, &e), 0);
	for (size_t i = 0; i < n; i++)
		add(i);
}

/* Followed, and everything is read. */
static void settle(size_t n)
{
	follow(n);
	world_run(2000);
	for (size_t i = 0; i < n; i++)
		CHECK(watched[i]->has_view && watched[i]->view->count.state_n[INSTANCE_PASSING] == 1, "%zu", i);
	forget();
}

static unsigned address_of(size_t i)
{
	return watched[i]->view->listed[0].target.addr[3];
}

static bool is_passing(size_t i)
{
	return watched[i]->view->count.state_n[INSTANCE_PASSING] == 1;
}

/* ---- few and many ---- */

static void test_few_have_a_query_each(void **state)
{
	(void)state;
	settle(SERVICES_SINGLE_MAX);
	assert_false(world_watch.services.is_wide);
	set_state(3, "critical");
	world_run(200);
	assert_false(is_passing(3));
	assert_int_equal(told_n[TOLD_TAGS] + told_n[TOLD_CHECKS], 0);
}

static void test_one_more_and_it_is_wide(void **state)
{
	(void)state;
	settle(SERVICES_SINGLE_MAX);
	many_n++;
	add(SERVICES_SINGLE_MAX);
	world_run(1000);
	assert_true(world_watch.services.is_wide);
	assert_true(told_n[TOLD_TAGS] && told_n[TOLD_CHECKS]);
	assert_true(watched[SERVICES_SINGLE_MAX]->has_view);
	for (size_t i = 0; i <= SERVICES_SINGLE_MAX; i++)
		assert_true(!watched[i]->reader && watched[i]->has_view);
	forget();
	set_state(3, "critical");
	world_run(100);
	assert_false(is_passing(3));
	assert_int_equal(reads_n, 1);
}

static void test_and_single_again(void **state)
{
	(void)state;
	settle(40);
	services_stop(&world_watch);
	for (size_t i = 0; i < SERVICES_SINGLE_MAX; i++)
		add(i);
	world_run(1000);
	forget();
	set_state(SERVICES_SINGLE_MAX - 1, "critical");
	world_run(200);
	assert_false(is_passing(SERVICES_SINGLE_MAX - 1));
	assert_int_equal(told_n[TOLD_TAGS] + told_n[TOLD_CHECKS], 0);
}

/* All of them once, after both queries have told what it is compared with; and within a second. */
static void test_the_first_reads(void **state)
{
	(void)state;
	world.latency_ms = 5;
	follow(MANY);
	world_run(9);
	assert_int_equal(reads_n, 0);
	world_run(1000);
	for (size_t i = 0; i < MANY; i++)
		CHECK(read_of[i] == 1, "%zu: %u", i, read_of[i]);
	world_run(60000);
	assert_int_equal(reads_n, MANY);
}

static void test_in_turns_each_is_read_once_a_resync(void **state)
{
	(void)state;
	settle(200);
	world_run(3 * RESYNC_MS);
	for (size_t i = 0; i < 200; i++)
		CHECK(read_of[i] >= 2 && read_of[i] <= 4, "%zu: %u", i, read_of[i]);
}

/* Whenever they were read last: a wake for each would cost more than the reads. */
static void test_turns_come_many_at_a_time(void **state)
{
	(void)state;
	settle(200);
	for (size_t i = 0; i < 200; i += 2) {
		set_state(i, "warning");
		world_run(1100);
	}
	forget();
	world_run(RESYNC_MS);
	for (size_t i = 0; i < 200; i++)
		CHECK(read_of[i] >= 1 && read_of[i] <= 2, "%zu: %u", i, read_of[i]);
	CHECK(moments_n <= SERVICES_TURNS + 1, "%u", moments_n);
}

/* ---- what is told ---- */

static void test_what_is_told_is_read_alone_and_at_once(void **state)
{
	(void)state;
	settle(MANY);
	set_state(700, "critical");
	world_run(60);
	assert_false(is_passing(700));
	assert_int_equal(reads_n, 1);
	world_run(1000);
	set_state(700, "passing");
	world_run(60);
	assert_true(is_passing(700));
	world_run(1000);
	set_tag(5, 7);
	world_run(60);
	assert_int_equal(read_of[5], 1);
	assert_int_equal(reads_n, 3);
	world_run(60000); /* and all, for what may have come with it */
	assert_int_equal(reads_n, 3 + MANY);
}

static void test_of_a_node_its_services_are_read(void **state)
{
	(void)state;
	settle(64);
	set_node(3, true);
	world_run(100);
	for (size_t i = 0; i < 64; i++)
		CHECK(is_passing(i) == (i % NODES != 3), "%zu", i);
	assert_true(reads_n < 64);
	world_run(1000); /* and all, for those without checks */
	for (size_t i = 0; i < 64; i++)
		CHECK(read_of[i] >= 1, "%zu", i);
}

/* Its check came with the same index: that it was. */
static void test_what_comes_with_a_check_is_no_riddle(void **state)
{
	(void)state;
	settle(100);
	many[9].address = 9;
	many[9].state = "warning";
	come(9);
	world_run(100);
	assert_int_equal(address_of(9), 9);
	/* and the state changes before the answer that has it */
	many[8].address = 8;
	come(8);
	many[8].is_unchecked = false;
	set_state(8, "critical");
	world_run(60000);
	assert_int_equal(address_of(8), 8);
	assert_true(reads_n <= 4 + 2 * 100); /* all, for what may have come with each */
	/* and so with one that goes */
	forget();
	many[7].is_gone = true;
	come(7);
	world_run(60000);
	assert_int_equal(watched[7]->view->count.instances_n, 0);
	assert_true(reads_n <= 2 + 100);
}

static void test_an_output_is_no_change(void **state)
{
	(void)state;
	settle(100);
	for (int i = 0; i < 50; i++) {
		indices[TOLD_CHECKS] = ++index_now;
		world_run(100);
	}
	assert_int_equal(reads_n, 0);
	assert_true(told_n[TOLD_CHECKS] <= 25); /* the rest grows while nothing is news */
}

/* ---- what is not told ---- */

static void test_an_address_is_found_by_the_index(void **state)
{
	(void)state;
	settle(MANY);
	set_address(900, 77);
	world_run(1000);
	assert_int_equal(address_of(900), 77);
	assert_int_equal(reads_n, MANY);
	world_run(1000);
	set_address(3, 78);
	world_run(1000);
	assert_int_equal(address_of(3), 78);
	/* also when the check's output is another with the same index */
	set_state(4, "critical");
	world_run(2000);
	many[5].address = 79;
	indices[TOLD_CHECKS] = indices[TOLD_TAGS] = ++index_now;
	world_run(1000);
	assert_int_equal(address_of(5), 79);
}

/* Others' services, of which nothing is told: it is looked less and less often, and still each is found. */
static void test_futile_reading_gets_rarer(void **state)
{
	(void)state;
	settle(50);
	for (int i = 0; i < 600; i++) {
		indices[TOLD_TAGS] = ++index_now;
		world_run(100);
	}
	CHECK(reads_n >= 50 * 10 && reads_n <= 50 * 20, "%u", reads_n);
	set_address(7, 9);
	world_run(5500);
	assert_int_equal(address_of(7), 9);
	world_run(1000);
	set_address(8, 9); /* there was news: at once again */
	world_run(1000);
	assert_int_equal(address_of(8), 9);
}

/* In a burst each query stops at another index, or both at that of the last change: what hides in it is found. */
static void test_what_hides_in_a_burst_is_found(void **state)
{
	(void)state;
	settle(50);
	many[1].created = indices[TOLD_CHECKS] = ++index_now;
	many[1].state = "warning";
	many[2].is_unchecked = true; /* its check goes... */
	set_address(3, 9);           /* ...and so it hides */
	world_run(1000);
	assert_int_equal(address_of(3), 9);
	world_run(60000);
	set_address(4, 9);
	world_run(10);
	come(5); /* exactly this explains where both stop */
	world_run(1000);
	assert_int_equal(address_of(4), 9);
	world_run(60000);
	set_tag(6, 7);
	world_run(200);
	set_address(7, 9);
	world_run(1200);
	assert_int_equal(address_of(7), 9);
}

/* Nothing at all moves, as when a node changes its address. */
static void test_what_nothing_tells_is_found_in_turns(void **state)
{
	(void)state;
	settle(50);
	many[3].address = 9;
	world_run(RESYNC_MS + 1000);
	assert_int_equal(address_of(3), 9);
}

/* ---- time ---- */

static void test_a_change_during_a_read_is_read_again(void **state)
{
	(void)state;
	settle(50);
	world.latency_ms = 100;
	set_state(3, "critical");
	world_run(10); /* told, and being read */
	world.latency_ms = 0;
	world_run(30);
	old_state = "critical";
	set_state(3, "passing");
	world_run(30); /* told again */
	assert_non_null(watched[3]->reader);
	world_run(1000);
	assert_true(is_passing(3));
}

/* Who changes all the time is read at its pace, and keeps nobody waiting. */
static void test_one_that_flaps(void **state)
{
	static const char *const states[] = {"passing", "critical"};

	(void)state;
	settle(200);
	for (int i = 0; i < 1000; i++) {
		set_state(1, states[test_random_below(&world.seed, 2)]);
		if (i == 500)
			set_state(150, "critical");
		world_run(5);
		if (i == 600)
			assert_false(is_passing(150));
	}
	CHECK(read_of[1] >= 5 && read_of[1] <= 55, "%u", read_of[1]);
	assert_int_equal(read_of[150], 1);
}

static void test_the_index_goes_back(void **state)
{
	(void)state;
	settle(50);
	index_now = 3;
	indices[0] = indices[1] = 2;
	world_run(60000); /* until the queries have waited for long enough */
	set_state(3, "critical");
	world_run(1000);
	assert_false(is_passing(3));
}

/* ---- failures ---- */

static void test_consul_is_away(void **state)
{
	unsigned before;

	(void)state;
	settle(100);
	world.consul_is_away = true;
	set_state(3, "critical");
	world_run(200);
	assert_int_equal(reads_n, 0);
	for (size_t i = 0; i < 100; i++)
		assert_non_null(service_watch_error(watched[i]));
	world_run(120000);
	before = reads_n;
	world.consul_is_away = false;
	for (int i = 0; i < 62 && world_watch.services.places[0].is_blind; i++)
		world_run(1000);
	world_run(1000); /* then there is no more to wait for */
	assert_true(reads_n > before);
	assert_false(is_passing(3));
	for (size_t i = 0; i < 100; i++)
		assert_null(service_watch_error(watched[i]));
	world_run(10000);
	forget();
	set_state(4, "critical"); /* as before */
	world_run(100);
	assert_false(is_passing(4));
	assert_int_equal(reads_n, 1);
}

/* An old or restricted Consul: nobody tells, so it is looked. */
static void test_blind_they_are_read_in_turns(void **state)
{
	static const int statuses[] = {403, 404};

	for (size_t k = 0; k < COUNT(statuses); k++) {
		for (int kind = 0; kind < TOLD_KINDS; kind++) {
			(void)world_set_up(state);
			told_status[kind] = 0;
			follow(300);
			told_status[kind] = statuses[k];
			world_run(10000);
			forget();
			set_state(250, "critical");
			world_run(6000);
			assert_false(is_passing(250));
			for (size_t i = 0; i < 300; i++)
				CHECK(read_of[i] && read_of[i] <= 2 && !service_watch_error(watched[i]), "%zu: %u", i, read_of[i]);
			told_status[kind] = 0;
			world_run(90000);
			forget();
			world_run(20000);
			assert_int_equal(reads_n, 0);
		}
	}
}

static void test_one_service_fails_alone(void **state)
{
	(void)state;
	settle(50);
	read_status = 500;
	set_state(3, "critical");
	world_run(300);
	assert_non_null(service_watch_error(watched[3]));
	assert_null(service_watch_error(watched[4]));
	world_run(10000);
	CHECK(reads_n >= 3 && reads_n <= 12, "%u", reads_n);
	read_status = 0;
	world_run(20000);
	assert_null(service_watch_error(watched[3]));
	assert_false(is_passing(3));
}

/* What it heard of the place, it heard of the service, as long as that can be read. */
static void test_when_it_was_heard_last(void **state)
{
	(void)state;
	settle(50);
	world_run(100000);
	assert_true(world.now_ms - service_watch_heard_ms(watched[3]) < 60000);
	assert_true(world.now_ms - watched[3]->read.answered_ms > 90000);
}

/* ---- they come and go ---- */

static void keep(size_t from, size_t to)
{
	static struct managed_name names[MANY];

	memset(world_watch.names, 0, sizeof world_watch.names);
	for (size_t i = from; i < to; i++) {
		names[i] = (struct managed_name){.is_used = true, .watch = watched[i], .is_busy = true};
		world_watch.names[i] = &names[i];
	}
}

static void test_services_go_while_others_stay(void **state)
{
	(void)state;
	settle(100);
	world.latency_ms = 20;
	for (size_t i = 0; i < 100; i += 3)
		set_state(i, "warning");
	world_run(50); /* some are being read */
	keep(40, 100);
	services_sweep(&world_watch);
	assert_int_equal(world_watch.services.n, 60);
	world.latency_ms = 0;
	world_run(1000);
	forget();
	for (size_t i = 0; i < 100; i++)
		set_state(i, "critical");
	world_run(1000);
	for (size_t i = 0; i < 100; i++)
		CHECK(i < 40 ? !read_of[i] : !is_passing(i) && read_of[i] <= 2, "%zu: %u", i, read_of[i]);
	forget();
	world_run(RESYNC_MS + 1000);
	for (size_t i = 40; i < 100; i++)
		CHECK(read_of[i], "%zu", i);
	keep(0, 0);
	keep(40, 44);
	services_sweep(&world_watch);
	assert_false(world_watch.services.is_wide);
	world_run(1000);
	forget();
	set_state(41, "passing");
	world_run(200);
	assert_true(is_passing(41));
	assert_int_equal(told_n[TOLD_TAGS] + told_n[TOLD_CHECKS], 0);
	keep(0, 0);
}

static void test_one_that_comes_is_read_at_once(void **state)
{
	(void)state;
	settle(50);
	many_n = 51;
	add(50);
	world_run(50);
	assert_true(watched[50]->has_view);
	assert_int_equal(reads_n, 1);
	world_run(60000);
	forget();
	set_state(50, "critical");
	world_run(100);
	assert_false(is_passing(50));
	assert_int_equal(reads_n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_few_have_a_query_each, world_set_up),
		cmocka_unit_test_setup(test_one_more_and_it_is_wide, world_set_up),
		cmocka_unit_test_setup(test_and_single_again, world_set_up),
		cmocka_unit_test_setup(test_the_first_reads, world_set_up),
		cmocka_unit_test_setup(test_in_turns_each_is_read_once_a_resync, world_set_up),
		cmocka_unit_test_setup(test_turns_come_many_at_a_time, world_set_up),
		cmocka_unit_test_setup(test_what_is_told_is_read_alone_and_at_once, world_set_up),
		cmocka_unit_test_setup(test_of_a_node_its_services_are_read, world_set_up),
		cmocka_unit_test_setup(test_what_comes_with_a_check_is_no_riddle, world_set_up),
		cmocka_unit_test_setup(test_an_output_is_no_change, world_set_up),
		cmocka_unit_test_setup(test_an_address_is_found_by_the_index, world_set_up),
		cmocka_unit_test_setup(test_futile_reading_gets_rarer, world_set_up),
		cmocka_unit_test_setup(test_what_hides_in_a_burst_is_found, world_set_up),
		cmocka_unit_test_setup(test_what_nothing_tells_is_found_in_turns, world_set_up),
		cmocka_unit_test_setup(test_a_change_during_a_read_is_read_again, world_set_up),
		cmocka_unit_test_setup(test_one_that_flaps, world_set_up),
		cmocka_unit_test_setup(test_the_index_goes_back, world_set_up),
		cmocka_unit_test_setup(test_consul_is_away, world_set_up),
		cmocka_unit_test_setup(test_blind_they_are_read_in_turns, world_set_up),
		cmocka_unit_test_setup(test_one_service_fails_alone, world_set_up),
		cmocka_unit_test_setup(test_when_it_was_heard_last, world_set_up),
		cmocka_unit_test_setup(test_services_go_while_others_stay, world_set_up),
		cmocka_unit_test_setup(test_one_that_comes_is_read_at_once, world_set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
