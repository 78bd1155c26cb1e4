/*
 * drain: put an instance into maintenance, and return when it is safe to stop it. What it waits for
 * is engine/drain.h's; here is how the instance is found, what is refused, and what is told.
 */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/log.h"
#include "base/out.h"
#include "base/str.h"
#include "command/clients.h"
#include "command/command.h"
#include "command/progress.h"
#include "consul/agent.h"
#include "consul/instance.h"
#include "engine/drain.h"

#define DRAIN_FDS 8
#define CALL_AGAIN_MS 10000 /* so long Consul is asked again */
#define CALL_PAUSE_MS 500
#define DRAIN_LOOK_LONG_MS 5000 /* before it is put into maintenance: nobody is in a hurry */
#define REASON "dnsbuddy drain: to be stopped"

static struct {
	const struct invocation *in;
	struct config config;
	struct clients clients;
	struct consul_answer answer;
	char target_text[HTTP_TARGET_CAP];
	struct buf target;

	struct consul_instance instance;
	enum instance_state state;
	bool is_here; /* it is this host's: its connections can be seen */
	struct drain_rule rule;
	struct drain drain;
	struct progress progress;

	struct loop loop;
	struct pollfd fds[DRAIN_FDS];
	struct loop_part part;
	enum drain_result result;
	bool is_leaving;
	int64_t look_until_ms;
	struct err *e; /* of the step */
	int signal;    /* that came; 0: none */
	bool is_maintained, may_be_maintained;
	const char *outcome;     /* that all of it came to */
	bool is_held;            /* a safety rule of ours refuses */
	const char *consul_flag; /* --consul as it was typed, or NULL */
} self;

/* ---- Calls to the agent, each at once and to its end ---- */

static struct buf *prepare(void)
{
	buf_init(&self.target, self.target_text, sizeof self.target_text);
	return &self.target;
}

/* The target is in place. is_any: the answer's status is the caller's to judge. */
static int call_once(const char *method, bool is_any, struct err *e)
{
	struct driver *d = &self.clients.driver;
	const struct http_request request = {
		.method = method, .target = self.target.p, .headers = d->consul_headers};
	const struct http_sink sink = consul_answer_begin(&self.answer);
	int64_t deadline_ms = clock_now_ms() + self.config.timeout_ms;

	if (!buf_ok(&self.target))
		return err_set(e, ERR_LIMIT, "an id too long");
	if (http_exchange(&d->consul, &request, &sink, deadline_ms, e) ||
	    (!is_any && consul_answer_finish(&self.answer, e)))
		return err_wrap(e, "consul: %s %s", method, self.target.p);
	return 0;
}

/* The same, again for a while when Consul does not answer: it may just be starting. */
static int call(const char *method, bool is_any, struct err *e)
{
	int64_t max_ms = self.config.drain.max_ms,
		until_ms = clock_now_ms() + (max_ms < CALL_AGAIN_MS ? max_ms : CALL_AGAIN_MS);

	while (call_once(method, is_any, e)) {
		if (e->kind != ERR_RETRY || clock_now_ms() >= until_ms)
			return -1;
		(void)poll(NULL, 0, CALL_PAUSE_MS);
	}
	return 0;
}

/* ---- Which instance ---- */

static int read_place(const char *service, const char *id, struct consul_place *place,
		      struct err *e)
{
	consul_instance_place_target(prepare(), service, id, &self.config.jobs[0]);
	return call("GET", false, e) || consul_instance_place_read(&self.answer, place, e) ? -1 : 0;
}

/* The agent does not know it: perhaps another one does. */
static int fail_elsewhere(const char *id, struct err *e)
{
	const char *service = self.config.jobs[0].service;
	struct consul_place place = {.node = ""};

	if (*service && read_place(service, id, &place, e))
		return -1;
	if (*place.node)
		return err_set(e, ERR_REFUSED,
			       "%s is registered with the agent of the node %s (%s): ask that one, "
			       "by --consul",
			       id, place.node, place.address);
	return err_set(e, ERR_CONFIG, "Consul's agent has no service with the id %s%s", id,
		       *service ? ", nor has the catalog" : ": name it by --id and --service");
}

/* "NAME-HOST", or the host alone. */
static bool is_of_host(const char *id, const char *host)
{
	size_t before = strlen(id) - strlen(host);

	return str_ends_nocase(id, host) && (!before || id[before - 1] == '-');
}

static int find_instance(struct err *e)
{
	const char *service = self.config.jobs[0].service;
	struct consul_instance *i = &self.instance;
	static char host[256], named[CONSUL_ID_CAP];
	const char *id = self.config.id;
	bool is_end = !*id && !*service;

	(void)gethostname(host, sizeof host - 1);
	if (!*id) {
		(void)fmt_text(named, sizeof named, "%s-%s", service, host);
		id = is_end ? host : named;
	}
	consul_instance_target(prepare(), id, is_end);
	if (call("GET", false, e) || consul_instance_read(&self.answer, i, e))
		return -1;
	if (!*i->id)
		return fail_elsewhere(is_end ? "...-HOSTNAME" : id, e);
	if (*service && strcmp(service, i->service) != 0)
		return err_set(e, ERR_CONFIG, "%s is an instance of %s, not of %s", i->id,
			       i->service, service);
	self.is_here = *host && is_of_host(i->id, host);
	return 0;
}

/* An instance without an address of its own has its node's. */
static int take_address(struct err *e)
{
	struct consul_instance *i = &self.instance;
	struct consul_place place;

	if (*i->address)
		return 0;
	if (read_place(i->service, i->id, &place, e))
		return -1;
	memcpy(i->address, place.address, sizeof i->address);
	return 0;
}

static int read_state(struct err *e)
{
	consul_instance_state_target(prepare(), self.instance.id);
	return call("GET", true, e) || consul_instance_state_read(&self.answer, &self.state, e) ? -1
												: 0;
}

/* What is asked for is read back. Without an answer it may have been done. */
static int set_maintenance(bool is_on, struct err *e)
{
	const char *id = self.instance.id;

	consul_agent_maintenance_target(prepare(), id, is_on, REASON);
	if (call("PUT", false, e)) {
		self.may_be_maintained = is_on && !self.answer.status;
		return -1;
	}
	self.is_maintained = is_on;
	if (read_state(e))
		return -1;
	return (self.state == INSTANCE_MAINTENANCE) == is_on
		       ? 0
		       : err_set(e, ERR_RETRY, "%s is %s in maintenance: its node, perhaps?", id,
				 is_on ? "not" : "still");
}

/* ---- What is waited for ---- */

static bool has_credentials(const struct config *c)
{
	return c->api_token[0] || c->api_key[0];
}

static int choose_rule(struct err *e)
{
	const struct config *c = &self.config;
	struct drain_way *way = &self.rule.way;

	self.rule = c->drain;
	if (way->kind != DRAIN_NONE)
		return 0;
	if (!*c->jobs[0].name)
		return err_set(
			e, ERR_USAGE,
			"which name's records are to lose the address? Set --record NAME, or "
			"--drain SECONDS");
	way->kind = has_credentials(c) ? DRAIN_API : DRAIN_DNS;
	memcpy(way->name, c->jobs[0].name, sizeof way->name);
	return 0;
}

static int make_setup(struct drain_setup *s, struct err *e)
{
	static struct target_hosts hosts;
	*s = (struct drain_setup){
		.rule = &self.rule,
		.port = self.is_here ? self.instance.port : 0,
		.driver = &self.clients.driver,
		.records = self.clients.have,
		.job = &self.config.jobs[0],
	};
	if (self.rule.idle_ms && !s->port)
		log_plain("dnsbuddy drain: clients are not waited for: %s",
			  self.is_here ? "the service has no port"
				       : "the instance is not of this host");

	if (*self.rule.way.name && target_parse(&s->address, self.instance.address, &hosts, e))
		return err_wrap(e, "the address of %s, \"%s\"", self.instance.id,
				self.instance.address);
	return 0;
}

/* ---- Who else is there ---- */

static struct consul_view *view(void)
{
	struct consul_view *v = &self.clients.storage.observe.view;

	v->listed = self.clients.storage.observe.listed;
	return v;
}

static int list_instances(struct err *e)
{
	struct job *job = &self.config.jobs[0];
	const struct consul_query query = {.job = job, .is_consistent = true};
	const struct call listing = {.kind = CALL_HEALTH, .query = &query, .view = view()};

	memcpy(job->service, self.instance.service, sizeof job->service);
	job->addresses = (struct address_list){.of = {ADDRESS_SERVICE, ADDRESS_NODE}, .n = 2};
	job->tag[0] = '\0';
	return driver_call(&self.clients.driver, &listing, e);
}

/* Where a name loses the address, those at the same one are nobody else: DNS knows no ports. */
static void count_others(const struct target *own, size_t *others_n, size_t *same_n)
{
	const struct consul_view *v = view();

	*others_n = *same_n = 0;
	for (size_t i = 0; i < v->listed_n; i++) {
		if (v->listed[i].state != INSTANCE_PASSING)
			continue;
		if (target_compare(&v->listed[i].target, own) == 0)
			++*same_n;
		else
			++*others_n;
	}
}

/* Is anybody left to answer when it has gone? */
static int check_others(const struct target *own, struct err *e)
{
	size_t others_n, same_n = 0;

	if (self.state != INSTANCE_PASSING)
		return 0; /* it is not wanted as it is */
	if (list_instances(e))
		return -1;
	if (*self.rule.way.name)
		count_others(own, &others_n, &same_n);
	else
		others_n = view()->count.state_n[INSTANCE_PASSING] > 1; /* wherever they are */
	self.is_held = (!others_n || same_n > 1) && !(self.in->options & OPTION_FORCE);
	if (!self.is_held)
		return 0;
	(void)err_set(
		e, ERR_REFUSED,
		same_n > 1 ? "another instance of %s has the address %s, too, and keeps it in DNS"
			   : "%s is the last instance of %s that is wanted",
		same_n > 1 ? self.instance.service : self.instance.id,
		same_n > 1 ? self.instance.address : self.instance.service);
	return err_set(e, ERR_REFUSED, "%s: --force drains it all the same", e->text);
}

/* ---- The drain ---- */

static void part_wants(void *ctx, struct loop_wait *w, int64_t now_ms)
{
	(void)ctx;
	drain_wants(&self.drain, w, now_ms);
	progress_wants(&self.progress, w, now_ms);
	if (!self.is_leaving)
		loop_wait_until(w, self.look_until_ms);
}

/* Asking again does not help. */
static bool is_hopeless(void)
{
	enum err_kind kind = self.drain.last_err.kind;

	return kind == ERR_AUTH || kind == ERR_CONFIG;
}

static void part_step(void *ctx, int64_t now_ms)
{
	static char line[DRAIN_LINE_CAP];
	struct drain_verdict v;
	const char *note;

	(void)ctx;
	self.result = drain_step(&self.drain, now_ms, self.e);
	note = drain_take_note(&self.drain);
	if (note)
		progress_note(&self.progress, note);
	v = drain_judge(&self.drain, now_ms);
	if (self.is_leaving)
		progress_show(&self.progress, drain_line(&self.drain, now_ms, line),
			      (unsigned)v.state << 8 | (unsigned)v.source, now_ms);
	if (self.result != DRAIN_MORE ||
	    (!self.is_leaving &&
	     (drain_knows(&self.drain) || is_hopeless() || now_ms >= self.look_until_ms)))
		loop_remove(&self.part);
}

static void take_signal(void *ctx, int number)
{
	(void)ctx;
	self.signal = number;
	loop_remove(&self.part);
}

/* Until the part takes itself out, or a signal does. */
static int go_on(struct err *e)
{
	self.e = e;
	loop_add(&self.loop, &self.part);
	while (self.part.loop)
		loop_turn(&self.loop);
	if (self.signal)
		return err_set(e, ERR_RETRY, "interrupted");
	return self.result == DRAIN_GAVE_UP ? -1 : 0;
}

/* What can never be found out is told before anything is done. */
static int look_before(struct err *e)
{
	const struct drain *d = &self.drain;

	self.look_until_ms = clock_now_ms() + DRAIN_LOOK_LONG_MS;
	if (!drain_knows(d) && go_on(e))
		return -1;
	if (self.state == INSTANCE_PASSING && drain_lacks_name(d) &&
	    !(self.in->options & OPTION_FORCE))
		return err_set(e, ERR_REFUSED,
			       "%s does not exist: is it that name? --force drains all the same",
			       d->name);
	if (drain_knows(d) || !d->last_err.kind || (d->view.sources_n && !is_hopeless()))
		return 0;
	*e = d->last_err;
	return err_wrap(e, "who answers for %s", self.rule.way.name);
}

static int drain_it(struct err *e)
{
	if (look_before(e) || set_maintenance(true, e))
		return self.is_maintained || self.may_be_maintained
			       ? -1
			       : err_wrap(e, "%s was not put into maintenance", self.instance.id);
	progress_note(&self.progress, "in maintenance: Consul no longer lists it as healthy");
	self.is_leaving = true;
	drain_leave(&self.drain, clock_now_ms());
	return go_on(e);
}

/* ---- All of it ---- */

static int undo(struct err *e)
{
	if (read_state(e))
		return -1;
	self.outcome = "was not in maintenance";
	if (self.state != INSTANCE_MAINTENANCE)
		return 0;
	self.outcome = "no longer in maintenance";
	return set_maintenance(false, e);
}

static int run(struct err *e)
{
	struct drain_setup setup;

	if (self.in->options & OPTION_UNDO)
		return find_instance(e) || undo(e) ? -1 : 0;
	if (choose_rule(e) || find_instance(e) || take_address(e) || read_state(e) ||
	    make_setup(&setup, e) || check_others(&setup.address, e))
		return -1;
	self.outcome = "safe to stop";
	self.is_maintained = self.state == INSTANCE_MAINTENANCE;
	progress_begin(&self.progress, self.instance.id);
	drain_start(&self.drain, &setup, clock_now_ms());
	if (self.state != INSTANCE_PASSING)
		drain_leave(&self.drain, clock_now_ms());
	return drain_it(e);
}

/* What stays as it is has to be told, and how it is taken back. */
static int fail(const struct err *e)
{
	const char *consul = self.consul_flag;
	int code = command_fail(self.in, e);

	if ((self.is_maintained || self.may_be_maintained) && !(self.in->options & OPTION_UNDO))
		log_plain("dnsbuddy drain: %s %s in maintenance; to take it back: "
			  "dnsbuddy drain --undo --id %s%s%s",
			  self.instance.id, self.is_maintained ? "stays" : "may be",
			  self.instance.id, consul ? " --consul " : "", consul ? consul : "");
	if (self.signal)
		return 128 + self.signal;
	return self.is_held ? EXIT_CODE_HELD : code;
}

int command_drain(const struct invocation *in)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct err e = {0};
	int code, rc;

	self.in = in;
	if (in->values->of[SET_CONSUL].origin == ORIGIN_FLAG)
		self.consul_flag = in->values->of[SET_CONSUL].text;
	if (loop_catch_signals(signals, sizeof signals / sizeof signals[0], &e))
		return command_fail(in, &e);
	code = command_configure(in, &self.config);
	if (code != EXIT_CODE_OK)
		return code;
	if (clients_init(&self.clients, &self.config, &e))
		return command_fail(in, &e);
	loop_init(&self.loop, self.fds, DRAIN_FDS);
	loop_on_signal(&self.loop, take_signal, NULL);
	self.part = (struct loop_part){.wants = part_wants, .step = part_step};
	rc = run(&e);
	progress_end(&self.progress);
	if (rc)
		return fail(&e);
	out_fmt("%s: %s\n", self.instance.id, self.outcome);
	return command_close_stdout(in, EXIT_CODE_OK);
}
