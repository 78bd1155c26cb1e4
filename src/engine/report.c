#include "engine/report.h"

#include "base/log.h"
#include "engine/reconcile.h"

static void log_record(const struct job *job, enum log_level level, const char *message,
		       const struct op *op, const char *error)
{
	bool is_there = op->kind == OP_DELETE;
	const struct target *t = is_there ? &op->record->target : op->target;
	char content[TARGET_TEXT_CAP];
	struct log_field fields[] = {
		{"name", job->name, 0},
		{"type", record_type_name(t->type), 0},
		{"content", content, 0},
		{"ttl", NULL, is_there ? op->record->ttl : op->ttl},
		{"proxied", (is_there ? op->record->proxied : op->proxied) ? "true" : "false", 0},
		{"error", error, 0},
	};

	target_format(t, content);
	log_event(level, message, fields, sizeof fields / sizeof fields[0] - (error ? 0 : 1));
}

void report_written(const struct job *job, const struct op *op)
{
	static const char *const messages[OP_KINDS] = {
		[OP_CREATE] = "record created",
		[OP_UPDATE] = "record updated",
		[OP_DELETE] = "record deleted",
	};

	log_record(job, LOG_INFO, messages[op->kind], op, NULL);
	if (op->kind != OP_DELETE && job->proxied == PROXIED_ON && !op->proxied)
		log_record(job, LOG_WARN, "not proxied: a private address cannot be", op, NULL);
}

void report_refused(const struct job *job, const struct op *op, const struct err *e)
{
	static const char *const messages[OP_KINDS] = {
		[OP_CREATE] = "record refused",
		[OP_UPDATE] = "update refused",
		[OP_DELETE] = "delete refused",
	};

	log_record(job, LOG_ERROR, messages[op->kind], op, e->text);
}

void report_batch_refused(const struct job *job, const struct err *e)
{
	LOG_EVENT(LOG_WARN, "batch refused, listing again", {"name", job->name, 0},
		  {"error", e->text, 0});
}

void report_retry(const struct job *job, const struct err *e, int64_t delay_ms)
{
	LOG_EVENT(LOG_WARN, "retrying", {"name", job->name, 0}, {"in_ms", NULL, delay_ms},
		  {"kind", err_kind_name(e->kind), 0}, {"error", e->text, 0});
}

void report_unserved(const struct job *job, const struct cf_zone_search *found)
{
	LOG_EVENT(LOG_WARN, "the zone is not active: nobody sees its records",
		  {"name", job->name, 0}, {"zone", found->zone, 0}, {"status", found->status, 0});
}

void report_mixed(const struct job *job, const struct plan *p)
{
	LOG_EVENT(LOG_WARN, "some records are proxied, some not: new ones are as most",
		  {"name", job->name, 0}, {"proxied", p->is_proxied ? "true" : "false", 0});
}

void report_drift(const struct job *job, const struct plan *p)
{
	LOG_EVENT(LOG_WARN, "drift: somebody else changed the records", {"name", job->name, 0},
		  {"to_create", NULL, (int64_t)p->n[OP_CREATE]},
		  {"to_update", NULL, (int64_t)p->n[OP_UPDATE]},
		  {"to_delete", NULL, (int64_t)p->n[OP_DELETE]});
}

/* What Consul said, and what became of it, in the same words in every closing line. */
static void log_end(const struct reconcile *r, enum log_level level, const char *message,
		    const char *held_why)
{
	struct log_field fields[] = {
		{"name", r->in.job->name, 0},
		{"service", r->in.job->service, 0},
		{"instances", NULL, (int64_t)r->seen.count.instances_n},
		{"passing", NULL, (int64_t)r->seen.count.state_n[INSTANCE_PASSING]},
		{"warning", NULL, (int64_t)r->seen.count.state_n[INSTANCE_WARNING]},
		{"critical", NULL, (int64_t)r->seen.count.state_n[INSTANCE_CRITICAL]},
		{"maintenance", NULL, (int64_t)r->seen.count.state_n[INSTANCE_MAINTENANCE]},
		{"wanted", NULL, (int64_t)r->seen.want_n},
		{"created", NULL, (int64_t)r->out.done_n[OP_CREATE]},
		{"updated", NULL, (int64_t)r->out.done_n[OP_UPDATE]},
		{"deleted", NULL, (int64_t)r->out.done_n[OP_DELETE]},
		{"held", NULL, (int64_t)r->out.plan.n[OP_HOLD]},
		{"why", held_why, 0},
		{"error", r->out.gap_err.text, 0},
	};
	size_t n = sizeof fields / sizeof fields[0];

	if (!held_why)
		n -= 2;
	else if (r->out.gap != EVIDENCE_READ_FAILED)
		n--;
	log_event(level, message, fields, n);
}

void report_end(const struct reconcile *r)
{
	bool has_written =
		r->out.done_n[OP_CREATE] || r->out.done_n[OP_UPDATE] || r->out.done_n[OP_DELETE];

	if (r->seen.count.unaddressed_n)
		LOG_EVENT(LOG_WARN, "instances without a usable address are left out",
			  {"name", r->in.job->name, 0},
			  {"count", NULL, (int64_t)r->seen.count.unaddressed_n},
			  {"first", r->seen.count.unaddressed, 0});
	if (r->seen.hidden && r->out.result != RECONCILE_HELD)
		LOG_EVENT(LOG_WARN, "not all instances may be seen", {"name", r->in.job->name, 0},
			  {"why", evidence_gap_text(r->seen.hidden), 0});
	if (r->out.result == RECONCILE_FAILED)
		LOG_EVENT(LOG_ERROR, "failed", {"name", r->in.job->name, 0},
			  {"service", r->in.job->service, 0},
			  {"kind", err_kind_name(r->out.err.kind), 0},
			  {"error", r->out.err.text, 0});
	else if (r->out.result == RECONCILE_HELD)
		log_end(r, LOG_WARN, "held", r->out.plan.held_why);
	else
		log_end(r, LOG_INFO, has_written ? "synced" : "in sync", NULL);
}
