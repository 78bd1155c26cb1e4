/*
 * What the fuzz targets share. A target reads any bytes and asserts what must hold of them; it is
 * run by libFuzzer (entry.c) and, over the corpus, by the unit test test_corpus.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/http/client.h"

/* The targets. All return 0: libFuzzer wants it so. */
int fuzz_json(const uint8_t *p, size_t n);
int fuzz_health(const uint8_t *p, size_t n);
int fuzz_cloudflare(const uint8_t *p, size_t n);
int fuzz_http(const uint8_t *p, size_t n);
int fuzz_request(const uint8_t *p, size_t n);
int fuzz_url(const uint8_t *p, size_t n);
int fuzz_claims(const uint8_t *p, size_t n);
int fuzz_config(const uint8_t *p, size_t n);
int fuzz_run(const uint8_t *p, size_t n);
int fuzz_cert(const uint8_t *p, size_t n);
int fuzz_chain(const uint8_t *p, size_t n);
int fuzz_key(const uint8_t *p, size_t n);
int fuzz_dns(const uint8_t *p, size_t n);
int fuzz_resolve(const uint8_t *p, size_t n);

/* Abort, with its place, when the condition does not hold. */
#define MUST(condition)                                                                                                            \
	do {                                                                                                                       \
		if (!(condition))                                                                                                  \
			fuzz_fail(#condition, __FILE__, __LINE__);                                                                 \
	} while (0)

_Noreturn void fuzz_fail(const char *what, const char *file, int line);

/* The input that is left. What is taken off it are the choices a target makes. */
struct fuzz_input {
	const uint8_t *p;
	size_t n;
};

/* Take a byte; 0 at the end. A digit of a corpus file is its number. */
unsigned fuzz_take(struct fuzz_input *in);

/* Take what comes before the separator, which is dropped; all without one. */
struct fuzz_input fuzz_take_until(struct fuzz_input *in, char separator);

/* Take two bytes, a length, and as many bytes; what is there when it is less. */
struct fuzz_input fuzz_take_block(struct fuzz_input *in);

/* Append the bytes as a PEM object of lines of 64 characters. */
void fuzz_pem(struct buf *out, const char *label, struct fuzz_input in, const char *line_end);

/* The rest as a string, cut at the first NUL. To be freed. */
char *fuzz_string(struct fuzz_input in);

/* How a text comes in pieces: 0 whole, 1 byte by byte, else by a row of numbers from the seed. */
struct fuzz_cuts {
	uint32_t seed;
};

#define FUZZ_WAYS 3 /* ways every text is fed */

struct fuzz_cuts fuzz_way(int way, unsigned choice);

/*
 * The next piece of the input: in memory of its own, whose end the sanitizer watches, and gone at
 * the next call.
 */
struct fuzz_input fuzz_piece(struct fuzz_input *in, struct fuzz_cuts *cuts);

/*
 * Give an answer to a sink as an exchange does: "200\nName: value\n\nbody". -1 when it refuses.
 */
int fuzz_answer(struct fuzz_input in, struct fuzz_cuts cuts, const struct http_sink *sink, struct err *e);

/* A text of what a target was told in one way; two of them must be the same. */
void fuzz_tell_start(struct buf *told, int way);
void fuzz_tell_err(struct buf *told, int failed, const struct err *e);
void fuzz_tell_same(int way);

/* An error has a kind, and a text that is one line. */
void fuzz_check_err(const struct err *e);

/* Path of a file with these bytes; until the next call. */
const char *fuzz_file(struct fuzz_input in);

#endif
