/* What BearSSL's engine says, in words and as a kind of ours. */
#ifndef NET_TLS_ERRORS_H
#define NET_TLS_ERRORS_H

#include <stdbool.h>

#include "base/err.h"

/*
 * code: of br_ssl_engine_last_error(), not of a certificate.
 * in_handshake, has_identity: what the connection is about, to tell causes apart.
 * Returns -1 with e set: ERR_TLS, ERR_PROTO or ERR_RETRY.
 */
int tls_explain(int code, bool in_handshake, bool has_identity, struct err *e);

#endif
