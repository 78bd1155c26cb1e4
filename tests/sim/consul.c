#include "sim/consul.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define VERSIONS 64
#define SESSIONS 16
#define LOCK_KEY "/v1/kv/dnsbuddy/leader"
#define LOCK_VALUE "\"Flags\":3304740253564472344,\"Value\":\"ZG5zYnVkZHkgYQ==\""

struct version {
	int64_t from_ms;
	uint64_t index;
	unsigned char slots[SIM_SLOTS];
};

static struct consul_service {
	char name[16];
	struct version versions[VERSIONS]; /* a ring; the last is in force */
	size_t versions_n;
} services[SIM_SERVICES];

static struct session {
	bool is_alive;
	unsigned number;
	int64_t ends_ms, delay_ms;
} sessions[SESSIONS];

static struct {
	uint64_t index, catalog_index, key_index;
	int64_t no_leader_ms, stale_ms, deposed_ms, cached_ms, hidden_ms, denied_ms, full_ms, away_ms;
	int64_t restored_ms;
	int64_t lag_ms;  /* how old a stale answer is */
	bool is_silent;  /* without a leader even default reads fail */
	unsigned hidden; /* slots */
	size_t room;
	unsigned sessions_n;
	unsigned holder; /* a session's number; 0: none */
	int64_t free_ms;
	bool has_key;
	uint32_t blip[8];
} consul;

unsigned consul_changes;
int64_t consul_key_gone_ms;

/* ---- services ---- */

const char *consul_service_name(size_t service)
{
	static char names[SIM_SERVICES][16];

	(void)snprintf(names[service], sizeof names[service], "svc%zu", service);
	return names[service];
}

/* Most have IPv4 addresses; of some every third is IPv6, and of some the first is a host name. */
const char *consul_content(size_t service, size_t slot)
{
	static char texts[SIM_SERVICES][SIM_SLOTS][48];
	char *text = texts[service][slot];

	if (*text)
		return text;
	if (service % 5 == 3 && slot == 0)
		(void)snprintf(text, sizeof texts[0][0], "lb%zu.example.net", service);
	else if (service % 3 == 1 && slot % 3 == 2)
		(void)snprintf(text, sizeof texts[0][0], "2001:db8::%zx:%zx", service + 1, slot + 1);
	else
		(void)snprintf(text, sizeof texts[0][0], "192.0.2.%zu", 1 + service * 8 + slot);
	return text;
}

static struct version *version_at(struct consul_service *s, int64_t at_ms)
{
	size_t n = s->versions_n;

	while (n > 1 && s->versions_n - n < VERSIONS - 1 && s->versions[(n - 1) % VERSIONS].from_ms > at_ms)
		n--;
	return &s->versions[(n - 1) % VERSIONS];
}

static struct version *latest(size_t service)
{
	struct consul_service *s = &services[service];

	return &s->versions[(s->versions_n - 1) % VERSIONS];
}

const unsigned char *consul_slots(size_t service)
{
	return latest(service)->slots;
}

static struct version *add_version(size_t service)
{
	struct consul_service *s = &services[service];
	struct version *last = latest(service), *v = &s->versions[s->versions_n++ % VERSIONS];

	*v = *last;
	v->from_ms = sim.now_ms;
	v->index = ++consul.index;
	consul_changes++;
	return v;
}

void consul_set(size_t service, size_t slot, enum slot state)
{
	enum slot old = (enum slot)consul_slots(service)[slot];

	if (old == state)
		return;
	add_version(service)->slots[slot] = (unsigned char)state;
	if (old == SLOT_ABSENT || state == SLOT_ABSENT)
		consul.catalog_index = consul.index;
	NOTE("consul: %s slot %zu (%s) %d -> %d, index %llu", services[service].name, slot, consul_content(service, slot), (int)old,
	     (int)state, (unsigned long long)consul.index);
}

/* ---- events ---- */

void consul_init(void)
{
	memset(&consul, 0, sizeof consul);
	memset(sessions, 0, sizeof sessions);
	consul.index = 10;
	consul.key_index = 1;
	consul_key_gone_ms = 0;
	for (size_t i = 0; i < SIM_SERVICES; i++) {
		struct consul_service *s = &services[i];

		(void)snprintf(s->name, sizeof s->name, "%s", consul_service_name(i));
		s->versions_n = 1;
		s->versions[0] = (struct version){.from_ms = sim.now_ms - 3600000, .index = ++consul.index};
		for (size_t k = 0; k < SIM_SLOTS; k++)
			s->versions[0].slots[k] = sim_below(ROW_WORLD, 2) ? SLOT_PASSING : SLOT_ABSENT;
	}
	consul.catalog_index = consul.index;
}

static void end_session(struct session *s)
{
	NOTE("consul: session s%u ends", s->number);
	s->is_alive = false;
	if (consul.holder != s->number)
		return;
	consul.holder = 0;
	consul.free_ms = sim.now_ms + s->delay_ms;
	consul.key_index = ++consul.index;
	consul_changes++;
}

static void set_all(size_t service, enum slot state)
{
	for (size_t k = 0; k < SIM_SLOTS; k++)
		if (state == SLOT_PASSING || consul_slots(service)[k] != SLOT_ABSENT)
			consul_set(service, k, state);
}

void consul_event(const struct sim_event *event)
{
	uint32_t r = event->random;
	size_t service = r % (uint32_t)sim.setup.services_n, slot = (r >> 8) % SIM_SLOTS;

	switch (event->kind) {
	case EVENT_STATE: consul_set(service, slot, (enum slot)((r >> 16) % 8 < 4 ? SLOT_PASSING : (r >> 20) % SLOT_STATES)); break;
	case EVENT_DOWN:
		set_all(service, (enum slot)((r >> 16) % 3 == 0 ? SLOT_ABSENT : (r >> 20) % 2 ? SLOT_CRITICAL : SLOT_MAINTENANCE));
		break;
	case EVENT_UP: set_all(service, SLOT_PASSING); break;
	case EVENT_OUTPUT: (void)add_version(service); break;
	case EVENT_NO_LEADER:
		consul.no_leader_ms = event->until_ms;
		consul.is_silent = r & 1;
		consul.lag_ms = 1000 + r % 60000;
		break;
	case EVENT_STALE:
		consul.stale_ms = event->until_ms;
		consul.lag_ms = 1000 + r % 60000;
		break;
	case EVENT_DEPOSED: consul.deposed_ms = event->until_ms; break;
	case EVENT_CACHED:
		consul.cached_ms = event->until_ms;
		consul.lag_ms = 1000 + r % 60000;
		break;
	case EVENT_HIDDEN:
		consul.hidden_ms = event->until_ms;
		consul.hidden = r >> 4;
		break;
	case EVENT_DENIED: consul.denied_ms = event->until_ms; break;
	case EVENT_FULL:
		consul.full_ms = event->until_ms;
		consul.room = r % 6;
		break;
	case EVENT_AWAY: consul.away_ms = event->until_ms; break;
	case EVENT_RESTORED:
		consul.index = r % 8;
		consul.restored_ms = sim.now_ms;
		for (size_t i = 0; i < sim.setup.services_n; i++)
			latest(i)->index = ++consul.index;
		consul.catalog_index = consul.key_index = ++consul.index;
		break;
	case EVENT_SESSION:
		for (size_t i = 0; i < SESSIONS; i++)
			if (sessions[i].is_alive && (r >> i & 1))
				end_session(&sessions[i]);
		break;
	case EVENT_KEY:
		if (!consul.has_key)
			break;
		consul.has_key = false;
		consul_key_gone_ms = sim.now_ms;
		consul.holder = 0;
		consul.key_index = ++consul.index;
		break;
	default: break;
	}
	consul_changes++;
}

void consul_calm(void)
{
	consul.no_leader_ms = consul.stale_ms = consul.deposed_ms = consul.cached_ms = consul.hidden_ms = consul.denied_ms =
		consul.full_ms = consul.away_ms = 0;
	consul_changes++;
}

int64_t consul_next_ms(void)
{
	int64_t first_ms = CLOCK_NEVER;

	for (size_t i = 0; i < SESSIONS; i++)
		if (sessions[i].is_alive && sessions[i].ends_ms < first_ms)
			first_ms = sessions[i].ends_ms;
	return first_ms;
}

void consul_age(void)
{
	for (size_t i = 0; i < SESSIONS; i++)
		if (sessions[i].is_alive && sim.now_ms >= sessions[i].ends_ms)
			end_session(&sessions[i]);
}

bool consul_is_open(size_t connections_n)
{
	return sim.now_ms >= consul.away_ms && (sim.now_ms >= consul.full_ms || connections_n < consul.room);
}

/* ---- requests ---- */

static bool has_parameter(const char *target, const char *name)
{
	const char *at = strstr(target, name);

	return at && (at[-1] == '?' || at[-1] == '&');
}

static size_t service_of(const char *target)
{
	const char *name = target + strlen("/v1/health/service/");
	size_t len = strcspn(name, "?");

	for (size_t i = 0; i < SIM_SERVICES; i++)
		if (strlen(services[i].name) == len && strncmp(services[i].name, name, len) == 0)
			return i;
	return SIM_SERVICES;
}

static uint64_t index_of(const char *target)
{
	uint64_t index = 0;

	if (strncmp(target, "/v1/kv/", 7) == 0)
		return consul.key_index;
	if (strncmp(target, "/v1/catalog/services", 20) == 0)
		return consul.catalog_index;
	if (strncmp(target, "/v1/health/service/", 19) == 0) {
		size_t i = service_of(target);

		/* Of a service that nobody knows it is that of all. */
		return i < SIM_SERVICES ? latest(i)->index : consul.index;
	}
	for (size_t i = 0; i < sim.setup.services_n; i++)
		if (latest(i)->index > index)
			index = latest(i)->index;
	return index;
}

bool consul_is_blocked(const char *target, uint64_t asked, int64_t wait_until_ms)
{
	if (!asked || sim.now_ms >= wait_until_ms)
		return false;
	if (sim.now_ms < consul.denied_ms || (sim.now_ms < consul.no_leader_ms && consul.is_silent))
		return false;
	/* When a snapshot is restored who waits is woken, and told a lower index; who asks later with the old one is not. */
	return index_of(target) <= asked && sim.now_ms != consul.restored_ms;
}

/* What a reader of default or consistent consistency is shown, and what it is told of it. */
static int64_t seen_at_ms(bool is_consistent, struct consul_answer_text *a)
{
	int64_t now_ms = sim.now_ms, at_ms = now_ms;
	const char *leader = "true", *consistency = is_consistent ? "consistent" : "leader";
	long long contact = 0;
	char more[160] = "";

	a->said.is_evidence = is_consistent;
	if (now_ms < consul.no_leader_ms) {
		at_ms = now_ms - consul.lag_ms;
		leader = "false";
		consistency = "stale";
		contact = (long long)consul.lag_ms;
		a->said.is_evidence = false;
	} else if (now_ms < consul.stale_ms && !is_consistent) {
		at_ms = now_ms - consul.lag_ms;
		consistency = "stale";
		contact = (long long)(consul.lag_ms / 2);
		a->said.is_evidence = false;
	} else if (now_ms < consul.deposed_ms && !is_consistent) {
		at_ms = now_ms - 4000; /* it does not know yet that it leads no more */
	}
	if (now_ms < consul.cached_ms) {
		at_ms = now_ms - consul.lag_ms;
		(void)snprintf(more, sizeof more, "%s", consul.lag_ms % 2 ? "X-Cache: HIT\n" : "Age: 17\n");
		a->said.is_evidence = false;
	}
	if (now_ms < consul.hidden_ms && sim.setup.has_token) {
		(void)snprintf(more + strlen(more), sizeof more - strlen(more), "X-Consul-Results-Filtered-By-ACLs: true\n");
		a->said.is_evidence = false;
	} else if (now_ms < consul.hidden_ms) {
		(void)snprintf(more + strlen(more), sizeof more - strlen(more), "X-Consul-Default-ACL-Policy: deny\n");
		a->said.is_evidence = false;
	}
	(void)snprintf(a->headers, sizeof a->headers,
		       "X-Consul-Index: %llu\nX-Consul-Knownleader: %s\nX-Consul-LastContact: "
		       "%lld\nX-Consul-Effective-Consistency: %s\n%s",
		       (unsigned long long)a->index, leader, contact, consistency, more);
	return at_ms;
}

static bool is_hidden(size_t slot)
{
	return sim.now_ms < consul.hidden_ms && (!sim.setup.has_token || consul.hidden >> slot & 1);
}

static char *put_checks(char *out, size_t slot, enum slot state)
{
	static const char *const words[SLOT_STATES] = {
		[SLOT_PASSING] = "passing",     [SLOT_WARNING] = "warning",   [SLOT_CRITICAL] = "critical",
		[SLOT_MAINTENANCE] = "passing", [SLOT_NODE_DOWN] = "passing",
	};

	out += sprintf(out, "[");
	if (slot % 2 == 0)
		out += sprintf(out, "{\"CheckID\":\"serfHealth\",\"Status\":\"%s\"},",
			       state == SLOT_NODE_DOWN ? "critical" : "passing");
	if (state == SLOT_MAINTENANCE)
		out += sprintf(out, "{\"CheckID\":\"%s\",\"Status\":\"critical\"},",
			       slot % 2 ? "_node_maintenance" : "_service_maintenance:x");
	return out + sprintf(out, "{\"CheckID\":\"c\",\"Status\":\"%s\"}]",
			     slot % 2 && state == SLOT_NODE_DOWN ? "critical" : words[state]);
}

static void serve_health(const char *target, struct consul_answer_text *a)
{
	size_t service = service_of(target);
	bool is_consistent = has_parameter(target, "consistent");
	const struct version *v;
	char *out = a->body;

	a->index = index_of(target);
	if (service == SIM_SERVICES) {
		(void)seen_at_ms(is_consistent, a);
		(void)strcpy(out, "[]");
		return;
	}
	v = version_at(&services[service], sim.now_ms);
	a->index = v->index;
	{
		struct consul_answer_text first = *a;
		int64_t at_ms = seen_at_ms(is_consistent, &first);

		v = version_at(&services[service], at_ms);
		a->said.is_false = at_ms < sim.now_ms || sim.now_ms < consul.hidden_ms;
		a->index = v->index;
		(void)seen_at_ms(is_consistent, a);
	}
	a->said.is_good = true;
	a->said.is_consistent = is_consistent;
	a->said.service = service;
	out += sprintf(out, "[");
	for (size_t k = 0; k < SIM_SLOTS; k++) {
		enum slot state = (enum slot)v->slots[k];

		a->said.slots[k] = is_hidden(k) ? SLOT_ABSENT : (unsigned char)state;
		if (a->said.slots[k] == SLOT_ABSENT)
			continue;
		out += sprintf(
			out,
			"%s{\"Node\":{\"Address\":\"10.0.0.%zu\"},\"Service\":{\"ID\":\"i%zu\",\"Address\":\"%s\"},\"Checks\":",
			out[-1] == '[' ? "" : ",", k + 1, k, consul_content(service, k));
		out = put_checks(out, k, state);
		out += sprintf(out, "}");
	}
	(void)sprintf(out, "]");
	/* Nothing at all is no evidence by itself where anonymous reads see nothing; with a token it is. */
}

static void serve_catalog(const char *target, struct consul_answer_text *a)
{
	char *out = a->body;

	int64_t at_ms;

	a->index = consul.catalog_index;
	at_ms = seen_at_ms(has_parameter(target, "consistent"), a);
	out += sprintf(out, "{\"consul\":[]");
	for (size_t i = 0; i < sim.setup.services_n; i++)
		for (size_t k = 0; k < SIM_SLOTS; k++)
			if (version_at(&services[i], at_ms)->slots[k] != SLOT_ABSENT && !is_hidden(k)) {
				out += sprintf(out, ",\"%s\":[]", services[i].name);
				break;
			}
	(void)sprintf(out, "}");
}

/* The checks of one instance: its own, and its node's when that is down. */
static char *put_states(char *out, const char *service, size_t slot, enum slot state)
{
	const char *word = state == SLOT_WARNING ? "warning" : state == SLOT_CRITICAL ? "critical" : "passing";

	out += sprintf(out,
		       "%s{\"Node\":\"%s-%zu\",\"CheckID\":\"c\",\"Status\":\"%s\",\"ServiceID\":\"i%zu\",\"ServiceName\":\"%s\"}",
		       out[-1] == '[' ? "" : ",", service, slot, word, slot, service);
	if (state == SLOT_MAINTENANCE)
		out += sprintf(out,
			       ",{\"Node\":\"%s-%zu\",\"CheckID\":\"_service_maintenance:i%zu\",\"Status\":\"critical\","
			       "\"ServiceID\":\"i%zu\","
			       "\"ServiceName\":\"%s\"}",
			       service, slot, slot, slot, service);
	if (state == SLOT_NODE_DOWN)
		out += sprintf(out,
			       ",{\"Node\":\"%s-%zu\",\"CheckID\":\"serfHealth\",\"Status\":\"critical\",\"ServiceID\":\"\","
			       "\"ServiceName\":\"\"}",
			       service, slot);
	return out;
}

static void serve_states(const char *target, struct consul_answer_text *a)
{
	char *out = a->body;
	int64_t at_ms;

	a->index = index_of(target);
	at_ms = seen_at_ms(has_parameter(target, "consistent"), a);
	out += sprintf(out, "[");
	for (size_t i = 0; i < sim.setup.services_n; i++) {
		const struct version *v = version_at(&services[i], at_ms);

		for (size_t k = 0; k < SIM_SLOTS; k++)
			if (v->slots[k] != SLOT_ABSENT && !is_hidden(k))
				out = put_states(out, services[i].name, k, (enum slot)v->slots[k]);
	}
	(void)sprintf(out, "]");
}

/* ---- sessions and the key ---- */

static struct session *session_by(const char *id)
{
	unsigned number = id[0] == 's' ? (unsigned)atoi(id + 1) : 0;

	for (size_t i = 0; i < SESSIONS; i++)
		if (number && sessions[i].number == number && sessions[i].is_alive)
			return &sessions[i];
	return NULL;
}

static void create_session(const char *body, struct consul_answer_text *a)
{
	struct session *s = &sessions[0];
	const char *ttl = strstr(body, "\"TTL\":\""), *delay = strstr(body, "\"LockDelay\":\"");

	for (size_t i = 0; i < SESSIONS; i++)
		if (!sessions[i].is_alive && (s->is_alive || sessions[i].number < s->number))
			s = &sessions[i];
	if (!ttl || !delay || !strstr(body, "\"Behavior\":\"release\"")) {
		sim_broken("LOCK", "a session is created with %.200s", body);
		a->status = 400;
		return;
	}
	*s = (struct session){
		.is_alive = true,
		.number = ++consul.sessions_n,
		.delay_ms = atoi(delay + 13) * 1000LL,
	};
	/* The TTL is a lower bound: a session may live twice as long. */
	s->ends_ms = sim.now_ms + (int64_t)((double)atoi(ttl + 7) * (1000 + sim_below(ROW_WORLD, 1000)));
	(void)sprintf(a->body, "{\"ID\":\"s%u\"}", s->number);
}

static void serve_session(const char *target, const char *body, struct consul_answer_text *a)
{
	struct session *s;

	if (strstr(target, "/create")) {
		create_session(body, a);
		return;
	}
	s = session_by(strrchr(target, '/') + 1);
	if (strstr(target, "/renew/")) {
		if (!s) {
			a->status = 404;
			return;
		}
		s->ends_ms = sim.now_ms + 30000 + sim_below(ROW_WORLD, 30000);
		(void)sprintf(a->body, "[{\"ID\":\"s%u\",\"TTL\":\"30s\"}]", s->number);
		return;
	}
	if (s)
		end_session(s);
	(void)strcpy(a->body, "true");
}

static void acquire(const char *id, struct consul_answer_text *a)
{
	const struct session *s = session_by(id);
	bool is_ours;

	if (!s) {
		a->status = 500;
		(void)strcpy(a->body, "invalid session");
		return;
	}
	is_ours = consul.holder == s->number || (!consul.holder && sim.now_ms >= consul.free_ms);
	if (is_ours && consul.holder != s->number) {
		consul.holder = s->number;
		consul.has_key = true;
		consul.key_index = ++consul.index;
		consul_changes++;
	}
	(void)strcpy(a->body, is_ours ? "true" : "false");
}

static void serve_key(const char *method, const char *target, struct consul_answer_text *a)
{
	const char *at;

	a->index = consul.key_index;
	(void)snprintf(a->headers, sizeof a->headers, "X-Consul-Index: %llu\n", (unsigned long long)a->index);
	if (method[0] == 'G') {
		if (!consul.has_key)
			a->status = 404;
		else if (consul.holder)
			(void)sprintf(a->body, "[{\"Key\":\"k\"," LOCK_VALUE ",\"LockIndex\":1,\"Session\":\"s%u\"}]",
				      consul.holder);
		else
			(void)strcpy(a->body, "[{\"Key\":\"k\"," LOCK_VALUE ",\"LockIndex\":1}]");
		return;
	}
	if ((at = strstr(target, "acquire="))) {
		acquire(at + 8, a);
	} else if ((at = strstr(target, "release="))) {
		if (consul.holder && consul.holder == (unsigned)atoi(at + 9)) {
			consul.holder = 0;
			consul.key_index = ++consul.index;
			consul_changes++;
		}
		(void)strcpy(a->body, "true");
	}
}

void consul_serve(const char *method, const char *target, const char *headers, const char *body, struct consul_answer_text *a)
{
	bool is_catalog = strncmp(target, "/v1/kv/", 7) != 0 && strncmp(target, "/v1/session/", 12) != 0;

	a->status = 200;
	a->headers[0] = a->body[0] = '\0';
	a->said = (struct consul_said){.made_ms = sim.now_ms};
	if (sim.setup.has_token != (strstr(headers, "X-Consul-Token: " SIM_CONSUL_TOKEN "\r\n") != NULL))
		sim_broken("I8", "the token for Consul is missing, or where none is: %.100s", headers);
	if (strstr(headers, SIM_CF_TOKEN) || strstr(target, "secret") || strstr(body, "secret"))
		sim_broken("I8", "a secret is sent to Consul: %s %.200s", method, target);
	if (sim.now_ms < consul.denied_ms) {
		a->status = 403;
		(void)strcpy(a->body, "rpc error: Permission denied: " SIM_CONSUL_TOKEN);
	} else if (sim.now_ms < consul.no_leader_ms && (!is_catalog || consul.is_silent || has_parameter(target, "consistent"))) {
		a->status = 500;
		(void)strcpy(a->body, "No cluster leader");
	} else if (strncmp(target, "/v1/health/service/", 19) == 0) {
		serve_health(target, a);
	} else if (strncmp(target, "/v1/health/state/any", 20) == 0) {
		serve_states(target, a);
	} else if (strncmp(target, "/v1/catalog/services", 20) == 0) {
		serve_catalog(target, a);
	} else if (!is_catalog && strncmp(target, "/v1/kv/", 7) == 0) {
		serve_key(method, target, a);
	} else if (!is_catalog) {
		serve_session(target, body, a);
	} else {
		a->status = 404;
	}
}
