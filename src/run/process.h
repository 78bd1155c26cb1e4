/*
 * Children, and the one place that waits for them: on SIGCHLD all that ended are reaped, those
 * known are told of it, the others (orphans, for PID 1) are just reaped. So nobody races for a
 * status.
 *
 * Each child leads a process group of its own. When it ends, what is left of the group is killed,
 * before its number can be another's; of the application see process_set_leftovers(). Signals,
 * limits and standard files are as they were when we were started (base/inherited.h), but stdin,
 * which is /dev/null unless it is inherited. No shell: argv is executed as it is, and looked for in
 * PATH when it has no slash.
 */
#ifndef RUN_PROCESS_H
#define RUN_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/loop.h"

#define PROCESS_LINE_CAP 512   /* bytes of a line of output; a longer one is cut */
#define PROCESS_READ_MAX 65536 /* bytes of output that are read at once... */
#define PROCESS_READ_MS 20     /* ...and then the rest, for the writer waits: who floods */
#define PROCESS_NOT_FOUND 127
#define PROCESS_NOT_EXECUTABLE 126

enum process_output {
	PROCESS_INHERIT,   /* stdout and stderr are ours, stdin is empty */
	PROCESS_LAST_LINE, /* both come to us, the last line that is not blank is kept */
	PROCESS_FOREGROUND /* all three are ours; on a terminal that is ours it is in front */
};

/* Embedded by its owner, zeroed at first; it must live until it is over. */
struct process {
	pid_t pid;       /* also the number of its group; 0: never started */
	int code;        /* as a shell has it: 0..255, 128 + n for a signal, 126 and 127 */
	int stop_signal; /* that stopped it, until somebody puts 0 here */
	bool is_over;    /* it has been reaped, or could not be started: code counts */
	/* The module's own. */
	bool is_unconfirmed; /* it has not become what it shall be yet */
	int exec_fd;         /* tells why it could not */
	int exec_error;
	int out;         /* its output; -1: none */
	int64_t read_ms; /* nothing is read before this */
	int leftovers;   /* the signal that its group gets when it has ended */
	size_t rest_len;
	struct process *next;
	/* The last line of its output, or why it could not be executed; fit to be shown. */
	char line[PROCESS_LINE_CAP];
	char rest[PROCESS_LINE_CAP]; /* of its output, a line without its end */
};

/*
 * Start argv[0], with what is said above. p is zeroed or over.
 *   argv  NULL ends it; not kept
 *   e     ERR_SYS: no process, no pipe. p is as before then.
 * What cannot be executed is over soon, with the code 127 (it is not there) or 126, and line says
 * why.
 */
int process_start(struct process *p, char *const *argv, enum process_output output, struct err *e)
	__attribute__((warn_unused_result));

/* Started, and not over. */
bool process_is_running(const struct process *p);

/* It runs and has become the program that it was to be. */
bool process_is_confirmed(const struct process *p);

/* Send a signal to its whole group, or to it alone. What is over gets none. */
void process_kill(const struct process *p, int number);
void process_signal(const struct process *p, int number);

/* What it gets, with its group, when its leader ends: SIGKILL, unless this says another. */
void process_set_leftovers(struct process *p, int number);

/* Wait for its output and its beginning, and take what there is: never waits. */
void process_wants(const struct process *p, struct loop_wait *w);
void process_step(struct process *p);

/* On SIGCHLD. */
void process_reap_all(void);

/* Variables for which is_hidden says so are not in the environment of what is started from now. */
void process_hide_environment(bool (*is_hidden)(const char *pair));

#endif
