#define _GNU_SOURCE
#include "sim/wire.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/http/client.h"
#include "sim/check.h"
#include "sim/cloudflare.h"
#include "sim/consul.h"
#include "sim/copy.h"

#define WIRES 256
#define TARGET_CAP 2048
#define SLOW_MS 1000 /* a call that takes longer is as one that fails */

enum fate { FATE_GOOD, FATE_REFUSED, FATE_LOST_BEFORE, FATE_LOST_AFTER, FATE_SILENT, FATE_CUT };

static struct wire {
	bool is_used, is_cloud;
	struct http_client *client; /* NULL: nobody waits for it any more */
	int who;
	unsigned life;
	struct http_sink sink;
	int64_t begun_ms, deadline_ms, next_ms;
	bool has_head;
	size_t given;
	struct cloud_exchange cloud;
	/* Consul's */
	enum fate fate;
	char method[8], target[TARGET_CAP], headers[512], body[2048];
	uint64_t asked_index;
	bool is_arrived, is_served;
	int64_t arrive_ms, answer_ms, wait_until_ms;
	size_t text_cap;
	struct consul_answer_text answer;
	size_t answer_len;
} wires[WIRES];

static size_t wires_n;
static int64_t bad_until_ms;
static uint32_t bad_kind;
static unsigned seen_changes;

void wire_init(void)
{
	for (size_t i = 0; i < wires_n; i++) {
		if (wires[i].is_used && wires[i].is_cloud)
			cloud_free(&wires[i].cloud);
		wires[i].is_used = false;
		wires[i].client = NULL;
	}
	wires_n = 0;
	bad_until_ms = 0;
}

void wire_event(const struct sim_event *event)
{
	bad_until_ms = event->until_ms;
	bad_kind = event->random;
}

void wire_calm(void)
{
	bad_until_ms = 0;
}

/* The client's start_ms is not used by anybody here: its wire's number. */
static struct wire *wire_of(const struct http_client *c)
{
	size_t i = (size_t)c->start_ms;

	return i && i <= wires_n && wires[i - 1].is_used && wires[i - 1].client == c ? &wires[i - 1] : NULL;
}

static struct wire *new_wire(struct http_client *c)
{
	size_t i = 0;

	while (i < wires_n && wires[i].is_used)
		i++;
	if (i == WIRES) {
		(void)fprintf(stderr, "no room for more calls\n");
		abort();
	}
	if (i == wires_n)
		wires_n++;
	wires[i].is_used = true;
	wires[i].client = c;
	c->start_ms = (int64_t)i + 1;
	return &wires[i];
}

static void free_wire(struct wire *w)
{
	if (w->is_cloud)
		cloud_free(&w->cloud);
	w->is_used = false;
	w->client = NULL;
}

/* The client is gone, or has what it wanted. What is on its way may yet arrive. */
static void end_wire(struct wire *w, bool is_answered)
{
	bool may_arrive;

	w->client = NULL;
	if (w->is_cloud) {
		cloud_end(&w->cloud, sim.now_ms, is_answered);
		may_arrive = !w->cloud.is_served && w->cloud.arrive_ms != CLOCK_NEVER;
	} else {
		may_arrive = !w->is_served && w->method[0] != 'G' && w->arrive_ms != CLOCK_NEVER;
	}
	if (!may_arrive)
		free_wire(w);
}

void wire_drop_all(int who)
{
	for (size_t i = 0; i < wires_n; i++)
		if (wires[i].is_used && wires[i].client && wires[i].who == who)
			end_wire(&wires[i], false);
}

bool wire_is_awaited(const struct cloud_exchange *x)
{
	for (size_t i = 0; i < wires_n; i++)
		if (&wires[i].cloud == x)
			return wires[i].is_used && wires[i].client;
	return false;
}

int64_t wire_sent_ms(const struct cloud_exchange *x)
{
	return x->begun_ms;
}

/* ---- the server's side ---- */

static void serve_consul(struct wire *w)
{
	char *text = w->answer.body;

	if (!text)
		text = malloc(CONSUL_TEXT_CAP);
	if (!text)
		abort();
	w->answer.body = text;
	consul_serve(w->method, w->target, w->headers, w->body, &w->answer);
	w->is_served = true;
	w->answer_len = strlen(text);
	w->answer_ms = sim.now_ms + sim_between(ROW_WORLD, 0, 3);
	if (w->fate == FATE_LOST_AFTER || w->fate == FATE_SILENT)
		w->answer_ms = CLOCK_NEVER;
	if (w->fate == FATE_CUT)
		w->answer_len /= 2;
	if (!w->client)
		free_wire(w);
}

static bool is_waiting_at_consul(const struct wire *w)
{
	return w->is_used && !w->is_cloud && w->is_arrived && !w->is_served;
}

static void arrive(struct wire *w)
{
	if (w->is_cloud) {
		cloud_serve(&w->cloud, sim.now_ms);
		if (!w->client)
			free_wire(w);
		return;
	}
	w->is_arrived = true;
	if (!consul_is_blocked(w->target, w->asked_index, w->wait_until_ms))
		serve_consul(w);
}

static int64_t arrives_ms(const struct wire *w)
{
	if (!w->is_used)
		return CLOCK_NEVER;
	if (w->is_cloud)
		return w->cloud.is_served ? CLOCK_NEVER : w->cloud.arrive_ms;
	if (w->is_served)
		return CLOCK_NEVER;
	return w->is_arrived ? w->wait_until_ms : w->arrive_ms;
}

int64_t wire_next_ms(void)
{
	int64_t first_ms = CLOCK_NEVER;

	if (seen_changes != consul_changes)
		return sim.now_ms;
	for (size_t i = 0; i < wires_n; i++)
		if (arrives_ms(&wires[i]) < first_ms)
			first_ms = arrives_ms(&wires[i]);
	return first_ms;
}

void wire_serve(void)
{
	for (size_t i = 0; i < wires_n; i++) {
		struct wire *w = &wires[i];

		if (arrives_ms(w) <= sim.now_ms)
			arrive(w);
		else if (seen_changes != consul_changes && is_waiting_at_consul(w) &&
			 !consul_is_blocked(w->target, w->asked_index, w->wait_until_ms))
			serve_consul(w);
		else
			continue;
		if (w->is_used && w->client)
			copies[w->who].wake_ms = sim.now_ms;
	}
	seen_changes = consul_changes;
}

/* ---- the client's side ---- */

static size_t connections_of(int who)
{
	size_t n = 0;

	for (size_t i = 0; i < wires_n; i++)
		n += wires[i].is_used && wires[i].client && !wires[i].is_cloud && wires[i].who == who;
	return n;
}

static enum fate draw_fate(int who)
{
	unsigned rate = sim.now_ms < bad_until_ms ? 100000 : 0;

	if (!consul_is_open(connections_of(who) - 1))
		return FATE_REFUSED;
	if (!rate || !sim_chance("consul: a call goes wrong", rate * 2))
		return FATE_GOOD;
	return (enum fate)(FATE_REFUSED + (bad_kind + sim_below(ROW_WORLD, 3)) % 5);
}

static void begin_consul(struct wire *w, const struct http_request *r)
{
	const char *at;
	int64_t way_ms = sim_between(ROW_WORLD, 0, 4);

	(void)snprintf(w->method, sizeof w->method, "%s", r->method);
	(void)snprintf(w->target, sizeof w->target, "%s", r->target);
	(void)snprintf(w->headers, sizeof w->headers, "%s", r->headers);
	(void)snprintf(w->body, sizeof w->body, "%.*s", (int)r->body_len, r->body ? r->body : "");
	w->is_arrived = w->is_served = false;
	w->fate = draw_fate(w->who);
	if (sim.now_ms < bad_until_ms && bad_kind % 3 == 0)
		way_ms = sim_between(ROW_WORLD, 0, 4000);
	w->arrive_ms = sim.now_ms + way_ms;
	w->answer_ms = CLOCK_NEVER;
	at = strstr(w->target, "index=");
	w->asked_index = at ? strtoull(at + 6, NULL, 10) : 0;
	at = strstr(w->target, "wait=");
	w->wait_until_ms = w->arrive_ms;
	if (at) {
		int64_t wait_ms = strtoll(at + 5, NULL, 10) * 1000;

		w->wait_until_ms += wait_ms + sim_below(ROW_WORLD, (uint32_t)(wait_ms / 16 + 1));
	}
	if (w->fate == FATE_REFUSED || w->fate == FATE_LOST_BEFORE)
		w->arrive_ms = CLOCK_NEVER;
}

static bool is_write(const char *method)
{
	return method[0] != 'G';
}

int __wrap_http_start(struct http_client *c, const struct http_request *r, const struct http_sink *s, int64_t deadline_ms,
		      struct err *e);
enum http_result __wrap_http_step(struct http_client *c, struct err *e);
bool __wrap_http_is_busy(const struct http_client *c);
void __wrap_http_wants(const struct http_client *c, struct loop_wait *w);
void __wrap_http_close(struct http_client *c);

int __wrap_http_start(struct http_client *c, const struct http_request *r, const struct http_sink *s, int64_t deadline_ms,
		      struct err *e)
{
	struct wire *w;

	(void)e;
	if (wire_of(c)) {
		sim_broken("protocol", "a call is begun while another one is under way: %s %.200s", r->method, r->target);
		return -1;
	}
	copy_reach(DEATH_AT_START);
	w = new_wire(c);
	sim.steps++;
	c->counters.requests++;
	c->was_sent = false;
	w->who = copy_now;
	w->life = copies[copy_now].life;
	w->sink = *s;
	w->begun_ms = sim.now_ms;
	w->deadline_ms = deadline_ms;
	w->has_head = false;
	w->given = 0;
	/* Cloudflare's address is the only one with https. */
	w->is_cloud = c->origin->url.scheme == URL_HTTPS;
	NOTE("%d> %s %.300s %.*s", copy_now, r->method, r->target, (int)(w->is_cloud ? r->body_len : 0), r->body ? r->body : "");
	if (w->is_cloud) {
		cloud_begin(&w->cloud, copy_now, sim.now_ms, r->method, r->target, r->headers, r->body ? r->body : "", r->body_len);
		check_call(copy_now);
	} else {
		begin_consul(w, r);
	}
	return 0;
}

static enum http_result fail(struct wire *w, const char *why, struct err *e)
{
	NOTE("%d< %s: %s", w->who, w->is_cloud ? w->cloud.target : w->target, why);
	check_failed(w->who, sim.now_ms);
	end_wire(w, false);
	(void)err_set(e, ERR_RETRY, "%s", why);
	return HTTP_BAD;
}

/* "Name: value\n"... */
static int give_head(struct wire *w, int status, const char *headers, struct err *e)
{
	w->has_head = true;
	if (w->sink.status && w->sink.status(w->sink.ctx, status, e))
		return -1;
	for (const char *p = headers; *p;) {
		char line[512], *colon;
		size_t len = strcspn(p, "\n");

		(void)snprintf(line, sizeof line, "%.*s", (int)len, p);
		p += len + (p[len] == '\n');
		colon = strchr(line, ':');
		if (!colon || !w->sink.header)
			continue;
		*colon = '\0';
		if (w->sink.header(w->sink.ctx, line, colon + 1 + strspn(colon + 1, " "), e))
			return -1;
	}
	return 0;
}

static int give(struct wire *w, int status, const char *headers, const char *body, size_t len, struct err *e)
{
	if (!w->has_head && give_head(w, status, headers, e))
		return -1;
	while (w->given < len) {
		size_t n = len - w->given < 4096 ? len - w->given : 4096;
		const char *p = body + w->given;

		w->given += n;
		if (w->sink.body && w->sink.body(w->sink.ctx, p, n, e))
			return -1;
	}
	return 0;
}

static enum http_result step_consul(struct wire *w, struct err *e)
{
	struct http_client *c = w->client;

	if (w->fate == FATE_REFUSED)
		return fail(w, "connection refused", e);
	c->was_sent = true;
	if (w->fate == FATE_LOST_BEFORE && sim.now_ms >= w->begun_ms + 5)
		return fail(w, "connection lost", e);
	if (w->is_served && w->fate == FATE_LOST_AFTER)
		return fail(w, "connection lost", e);
	if (!w->is_served || sim.now_ms < w->answer_ms)
		return HTTP_MORE;
	if (is_write(w->method))
		copy_reach(DEATH_AT_ANSWER);
	if (give(w, w->answer.status, w->answer.headers, w->answer.body, w->answer_len, e)) {
		end_wire(w, false);
		return HTTP_BAD;
	}
	if (w->fate == FATE_CUT)
		return fail(w, "connection lost within the answer", e);
	NOTE("%d< %d %.200s: %.400s", w->who, w->answer.status, w->target, w->answer.body);
	if (!w->asked_index && sim.now_ms - w->begun_ms > SLOW_MS)
		check_failed(w->who, sim.now_ms);
	if (w->answer.status == 200 && w->answer.said.is_good)
		check_heard(w->who, &w->answer.said, w->begun_ms);
	end_wire(w, true);
	return HTTP_DONE;
}

static enum http_result step_cloud(struct wire *w, struct err *e)
{
	struct http_client *c = w->client;
	enum cloud_progress progress;
	int64_t next_ms;
	size_t len;

	/* Who is ended within a write may not wait for one that is slow. */
	if (is_write(w->cloud.method) && copies[copy_now].wants_end_in_write && sim_below(ROW_WORLD, 2))
		cloud_delay(&w->cloud, sim_between(ROW_WORLD, 0, 20000));
	if (is_write(w->cloud.method))
		copy_reach(DEATH_AFTER_SENDING);
	c->was_sent = true;
	progress = cloud_progress(&w->cloud, sim.now_ms, &len, &next_ms);
	if (progress == CLOUD_WAITING)
		return HTTP_MORE;
	if (w->cloud.is_served && sim.now_ms >= w->cloud.answer_ms &&
	    give(w, w->cloud.status, w->cloud.headers, w->cloud.answer, len, e)) {
		end_wire(w, false);
		return HTTP_BAD;
	}
	if (progress == CLOUD_PART)
		return HTTP_MORE;
	if (progress == CLOUD_BROKEN)
		return fail(w, "connection lost", e);
	if (is_write(w->cloud.method))
		copy_reach(DEATH_AT_ANSWER);
	NOTE("%d< %d %.200s: %.600s", w->who, w->cloud.status, w->cloud.target, w->cloud.answer);
	check_listed(w->who, &w->cloud);
	end_wire(w, true);
	return HTTP_DONE;
}

enum http_result __wrap_http_step(struct http_client *c, struct err *e)
{
	struct wire *w = wire_of(c);

	if (!w) {
		sim_broken("protocol", "a step without a call");
		(void)err_set(e, ERR_RETRY, "no call");
		return HTTP_BAD;
	}
	if (sim.now_ms >= w->deadline_ms)
		return fail(w, "no complete answer in time", e);
	return w->is_cloud ? step_cloud(w, e) : step_consul(w, e);
}

bool __wrap_http_is_busy(const struct http_client *c)
{
	return wire_of(c) != NULL;
}

void __wrap_http_wants(const struct http_client *c, struct loop_wait *wait)
{
	const struct wire *w = wire_of(c);
	int64_t next_ms = CLOCK_NEVER;
	size_t len;

	if (!w)
		return;
	loop_wait_until(wait, w->deadline_ms);
	if (w->is_cloud) {
		enum cloud_progress progress = cloud_progress(&w->cloud, sim.now_ms, &len, &next_ms);

		if (progress == CLOUD_WHOLE || progress == CLOUD_BROKEN || (progress == CLOUD_PART && w->given < len))
			next_ms = sim.now_ms;
	} else if (w->fate == FATE_REFUSED)
		next_ms = sim.now_ms;
	else if (w->fate == FATE_LOST_BEFORE)
		next_ms = w->begun_ms + 5;
	else if (w->is_served)
		next_ms = w->fate == FATE_LOST_AFTER ? sim.now_ms : w->answer_ms;
	else if (!w->is_arrived)
		next_ms = w->arrive_ms;
	/* What the other side has to do first it does when its time has come: it wakes us. */
	if (next_ms <= sim.now_ms &&
	    !(w->is_cloud ? w->cloud.is_served || w->cloud.break_ms <= sim.now_ms : w->is_served || w->arrive_ms == CLOCK_NEVER))
		next_ms = CLOCK_NEVER;
	loop_wait_until(wait, next_ms);
}

void __wrap_http_close(struct http_client *c)
{
	struct wire *w = wire_of(c);

	if (w)
		end_wire(w, false);
}
