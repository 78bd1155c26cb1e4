/*
 * Reader of a request's head, RFC 9112 sections 2, 3 and 5, for a server that knows GET and HEAD
 * and closes after each answer: a body, if one comes, is nobody's. Strict, as net/http/head.h is.
 */
#ifndef NET_HTTP_LISTENER_REQUEST_H
#define NET_HTTP_LISTENER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#define REQUEST_MAX 4096 /* bytes of a request's head, its empty line included */

enum request_result { REQUEST_BAD, REQUEST_MORE, REQUEST_DONE };

struct request {
	int status;   /* BAD: what to answer: 400, 405, 414, 431, 505 */
	bool is_head; /* DONE: the method is HEAD; also set on BAD as far as it is known */
	/* DONE: from '/', and what follows its '?', or ""; both as sent; they live in the text */
	const char *path, *query;
	const char *host; /* DONE: whom it is for, as sent: host_len bytes */
	size_t host_len;
};

/*
 * Read what has come so far: text[0..len), len <= REQUEST_MAX.
 *   text  on DONE a NUL is written behind path and query; untouched otherwise
 *   r     filled on BAD and DONE
 * Returns MORE (call again with the same bytes and more), DONE (what follows the empty line is not
 * looked at), or BAD: also when REQUEST_MAX bytes hold no whole head.
 */
enum request_result request_read(char *text, size_t len, struct request *r)
	__attribute__((warn_unused_result));

/*
 * Whether a request that was read is for this server. A page of somebody else's whose name is made
 * to point here (DNS rebinding) asks by that name: so only an address, a name without a dot
 * (localhost), and those of names, with commas between, are ours. Without one, or an empty one, no
 * browser asked.
 */
bool request_is_for_us(const struct request *r, const char *names);

#endif
