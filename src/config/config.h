/*
 * Everything that was set, checked, in the form that the rest of the program uses. A mistake is
 * found here, before a socket opens.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "config/run_config.h"
#include "config/values.h"
#include "core/drain.h"
#include "core/job.h"
#include "net/http/url.h"

#define CONFIG_KEY_CAP 512
#define CONFIG_ALLOW_CAP 4096
#define CONFIG_PATH_CAP 4096
#define CONFIG_NO_PROXY_CAP 8192

#define JOB_FIELD_SECRET(field, reader) char field[CONFIG_SECRET_MAX + 1];
#define JOB_FIELD_MEMBER(...)
#define JOB_FIELD_NONE()

/* A text that is not set is "". Holds nothing of the values it is read from. */
struct config {
	/* Not settings: */
	struct run_config *run; /* with GROUP_RUN: the caller's, who sets it before; is filled */
	size_t jobs_n;          /* 0 only with discover */
	const char *https_proxy_name;                    /* who set https_proxy, for messages */
	struct drain_rule drain;                         /* members of it are settings */
	uint64_t digests[SETTINGS - SETTINGS_OF_RECORD]; /* of the texts: is one another now? */

	/* Settings: */
#define SETTING(id, groups, reload, type, ...) JOB_EXPAND(JOB_FIELD_##type)
#include "config/program.def"

	/*
	 * What tags say nothing of: a job without service and name; and what they cannot say,
	 * since flag or environment does (bit SET_...).
	 */
	struct job common;
	uint32_t fixed;

	struct job jobs[CONFIG_RECORDS_MAX]; /* one per record; of run and drain: jobs[0] alone */
};

/*
 * Read and check the settings of some groups: the arguments, which v holds, environment, file.
 *   c  filled as far as the groups go; the secrets also when something else is wrong
 *   v  used up
 *   e  ERR_USAGE: the command line is wrong; ERR_CONFIG: another source is. One line that names
 *      the setting, where its value came from and what would be right. May quote a secret of c
 *      where a template put it: to be shown masked
 */
int config_read(struct config *c, struct values *v, unsigned groups, struct err *e)
	__attribute__((warn_unused_result));

/* Register the secrets with secret_add(): c must live. e: ERR_CONFIG: too many */
int config_hide_secrets(const struct config *c, struct err *e) __attribute__((warn_unused_result));

/* Where the lock and our own service are: of the first record, or of all that are discovered. */
const struct job *config_place(const struct config *c);

bool config_has_new_secrets(const struct config *old, const struct config *new);

/*
 * Put back into new, which was read later, what of old stays in force: what takes a restart, or all
 * but the secrets.
 *   names  the keys of the settings that were others are added to it
 */
void config_keep(struct config *new, const struct config *old, bool all_but_secrets,
		 struct buf *names);

#endif
