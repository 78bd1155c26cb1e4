/*
 * The application: our child in a group of its own, and with the terminal, if there is one and it
 * is ours. Job control goes on to work: an application that is stopped from the terminal stops us
 * too, so that the shell sees it; without a shell, as in a container, it goes on at once.
 */
#ifndef RUN_APP_H
#define RUN_APP_H

#include <stdbool.h>

#include "base/err.h"
#include "run/process.h"

/* Zeroed there is none. */
struct app {
	struct process process;
};

/*
 * Start it. e: ERR_SYS: no process can be made.
 * What it left in its group when it ends by itself gets SIGTERM, and with app_clean() SIGKILL.
 */
int app_start(struct app *a, char *const *argv, struct err *e) __attribute__((warn_unused_result));

/* Go on after an event: what it stopped by is looked at here. */
void app_step(struct app *a);

/* It, or with SIGCONT its group, gets what we got. */
void app_forward(const struct app *a, int number);

/* Be asked to end; or be ended, with its group. */
void app_terminate(const struct app *a);
void app_kill(const struct app *a);

/* At the end: take the terminal back, and end what is left of its group. */
void app_clean(const struct app *a);

/* Once, before app_start(): we may write to the terminal while it is the application's. */
void app_init(void);

#endif
