/*
 * A verdict over certificates, signatures included. Input: how the third way cuts it; then blocks
 * (two bytes of length, DER): the trusted root, and what the server sends.
 */
#include "fuzz.h"

#include <string.h>

#include "net/tls/pem.h"
#include "net/tls/verifier.h"

#define NOW_SEC 1800000000 /* as the corpus was made for */
#define HOST "server.test"

static struct trust_store store;
static struct verifier verifier;

static bool load_root(struct fuzz_input root)
{
	static char text[PEM_OBJECT_MAX * 2];
	struct err e = {0};
	struct buf pem;

	buf_init(&pem, text, sizeof text);
	fuzz_pem(&pem, "CERTIFICATE", root, "\n");
	memset(&store, 0, sizeof store);
	if (!buf_ok(&pem) || trust_load_pem_file(&store, fuzz_file((struct fuzz_input){(uint8_t *)pem.p, pem.len}), &e))
		return false;
	MUST(store.n == 1);
	return true;
}

static void give(struct verifier *v, struct fuzz_input cert, struct fuzz_cuts *cuts)
{
	v->vtable->start_cert(&v->vtable, (uint32_t)cert.n);
	while (cert.n) {
		struct fuzz_input piece = fuzz_piece(&cert, cuts);

		v->vtable->append(&v->vtable, piece.p, piece.n);
	}
	v->vtable->end_cert(&v->vtable);
}

static void judge(struct fuzz_input in, struct fuzz_cuts cuts, bool verify, struct buf *told)
{
	struct verifier *v = &verifier;
	struct err e = {0};
	unsigned code, usages;

	verifier_init(v, HOST, verify, &store);
	v->now_sec = NOW_SEC;
	v->vtable->start_chain(&v->vtable, NULL);
	while (in.n)
		give(v, fuzz_take_block(&in), &cuts);
	code = v->vtable->end_chain(&v->vtable);
	MUST(v->chain.used <= CHAIN_BYTES_MAX && v->chain.n <= CHAIN_MAX);
	if (code) {
		MUST(verifier_explain(v, (int)code, &e) == -1 && e.kind == ERR_TLS);
		fuzz_tell_err(told, -1, &e);
		return;
	}
	MUST(v->vtable->get_pkey(&v->vtable, &usages));
	MUST(!verify || cert_has_host(&v->chain.certs[0], HOST));
	MUST(!verify || (v->chain.certs[0].is_for_servers && v->chain.certs[0].may_shake_hands));
	buf_str(told, "ok\n");
}

int fuzz_chain(const uint8_t *p, size_t n)
{
	struct fuzz_input in = {p, n};
	unsigned choice = fuzz_take(&in);

	if (!load_root(fuzz_take_block(&in)))
		return 0;
	for (int way = 0; way < FUZZ_WAYS; way++) {
		struct buf told;

		fuzz_tell_start(&told, way);
		judge(in, fuzz_way(way, choice), true, &told);
		judge(in, fuzz_way(way, choice), false, &told);
		fuzz_tell_same(way);
	}
	return 0;
}
