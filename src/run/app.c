#include "run/app.h"

#include <signal.h>
#include <unistd.h>

/* A terminal that there is not has no group in front: -1. */
static void hand_over(const struct app *a)
{
	if (tcgetpgrp(STDIN_FILENO) == getpgrp())
		(void)tcsetpgrp(STDIN_FILENO, a->process.pid);
}

static void take_back(const struct app *a)
{
	if (a->process.pid && tcgetpgrp(STDIN_FILENO) == a->process.pid)
		(void)tcsetpgrp(STDIN_FILENO, getpgrp());
}

void app_init(void)
{
	(void)signal(SIGTTOU, SIG_IGN);
}

int app_start(struct app *a, char *const *argv, struct err *e)
{
	if (process_start(&a->process, argv, PROCESS_FOREGROUND, e))
		return -1;
	process_set_leftovers(&a->process, SIGTERM);
	return 0;
}

static void go_on(const struct app *a)
{
	hand_over(a);
	process_kill(&a->process, SIGCONT);
}

void app_step(struct app *a)
{
	int number = a->process.stop_signal;

	process_step(&a->process);
	a->process.stop_signal = 0;
	if (number != SIGTSTP && number != SIGTTIN && number != SIGTTOU)
		return; /* SIGSTOP: whoever sent it knows why */
	take_back(a);
	/* We are stopped in this call, if there is a shell to continue us. */
	(void)kill(0, SIGTSTP);
	hand_over(a);
	/* What wants a terminal that is another's would be stopped again at once. */
	if (number == SIGTSTP || tcgetpgrp(STDIN_FILENO) == a->process.pid)
		process_kill(&a->process, SIGCONT);
}

void app_forward(const struct app *a, int number)
{
	if (number == SIGCONT)
		go_on(a);
	else
		process_signal(&a->process, number);
}

void app_terminate(const struct app *a)
{
	process_signal(&a->process, SIGTERM);
	process_kill(&a->process, SIGCONT); /* one that is stopped would not take it */
}

void app_kill(const struct app *a)
{
	process_kill(&a->process, SIGKILL);
}

void app_clean(const struct app *a)
{
	take_back(a);
	if (a->process.pid && getpid() != 1) /* the kernel ends all with PID 1 */
		(void)kill(-a->process.pid, SIGKILL);
}
