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

/* What authenticates us, as it is sent. */
struct credentials {
	char consul[CLIENT_HEADERS_CAP], cf[CLIENT_HEADERS_CAP]; /* whole header lines */
};

/* One side's origin and what TLS with it needs. */
struct client_side {
	struct http_origin origin;
	struct tls_config tls_config;
	struct tls_identity identity;
	struct tls_storage tls;
};

struct clients {
	struct client_side consul, cloudflare;
	struct credentials credentials;            /* in use; replaced as a whole by '=' */
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

/* The two halves of it: the second is memory that whoever has drivers of its own does not need. */
int clients_prepare(struct clients *w, const struct config *c, struct err *e)
	__attribute__((warn_unused_result));
void clients_init_driver(struct clients *w, const struct config *c);

/* c has something verified by the CA file, which had no use at the start, and was not read. */
bool clients_lack_roots(const struct clients *w, const struct config *c);

/* What is to be sent for c's secrets. e: ERR_CONFIG: they are too long */
int credentials_build(struct credentials *out, const struct config *c, struct err *e)
	__attribute__((warn_unused_result));

/* Register with secret_add() what proxies are sent of secrets. e: ERR_CONFIG: too many */
int clients_hide_secrets(const struct clients *w, struct err *e)
	__attribute__((warn_unused_result));

#endif
