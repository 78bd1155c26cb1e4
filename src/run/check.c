#include "run/check.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fmt.h"

enum verdict { VERDICT_MORE, VERDICT_PASS, VERDICT_FAIL };

/* ---- HTTP ---- */

static int take_status(void *ctx, int status, struct err *e)
{
	struct check *c = ctx;

	(void)e;
	c->status = status;
	return 0;
}

static int take_body(void *ctx, const char *p, size_t n, struct err *e)
{
	struct check *c = ctx;
	size_t len = strlen(c->excerpt);

	for (size_t i = 0; i < n && len < sizeof c->excerpt - 1; i++)
		c->excerpt[len++] = *(p[i] ? p + i : "?");
	c->body_len += n;
	return c->body_len < CHECK_BODY_MAX ? 0 : err_set(e, ERR_LIMIT, "cut");
}

static int start_http(struct check *c, struct err *e)
{
	const struct http_request request = {
		.method = "GET",
		.target = c->setup->target,
		.headers = "Accept: */*\r\nConnection: close\r\n",
	};
	const struct http_sink sink = {.ctx = c, .status = take_status, .body = take_body};

	c->status = 0;
	c->body_len = 0;
	memset(c->excerpt, 0, sizeof c->excerpt);
	if (http_start(&c->by.http, &request, &sink, c->deadline_ms, e))
		return -1;
	/* Its time began with the check: an error tells all of it, and not a millisecond less. */
	c->by.http.start_ms = c->started_ms;
	return 0;
}

static void describe_answer(const struct check *c, struct err *e)
{
	char origin[NET_HOST_MAX + 32];
	const char *text = c->excerpt + strspn(c->excerpt, " \t\r\n");
	bool is_shown = *text && c->status / 100 != 2;
	struct buf b;

	buf_init(&b, origin, sizeof origin);
	url_add_origin(&b, &c->origin.url);
	(void)err_set(e, ERR_REFUSED, "%s: HTTP %d%s%.*s", b.p, c->status, is_shown ? ": " : "",
		      is_shown ? (int)strcspn(text, "\r\n") : 0, text);
}

static enum verdict step_http(struct check *c, struct err *e)
{
	enum http_result result = http_step(&c->by.http, e);
	bool is_well = c->status / 100 == 2 && c->by.http.has_head;

	if (result == HTTP_MORE)
		return VERDICT_MORE;
	http_close(&c->by.http);
	/* The head decides: a body may be without end, too long to be read, or cut short. */
	if (result == HTTP_DONE || is_well || c->body_len >= CHECK_BODY_MAX)
		describe_answer(c, e);
	return is_well ? VERDICT_PASS : VERDICT_FAIL;
}

/* ---- TCP ---- */

static enum resolve_result take_addresses(struct check *c, enum resolve_result r)
{
	c->by.tcp.is_resolving = r == RESOLVE_MORE;
	if (r == RESOLVE_DONE)
		dial_start(&c->by.tcp.dial, c->deadline_ms);
	return r;
}

static int start_tcp(struct check *c, struct err *e)
{
	const struct url *u = &c->setup->url;
	enum resolve_result r = resolve_start(&c->by.tcp.resolve, u->host, u->port, c->deadline_ms,
					      &c->by.tcp.dial.addresses, e);

	return take_addresses(c, r) == RESOLVE_BAD ? -1 : 0;
}

static void stop_tcp(struct check *c)
{
	resolve_stop(&c->by.tcp.resolve);
	dial_stop(&c->by.tcp.dial);
	c->by.tcp.is_resolving = false;
}

static enum verdict try_tcp(struct check *c, int64_t now_ms, struct err *e)
{
	int fd = -1;
	enum resolve_result r = RESOLVE_DONE;

	if (c->by.tcp.is_resolving)
		r = take_addresses(c,
				   resolve_step(&c->by.tcp.resolve, &c->by.tcp.dial.addresses, e));
	if (r == RESOLVE_DONE) {
		enum dial_result d = dial_step(&c->by.tcp.dial, &fd, e);

		if (d == DIAL_DONE)
			(void)close(fd);
		if (d != DIAL_MORE)
			return d == DIAL_DONE ? VERDICT_PASS : VERDICT_FAIL;
	}
	if (r == RESOLVE_BAD)
		return VERDICT_FAIL;
	if (now_ms < c->deadline_ms)
		return VERDICT_MORE;
	(void)err_set(e, ERR_RETRY, "no connection in time");
	return VERDICT_FAIL;
}

static enum verdict step_tcp(struct check *c, int64_t now_ms, struct err *e)
{
	const struct url *u = &c->setup->url;
	enum verdict v = try_tcp(c, now_ms, e);

	if (v == VERDICT_MORE)
		return v;
	stop_tcp(c);
	if (v == VERDICT_PASS)
		(void)err_set(e, ERR_NONE, "connected");
	(void)err_wrap(e, u->is_ip6 ? "tcp://[%s]:%u" : "tcp://%s:%u", u->host, (unsigned)u->port);
	return v;
}

/* ---- EXEC ---- */

static int start_exec(struct check *c, struct err *e)
{
	return process_start(&c->process, c->setup->command.argv, PROCESS_LAST_LINE, e);
}

static enum verdict step_exec(struct check *c, int64_t now_ms, struct err *e)
{
	const struct process *p = &c->process;
	int64_t ms = c->deadline_ms - c->started_ms;
	const char *name = c->setup->command.argv[0];

	process_step(&c->process);
	if (process_is_running(p)) {
		if (now_ms < c->deadline_ms)
			return VERDICT_MORE;
		process_kill(p, SIGKILL);
		c->phase = CHECK_DIES;
		(void)err_set(e, ERR_RETRY, "%s: not done after %lld ms, killed", name,
			      (long long)ms);
		return VERDICT_FAIL;
	}
	if (p->line[0] && !p->exec_error)
		(void)err_set(e, ERR_REFUSED, "%s", p->line);
	else if (p->exec_error)
		(void)err_set(e, ERR_REFUSED, "%s: %s", name, p->line);
	else
		(void)err_set(e, ERR_REFUSED, "%s: exit code %d", name, p->code);
	return p->code == 0 ? VERDICT_PASS : VERDICT_FAIL;
}

/* ---- all of them ---- */

static bool is_over_tls(const struct run_check *setup)
{
	return setup->kind == RUN_CHECK_HTTP && setup->url.scheme == URL_HTTPS;
}

static void init_http(struct check *c, const struct tls_config *tls)
{
	bool is_https = is_over_tls(c->setup);

	c->origin = (struct http_origin){.url = c->setup->url, .tls = is_https ? tls : NULL};
	http_client_init(&c->by.http, &c->origin, is_https ? c->tls : NULL);
}

int check_init(struct check *c, const struct run_check *setup, const struct tls_config *tls,
	       struct err *e)
{
	/* First what can fail: the check before goes on then. */
	if (is_over_tls(setup) && tls_reserve(&c->tls, e))
		return -1;
	if (c->setup)
		check_stop(c);
	c->setup = setup;
	if (setup->kind == RUN_CHECK_HTTP)
		init_http(c, tls);
	if (setup->kind == RUN_CHECK_TCP) {
		resolve_init(&c->by.tcp.resolve);
		dial_init(&c->by.tcp.dial);
		c->by.tcp.is_resolving = false;
	}
	c->next_ms = CLOCK_NEVER;
	return 0;
}

void check_start(struct check *c, int64_t now_ms)
{
	c->has_passed = false;
	c->begun_ms = c->next_ms = now_ms;
}

static int start(struct check *c, struct err *e)
{
	switch (c->setup->kind) {
	case RUN_CHECK_HTTP: return start_http(c, e);
	case RUN_CHECK_TCP: return start_tcp(c, e);
	case RUN_CHECK_EXEC: return start_exec(c, e);
	case RUN_CHECK_NONE: break;
	}
	return 0;
}

static enum verdict go_on(struct check *c, int64_t now_ms, struct err *e)
{
	switch (c->setup->kind) {
	case RUN_CHECK_HTTP: return step_http(c, e);
	case RUN_CHECK_TCP: return step_tcp(c, now_ms, e);
	case RUN_CHECK_EXEC: return step_exec(c, now_ms, e);
	case RUN_CHECK_NONE: break;
	}
	(void)err_set(e, ERR_NONE, "no check is set");
	return VERDICT_PASS;
}

static int64_t rest_ms(const struct check *c)
{
	int64_t eager_ms = (c->started_ms - c->begun_ms) / CHECK_EAGER_PART;

	if (eager_ms < CHECK_EAGER_MS)
		eager_ms = CHECK_EAGER_MS;
	return c->has_passed || eager_ms > c->setup->interval_ms ? c->setup->interval_ms : eager_ms;
}

static void conclude(struct check *c, enum verdict v, const struct err *e)
{
	if (c->phase != CHECK_DIES)
		c->phase = CHECK_RESTS;
	c->has_result = true;
	c->is_passing = v == VERDICT_PASS;
	c->has_passed |= c->is_passing;
	(void)fmt_text(c->output, sizeof c->output, "%s", e->text);
	c->duration_ms = clock_now_ms() - c->started_ms;
	c->runs++;
	c->failures += !c->is_passing;
	c->next_ms = c->setup->kind == RUN_CHECK_NONE ? CLOCK_NEVER : c->started_ms + rest_ms(c);
}

bool check_step(struct check *c, int64_t now_ms)
{
	struct err e = {0};
	enum verdict v = VERDICT_MORE;

	if (c->phase == CHECK_DIES) {
		process_step(&c->process);
		if (process_is_running(&c->process))
			return false;
		c->phase = CHECK_RESTS;
	}
	if (c->phase == CHECK_RESTS) {
		if (now_ms < c->next_ms)
			return false;
		c->phase = CHECK_RUNS;
		c->started_ms = now_ms;
		c->deadline_ms = c->setup->timeout_ms < CLOCK_NEVER - now_ms
					 ? now_ms + c->setup->timeout_ms
					 : CLOCK_NEVER;
		if (start(c, &e))
			v = VERDICT_FAIL;
	}
	if (v == VERDICT_MORE)
		v = go_on(c, now_ms, &e);
	if (v == VERDICT_MORE)
		return false;
	conclude(c, v, &e);
	return true;
}

void check_wants(const struct check *c, struct loop_wait *w)
{
	bool is_command = c->phase == CHECK_DIES || c->setup->kind == RUN_CHECK_EXEC;

	if (c->phase == CHECK_RESTS) {
		loop_wait_until(w, c->next_ms);
		return;
	}
	if (c->phase == CHECK_RUNS)
		loop_wait_until(w, c->deadline_ms);
	if (is_command) {
		process_wants(&c->process, w);
		if (!process_is_running(&c->process))
			loop_wait_until(w, 0); /* it was reaped */
	} else if (c->setup->kind == RUN_CHECK_HTTP) {
		http_wants(&c->by.http, w);
	} else if (c->by.tcp.is_resolving) {
		resolve_wants(&c->by.tcp.resolve, w);
	} else {
		dial_wants(&c->by.tcp.dial, w);
	}
}

void check_stop(struct check *c)
{
	bool is_running = c->phase == CHECK_RUNS;

	if (is_running && c->setup->kind == RUN_CHECK_HTTP)
		http_close(&c->by.http);
	if (is_running && c->setup->kind == RUN_CHECK_TCP)
		stop_tcp(c);
	process_kill(&c->process, SIGKILL);
	c->phase = check_is_dying(c) ? CHECK_DIES : CHECK_RESTS;
	c->next_ms = CLOCK_NEVER;
}

bool check_is_dying(const struct check *c)
{
	return process_is_running(&c->process);
}
