/*
 * How this process was started: the signals that were blocked or ignored, the limit of cores, the
 * standard files that were closed. It lives otherwise; a program that it starts has them again.
 */
#ifndef BASE_INHERITED_H
#define BASE_INHERITED_H

/*
 * Look at all of it, before anything of it is changed; open "/" in the place of standard files that
 * are closed: the number would go to the next socket, and results or logs to its peer. Writing
 * there fails, and is seen to.
 */
void inherited_save(void);

/*
 * Block all signals, and have none blocked; the latter is how we live, whoever started us. Around a
 * fork: the child must not run our handlers.
 */
void inherited_block_signals(void);
void inherited_unblock_signals(void);

/*
 * In a child whose signals are blocked, before it becomes another program: have all as it was. The
 * standard files that are to be closed are so; what comes to one that was sent meanwhile is done
 * here.
 */
void inherited_restore(void);

/* No cores of us from here on, but of what we start as before. */
void inherited_forbid_cores(void);

#endif
