/*
 * The one way to fail: a kind that code branches on, and a text for the reader.
 * Knows nothing of who fails. No allocation; a text that does not fit is cut,
 * between characters.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define ERR_TEXT_MAX 768 /* bytes, with the closing NUL */

enum err_kind {
	ERR_NONE = 0,
	ERR_RETRY,   /* a passing fault: reset, time-out, 5xx; trying again may help */
	ERR_BUSY,    /* asked to slow down (429) */
	ERR_PROTO,   /* the peer broke its protocol or answered something else */
	ERR_LIMIT,   /* an input past a named bound of ours */
	ERR_TLS,     /* the peer could not be authenticated */
	ERR_AUTH,    /* credentials refused */
	ERR_REFUSED, /* understood and refused: asking the same again is pointless */
	ERR_CONFIG,  /* a setting is wrong or missing */
	ERR_USAGE,   /* the command line is wrong */
	ERR_SYS,     /* the operating system refused something */
	ERR_KINDS
};

struct err {
	enum err_kind kind;
	char text[ERR_TEXT_MAX];
};

/*
 * Set kind and text; what was there before is lost. Secrets in it become "***" (base/secret.h), and
 * what is harmful to show becomes '?' (base/utf8.h): a peer's words cannot forge a log line, and
 * wherever the text comes to be shown, it is fit for it. It is -1, for `return err_set(...)`: the
 * compiler sees that, and tests no result.
 */
#define err_set(...) (err_put(__VA_ARGS__), -1)
void err_put(struct err *e, enum err_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Put context in front of a text that is set: "context: text". The kind stays. It is -1, too.
 */
#define err_wrap(...) (err_put_before(__VA_ARGS__), -1)
void err_put_before(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The kind as a word for logs: "retry", "proto"... Never NULL. */
const char *err_kind_name(enum err_kind kind);

#endif
