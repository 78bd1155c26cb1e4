/*
 * What a service says of its records by its tags in Consul, as the settings of a record are called:
 *   PREFIX.record=NAME[,NAME...], PREFIX.ttl=60, PREFIX.on-empty=keep...
 * The traits in core/job.def say which settings a tag may be of. Not who gets which name.
 */
#ifndef CONFIG_TAGS_H
#define CONFIG_TAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "config/config.h"

/* Whether it begins with "PREFIX.": any other tag says nothing to us. */
bool tags_is_ours(const char *tag, const char *prefix);

/* Takes a name that is claimed, in normal form. */
typedef int tags_name_fn(void *ctx, const char *name, struct err *e);

/* The tags of ours that a service has. */
struct service_tags {
	const char *service;
	const char *text; /* n of them, one behind the other, each with its NUL, none twice */
	size_t n;
};

/*
 * Read them.
 *   job   all but the name becomes what they say, and where they say nothing c->common
 *   take  is given each name, also where the rest is wrong
 *   e     ERR_CONFIG: the tag that is wrong, and why; or what take() said
 */
int tags_read(const struct config *c, const struct service_tags *tags, struct job *job,
	      tags_name_fn *take, void *ctx, struct err *e) __attribute__((warn_unused_result));

/*
 * Whether a name in normal form is one of c->discover_allow, label by label, where a star is the
 * rest of any one, and of the zone if there is only one. A wildcard never is.
 */
bool tags_is_allowed(const struct config *c, const char *name);

#endif
