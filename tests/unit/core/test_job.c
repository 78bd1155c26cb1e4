/* core/job: when two jobs ask Consul for the same, and rule over the same records. */
#include "support.h"

#include "core/job.h"

static struct job a, b;

static int set_up(void **state)
{
	(void)state;
	a = b = (struct job){.service = "web", .name = "www.example.com", .addresses.n = 1};
	return 0;
}

static void test_same_query(void **state)
{
	static const size_t texts[] = {
		offsetof(struct job, service), offsetof(struct job, tag),       offsetof(struct job, datacenter),
		offsetof(struct job, ns),      offsetof(struct job, partition),
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		(void)set_up(state);
		strcpy((char *)&b + texts[i], "x");
		CHECK(!job_is_same_query(&a, &b), "text %zu", i);
	}
	(void)set_up(state);
	strcpy(b.name, "api.example.com");
	b.ttl = 7;
	assert_true(job_is_same_query(&a, &b));
	b.addresses.of[0] = ADDRESS_NODE;
	assert_false(job_is_same_query(&a, &b));
}

/* By name and owner; without an owner a job rules over all records of its name. */
static void test_overlaps(void **state)
{
	(void)state;
	strcpy(b.service, "api");
	assert_true(job_overlaps(&a, &b));
	strcpy(b.owner, "east");
	assert_true(job_overlaps(&a, &b) && job_overlaps(&b, &a));
	strcpy(a.owner, "west");
	assert_false(job_overlaps(&a, &b));
	strcpy(a.owner, "east");
	assert_true(job_overlaps(&a, &b));
	strcpy(b.name, "api.example.com");
	assert_false(job_overlaps(&a, &b));
}

static void test_comment(void **state)
{
	struct job job = {.types = JOB_TYPES, .name = "www.example.com"};
	char text[JOB_COMMENT_CAP];
	struct buf comment;

	(void)state;
	buf_init(&comment, text, sizeof text);
	job_comment(&comment, &job);
	assert_string_equal(text, "managed by dnsbuddy");
	buf_reset(&comment);
	memset(job.owner, 'o', sizeof job.owner - 1);
	job_comment(&comment, &job);
	assert_true(buf_ok(&comment));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_query),
		cmocka_unit_test_setup(test_overlaps, set_up),
		cmocka_unit_test(test_comment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
