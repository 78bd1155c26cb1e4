/*
 * The secrets of this process, and texts without them. Every struct err is made so (base/err.h):
 * whatever a peer echoes, no way out has to think of it.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#define SECRETS_MAX 16

/*
 * Remember a secret of 4 bytes and more; s must live as long as the program. Past SECRETS_MAX it
 * is an error of the program: -1.
 */
int secret_add(const char *s) __attribute__((warn_unused_result));

/* Forget them all: new ones come. */
void secret_forget(void);

/*
 * Replace in text, in place, every secret by "***": as it is, escaped as in JSON or in a URL, or
 * within base64, in either alphabet; also its first 8 bytes and more, for a limit may have cut the
 * rest off.
 */
void secret_mask(char *text);

/* What others wrote, made fit to show, in place: masked, and clean (base/utf8.h). */
void secret_clean(char *text);

#endif
