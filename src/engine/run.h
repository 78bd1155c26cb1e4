/*
 * A reconcile in a loop of its own, from its start to CALL_END.
 */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H

#include "engine/driver.h"
#include "engine/reconcile.h"

/* Carry out all calls, waits included. */
void run_reconcile(struct reconcile *r, struct driver *d);

#endif
