#include "command/progress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/log.h"

#define COLUMNS 80 /* where nobody tells */
#define CLEAR "\r\x1b[K"

bool progress_can_draw(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

void progress_begin(struct progress *p, const char *subject)
{
	*p = (struct progress){.subject = subject, .is_terminal = progress_can_draw(STDERR_FILENO)};
}

static void put(const char *text)
{
	(void)!write(STDERR_FILENO, text, strlen(text)); /* the work goes on without */
}

static size_t columns(void)
{
	struct winsize size = {.ws_col = 0};

	return !ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : COLUMNS;
}

/* One that is longer than the terminal is wide could not be taken back. */
static void draw(struct progress *p, const char *line)
{
	char text[1024];
	size_t cap = sizeof CLEAR - 1 + columns();

	(void)fmt_text(text, cap < sizeof text ? cap : sizeof text, CLEAR "%s: %s", p->subject,
		       line);
	put(text);
	p->is_drawn = true;
}

static void take_back(struct progress *p)
{
	if (p->is_drawn)
		put(CLEAR);
	p->is_drawn = false;
}

void progress_show(struct progress *p, const char *line, unsigned what, int64_t now_ms)
{
	if (now_ms < p->next_ms || (!p->is_terminal && p->has_told && what == p->told))
		return;
	if (p->is_terminal) {
		draw(p, line);
		p->next_ms = now_ms + PROGRESS_DRAW_MS;
		return;
	}
	log_plain("dnsbuddy: %s: %s", p->subject, line);
	p->next_ms = now_ms + PROGRESS_PLAIN_MS;
	p->has_told = true;
	p->told = what;
}

void progress_note(struct progress *p, const char *line)
{
	take_back(p);
	log_plain("dnsbuddy: %s: %s", p->subject, line);
}

void progress_wants(const struct progress *p, struct loop_wait *w, int64_t now_ms)
{
	/* A plain line that is held back comes with the next step: there is one now and then. */
	if (p->is_terminal)
		loop_wait_until(w, p->next_ms > now_ms ? p->next_ms : now_ms + PROGRESS_DRAW_MS);
}

void progress_end(struct progress *p)
{
	take_back(p);
}
