/*
 * drain: put an instance into maintenance, and return when it is safe to stop it. What it waits for
 * is engine/drain.h's; here is how the instance is found, what is refused, and what is told.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/out.h"
#include "base/str.h"
#include "command/clients.h"
#include "command/command.h"
#include "command/progress.h"
#include "consul/agent.h"
#include "consul/client.h"
#include "consul/instance.h"
#include "engine/drain.h"

#define DRAIN_FDS 8
#define DRAIN_LOOK_LONG_MS 10000 /* before it is put into maintenance: nobody is in a hurry */
#define VERIFY_MS 200            /* between two looks whether Consul has taken it */
#define REASON "dnsbuddy drain: to be stopped"

static struct {
	const struct invocation *in;
	struct config config;
	struct clients clients;
	struct tls_storage tls; /* of the small calls */
	struct consul_client consul;

	struct consul_instance instance;
	char host[CONSUL_ID_CAP];
	enum instance_state state;
	bool is_here; /* it is this host's: its connections can be seen */
	struct drain_rule rule;
	struct drain drain;
	struct progress progress;

	struct loop loop;
	struct pollfd fds[DRAIN_FDS];
	struct loop_part part; /* of what is waited for now */
	enum http_result call_result;
	enum drain_result drain_result;
	bool is_leaving;
	int64_t look_until_ms;
	struct err *e; /* of the step */
	int signal;    /* that came; 0: none */
	bool is_maintained;
	bool is_held;            /* a safety rule of ours refuses */
	const char *consul_flag; /* --consul as it was typed, or NULL */
} self;

/* ---- Waiting ---- */

static void take_signal(void *ctx, int number)
{
	(void)ctx;
	self.signal = number;
}

/* Until the part takes itself out. -1 when a signal came before. */
static int wait_for(void (*wants)(void *, struct loop_wait *, int64_t),
		    void (*step)(void *, int64_t), struct err *e)
{
	self.e = e;
	self.part = (struct loop_part){.wants = wants, .step = step};
	loop_add(&self.loop, &self.part);
	while (self.part.loop && !self.signal)
		loop_turn(&self.loop);
	loop_remove(&self.part);
	return self.signal ? err_set(e, ERR_RETRY, "interrupted") : 0;
}

/* ---- Calls to the agent ---- */

static void call_wants(void *ctx, struct loop_wait *w, int64_t now_ms)
{
	(void)ctx;
	(void)now_ms;
	consul_client_wants(&self.consul, w);
}

static void call_step(void *ctx, int64_t now_ms)
{
	(void)ctx;
	(void)now_ms;
	self.call_result = consul_client_step(&self.consul, self.e);
	if (self.call_result != HTTP_MORE)
		loop_remove(&self.part);
}

/* target and body are in place. The answer's status is the caller's to judge. */
static int call(const char *method, struct err *e)
{
	int64_t deadline_ms = clock_now_ms() + self.config.timeout_ms;

	if (consul_client_start(&self.consul, method, deadline_ms, e) ||
	    wait_for(call_wants, call_step, e) || self.call_result == HTTP_BAD)
		return err_wrap(e, "consul: %s %s", method, self.consul.target.p);
	return 0;
}

static int get(struct err *e)
{
	if (call("GET", e))
		return -1;
	return consul_answer_finish(&self.consul.answer, e)
		       ? err_wrap(e, "consul: GET %s", self.consul.target.p)
		       : 0;
}

static struct buf *prepare(void)
{
	consul_client_prepare(&self.consul);
	return &self.consul.target;
}

/* ---- Which instance ---- */

static int find_id(struct err *e)
{
	const char *service = self.config.jobs[0].service;
	char *id = self.instance.id;
	struct buf b;

	(void)gethostname(self.host, sizeof self.host - 1);
	buf_init(&b, id, sizeof self.instance.id);
	if (*self.config.id) {
		buf_str(&b, self.config.id);
		return 0;
	}
	if (*service) {
		buf_fmt(&b, "%s-%s", service, self.host);
		return 0;
	}
	consul_instance_own_target(prepare(), self.host);
	return get(e) || consul_instance_own_read(&self.consul.answer, id, e) ? -1 : 0;
}

/* The agent does not know it: perhaps another one does. */
static int fail_elsewhere(struct err *e)
{
	const struct job *job = &self.config.jobs[0];
	const char *id = self.instance.id;
	struct consul_place place = {.node = ""};

	if (*job->service) {
		consul_instance_place_target(prepare(), job->service, id, job);
		if (get(e) || consul_instance_place_read(&self.consul.answer, &place, e))
			return -1;
	}
	if (*place.node)
		return err_set(e, ERR_REFUSED,
			       "%s is registered with the agent of the node %s (%s): ask that one, "
			       "by --consul",
			       id, place.node, place.address);
	return err_set(e, ERR_REFUSED, "Consul's agent has no service with the id %s%s", id,
		       *job->service ? ", nor has the catalog" : ": name it by --id and --service");
}

/* An instance without an address of its own has its node's. */
static int take_node_address(struct err *e)
{
	struct consul_instance *i = &self.instance;
	struct consul_place place;

	if (*i->address)
		return 0;
	consul_instance_place_target(prepare(), i->service, i->id, &self.config.jobs[0]);
	if (get(e) || consul_instance_place_read(&self.consul.answer, &place, e))
		return -1;
	memcpy(i->address, place.address, sizeof i->address);
	return 0;
}

static int read_instance(struct err *e)
{
	const char *service = self.config.jobs[0].service;
	size_t id_n, host_n = strlen(self.host);

	consul_agent_look_target(prepare(), self.instance.id);
	if (call("GET", e))
		return -1;
	if (self.consul.answer.status == 404)
		return fail_elsewhere(e);
	if (consul_answer_finish(&self.consul.answer, e) ||
	    consul_instance_read(&self.consul.answer, &self.instance, e))
		return err_wrap(e, "consul: service %s", self.instance.id);
	if (*service && strcmp(service, self.instance.service) != 0)
		return err_set(e, ERR_CONFIG, "%s is an instance of %s, not of %s",
			       self.instance.id, self.instance.service, service);
	id_n = strlen(self.instance.id);
	self.is_here =
		host_n && id_n > host_n && strcmp(self.instance.id + id_n - host_n, self.host) == 0;
	return take_node_address(e);
}

static int read_state(struct err *e)
{
	consul_instance_state_target(prepare(), self.instance.id);
	return call("GET", e) || consul_instance_state_read(&self.consul.answer, &self.state, e)
		       ? err_wrap(e, "consul: state of %s", self.instance.id)
		       : 0;
}

/* ---- Maintenance ---- */

static int verify_until_ms(struct err *e, bool is_on, int64_t until_ms);

static int set_maintenance(bool is_on, struct err *e)
{
	consul_agent_maintenance_target(prepare(), self.instance.id, is_on, REASON);
	if (call("PUT", e))
		return -1;
	if (consul_answer_finish(&self.consul.answer, e))
		return err_wrap(e, "consul: maintenance of %s", self.instance.id);
	self.is_maintained = is_on;
	return verify_until_ms(e, is_on, clock_now_ms() + self.config.timeout_ms);
}

static int64_t rest_until_ms;

static void rest_wants(void *ctx, struct loop_wait *w, int64_t now_ms)
{
	(void)ctx;
	(void)now_ms;
	loop_wait_until(w, rest_until_ms);
}

static void rest_step(void *ctx, int64_t now_ms)
{
	(void)ctx;
	if (now_ms >= rest_until_ms)
		loop_remove(&self.part);
}

/* What was asked for is read back. */
static int verify_until_ms(struct err *e, bool is_on, int64_t until_ms)
{
	for (;;) {
		if (read_state(e))
			return -1;
		if ((self.state == INSTANCE_MAINTENANCE) == is_on)
			return 0;
		if (clock_now_ms() >= until_ms)
			return err_set(e, ERR_RETRY, "%s is %s, though maintenance is %s",
				       self.instance.id, instance_state_name(self.state),
				       is_on ? "on" : "off: its node's may be on");
		rest_until_ms = clock_now_ms() + VERIFY_MS;
		if (wait_for(rest_wants, rest_step, e))
			return -1;
	}
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
	const struct job *job = &self.config.jobs[0];
	bool has_name = self.rule.way.kind == DRAIN_DNS || self.rule.way.kind == DRAIN_API;

	*s = (struct drain_setup){
		.rule = &self.rule,
		.port = self.is_here ? self.instance.port : 0,
		.driver = &self.clients.driver,
		.records = self.clients.have,
		.zone = job->zone,
		.zone_id = job->zone_id,
	};
	if (self.rule.idle_ms && !s->port)
		log_plain("dnsbuddy drain: clients are not waited for: %s",
			  self.is_here ? "the service has no port"
				       : "the instance is not of this host");
	if (has_name && target_parse(&s->address, self.instance.address, &hosts, e))
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

static void list_wants(void *ctx, struct loop_wait *w, int64_t now_ms)
{
	(void)ctx;
	(void)now_ms;
	driver_wants(&self.clients.driver, w);
}

static void list_step(void *ctx, int64_t now_ms)
{
	(void)ctx;
	(void)now_ms;
	self.call_result = driver_step(&self.clients.driver, self.e);
	if (self.call_result != HTTP_MORE)
		loop_remove(&self.part);
}

static int list_instances(struct err *e)
{
	static struct job job;
	const struct consul_query query = {.job = &job, .is_consistent = true};
	const struct call listing = {.kind = CALL_HEALTH, .query = &query, .view = view()};

	job = self.config.jobs[0];
	memcpy(job.service, self.instance.service, sizeof job.service);
	job.addresses = (struct address_list){.of = {ADDRESS_SERVICE, ADDRESS_NODE}, .n = 2};
	job.tag[0] = '\0';
	return driver_begin(&self.clients.driver, &listing, CLOCK_NEVER, e) ||
			       wait_for(list_wants, list_step, e) || self.call_result == HTTP_BAD
		       ? -1
		       : 0;
}

/*
 * Is anybody left to answer when it has gone? Those at its own address are nobody else, and keep
 * the address where it is: DNS knows no ports.
 */
static int check_others(const struct target *own, struct err *e)
{
	size_t others_n = 0, same_n = 0;
	const struct consul_view *v = view();

	if (self.state != INSTANCE_PASSING)
		return 0; /* it is not wanted as it is */
	if (list_instances(e))
		return -1;
	for (size_t i = 0; i < v->listed_n; i++) {
		if (v->listed[i].state != INSTANCE_PASSING)
			continue;
		if (target_compare(&v->listed[i].target, own) == 0)
			same_n++;
		else
			others_n++;
	}
	if (self.in->options & OPTION_FORCE)
		return 0;
	self.is_held = !others_n || same_n > 1;
	if (!others_n)
		return err_set(e, ERR_REFUSED,
			       "%s is the last instance of %s that is wanted: --force drains it "
			       "all the same",
			       self.instance.id, self.instance.service);
	if (same_n > 1)
		return err_set(e, ERR_REFUSED,
			       "another instance of %s has the address %s, too, and keeps it in "
			       "DNS: --force drains %s all the same",
			       self.instance.service, self.instance.address, self.instance.id);
	return 0;
}

/* ---- The drain ---- */

static void drain_part_wants(void *ctx, struct loop_wait *w, int64_t now_ms)
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

static void drain_part_step(void *ctx, int64_t now_ms)
{
	struct drain_verdict v;
	char line[DRAIN_LINE_CAP];
	const char *note;

	(void)ctx;
	self.drain_result = drain_step(&self.drain, now_ms, self.e);
	note = drain_take_note(&self.drain);
	if (note)
		progress_note(&self.progress, note);
	v = drain_judge(&self.drain, now_ms);
	if (self.is_leaving)
		progress_show(&self.progress, drain_line(&self.drain, now_ms, line),
			      (unsigned)v.state << 8 | (unsigned)v.source, now_ms);
	if (self.drain_result != DRAIN_MORE ||
	    (!self.is_leaving &&
	     (drain_knows(&self.drain) || is_hopeless() || now_ms >= self.look_until_ms)))
		loop_remove(&self.part);
}

/* What can never be found out is told before anything is done. */
static int look_before(struct err *e)
{
	const struct drain *d = &self.drain;

	self.look_until_ms = clock_now_ms() + DRAIN_LOOK_LONG_MS;
	if (wait_for(drain_part_wants, drain_part_step, e) || self.drain_result == DRAIN_GAVE_UP)
		return -1;
	if (drain_knows(d) || !d->last_err.kind || (d->view.sources_n && !is_hopeless()))
		return 0;
	*e = d->last_err;
	return err_wrap(e, "who answers for %s", self.rule.way.name);
}

static int drain_it(struct err *e)
{
	if (look_before(e) || set_maintenance(true, e))
		return -1;
	progress_note(&self.progress, "in maintenance: Consul no longer lists it as healthy");
	self.is_leaving = true;
	drain_leave(&self.drain, clock_now_ms());
	if (wait_for(drain_part_wants, drain_part_step, e))
		return -1;
	return self.drain_result == DRAIN_DONE ? 0 : -1;
}

/* ---- All of it ---- */

static int run_undo(struct err *e)
{
	if (find_id(e) || read_instance(e) || set_maintenance(false, e))
		return -1;
	out_fmt("%s: no longer in maintenance, %s\n", self.instance.id,
		instance_state_name(self.state));
	return 0;
}

static int run_drain(struct err *e)
{
	struct drain_setup setup;

	if (choose_rule(e) || find_id(e) || read_instance(e) || read_state(e) ||
	    make_setup(&setup, e) || check_others(&setup.address, e))
		return -1;
	progress_begin(&self.progress, self.instance.id);
	drain_start(&self.drain, &setup, clock_now_ms());
	if (drain_it(e))
		return -1;
	progress_end(&self.progress);
	out_fmt("%s: safe to stop\n", self.instance.id);
	return 0;
}

/* What stays as it is has to be told, and how it is taken back. */
static int fail(const struct err *e)
{
	const char *consul = self.consul_flag;
	int code = command_fail(self.in, e);

	if (self.is_maintained && !(self.in->options & OPTION_UNDO))
		log_plain("dnsbuddy drain: %s stays in maintenance; to take it back: "
			  "dnsbuddy drain --undo --id %s%s%s",
			  self.instance.id, self.instance.id, consul ? " --consul " : "",
			  consul ? consul : "");
	if (self.signal)
		return 128 + self.signal;
	return self.is_held ? EXIT_CODE_HELD : code;
}

int command_drain(const struct invocation *in)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	bool is_https;
	struct err e = {0};
	int code;

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
	is_https = self.config.consul_url.scheme == URL_HTTPS;
	consul_client_init(&self.consul, &self.clients.consul.origin, is_https ? &self.tls : NULL,
			   self.clients.credentials.consul);
	loop_init(&self.loop, self.fds, DRAIN_FDS);
	loop_on_signal(&self.loop, take_signal, NULL);
	if (in->options & OPTION_UNDO ? run_undo(&e) : run_drain(&e)) {
		progress_end(&self.progress);
		return fail(&e);
	}
	return command_close_stdout(in, EXIT_CODE_OK);
}
