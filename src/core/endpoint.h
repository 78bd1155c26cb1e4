/*
 * An address of an instance, with the instance's state. An instance with an IPv4 and an IPv6
 * address has two.
 */
#ifndef CORE_ENDPOINT_H
#define CORE_ENDPOINT_H

#include "core/instance.h"
#include "core/record.h"

struct endpoint {
	enum instance_state state;
	struct target target;
};

#endif
