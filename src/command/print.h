/*
 * The plan as its reader wants it: text for people, JSON for programs (docs/plan.schema.json).
 */
#ifndef COMMAND_PRINT_H
#define COMMAND_PRINT_H

#include <stdbool.h>

#include "engine/reconcile.h"

/* One name's plan on stdout; has_colour: with terminal colours. */
void print_plan(const struct reconcile *r, bool has_colour);

/*
 * {"version": 1, "records": [ NAME, NAME... ]}: begin, one call per name, end.
 *   is_first  no comma before it
 */
void print_json_begin(void);
void print_json_plan(const struct reconcile *r, bool is_first);
void print_json_end(void);

#endif
