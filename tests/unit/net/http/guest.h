/*
 * A listener and its clients in one process. Loopback delivers before send() returns, and the
 * time is what the test says, so nothing here waits.
 */
#ifndef TEST_GUEST_H
#define TEST_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/http/listener.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define START_MS 1000000
#define GUEST_GOT_CAP (LISTEN_ANSWER_MAX + 4096)

enum end { OPEN, CLOSED, RESET };

extern struct listener l;
extern int64_t now_ms;
extern char got[GUEST_GOT_CAP]; /* the last answer that was heard */
extern size_t got_n;

/* l is open on a free port of loopback, it is START_MS. */
int guest_setup(void **state);
int guest_teardown(void **state);

/*
 * One listen_step(). Its pages: / (6 bytes of text/html), /sick and /empty (503), /big
 * (LISTEN_ANSWER_MAX bytes), /huge (one more).
 */
void step(void);

/* A new connection; receive_buffer: bytes the kernel shall keep for it, 0: as usual. */
int guest_connect(void);
int guest_connect_sized(int receive_buffer);

void say(int fd, const char *text);

/* What has come, appended to got, or as all of it; and how the connection stands. */
enum end hear(int fd);
enum end hear_anew(int fd);

/* The whole exchange of one who asks and reads at once; fd is closed afterwards. */
void guest_ask_at(int fd, const char *text);
void guest_ask(const char *text);

/* Of the answer in got. */
bool is_status(int status);
bool has_field(const char *line);
const char *body(void);

/* Connections in this phase; whether all are free. */
size_t used_n(enum listen_phase phase);
bool is_idle(void);

#endif
