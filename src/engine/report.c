#include "engine/report.h"

#include "base/log.h"

static void log_record(const struct reconcile *r, enum log_level level, const char *message,
		       const struct op *op, const char *error)
{
	const struct target *t = op->kind == OP_DELETE ? &op->record->target : op->target;
	char content[TARGET_TEXT_CAP];
	struct log_field fields[] = {
		{"name", r->name, 0},
		{"type", record_type_name(t->type), 0},
		{"content", content, 0},
		{"ttl", NULL, op->kind == OP_DELETE ? op->record->ttl : op->ttl},
		{"error", error, 0},
	};

	target_format(t, content);
	log_event(level, message, fields, sizeof fields / sizeof fields[0] - (error ? 0 : 1));
}

void report_written(const struct reconcile *r, const struct op *op)
{
	static const char *const messages[OP_KINDS] = {
		[OP_CREATE] = "record created",
		[OP_UPDATE] = "record updated",
		[OP_DELETE] = "record deleted",
	};

	log_record(r, LOG_INFO, messages[op->kind], op, NULL);
	if (op->kind != OP_DELETE && r->job->proxied == PROXIED_ON && !op->proxied)
		log_record(r, LOG_WARN, "not proxied: a private address cannot be", op, NULL);
}

void report_refused(const struct reconcile *r, const struct op *op, const struct err *e)
{
	static const char *const messages[OP_KINDS] = {
		[OP_CREATE] = "record refused",
		[OP_UPDATE] = "update refused",
		[OP_DELETE] = "delete refused",
	};

	log_record(r, LOG_ERROR, messages[op->kind], op, e->text);
}

void report_batch_refused(const struct reconcile *r, const struct err *e)
{
	LOG_EVENT(LOG_WARN, "batch refused, listing again", {"name", r->name, 0},
		  {"error", e->text, 0});
}

void report_retry(const struct reconcile *r, int64_t delay_ms)
{
	LOG_EVENT(LOG_WARN, "retrying", {"name", r->name, 0}, {"in_ms", NULL, delay_ms},
		  {"kind", err_kind_name(r->last_err.kind), 0}, {"error", r->last_err.text, 0});
}

void report_drift(const struct reconcile *r)
{
	LOG_EVENT(LOG_WARN, "drift: somebody else changed the records", {"name", r->name, 0},
		  {"to_create", NULL, (int64_t)r->plan.n[OP_CREATE]},
		  {"to_update", NULL, (int64_t)r->plan.n[OP_UPDATE]},
		  {"to_delete", NULL, (int64_t)r->plan.n[OP_DELETE]});
}

/* What Consul said, and what became of it, in the same words in every closing line. */
static void log_end(const struct reconcile *r, enum log_level level, const char *message,
		    const char *held_why)
{
	struct log_field fields[] = {
		{"name", r->name, 0},
		{"service", r->job->service, 0},
		{"instances", NULL, (int64_t)r->instances_n},
		{"passing", NULL, (int64_t)r->state_n[INSTANCE_PASSING]},
		{"warning", NULL, (int64_t)r->state_n[INSTANCE_WARNING]},
		{"critical", NULL, (int64_t)r->state_n[INSTANCE_CRITICAL]},
		{"maintenance", NULL, (int64_t)r->state_n[INSTANCE_MAINTENANCE]},
		{"wanted", NULL, (int64_t)r->want_n},
		{"created", NULL, (int64_t)r->done_n[OP_CREATE]},
		{"updated", NULL, (int64_t)r->done_n[OP_UPDATE]},
		{"deleted", NULL, (int64_t)r->done_n[OP_DELETE]},
		{"held", NULL, (int64_t)r->plan.n[OP_HOLD]},
		{"why", held_why, 0},
		{"error", r->gap_err.text, 0},
	};
	size_t n = sizeof fields / sizeof fields[0];

	if (!held_why)
		n -= 2;
	else if (r->gap != EVIDENCE_READ_FAILED)
		n--;
	log_event(level, message, fields, n);
}

void report_end(const struct reconcile *r)
{
	bool has_written = r->done_n[OP_CREATE] || r->done_n[OP_UPDATE] || r->done_n[OP_DELETE];

	if (r->unaddressed_n)
		LOG_EVENT(LOG_WARN, "instances without a usable address are left out",
			  {"name", r->name, 0}, {"count", NULL, (int64_t)r->unaddressed_n},
			  {"first", r->unaddressed, 0});
	if (r->result == RECONCILE_FAILED)
		LOG_EVENT(LOG_ERROR, "failed", {"name", r->name, 0},
			  {"service", r->job->service, 0},
			  {"kind", err_kind_name(r->last_err.kind), 0},
			  {"error", r->last_err.text, 0});
	else if (r->result == RECONCILE_HELD)
		log_end(r, LOG_WARN, "held", r->plan.held_why);
	else
		log_end(r, LOG_INFO, has_written ? "synced" : "in sync", NULL);
}
