/*
 * What a listing of instances comes to: their addresses, each with its instance's state (an
 * instance with an IPv4 and an IPv6 address has two), and their counts.
 */
#ifndef CORE_ENDPOINT_H
#define CORE_ENDPOINT_H

#include "core/instance.h"
#include "core/record.h"

struct endpoint {
	enum instance_state state;
	struct target target;
};

struct instance_counts {
	size_t instances_n;
	size_t state_n[INSTANCE_STATES]; /* instances by state */
	size_t unaddressed_n;  /* those left out: without a usable address, or not to be read */
	char unaddressed[512]; /* the first of them: which, and why */
};

#endif
