/*
 * Containerbuddy's configuration, as of 0.0.1 to ContainerPilot 2: its flags, and its JSON to a
 * struct run_config. What is not done here (etcd, tasks, coprocesses, telemetry, all of 3) is
 * refused by name. Keys without regard to case, numbers also as text, as some of its versions have
 * it.
 */
#ifndef CONFIG_CONTAINERBUDDY_H
#define CONFIG_CONTAINERBUDDY_H

#include "config/run_config.h"
#include "config/values.h"

/*
 * Whether it counts, as far as the arguments are read: it was given, the program is called so, or
 * CONTAINERBUDDY or CONTAINERPILOT is set; but not when the service or our own configuration is
 * named by a flag.
 */
bool containerbuddy_is_used(const struct values *v);

/*
 * Look whether argv[*i] is a flag of its: -config X, -config=X, -version, -help; and with two
 * dashes when the program is called so.
 *   i      moves to its value
 *   taken  set to true if it is one
 *   e      ERR_USAGE: the value is missing, or the flag is refused
 */
int containerbuddy_take_flag(struct values *v, int argc, char *const *argv, int *i, bool *taken,
			     struct err *e) __attribute__((warn_unused_result));

/*
 * Read it. c is filled but for what depends on settings of ours; what it says of these is put into
 * v, where flags go first. The environment is to be read after it.
 *   e  ERR_CONFIG: there is none; file, line, key and what is wrong
 */
int containerbuddy_read(struct run_config *c, struct values *v, struct err *e)
	__attribute__((warn_unused_result));

#endif
