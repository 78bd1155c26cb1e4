/*
 * From a configuration to what the engine drives: trust, clients and credentials for both sides.
 */
#ifndef COMMAND_CLIENTS_H
#define COMMAND_CLIENTS_H

#include "base/err.h"
#include "config/config.h"
#include "engine/driver.h"
#include "engine/reconcile.h"

#define CLIENT_HEADERS_CAP 8192 /* bytes of the header lines with one side's credentials */

/* One side's origin and what TLS with it needs. */
struct client_side {
	struct http_origin origin;
	struct tls_config tls_config;
	struct tls_identity identity;
	struct tls_storage tls;
	char headers[CLIENT_HEADERS_CAP];
};

struct clients {
	struct client_side consul, cloudflare;
	char consul_basic[CLIENT_HEADERS_CAP];     /* CONSUL_HTTP_AUTH as it is sent */
	struct trust_store cf_roots, consul_roots; /* used with CA files of the user's */
	struct driver driver;
	struct reconcile_storage storage;
	struct record have[RECORDS_MAX];
};

/*
 * Prepare both sides as c says; no socket opens yet. w is static and zeroed, c stays in use.
 *   e  ERR_CONFIG: a file with certificates or a key, or a proxy, is no good
 */
int clients_init(struct clients *w, const struct config *c, struct err *e)
	__attribute__((warn_unused_result));

/* Send c's credentials from now on; part of clients_init(). e: ERR_CONFIG: they are too long */
int clients_set_credentials(struct clients *w, const struct config *c, struct err *e)
	__attribute__((warn_unused_result));

/*
 * Register c's secrets, and what is sent of them, with log_add_secret() once more, after
 * log_forget_secrets(). e: ERR_CONFIG: too many
 */
int clients_hide_secrets(struct clients *w, const struct config *c, struct err *e)
	__attribute__((warn_unused_result));

#endif
