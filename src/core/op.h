/*
 * One change to one record, as a plan holds it and the API carries it out.
 */
#ifndef CORE_OP_H
#define CORE_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/record.h"

/* In the order in which they are carried out. */
enum op_kind { OP_CREATE, OP_UPDATE, OP_DELETE, OP_HOLD, OP_KINDS };

struct op {
	enum op_kind kind;
	bool is_duplicate; /* DELETE: another record of the same target stays */
	bool is_done;      /* set by who carried it out */
	bool proxied;
	uint32_t ttl;
	const struct target *target; /* CREATE, UPDATE: what the record shall be */
	const struct record *record; /* UPDATE, DELETE, HOLD: the one that is there */
};

#endif
