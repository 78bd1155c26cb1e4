#include "command/clients.h"

#include <string.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/str.h"
#include "net/http/proxy.h"

static int set_trust(struct client_side *side, struct trust_store *roots, const char *ca_file,
		     struct err *e)
{
	side->origin.tls = &side->tls_config;
	if (!*ca_file) {
		tls_config_init(&side->tls_config, NULL);
		return 0;
	}
	if (trust_load_pem_file(roots, ca_file, e))
		return -1;
	tls_config_init(&side->tls_config, roots);
	return 0;
}

static int set_proxy(struct client_side *side, const struct config *c, struct err *e)
{
	const struct proxy_setting setting = {c->https_proxy, c->https_proxy_name, c->no_proxy};
	struct http_origin *o = &side->origin;

	return proxy_choose(&setting, &o->url, &o->has_proxy, &o->proxy, o->proxy_auth, e);
}

/* The image of an application may name roots that are not there: run reads what it needs. */
static bool uses_roots(const struct config *c)
{
	const struct run_config *run = c->run;

	if (!run || c->drain.way.kind == DRAIN_API)
		return true;
	for (size_t i = 0; i < run->services_n; i++) {
		const struct run_check *check = &run->services[i].check;

		if (check->kind == RUN_CHECK_HTTP && check->url.scheme == URL_HTTPS)
			return true;
	}
	return false;
}

bool clients_lack_roots(const struct clients *w, const struct config *c)
{
	return uses_roots(c) && c->ca_file[0] && !w->cf_roots.n;
}

static int init_cloudflare(struct clients *w, const struct config *c, struct err *e)
{
	struct client_side *side = &w->cloudflare;

	side->origin.url = c->cf_url;
	if (set_trust(side, &w->cf_roots, uses_roots(c) ? c->ca_file : "", e))
		return err_wrap(e, "SSL_CERT_FILE or --ca-file");
	return set_proxy(side, c, e);
}

static int init_consul_tls(struct clients *w, const struct config *c, struct err *e)
{
	struct client_side *side = &w->consul;

	if (set_trust(side, &w->consul_roots, c->consul_cacert, e))
		return err_wrap(e, "CONSUL_CACERT");
	side->tls_config.verify = c->consul_verify;
	if (str_copy(side->tls_config.server_name, sizeof side->tls_config.server_name,
		     c->consul_server_name))
		return err_set(e, ERR_CONFIG, "CONSUL_TLS_SERVER_NAME is too long");
	if (!c->consul_client_cert[0])
		return 0;
	if (identity_load(&side->identity, c->consul_client_cert, c->consul_client_key, e))
		return err_wrap(e, "CONSUL_CLIENT_CERT and CONSUL_CLIENT_KEY");
	side->tls_config.identity = &side->identity;
	return 0;
}

static int init_consul(struct clients *w, const struct config *c, struct err *e)
{
	struct client_side *side = &w->consul;
	bool is_https = c->consul_url.scheme == URL_HTTPS;

	side->origin.url = c->consul_url;
	return is_https && (init_consul_tls(w, c, e) || set_proxy(side, c, e)) ? -1 : 0;
}

int credentials_build(struct credentials *out, const struct config *c, struct err *e)
{
	struct buf consul, cf;

	buf_init(&consul, out->consul, sizeof out->consul);
	consul_headers(&consul, c->consul_token, c->consul_http_auth);
	buf_init(&cf, out->cf, sizeof out->cf);
	cf_headers(&cf, c->api_token, c->api_key, c->api_email);
	if (!buf_ok(&consul) || !buf_ok(&cf))
		return err_set(e, ERR_CONFIG, "the credentials are too long");
	return 0;
}

int clients_prepare(struct clients *w, const struct config *c, struct err *e)
{
	if (init_cloudflare(w, c, e) || init_consul(w, c, e) ||
	    credentials_build(&w->credentials, c, e))
		return -1;
	return clients_hide_secrets(w, e);
}

void clients_init_driver(struct clients *w, const struct config *c)
{
	bool is_https = c->consul_url.scheme == URL_HTTPS;

	http_client_init(&w->driver.cloudflare, &w->cloudflare.origin, &w->cloudflare.tls);
	http_client_init(&w->driver.consul, &w->consul.origin, is_https ? &w->consul.tls : NULL);
	w->driver.cf_headers = w->credentials.cf;
	w->driver.consul_headers = w->credentials.consul;
	w->driver.timeout_ms = c->timeout_ms;
}

int clients_init(struct clients *w, const struct config *c, struct err *e)
{
	if (clients_prepare(w, c, e))
		return -1;
	clients_init_driver(w, c);
	return 0;
}

/* What is behind "Basic ". */
static const char *proxy_secret(const struct http_origin *o)
{
	return strchr(o->proxy_auth, ' ') ? strchr(o->proxy_auth, ' ') + 1 : "";
}

int clients_hide_secrets(const struct clients *w, struct err *e)
{
	if (secret_add(proxy_secret(&w->cloudflare.origin)) ||
	    secret_add(proxy_secret(&w->consul.origin)))
		return err_set(e, ERR_CONFIG, "too many secrets");
	return 0;
}
