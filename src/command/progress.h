/*
 * How something that takes long stands, on stderr: on a terminal one line that is redrawn, else
 * plain lines, when something else is to be told, and not too often.
 */
#ifndef COMMAND_PROGRESS_H
#define COMMAND_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"

#define PROGRESS_DRAW_MS 1000   /* a terminal's line is drawn anew so often */
#define PROGRESS_PLAIN_MS 10000 /* between two plain lines */

struct progress {
	const char *subject;
	bool is_terminal;
	bool is_drawn; /* a line stands there, without its end */
	bool has_told;
	unsigned told; /* by the last plain line */
	int64_t next_ms;
};

/* Whether a terminal is there that knows escape sequences: it can be drawn on, and in colours. */
bool progress_can_draw(int fd);

/* Begin, with what the lines are about, which must live. */
void progress_begin(struct progress *p, const char *subject);

/*
 * line: how it stands now. what: a number for what it says; as long as that is the same, no other
 * plain line is due.
 */
void progress_show(struct progress *p, const char *line, unsigned what, int64_t now_ms);

/* A line that stays, at once. */
void progress_note(struct progress *p, const char *line);

/* Wake for the next drawing. */
void progress_wants(const struct progress *p, struct loop_wait *w, int64_t now_ms);

/* Leave the terminal as it was. Legal at any time, zeroed, too. */
void progress_end(struct progress *p);

#endif
