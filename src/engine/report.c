#include "engine/report.h"

#include "base/log.h"
#include "engine/reconcile.h"

static void log_record(const struct job *job, enum log_level level, const char *message,
		       const struct op *op, const char *error)
{
	bool is_there = op->kind == OP_DELETE;
	const struct target *t = is_there ? &op->record->target : op->target;
	char content[TARGET_TEXT_CAP];

	target_format(t, content);
	log_event(level, message, "name=%s type=%s content=%s ttl=%u proxied=%s error=%s",
		  job->name, record_type_name(t->type), content,
		  (unsigned)(is_there ? op->record->ttl : op->ttl),
		  (is_there ? op->record->proxied : op->proxied) ? "true" : "false", error);
}

void report_written(const struct job *job, const struct op *op)
{
	static const char messages[OP_KINDS][15] = {
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
	static const char messages[OP_KINDS][15] = {
		[OP_CREATE] = "record refused",
		[OP_UPDATE] = "update refused",
		[OP_DELETE] = "delete refused",
	};

	log_record(job, LOG_ERROR, messages[op->kind], op, e->text);
}

void report_batch_refused(const struct job *job, const struct err *e)
{
	log_event(LOG_WARN, "batch refused, listing again", "name=%s error=%s", job->name, e->text);
}

void report_split(size_t names_n, const struct err *e)
{
	log_event(LOG_WARN, "batch refused, smaller ones follow", "names=%zu error=%s", names_n,
		  e->text);
}

static bool quiet;

void report_quiet(bool is_quiet)
{
	quiet = is_quiet;
}

static enum log_level level_of(enum log_level level)
{
	return quiet ? LOG_DEBUG : level;
}

void report_others(size_t names_n)
{
	log_event(LOG_WARN, "others with it", "names=%zu", names_n);
}

void report_retry(const struct job *job, const struct err *e, int64_t delay_ms)
{
	log_event(level_of(LOG_WARN), "retrying", "name=%s in_ms=%lld kind=%s error=%s", job->name,
		  (long long)delay_ms, err_kind_name(e->kind), e->text);
}

void report_unserved(const struct job *job, const struct cf_zone_search *found)
{
	log_event(LOG_WARN, "the zone is not active: nobody sees its records",
		  "name=%s zone=%s status=%s", job->name, found->zone, found->status);
}

void report_mixed(const struct job *job, const struct plan *p)
{
	log_event(LOG_WARN, "some records are proxied, some not: new ones are as most",
		  "name=%s proxied=%s", job->name, p->is_proxied ? "true" : "false");
}

void report_drift(const struct job *job, const struct plan *p)
{
	log_event(LOG_WARN, "drift: somebody else changed the records",
		  "name=%s to_create=%zu to_update=%zu to_delete=%zu", job->name, p->n[OP_CREATE],
		  p->n[OP_UPDATE], p->n[OP_DELETE]);
}

/* What Consul said, and what became of it, in the same words in every closing line. */
static void log_end(const struct reconcile *r, enum log_level level, const char *message,
		    const char *held_why)
{
	const size_t *state_n = r->seen.count.state_n, *done_n = r->out.done_n;

	log_event(level, message,
		  "name=%s service=%s instances=%zu passing=%zu warning=%zu critical=%zu "
		  "maintenance=%zu wanted=%zu created=%zu updated=%zu deleted=%zu held=%zu why=%s "
		  "error=%s",
		  r->in.job->name, r->in.job->service, r->seen.count.instances_n,
		  state_n[INSTANCE_PASSING], state_n[INSTANCE_WARNING], state_n[INSTANCE_CRITICAL],
		  state_n[INSTANCE_MAINTENANCE], r->seen.want_n, done_n[OP_CREATE],
		  done_n[OP_UPDATE], done_n[OP_DELETE], r->out.plan.n[OP_HOLD], held_why,
		  held_why && r->out.gap == EVIDENCE_READ_FAILED ? r->out.gap_err->text : NULL);
}

void report_end(const struct reconcile *r)
{
	bool has_written =
		r->out.done_n[OP_CREATE] || r->out.done_n[OP_UPDATE] || r->out.done_n[OP_DELETE];

	if (r->seen.count.unaddressed_n)
		log_event(LOG_WARN, "instances without a usable address are left out",
			  "name=%s count=%zu first=%s", r->in.job->name,
			  r->seen.count.unaddressed_n, r->seen.count.unaddressed);
	if (r->seen.hidden && r->out.result != RECONCILE_HELD)
		log_event(LOG_WARN, "not all instances may be seen", "name=%s why=%s",
			  r->in.job->name, evidence_gap_text(r->seen.hidden));
	if (r->out.result == RECONCILE_FAILED)
		log_event(level_of(LOG_ERROR), "failed", "name=%s service=%s kind=%s error=%s",
			  r->in.job->name, r->in.job->service, err_kind_name(r->out.err->kind),
			  r->out.err->text);
	else if (r->out.result == RECONCILE_HELD)
		log_end(r, level_of(LOG_WARN), "held", r->out.plan.held_why);
	else
		log_end(r, level_of(LOG_INFO), has_written ? "synced" : "in sync", NULL);
}

void report_add(struct report_sum *sum, const struct reconcile *r)
{
	for (int i = 0; i < OP_KINDS; i++)
		sum->done_n[i] += r->out.done_n[i];
	sum->names_n++;
	sum->held_n += r->out.result == RECONCILE_HELD;
	sum->failed_n += r->out.result == RECONCILE_FAILED;
}

void report_zone(const struct report_sum *sum, const char *zone)
{
	if (sum->names_n > REPORT_LINES_MAX)
		log_event(sum->held_n || sum->failed_n ? LOG_WARN : LOG_INFO, "zone synced",
			  "zone=%s names=%zu created=%zu updated=%zu deleted=%zu held=%zu "
			  "failed=%zu",
			  zone && *zone ? zone : NULL, sum->names_n, sum->done_n[OP_CREATE],
			  sum->done_n[OP_UPDATE], sum->done_n[OP_DELETE], sum->held_n,
			  sum->failed_n);
}
