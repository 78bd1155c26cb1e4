#include "net/tls/judge.h"

#include "net/tls/forge.h"
#include "support.h"

static void load(struct trust_store *store, const char *const *roots)
{
	static char text[65536];
	struct err e = {0};
	struct buf pem;

	buf_init(&pem, text, sizeof text);
	for (size_t i = 0; i < 4 && roots[i]; i++)
		forge_pem(roots[i], &pem);
	assert_true(buf_ok(&pem));
	memset(store, 0, sizeof *store);
	if (pem.len)
		CHECK(!trust_load_pem_file(store, test_file(pem.p, pem.len), &e), "%s", e.text);
}

static void give(struct verifier *v, const unsigned char *p, size_t n, size_t step)
{
	v->vtable->start_cert(&v->vtable, (uint32_t)n);
	for (size_t at = 0, piece; at < n; at += piece) {
		piece = step && step < n - at ? step : n - at;
		v->vtable->append(&v->vtable, p + at, piece);
	}
	v->vtable->end_cert(&v->vtable);
}

unsigned judge(struct verifier *v, const struct judged *j, size_t step)
{
	static struct trust_store store;

	load(&store, j->roots);
	verifier_init(v, j->host ? j->host : "server.test", true, &store);
	v->now_sec = JUDGE_NOW_SEC;
	v->vtable->start_chain(&v->vtable, NULL);
	for (size_t i = 0; i < JUDGE_CERTS && j->chain[i]; i++) {
		unsigned char der[FORGE_MAX];

		give(v, der, forge_cert(j->chain[i], der), step);
	}
	return v->vtable->end_chain(&v->vtable);
}

const char *judge_text(const struct judged *j)
{
	static struct verifier v;
	static struct err e;
	unsigned code = judge(&v, j, 0), again;
	char first[sizeof e.text];

	if (code)
		assert_int_equal(verifier_explain(&v, (int)code, &e), -1);
	(void)snprintf(first, sizeof first, "%s", code ? e.text : "ok");
	again = judge(&v, j, 7);
	assert_int_equal(again, code);
	(void)snprintf(e.text, sizeof e.text, "%s", first);
	return e.text;
}

void judge_rows(const struct judge_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *text = judge_text(&rows[i].j);
		bool is_as_wanted = strcmp(rows[i].says, "ok") == 0 ? strcmp(text, "ok") == 0 : strstr(text, rows[i].says) != NULL;

		CHECK(is_as_wanted, "row %zu (%s; %s; %s): wanted \"%s\", got \"%s\"", i, rows[i].j.roots[0], rows[i].j.chain[0],
		      rows[i].j.chain[1] ? rows[i].j.chain[1] : "-", rows[i].says, text);
	}
}
