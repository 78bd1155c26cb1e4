/*
 * Every table that is indexed by an enum, over the whole enum: a row that was left out is found
 * wherever it is, and so is one that was copied and not changed. (A _Static_assert on the length
 * sees a missing last row only.)
 */
#include "support.h"

#include "base/log.h"
#include "core/evidence.h"
#include "core/record.h"
#include "engine/report.h"

static const char *err_name(int i)
{
	return err_kind_name((enum err_kind)i);
}

static const char *type_name(int i)
{
	return record_type_name((enum record_type)i);
}

static const char *state_name(int i)
{
	return instance_state_name((enum instance_state)i);
}

static const char *gap_text(int i)
{
	return i == EVIDENCE_OK ? "none" : evidence_gap_text((enum evidence_gap)i);
}

/* ---- log ---- */

static const char *level_name(int i)
{
	assert_string_equal(log_level_names[LOG_LEVELS], "");
	return log_level_names[i];
}

static const char *format_name(int i)
{
	assert_string_equal(log_format_names[LOG_FORMATS], "");
	return log_format_names[i];
}

static bool is_refusal;

static void report(void *kind)
{
	static const struct target t = {.type = RECORD_A};
	static const struct record r = {.target = {.type = RECORD_A}};
	static const struct job job = {.name = "www.example.com"};
	const struct op op = {.kind = *(enum op_kind *)kind, .target = &t, .record = &r};
	const struct err e = {.text = "why"};

	log_setup(LOG_LOGFMT, LOG_DEBUG);
	if (is_refusal)
		report_refused(&job, &op, &e);
	else
		report_written(&job, &op);
}

static const char *op_message(int i)
{
	static char message[64];
	enum op_kind kind = (enum op_kind)i;

	CHECK(sscanf(strstr(test_stderr(report, &kind), "msg="), "msg=\"%63[a-z ]\"", message) == 1, "op %d", i);
	return message;
}

static const char *written(int i)
{
	is_refusal = false;
	return op_message(i);
}

static const char *refused(int i)
{
	is_refusal = true;
	return op_message(i);
}

static const struct {
	const char *what;
	const char *(*name)(int i);
	int n;
} tables[] = {
	{"err_kind", err_name, ERR_KINDS},
	{"record_type", type_name, RECORD_TYPES},
	{"instance_state", state_name, INSTANCE_STATES},
	{"evidence_gap", gap_text, EVIDENCE_GAPS},
	{"log_level", level_name, LOG_LEVELS},
	{"log_format", format_name, LOG_FORMATS},
	{"op_kind, written", written, OP_HOLD}, /* what is held is not written */
	{"op_kind, refused", refused, OP_HOLD},
};

static void test_every_row(void **state)
{
	static char names[32][128];

	(void)state;
	for (size_t t = 0; t < COUNT(tables); t++)
		for (int i = 0; i < tables[t].n; i++) {
			const char *name = tables[t].name(i);

			CHECK(name && name[0], "%s %d has no name", tables[t].what, i);
			(void)snprintf(names[i], sizeof names[i], "%s", name);
			for (int k = 0; k < i; k++)
				CHECK(strcmp(names[k], names[i]) != 0, "%s %d and %d are both \"%s\"", tables[t].what, k, i, name);
		}
}

/* An order is one of all states. */
static void test_every_state_has_a_rank(void **state)
{
	bool has_rank[INSTANCE_STATES] = {false};

	(void)state;
	for (int i = 0; i < INSTANCE_STATES; i++)
		has_rank[instance_by_rank(i)] = true;
	for (int i = 0; i < INSTANCE_STATES; i++)
		CHECK(has_rank[i], "state %d has no rank", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row),
		cmocka_unit_test(test_every_state_has_a_rank),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
