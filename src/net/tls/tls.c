#include "net/tls/tls.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/errno_text.h"
#include "base/memory.h"
#include "base/str.h"
#include "net/tls/parts.h"
#include "net/tls/errors.h"

/* BearSSL's codes for certificates, and only those */
static bool is_about_certificate(int code)
{
	return code >= 32 && code < 64;
}

void tls_config_init(struct tls_config *c, const struct trust_store *trust)
{
	memset(c, 0, sizeof *c);
	c->trust = trust;
	c->verify = true;
}

int tls_reserve(struct tls_storage **t, struct err *e)
{
	if (!*t)
		*t = memory_reserve(sizeof **t);
	return *t ? 0 : err_set(e, ERR_SYS, "no memory for TLS");
}

/* The name that is checked: a dot at the end of a host name is not part of it. */
static int server_name(const struct tls_config *c, const char *host, char *out, struct err *e)
{
	const char *s = c->server_name[0] ? c->server_name : host;
	size_t n = strlen(s);

	if (n && s[n - 1] == '.')
		n--;
	/* BearSSL would take an empty name as "do not check". */
	if (!n || str_copy_n(out, NET_HOST_MAX + 1, s, n))
		return err_set(e, ERR_CONFIG, "TLS: no server name to check");
	return 0;
}

static bool fits(const struct tls_session *s, const struct tls_config *c, const char *name)
{
	return s->is_set && s->was_verified == c->verify && clock_now_ms() < s->until_ms &&
	       strcmp(s->name, name) == 0;
}

static void set_identity(struct tls_storage *t, const struct tls_identity *i)
{
	if (i && i->key.type == BR_KEYTYPE_RSA)
		tls_parts_for_rsa_key(&t->client, i->chain, i->chain_n, &i->key.rsa);
	else if (i)
		tls_parts_for_ec_key(&t->client, i->chain, i->chain_n, &i->key.ec);
}

int tls_start(struct tls_storage *t, const struct tls_config *c, const char *host,
	      struct tls_session *s, struct err *e)
{
	br_ssl_engine_context *eng = &t->client.eng;
	char name[NET_HOST_MAX + 1];
	unsigned char seed[32];

	if (server_name(c, host, name, e))
		return -1;
	t->config = c;
	t->session = s;
	t->is_up = false;
	t->is_send_broken = false;
	t->is_garbage = false;
	t->has_input = false;
	t->is_asked_again = false;
	verifier_init(&t->verifier, name, c->verify, c->trust);
	br_ssl_client_zero(&t->client);
	tls_parts_for_client(&t->client);
	set_identity(t, c->identity);
	br_ssl_engine_set_x509(eng, &t->verifier.vtable);
	br_ssl_engine_set_buffers_bidi(eng, t->in, sizeof t->in, t->out, sizeof t->out);
	if (clock_entropy(seed, sizeof seed))
		return err_set(e, ERR_SYS, "TLS: no source of random numbers");
	br_ssl_engine_inject_entropy(eng, seed, sizeof seed);
	if (fits(s, c, name))
		br_ssl_engine_set_session_parameters(eng, &s->parameters);
	/* SNI carries no addresses (RFC 6066 section 3). */
	if (!br_ssl_client_reset(&t->client, t->verifier.address_len ? "" : name, fits(s, c, name)))
		return err_set(e, ERR_CONFIG, "TLS: cannot start (code %d)",
			       br_ssl_engine_last_error(eng));
	return 0;
}

/*
 * A HelloRequest (RFC 5246 section 7.4.1.1), as a server sends that wants a client certificate
 * for some paths only. BearSSL has declined; what the server does then would tell nothing.
 */
static enum io_result asked_again(struct err *e)
{
	(void)err_set(e, ERR_PROTO,
		      "TLS: the server asks for another handshake (HelloRequest, renegotiation), "
		      "perhaps for a client certificate, and ends when there is none");
	return IO_BAD;
}

/* The engine has ended: properly, or for a reason. */
static enum io_result ended(struct tls_storage *t, struct err *e)
{
	int code = br_ssl_engine_last_error(&t->client.eng);

	if (code == BR_ERR_OK)
		return IO_EOF;
	t->session->is_set = false;
	if (t->is_asked_again)
		return asked_again(e);
	if (is_about_certificate(code))
		(void)verifier_explain(&t->verifier, code, e);
	else if (t->is_garbage)
		(void)err_set(e, ERR_PROTO, "the server does not speak TLS on this port");
	else
		(void)tls_explain(code, !t->is_up, t->config->identity != NULL, e);
	(void)err_wrap(e, "TLS");
	return IO_BAD;
}

static bool would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK;
}

/* Records to the socket. IO_OK: some went. */
static enum io_result push(struct tls_storage *t, int fd)
{
	br_ssl_engine_context *eng = &t->client.eng;
	size_t n;
	const unsigned char *p = br_ssl_engine_sendrec_buf(eng, &n);
	ssize_t sent;

	do
		sent = send(fd, p, n, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent > 0) {
		br_ssl_engine_sendrec_ack(eng, (size_t)sent);
		return IO_OK;
	}
	/*
	 * EPIPE, ECONNRESET...: what the peer said before it closed (an alert, an answer) may
	 * still be there to be read, and reading tells the reason if not.
	 */
	if (!would_block())
		t->is_send_broken = true;
	return IO_WAIT;
}

/* first: a byte that came, the type of a record if it begins one (RFC 5246 section 6.2.1). */
static void note_type(struct tls_storage *t, unsigned char first, bool is_type)
{
	const unsigned char alert = 21, handshake = 22;

	if (!t->has_input)
		t->is_garbage = first != alert && first != handshake;
	t->has_input = true;
	/*
	 * When the handshake is done no other message of this type may come. An alert may be what
	 * the server makes of our answer; after anything else it has made its peace with it.
	 */
	if (t->is_up && is_type && first != alert)
		t->is_asked_again = first == handshake;
}

/* Records from the socket. IO_OK: some came. */
static enum io_result pull(struct tls_storage *t, int fd, struct err *e)
{
	br_ssl_engine_context *eng = &t->client.eng;
	size_t n;
	unsigned char *p = br_ssl_engine_recvrec_buf(eng, &n);
	ssize_t got;

	do
		got = recv(fd, p, n, 0);
	while (got < 0 && errno == EINTR);
	if (got > 0) {
		note_type(t, p[0], p == eng->ibuf);
		br_ssl_engine_recvrec_ack(eng, (size_t)got);
		return IO_OK;
	}
	if (got < 0 && would_block())
		return IO_WAIT;
	if (t->is_asked_again && !eng->shutdown_recv)
		return asked_again(e);
	if (!got)
		return eng->shutdown_recv ? IO_EOF : IO_CUT;
	(void)err_set(e, ERR_RETRY, "receive: %s",
		      errno == ECONNRESET ? "connection reset by the server" : errno_text(errno));
	return IO_LOST;
}

/*
 * Move records both ways until nothing moves or decrypted bytes have come. IO_WAIT: the engine
 * is alive. Never IO_OK.
 */
static enum io_result pump(struct tls_storage *t, int fd, struct err *e)
{
	for (;;) {
		unsigned state = br_ssl_engine_current_state(&t->client.eng);
		enum io_result r;

		if (state & BR_SSL_CLOSED)
			return ended(t, e);
		if (state & BR_SSL_SENDREC && !t->is_send_broken && push(t, fd) == IO_OK)
			continue;
		if (state & BR_SSL_RECVAPP || !(state & BR_SSL_RECVREC))
			return IO_WAIT;
		r = pull(t, fd, e);
		if (r != IO_OK)
			return r;
	}
}

static void keep_session(struct tls_storage *t)
{
	struct tls_session *s = t->session;

	if (!tls_was_resumed(t)) {
		s->until_ms = clock_now_ms() + TLS_SESSION_MAX_MS;
		s->was_verified = t->config->verify;
		s->root_end_sec = t->verifier.root_end_sec;
		memcpy(s->name, t->verifier.host, sizeof s->name);
	}
	br_ssl_engine_get_session_parameters(&t->client.eng, &s->parameters);
	s->is_set = s->parameters.session_id_len > 0;
}

enum io_result tls_handshake(struct tls_storage *t, int fd, struct err *e)
{
	enum io_result r = pump(t, fd, e);

	if (br_ssl_engine_current_state(&t->client.eng) & (BR_SSL_SENDAPP | BR_SSL_RECVAPP)) {
		t->is_up = true;
		keep_session(t);
		return IO_OK;
	}
	if (r == IO_EOF || r == IO_CUT) {
		(void)err_set(e, ERR_RETRY,
			      "TLS: the server closed the connection in the handshake");
		return IO_LOST;
	}
	if (r == IO_LOST)
		(void)err_wrap(e, "TLS handshake");
	return r;
}

static bool layer_wants_send(const void *ctx)
{
	const struct tls_storage *t = ctx;

	return !t->is_send_broken && br_ssl_engine_current_state(&t->client.eng) & BR_SSL_SENDREC;
}

static enum io_result layer_send(void *ctx, int fd, const void *p, size_t n, size_t *done,
				 struct err *e)
{
	struct tls_storage *t = ctx;
	br_ssl_engine_context *eng = &t->client.eng;
	enum io_result r = IO_OK;

	*done = 0;
	while (*done < n && r == IO_OK) {
		size_t room;
		unsigned char *to = br_ssl_engine_sendapp_buf(eng, &room);

		if (!to) {
			r = pump(t, fd, e);
			if (r == IO_WAIT && br_ssl_engine_sendapp_buf(eng, &room))
				r = IO_OK;
			continue;
		}
		if (room > n - *done)
			room = n - *done;
		memcpy(to, (const unsigned char *)p + *done, room);
		br_ssl_engine_sendapp_ack(eng, room);
		*done += room;
	}
	return r;
}

static enum io_result layer_flush(void *ctx, int fd, struct err *e)
{
	struct tls_storage *t = ctx;
	enum io_result r;

	br_ssl_engine_flush(&t->client.eng, 0);
	r = pump(t, fd, e);
	return r == IO_WAIT && !layer_wants_send(t) ? IO_OK : r;
}

static size_t take_decrypted(struct tls_storage *t, char *p, size_t cap)
{
	br_ssl_engine_context *eng = &t->client.eng;
	size_t n;
	const unsigned char *from = br_ssl_engine_recvapp_buf(eng, &n);

	if (!from)
		return 0;
	if (n > cap)
		n = cap;
	memcpy(p, from, n);
	br_ssl_engine_recvapp_ack(eng, n);
	return n;
}

static enum io_result layer_recv(void *ctx, int fd, char *p, size_t cap, size_t *got, struct err *e)
{
	struct tls_storage *t = ctx;
	enum io_result r;

	*got = take_decrypted(t, p, cap);
	if (*got)
		return IO_OK;
	r = pump(t, fd, e);
	*got = take_decrypted(t, p, cap);
	return *got ? IO_OK : r;
}

static bool layer_has_input(const void *ctx)
{
	const struct tls_storage *t = ctx;
	const size_t record_header_len = 5;
	size_t n;

	if (br_ssl_engine_recvapp_buf(&t->client.eng, &n))
		return true;
	/* Between records the engine asks for exactly a record's header. */
	return !br_ssl_engine_recvrec_buf(&t->client.eng, &n) || n != record_header_len;
}

bool tls_was_resumed(const struct tls_storage *t)
{
	return t->is_up && !t->verifier.was_asked;
}

/* Say goodbye if that takes no waiting. */
static void layer_bye(void *ctx, int fd)
{
	struct tls_storage *t = ctx;
	br_ssl_engine_context *eng = &t->client.eng;

	if (!t->is_up || t->is_send_broken)
		return;
	br_ssl_engine_close(eng);
	while (br_ssl_engine_current_state(eng) & BR_SSL_SENDREC)
		if (push(t, fd) != IO_OK)
			break;
}

const struct stream_layer tls_layer = {
	.send = layer_send,
	.flush = layer_flush,
	.recv = layer_recv,
	.wants_send = layer_wants_send,
	.has_input = layer_has_input,
	.bye = layer_bye,
};
