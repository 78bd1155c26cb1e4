/*
 * A registration by a clock of the test's, and an agent of Consul that does as a real one does
 * (measured: 1.8.7). engine/registration and consul/client are compiled a second time, against that
 * agent: whoever includes this calls those.
 */
#ifndef TEST_AGENT_H
#define TEST_AGENT_H

#define consul_client_init tested_client_init
#define consul_client_prepare tested_client_prepare
#define consul_client_start tested_client_start
#define consul_client_step tested_client_step
#define consul_client_is_busy tested_client_is_busy
#define consul_client_wants tested_client_wants
#define registration_init tested_init
#define registration_describe tested_describe
#define registration_wait tested_wait
#define registration_set tested_set
#define registration_show tested_show
#define registration_maintain tested_maintain
#define registration_is_settled tested_is_settled
#define registration_step tested_step
#define registration_rename tested_rename
#define registration_is_over tested_is_over
#define registration_wants tested_wants

#include "engine/registration.h"

#define AGENT_START_MS 5000000

extern struct agent {
	bool is_away, hangs, is_old; /* is_old: it knows no filter, and no look */
	int refuses;                 /* with this status; 0: it does not */
	/* what it holds */
	bool has_service, has_check;
	char description[4096], status[16], output[256], maintenance[128];
	unsigned hash;
	/* the exchange under way */
	bool is_busy;
	struct http_sink sink;
	char method[8], target[512], body[65536], headers[64], answer[8192];
	int64_t deadline_ms;
	const char *suffix; /* that every target has; NULL: no matter */
	/* what was asked, one word a call, and what a watcher saw, one word a state */
	char story[1024], seen[256];
} agent;

extern struct registration agent_registration;
extern const struct consul_service agent_web;
extern int64_t agent_now_ms;
extern unsigned agent_events[REGISTRATION_NOT_LEFT + 1];

/* A new agent, and its clock. */
void agent_init(void);

/* As a test's set-up: web, well, of this host; not stepped yet. */
int agent_set_up(void **state);

/* Let that much time go by. */
void agent_run(int64_t ms);

/* Forget the story so far. */
void agent_clear(void);

void agent_start(void);

/* It is not there any more, as after a restart without state. */
void agent_forget(void);

#endif
