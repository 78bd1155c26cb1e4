/*
 * A client for the tests of src/net: one request per line of arguments over one http_client.
 *   http_probe [OPTION...] URL [TARGET...]
 *     --ca FILE  --no-verify  --cert FILE --key FILE  --name NAME  --proxy URL  --no-proxy LIST
 *     --method M  --body TEXT  --header LINE  --deadline MS  --times N  --pause MS  --quiet
 * Prints for each target the status, the body and the result; the counters at the end. Exits 0
 * when all went well, else with 10 + the kind of the last error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "net/http/client.h"

static struct http_client client;
static struct tls_storage storage;
static struct trust_store store;
static struct tls_identity identity;
static struct tls_config config;
static struct http_origin origin;
static struct proxy_setting proxies = {"", "--proxy", ""};

static struct {
	const char *method;
	const char *body;
	char headers[1024];
	int64_t deadline_ms;
	int times;
	int pause_ms;
	bool is_quiet;
} settings = {.method = "GET", .deadline_ms = 5000, .times = 1};

static int on_status(void *ctx, int status, struct err *e)
{
	(void)ctx;
	(void)e;
	printf("status %d\n", status);
	return 0;
}

static int on_body(void *ctx, const char *p, size_t n, struct err *e)
{
	(void)ctx;
	(void)e;
	if (!settings.is_quiet)
		fwrite(p, 1, n, stdout);
	return 0;
}

static int fail(const struct err *e)
{
	printf("error %s: %s\n", err_kind_name(e->kind), e->text);
	return 10 + (int)e->kind;
}

static int ask(const char *target, struct err *e)
{
	const struct http_sink sink = {.status = on_status, .body = on_body};
	const struct http_request r = {.method = settings.method,
				       .target = target,
				       .headers = settings.headers,
				       .body = settings.body,
				       .body_len = settings.body ? strlen(settings.body) : 0};
	int64_t before_ms = clock_now_ms();

	if (http_exchange(&client, &r, &sink, before_ms + settings.deadline_ms, e)) {
		int code = fail(e);

		printf("sent %d\n", http_was_sent(&client));
		return code;
	}
	printf("\nok\n");
	return 0;
}

static int option(const char *name, const char *value, struct err *e)
{
	static const char *cert;

	if (!strcmp(name, "--ca")) {
		if (trust_load_pem_file(&store, value, e))
			return -1;
		config.trust = &store;
	} else if (!strcmp(name, "--cert")) {
		cert = value;
	} else if (!strcmp(name, "--key")) {
		config.identity = &identity;
		return identity_load(&identity, cert, value, e);
	} else if (!strcmp(name, "--name")) {
		snprintf(config.server_name, sizeof config.server_name, "%s", value);
	} else if (!strcmp(name, "--proxy")) {
		proxies.proxy = value;
	} else if (!strcmp(name, "--no-proxy")) {
		proxies.no_proxy = value;
	} else if (!strcmp(name, "--method")) {
		settings.method = value;
	} else if (!strcmp(name, "--body")) {
		settings.body = value;
	} else if (!strcmp(name, "--header")) {
		size_t n = strlen(settings.headers);

		snprintf(settings.headers + n, sizeof settings.headers - n, "%s\r\n", value);
	} else if (!strcmp(name, "--deadline")) {
		settings.deadline_ms = (int)strtol(value, NULL, 10);
	} else if (!strcmp(name, "--times")) {
		settings.times = (int)strtol(value, NULL, 10);
	} else if (!strcmp(name, "--pause")) {
		settings.pause_ms = (int)strtol(value, NULL, 10);
	} else {
		return err_set(e, ERR_USAGE, "unknown option %s", name);
	}
	return 0;
}

static void pause_between(void)
{
	const struct timespec t = {.tv_sec = settings.pause_ms / 1000, .tv_nsec = settings.pause_ms % 1000 * 1000000L};

	fflush(stdout);
	if (settings.pause_ms)
		nanosleep(&t, NULL);
}

int main(int argc, char **argv)
{
	static struct err e;
	int code = 0, i = 1;
	const struct http_counters *n;

	tls_config_init(&config, NULL);
	for (; i < argc && !strncmp(argv[i], "--", 2); i++) {
		if (!strcmp(argv[i], "--no-verify"))
			config.verify = false;
		else if (!strcmp(argv[i], "--quiet"))
			settings.is_quiet = true;
		else if (i + 1 == argc)
			return 64;
		else if (option(argv[i], argv[i + 1], &e))
			return fail(&e);
		else
			i++;
	}
	if (i == argc)
		return 64;
	if (url_parse(&origin.url, argv[i++], URL_HTTP, 0, &e) ||
	    proxy_choose(&proxies, &origin.url, &origin.has_proxy, &origin.proxy, origin.proxy_auth, &e))
		return fail(&e);
	origin.tls = &config;
	http_client_init(&client, &origin, &storage);
	for (int round = 0; round < settings.times; round++) {
		if (i == argc)
			code = ask("/", &e);
		for (int k = i; k < argc; k++)
			code = ask(argv[k], &e);
		pause_between();
	}
	http_close(&client);
	n = http_counters(&client);
	printf("connections %llu handshakes %llu resumed %llu requests %llu root end %lld\n", (unsigned long long)n->connections,
	       (unsigned long long)n->handshakes, (unsigned long long)n->resumed, (unsigned long long)n->requests,
	       (long long)http_root_end_sec(&client));
	return code;
}
