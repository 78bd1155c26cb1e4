/*
 * The plan as its reader wants it: text for people, JSON for programs (docs/plan.schema.json).
 */
#ifndef COMMAND_PRINT_H
#define COMMAND_PRINT_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/reconcile.h"

/*
 * The plans of n names on stdout: of one, or of several by zone, trouble first. What failed is told
 * on stderr in its place.
 *   has_colour  with terminal colours
 */
void print_plans(const struct reconcile *r, size_t n, bool has_colour);

/* The same in JSON, the names in their order; what failed is only there. */
void print_json(const struct reconcile *r, size_t n);

#endif
