/*
 * TLS 1.2 client on a non-blocking socket, by BearSSL. Whom to trust and how to identify oneself
 * is a tls_config; one connection at a time lives in a tls_storage; what makes the next handshake
 * short is a tls_session.
 */
#ifndef NET_TLS_TLS_H
#define NET_TLS_TLS_H

#include <bearssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/tls/identity.h"
#include "net/tls/verifier.h"
#include "net/tls/trust.h"
#include "net/stream.h"
#include "net/address.h"

#define TLS_SESSION_MAX_MS 3600000 /* a session is resumed for at most an hour */

/* Whom to trust and who to be. Filled before the first connection, read only after. */
struct tls_config {
	const struct trust_store *trust;     /* NULL: the built-in roots */
	bool verify;                         /* false: any certificate will do */
	const struct tls_identity *identity; /* certificate and key of ours; NULL for none */
	char server_name[NET_HOST_MAX + 1];  /* asked for and checked instead of the host; or "" */
};

/* Verify against these roots, which must live as long, or the built-in ones; nothing else set. */
void tls_config_init(struct tls_config *c, const struct trust_store *trust);

/* What to resume. Starts zeroed. */
struct tls_session {
	bool is_set;
	bool was_verified;
	int64_t until_ms;
	int64_t root_end_sec;        /* when the root ends that vouched for it; 0: none did */
	char name[NET_HOST_MAX + 1]; /* the server it belongs to */
	br_ssl_session_parameters parameters;
};

/*
 * About 110 KiB, of which a handshake uses 70, static at the caller's. The fields are the module's
 * own.
 */
struct tls_storage {
	br_ssl_client_context client;
	struct verifier verifier;
	const struct tls_config *config;
	struct tls_session *session;
	bool is_up;          /* the handshake is done */
	bool is_send_broken; /* the socket takes nothing more */
	bool is_garbage;     /* the first byte received was not of TLS */
	bool has_input;      /* any byte was received */
	bool is_asked_again; /* the server wants another handshake */
	unsigned char in[BR_SSL_BUFSIZE_INPUT];
	unsigned char out[BR_SSL_BUFSIZE_OUTPUT];
};

/* Reserve *t, unless it is there already. e: ERR_SYS: no memory */
int tls_reserve(struct tls_storage **t, struct err *e) __attribute__((warn_unused_result));

/*
 * Begin a connection to host.
 *   c, s  kept until the connection ends; s is resumed when it fits, and kept up to date
 *   e     ERR_CONFIG: no name to check, or a name longer than SNI can carry; ERR_SYS: no entropy
 */
int tls_start(struct tls_storage *t, const struct tls_config *c, const char *host,
	      struct tls_session *s, struct err *e) __attribute__((warn_unused_result));

/* IO_OK: the peer is authenticated, bytes may flow. IO_EOF and IO_CUT are not returned. */
enum io_result tls_handshake(struct tls_storage *t, int fd, struct err *e);

/* After the handshake: what a stream goes through. Its ctx is the tls_storage. */
extern const struct stream_layer tls_layer;

/* Whether the handshake resumed a session. */
bool tls_was_resumed(const struct tls_storage *t);

#endif
