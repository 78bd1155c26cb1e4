/*
 * What `run` is to do, checked: from flags, environment and --config, or from a configuration of
 * Containerbuddy's. Who runs it does not know which it was. Holds its own texts and is never
 * copied; there are two, the one in force and the one that SIGHUP reads.
 */
#ifndef CONFIG_RUN_CONFIG_H
#define CONFIG_RUN_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consul/agent.h"
#include "core/interface.h"
#include "core/job.h"
#include "net/http/url.h"

#define RUN_SERVICES_MAX 16
#define RUN_BACKENDS_MAX 16
#define RUN_TAGS_MAX 32
#define RUN_METAS_MAX 64    /* as Consul has it */
#define RUN_META_MAX 512    /* bytes of a value; likewise */
#define RUN_WORDS_MAX 1024  /* of all commands, their ends included */
#define RUN_TEXT_CAP 65536  /* bytes of all words, tags and metadata */
#define RUN_TARGET_MAX 1024 /* bytes of what a check asks for */
#define RUN_NAME_MAX 127    /* bytes of a service's name; its id is that, '-' and the host's */

/* Never a shell: executed as it is, looked for in PATH when its name has no slash. */
struct run_command {
	size_t n;           /* words; 0: there is none */
	char *const *argv;  /* NULL at [n]; the application's in main's own */
	int64_t timeout_ms; /* CLOCK_NEVER: none */
};

enum run_check_kind { RUN_CHECK_NONE, RUN_CHECK_HTTP, RUN_CHECK_TCP, RUN_CHECK_EXEC };

struct run_check {
	enum run_check_kind kind;   /* NONE: always passing */
	const char *target;         /* HTTP: path and query */
	struct run_command command; /* EXEC */
	int64_t interval_ms;        /* from start to start */
	int64_t timeout_ms;
	struct url url; /* HTTP: http, https or unix, its path is ""; TCP: host, port */
};

struct run_service {
	uint16_t port; /* 0: none */
	bool enable_tag_override;
	bool may_lack_address;       /* it is registered without one until there is one */
	uint32_t ttl_sec;            /* of the check in Consul */
	uint32_t gone_sec;           /* its DeregisterCriticalServiceAfter; 0: never */
	const char *interfaces_from; /* who says so, for messages */
	size_t tags_n, metas_n;
	char name[RUN_NAME_MAX + 1];
	struct run_check check;
	struct interface_rules interfaces;
	const char *tags[RUN_TAGS_MAX];
	struct consul_meta metas[RUN_METAS_MAX];
};

/* A service that is followed, and what is done when its healthy instances are others. */
struct run_backend {
	struct run_command on_change;
	int64_t poll_ms; /* the longest rest where Consul does not tell of changes by itself */
	struct job job;  /* what Consul is asked for */
};

struct run_config {
	struct run_command app; /* n is 0: there is none */
	struct run_command pre_start, pre_stop, post_stop;
	int64_t stop_timeout_ms; /* 0: SIGKILL at once */
	bool is_containerbuddy;  /* of its configuration */
	unsigned hidden_groups;  /* of secrets that are not for children */
	size_t services_n, backends_n;
	/* Its own: */
	size_t words_n, text_len;
	/* Of what is large only the begin is touched. */
	struct run_service services[RUN_SERVICES_MAX];
	struct run_backend backends[RUN_BACKENDS_MAX];
	char *words[RUN_WORDS_MAX];
	char text[RUN_TEXT_CAP];
};

/*
 * Whether this variable, "NAME=value", is a secret of ours, which the application, checks and hooks
 * are not given. With Containerbuddy's configuration none is: its handlers need them.
 */
bool run_config_hides(const struct run_config *c, const char *pair);

#endif
