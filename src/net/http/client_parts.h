/* Between the files of the HTTP client; for nobody else. */
#ifndef NET_HTTP_CLIENT_PARTS_H
#define NET_HTTP_CLIENT_PARTS_H

#include "net/http/client.h"

/* How a step within an exchange ended. */
enum http_progress {
	PROGRESS_GO,   /* something was done: go on */
	PROGRESS_WAIT, /* nothing more can be done now */
	PROGRESS_DONE, /* the answer is complete */
	PROGRESS_DEAD, /* the connection ended before any byte of the answer; *e says how */
	PROGRESS_BAD   /* *e says why */
};

/* client_request.c: write the request's head into c->out, the proxy's request into c->in. */
int http_write_request(struct http_client *c, const struct http_request *r, struct err *e);
int http_write_tunnel(struct http_client *c, struct err *e);

/* client_answer.c: begin to read an answer; take what has come; take the connection's end. */
void http_answer_init(struct http_client *c);
enum http_progress http_answer_feed(struct http_client *c, const char *p, size_t n, struct err *e);
enum http_progress http_answer_eof(struct http_client *c, bool is_cut, struct err *e);

/* Whether the connection can serve another exchange after this answer. */
bool http_answer_keeps(const struct http_client *c);

#endif
