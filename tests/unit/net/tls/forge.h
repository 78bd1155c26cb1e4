/*
 * Certificates made to measure, right and wrong ones, each from a line of text:
 *   "SUBJECT<ISSUER WORD..."
 * Names are common names; each has a key of its own, made from it, and "Mid#2" is another key under
 * the name "Mid"; which kind of key, forge_key.h says. Words, "!" in front of an extension's for a
 * critical one, "?" for one that says that it is not:
 *   san=DNS:a.test,IP:7f000001,RAW:82:78   eku=server,client,mail,any   ku=04 (a byte, in hex)
 *   ca   ca=1 (path length)   noca         nc=+DNS:a.test,-IP:0a000000ff000000,+MAIL:b.test
 *   raw=37:3000 (extension 2.5.29.37 with these bytes)   unknown (one that nobody knows)
 *   v1 (no extensions)   from=200101000000Z   until=...   forged (its signature is another's)
 * and of the signature, which is over SHA-256 and as the issuer's key unless they say otherwise:
 *   hash=384 (forge_key.h)   digest=384 (what is hashed, whatever it is said to be)
 *   by=rsa, by=ec (what it is said to be)   inner=384 (what the body says)   params=0500 (in hex)
 *   raw (RSA: the hash without its name)   unused=1 (bits)   tail=00 (its last bytes, in hex)
 *   oid=2a03 (its algorithm, in hex)   after=00 (bytes behind it, within the certificate)
 *   behind=00 (bytes behind the certificate)
 * and of the subject's key:
 *   e=010001 (an exponent, in hex)   keyunused=1 (bits)   key=06032b6570 (its algorithm, in hex)
 */
#ifndef TEST_FORGE_H
#define TEST_FORGE_H

#include <stddef.h>

#include "base/buf.h"

#define FORGE_MAX 4096 /* bytes of a certificate */

/* The certificate's DER; its length is returned. Fails the test on a text that is wrong. */
size_t forge_cert(const char *text, unsigned char out[FORGE_MAX]);

/* The same, appended as PEM. */
void forge_pem(const char *text, struct buf *out);

#endif
