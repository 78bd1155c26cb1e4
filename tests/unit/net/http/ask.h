/*
 * Exchanges with a scripted peer: one client, and what its sink was given.
 */
#ifndef TEST_ASK_H
#define TEST_ASK_H

#include "base/err.h"
#include "net/http/client.h"
#include "net/http/peer.h"

#define OK "HTTP/1.1 200 OK\r\n"
#define HELLO OK "Content-Length: 5\r\n\r\nhello"
#define LONG_MS 10000 /* a deadline that no test reaches */

extern struct http_client client;
extern struct http_origin origin;
extern struct err e;
extern int status;
extern char body_text[65536];
extern const struct http_sink sink;

/* Point the client to a URL, or to a peer that is started with these steps. */
void use(const char *url);
void use_peer(struct peer *p, const struct peer_step *steps);

/* One exchange: what http_exchange() returns. */
int ask(const char *method);
int ask_within(const char *method, const char *request_body, int64_t ms);

/* The exchange failed with this kind and text, and left nothing behind. */
void assert_failed(int result, enum err_kind kind, const char *part);

void end(struct peer *p);

#endif
