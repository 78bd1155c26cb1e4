/*
 * net/tls/verifier: whom it believes and what it says of the others, over chains that are made to
 * measure. Every case is judged from certificates in one piece and in pieces of seven bytes.
 */
#include "support.h"

#include "base/clock.h"
#include "net/tls/judge.h"

#define EXPIRED "from=200101000000Z until=250101000000Z"
#define FUTURE "from=300101000000Z until=390101000000Z"

static void test_chain(void **state)
{
	static const struct judge_row rows[] = {
		{{{ROOT}, {LEAF, MID}, NULL}, "ok"},
		{{{ROOT}, {"leaf<Root san=DNS:server.test"}, NULL}, "ok"},
		{{{ROOT}, {LEAF}, NULL}, "issuer \"Mid\" is not among the 1 trusted roots"},
		{{{"Other<Other !ca", ROOT}, {LEAF, MID}, NULL}, "ok"},
		{{{ROOT}, {LEAF, "Mid<Root !noca"}, NULL}, "not one of a CA"},
		{{{ROOT}, {LEAF, "Mid<Root"}, NULL}, "not one of a CA"},
		{{{ROOT}, {LEAF, "Mid<Root !ca !ku=80"}, NULL}, "keyUsage of an issuer"},
		{{{ROOT}, {LEAF, "Mid<Root !ca !ku=04"}, NULL}, "ok"},
		{{{ROOT}, {LEAF, MID " forged"}, NULL}, "issuer \"Root\" is not among"},
		{{{ROOT}, {LEAF " forged", MID}, NULL}, "signature in the certificate chain is wrong"},
		{{{ROOT}, {"leaf<Root forged san=DNS:server.test"}, NULL}, "issuer \"Root\" is not among"},
		{{{ROOT}, {LEAF " " EXPIRED, MID}, NULL}, "certificate expired 744 days ago"},
		{{{ROOT}, {LEAF " " FUTURE, MID}, NULL}, "certificate becomes valid in"},
		{{{ROOT}, {LEAF, MID " " EXPIRED}, NULL}, "issuer \"Mid\" expired 744 days ago"},
		{{{ROOT}, {LEAF, "Mid<Upper !ca", "Upper<Root !ca=0"}, NULL}, "not one of a CA"},
		{{{ROOT}, {LEAF, "Mid<Upper !ca", "Upper<Root !ca=1"}, NULL}, "ok"},
		{{{ROOT}, {LEAF, "Mid<Root !raw=19:3003010100"}, NULL}, "not one of a CA"},
		{{{ROOT}, {LEAF, "Mid<Root !raw=19:30080101ff0201050500"}, NULL},
		 "basicConstraints of issuer \"Mid\" cannot be read"},
		{{{ROOT}, {LEAF, "Mid<Upper !ca", "Upper<Top !ca", "Top<Root !raw=19:30070101ff02020100"}, NULL}, "ok"},
		{{{ROOT}, {LEAF " ?unknown", MID}, NULL}, "ok"},
		{{{ROOT}, {LEAF " !unknown", MID}, NULL}, "critical extension that is unknown"},
		{{{ROOT}, {LEAF " unknown", MID}, NULL}, "ok"},
		{{{ROOT}, {LEAF, MID " !unknown"}, NULL}, "critical extension that is unknown"},
		{{{ROOT}, {NULL}, NULL}, "the server sent no certificate"},
	};

	(void)state;
	judge_rows(rows, COUNT(rows));
}

/* When the root ends by which a chain is believed: of those trusted the one that signed. */
static void test_root_end(void **state)
{
	static const struct judged good = {{"Other<Other !ca", ROOT " until=280101000000Z"},
					   {LEAF " until=270601000000Z", MID},
					   NULL},
				   bad = {{ROOT " until=280101000000Z"}, {LEAF, "Mid<Other !ca"}, NULL};
	static struct verifier v;

	(void)state;
	assert_int_equal(judge(&v, &good, 0), 0);
	assert_int_equal(v.root_end_sec, clock_days(2028, 1, 1) * 86400);
	assert_int_not_equal(judge(&v, &bad, 0), 0);
	assert_int_equal(v.root_end_sec, 0);
}

#define FOR "is not for TLS servers"

/* extendedKeyUsage of all up to the root, and of the root; not of what comes after. */
static void test_purposes(void **state)
{
	static const struct judge_row rows[] = {
		{{{ROOT}, {LEAF " eku=server", MID " eku=server"}, NULL}, "ok"},
		{{{ROOT}, {LEAF " eku=client,server", MID " eku=mail,any"}, NULL}, "ok"},
		{{{ROOT}, {LEAF " !eku=server", MID}, NULL}, "ok"},
		{{{ROOT}, {LEAF " !eku=client,server", MID " !eku=server"}, NULL}, "ok"},
		{{{ROOT}, {LEAF " !eku=server forged", MID " !eku=server"}, NULL}, "signature in the"},
		{{{ROOT}, {LEAF " !eku=server", MID " !eku=server forged"}, NULL}, "issuer \"Root\" is not among"},
		{{{ROOT}, {LEAF " eku=client", MID}, NULL}, "extendedKeyUsage of certificate " FOR},
		{{{ROOT}, {LEAF " !eku=client", MID}, NULL}, "extendedKeyUsage of certificate " FOR},
		{{{ROOT}, {LEAF, MID " eku=mail"}, NULL}, "extendedKeyUsage of issuer \"Mid\" " FOR},
		{{{ROOT}, {LEAF, MID " !eku=mail"}, NULL}, "extendedKeyUsage of issuer \"Mid\" " FOR},
		{{{ROOT}, {LEAF " eku=server", MID " eku=client"}, NULL}, "extendedKeyUsage of issuer \"Mid\" " FOR},
		{{{ROOT}, {LEAF, "Mid<Upper !ca", "Upper<Root !ca eku=client"}, NULL}, "issuer \"Upper\" " FOR},
		{{{ROOT " eku=mail"}, {LEAF, MID}, NULL}, "extendedKeyUsage of root \"Root\" " FOR},
		{{{ROOT " eku=server"}, {LEAF, MID}, NULL}, "ok"},
		/* The root that the server sends is not the one that is trusted. */
		{{{ROOT}, {LEAF, MID, ROOT " eku=mail"}, NULL}, "ok"},
		{{{"Mid<Root !ca"}, {LEAF, MID " eku=mail", ROOT}, NULL}, "ok"},
		/* keyUsage: who is asked to sign what goes into the handshake has to be allowed to. */
		{{{ROOT}, {LEAF " !ku=80", MID}, NULL}, "ok"},
		{{{ROOT}, {LEAF " ku=a0", MID}, NULL}, "ok"},
		{{{ROOT}, {LEAF " !ku=20", MID}, NULL}, "keyUsage of certificate lacks digitalSignature, which ECDHE needs"},
		{{{ROOT}, {LEAF " ku=40", MID}, NULL}, "keyUsage of certificate lacks digitalSignature"},
		{{{ROOT}, {LEAF " ku=04", MID}, NULL}, "keyUsage of certificate lacks digitalSignature"},
		{{{ROOT}, {LEAF " raw=15:030100", MID}, NULL}, "keyUsage of certificate lacks digitalSignature"},
		{{{ROOT}, {LEAF " raw=15:0300", MID}, NULL}, "keyUsage of certificate cannot be read"},
		{{{ROOT}, {LEAF " raw=15:0500", MID}, NULL}, "keyUsage of certificate cannot be read"},
		{{{ROOT}, {LEAF " ku=20", MID " !ku=04"}, "other.test"}, "for another name"},
		/* Unreadable: no sequence, an empty one, no identifier in it, more behind it, twice. */
		{{{ROOT}, {LEAF " raw=37:0500", MID}, NULL}, "extendedKeyUsage of certificate cannot be read"},
		{{{ROOT}, {LEAF, MID " raw=37:3000"}, NULL}, "extendedKeyUsage of issuer \"Mid\" cannot be read"},
		{{{ROOT}, {LEAF, MID " raw=37:30030c0161"}, NULL}, "cannot be read"},
		{{{ROOT}, {LEAF, MID " raw=37:300d06082b060105050703010c0161"}, NULL}, "cannot be read"},
		{{{ROOT}, {LEAF, MID " raw=37:300a06082b060105050703010500"}, NULL}, "cannot be read"},
		{{{ROOT}, {LEAF, MID " raw=37:300b06082b06010505070301"}, NULL}, "cannot be read"},
		{{{ROOT}, {LEAF, MID " raw=37:"}, NULL}, "cannot be read"},
		{{{ROOT}, {LEAF " eku=server eku=server", MID}, NULL}, "extendedKeyUsage of certificate cannot be read"},
		{{{ROOT " raw=37:0500"}, {LEAF, MID}, NULL}, "extendedKeyUsage of root \"Root\" cannot be read"},
	};

	(void)state;
	judge_rows(rows, COUNT(rows));
}

#define NOT "do not permit "

/* nameConstraints of issuers and roots: RFC 5280 section 4.2.1.10. */
static void test_constraints(void **state)
{
	static const struct judge_row rows[] = {
		{{{ROOT}, {LEAF, MID " nc=+DNS:server.test"}, NULL}, "ok"},
		{{{ROOT}, {LEAF, MID " !nc=+DNS:test"}, NULL}, "ok"},
		{{{ROOT}, {LEAF, MID " nc=+DNS:SERVER.Test"}, NULL}, "ok"},
		{{{ROOT}, {LEAF, MID " nc=+DNS:"}, NULL}, "ok"},
		{{{ROOT}, {LEAF, MID " nc=+DNS:.test"}, NULL}, "ok"},
		{{{ROOT}, {LEAF, MID " nc=+DNS:other.test,+DNS:test"}, NULL}, "ok"},
		{{{ROOT}, {LEAF, MID " nc=+IP:0a000000ff000000"}, NULL}, "ok"},
		{{{ROOT}, {LEAF, MID " nc=-DNS:other.test,-DNS:a.server.test"}, NULL}, "ok"},
		{{{ROOT}, {LEAF, MID " nc=+DNS:other.test"}, NULL}, "nameConstraints of issuer \"Mid\" " NOT "server.test"},
		{{{ROOT}, {LEAF, MID " !nc=+DNS:other.test"}, NULL}, "nameConstraints of issuer \"Mid\" " NOT "server.test"},
		{{{ROOT}, {LEAF, MID " nc=+DNS:a.server.test"}, NULL}, NOT "server.test"},
		{{{ROOT}, {LEAF, MID " nc=+DNS:.server.test"}, NULL}, NOT "server.test"},
		{{{ROOT}, {LEAF, MID " nc=+DNS:erver.test"}, NULL}, NOT "server.test"},
		{{{ROOT}, {LEAF, MID " nc=+DNS:test,-DNS:server.test"}, NULL}, NOT "server.test"},
		{{{ROOT}, {LEAF, MID " nc=-DNS:TEST"}, NULL}, NOT "server.test"},
		{{{ROOT}, {LEAF, MID " nc=-DNS:"}, NULL}, NOT "server.test"},
		{{{ROOT}, {"leaf<Mid san=DNS:server.test,DNS:a.other", MID " nc=+DNS:test"}, NULL}, NOT "a.other"},
		{{{ROOT}, {"leaf<Mid san=DNS:server.test,IP:7f000001", MID " nc=+DNS:test"}, NULL}, "ok"},
		/* Of the root, of an issuer above another one. */
		{{{ROOT " nc=+DNS:test"}, {LEAF, MID}, NULL}, "ok"},
		{{{ROOT " !nc=+DNS:test,+DNS:localhost"}, {LEAF, MID}, NULL}, "ok"},
		{{{ROOT " nc=+DNS:consul"}, {LEAF, MID}, NULL}, "nameConstraints of root \"Root\" " NOT "server.test"},
		{{{ROOT " !nc=-DNS:test"}, {"leaf<Root san=DNS:server.test"}, NULL}, "nameConstraints of root \"Root\" " NOT},
		{{{ROOT}, {LEAF, "Mid<Upper !ca", "Upper<Root !ca nc=+DNS:b"}, NULL}, "nameConstraints of issuer \"Upper\" " NOT},
		{{{ROOT}, {LEAF, "Mid<Upper !ca san=DNS:mid.b", "Upper<Root !ca nc=+DNS:test"}, NULL}, NOT "mid.b"},
		{{{ROOT}, {LEAF " nc=+DNS:other", MID}, NULL}, "ok"},
		/* Wildcards */
		{{{ROOT}, {"l<Mid san=DNS:*.server.test", MID " nc=+DNS:server.test"}, "a.server.test"}, "ok"},
		{{{ROOT}, {"l<Mid san=DNS:*.server.test", MID " nc=+DNS:.server.test"}, "a.server.test"}, "ok"},
		{{{ROOT}, {"l<Mid san=DNS:*.server.test", MID " nc=+DNS:a.server.test"}, "a.server.test"}, NOT "*.server.test"},
		{{{ROOT}, {"l<Mid san=DNS:*.server.test", MID " nc=-DNS:a.server.test"}, "a.server.test"}, NOT "a.server.test"},
		{{{ROOT}, {"l<Mid san=DNS:*.server.test", MID " nc=-DNS:a.server.test"}, "b.server.test"}, "ok"},
		/* Addresses */
		{{{ROOT}, {"l<Mid san=IP:0a010203", MID " nc=+IP:0a000000ff000000"}, "10.1.2.3"}, "ok"},
		{{{ROOT}, {"l<Mid san=IP:0b010203", MID " nc=+IP:0a000000ff000000"}, "11.1.2.3"}, NOT "11.1.2.3"},
		{{{ROOT}, {"l<Mid san=IP:0a010203", MID " nc=-IP:0a010200ffffff00"}, "10.1.2.3"}, NOT "10.1.2.3"},
		{{{ROOT}, {"l<Mid san=IP:0a010203", MID " nc=-IP:0a010300ffffff00"}, "10.1.2.3"}, "ok"},
		{{{ROOT}, {"l<Mid san=IP:0a010203", MID " nc=+DNS:test"}, "10.1.2.3"}, "ok"},
		{{{ROOT}, {"l<Mid san=IP:00000000000000000000000000000001", MID " nc=+IP:0a000000ff000000"}, "::1"}, NOT "::1"},
		{{{ROOT},
		  {"l<Mid san=IP:20010db8000000000000000000000001",
		   MID " nc=+IP:20010db8000000000000000000000000ffffffff000000000000000000000000"},
		  "2001:db8::1"},
		 "ok"},
		{{{ROOT},
		  {"l<Mid san=IP:20010db9000000000000000000000001",
		   MID " nc=+IP:20010db8000000000000000000000000ffffffff000000000000000000000000"},
		  "2001:db9::1"},
		 NOT "2001:db9::1"},
		/* Of another kind: critical or not; unreadable ones. */
		{{{ROOT}, {LEAF, MID " nc=+MAIL:other.test"}, NULL}, "ok"},
		{{{ROOT}, {LEAF, MID " !nc=+MAIL:test"}, NULL}, "nameConstraints of issuer \"Mid\" is critical, and of a kind"},
		{{{ROOT}, {LEAF, MID " !nc=+DNS:test,-MAIL:a.test"}, NULL}, "is critical, and of a kind"},
		{{{ROOT}, {LEAF " !nc=+MAIL:a.test", MID}, NULL}, "ok"},
		/* Who signed himself is passed over. */
		{{{ROOT}, {LEAF, "Mid<Mid#2 !ca san=DNS:mid.b", "Mid#2<Root !ca nc=+DNS:test"}, NULL}, "ok"},
		{{{ROOT " !nc=+DNS:test,+MAIL:a.test"}, {LEAF, MID}, NULL}, "nameConstraints of root \"Root\" is critical"},
		{{{ROOT}, {LEAF, MID " raw=30:3000"}, NULL}, "nameConstraints of issuer \"Mid\" cannot be read"},
		{{{ROOT}, {LEAF, MID " raw=30:0500"}, NULL}, "cannot be read"},
		{{{ROOT}, {LEAF, MID " raw=30:3002a000"}, NULL}, "cannot be read"},
		{{{ROOT}, {LEAF, MID " raw=30:3002a200"}, NULL}, "cannot be read"},
		{{{ROOT}, {LEAF, MID " raw=30:300aa0083006820474657374"}, NULL}, "ok"},
		{{{ROOT}, {LEAF, MID " raw=30:300da00b3009820474657374810101"}, NULL}, "cannot be read"},
		{{{ROOT}, {LEAF, MID " nc=+IP:0a000000"}, NULL}, "cannot be read"},
		{{{ROOT}, {LEAF, MID " nc=-DNS:test."}, NULL}, "cannot be read"},
		{{{ROOT}, {LEAF, MID " nc=+DNS:test nc=+DNS:test"}, NULL}, "cannot be read"},
		{{{ROOT " raw=30:0500"}, {LEAF, MID}, NULL}, "nameConstraints of root \"Root\" cannot be read"},
	};

	(void)state;
	judge_rows(rows, COUNT(rows));
}

#define SELF "self<self san=DNS:server.test"
#define NOT_AMONG "self-signed and not among the 1 trusted roots"

/* What the user's own roots say of themselves. */
static void test_roots(void **state)
{
	static const struct judge_row rows[] = {
		{{{ROOT " " EXPIRED}, {LEAF, MID}, NULL}, "root \"Root\" expired 744 days ago"},
		{{{ROOT " " FUTURE}, {LEAF, MID}, NULL}, "root \"Root\" becomes valid in"},
		{{{ROOT " until=270115080000Z"}, {LEAF, MID}, NULL}, "ok"},
		{{{ROOT " until=270115075959Z"}, {LEAF, MID}, NULL}, "root \"Root\" expired"},
		{{{ROOT " from=270115080000Z"}, {LEAF, MID}, NULL}, "ok"},
		{{{ROOT " from=270115080001Z"}, {LEAF, MID}, NULL}, "root \"Root\" becomes valid"},
		{{{ROOT " until=20491231235959Z"}, {LEAF, MID}, NULL}, "ok"},
		{{{ROOT " !ku=04"}, {LEAF, MID}, NULL}, "ok"},
		{{{ROOT " !ku=82"}, {LEAF, MID}, NULL}, "root \"Root\" has a keyUsage"},
		{{{"Root<Root !ca=0"}, {LEAF, MID}, NULL}, "root \"Root\" has a path length"},
		{{{"Root<Root !ca=0"}, {"leaf<Root san=DNS:server.test"}, NULL}, "ok"},
		{{{"Root<Root !ca=1"}, {LEAF, MID}, NULL}, "ok"},
		{{{"Root<Root !ca=1"}, {LEAF, "Mid<Upper !ca", "Upper<Root !ca"}, NULL}, "has a path length"},
		{{{ROOT " !unknown"}, {LEAF, MID}, NULL}, "root \"Root\" has a critical extension that is unknown"},
		{{{ROOT " unknown"}, {LEAF, MID}, NULL}, "ok"},
		/* Of version 1, as openssl made them for years; an issuer as root. */
		{{{"Root<Root v1"}, {LEAF, MID}, NULL}, "ok"},
		{{{"Mid<Root !ca"}, {LEAF, MID}, NULL}, "ok"},
		{{{"Root<Root", ROOT}, {LEAF, MID}, NULL}, "ok"},
		{{{"Root<Root"}, {LEAF, MID}, NULL}, "issuer \"Root\" is not among"},
		/* An issuer that says nothing of being one, and signed by another: skipped. */
		{{{ROOT, "leaf<Lost san=DNS:server.test"}, {"leaf<Lost san=DNS:server.test"}, NULL},
		 "not among the 1 trusted roots"},
		{{{ROOT, "Mid<Lost v1"}, {LEAF}, NULL}, "issuer \"Mid\" is not among the 1 trusted roots"},
		/* Two of a name: the one that fits counts, wherever it stands. */
		{{{"Root#2<Root#2 !ca", ROOT " " EXPIRED}, {LEAF, MID}, NULL}, "root \"Root\" expired"},
		{{{ROOT " " EXPIRED, ROOT}, {LEAF, MID}, NULL}, "ok"},
		{{{"Root#2<Root#2 !ca", ROOT}, {LEAF, MID}, NULL}, "ok"},
		{{{ROOT, ROOT " eku=mail"}, {LEAF, MID}, NULL}, "ok"},
		{{{"Root#2<Root#2 !ca"}, {LEAF, MID}, NULL}, "issuer \"Root\" is not among"},
		/* The server's own certificate is trusted, CA or not. */
		{{{"self<self san=DNS:server.test"}, {"self<self san=DNS:server.test"}, NULL}, "ok"},
		{{{"self<self !ca san=DNS:server.test"}, {"self<self !ca san=DNS:server.test"}, NULL}, "ok"},
		{{{"self<self !ca !ku=80 san=DNS:server.test"}, {"self<self !ca !ku=80 san=DNS:server.test"}, NULL}, "ok"},
		{{{"self<self eku=client san=DNS:server.test"}, {"self<self eku=client san=DNS:server.test"}, NULL}, FOR},
		{{{SELF " " EXPIRED}, {SELF " " EXPIRED}, NULL}, "certificate expired"},
		{{{SELF " nc=+DNS:other"}, {SELF " nc=+DNS:other"}, NULL}, "nameConstraints of root \"self\""},
		{{{SELF " ku=20"}, {SELF " ku=20"}, NULL}, "keyUsage of certificate lacks digitalSignature"},
		{{{SELF " !unknown"}, {SELF " !unknown"}, NULL}, "critical extension that is unknown"},
		/* No CA: that certificate alone, and none that its key's owner makes. A CA makes what it likes. */
		{{{"self<self san=DNS:other.test"}, {SELF}, NULL}, NOT_AMONG},
		{{{SELF " " EXPIRED}, {SELF}, NULL}, NOT_AMONG},
		{{{SELF}, {"self#2<self#2 san=DNS:server.test"}, NULL}, NOT_AMONG},
		{{{SELF, "self#2<self#2 san=DNS:server.test"}, {"self#2<self#2 san=DNS:server.test"}, NULL}, "ok"},
		{{{"self<self !ca"}, {SELF " forged"}, NULL}, "ok"},
		{{{"self<self !ca"}, {"self#2<self#2 san=DNS:server.test"}, NULL}, NOT_AMONG},
		{{{"self<self !ca " EXPIRED}, {SELF " forged"}, NULL}, "root \"self\" expired"},
		{{{"self<self !ca !unknown"}, {SELF " forged"}, NULL}, "root \"self\" has a critical extension"},
		{{{"self<self !ca=0 !ku=02"}, {SELF " forged"}, NULL}, "ok"},
		{{{"self<self san=DNS:server.test"}, {"leaf<self san=DNS:server.test"}, NULL}, "issuer \"self\" is not among"},
		{{{ROOT}, {SELF}, NULL}, NOT_AMONG},
	};

	(void)state;
	judge_rows(rows, COUNT(rows));
}

#define STRAY "Stray<Nobody !ca"

/* As curl takes them: in any order, with what does not belong to them. */
static void test_order(void **state)
{
	static const struct judge_row rows[] = {
		{{{ROOT}, {LEAF, ROOT, MID}, NULL}, "ok"},
		{{{ROOT}, {LEAF, MID, ROOT}, NULL}, "ok"},
		{{{ROOT}, {LEAF, "Upper<Root !ca", "Mid<Upper !ca"}, NULL}, "ok"},
		{{{ROOT}, {LEAF, STRAY, MID}, NULL}, "ok"},
		{{{ROOT}, {LEAF, "other<Mid san=DNS:other.test", STRAY, MID, STRAY}, NULL}, "ok"},
		{{{ROOT}, {LEAF, LEAF, MID, MID}, NULL}, "ok"},
		{{{ROOT}, {LEAF, "Mid#2<Root !ca", MID}, NULL}, "ok"},
		{{{ROOT}, {LEAF, MID " " EXPIRED, MID}, NULL}, "ok"},
		{{{ROOT}, {LEAF, MID " eku=mail", MID}, NULL}, "ok"},
		{{{ROOT}, {LEAF, MID " nc=+DNS:other", MID}, NULL}, "ok"},
		{{{ROOT}, {LEAF, "Mid<Lost !ca", MID}, NULL}, "ok"},
		{{{ROOT}, {LEAF, MID, "Mid<Lost !ca"}, NULL}, "ok"},
		{{{ROOT}, {LEAF, "Mid<Lost !ca", "Lost<Mid !ca", MID}, NULL}, "ok"},
		/* Crossed: the trusted one of two roots is found over the other's certificate. */
		{{{"Old<Old !ca"}, {LEAF, MID, "Root<Old !ca"}, NULL}, "ok"},
		{{{ROOT " " EXPIRED, "Old<Old !ca"}, {LEAF, MID, "Root<Old !ca"}, NULL}, "ok"},
		/* The server's own is the first, whatever follows. */
		{{{ROOT}, {MID, LEAF}, NULL}, "certificate names no host"},
		{{{ROOT}, {"other<Root san=DNS:other.test", "leaf<Root san=DNS:server.test"}, NULL},
		 "for another name: other.test"},
		{{{ROOT}, {LEAF, STRAY, "Mid<Mid !ca"}, NULL}, "issuer \"Mid\" is not among"},
		{{{ROOT}, {LEAF, "Mid<Lost !ca", "Mid<Gone !ca"}, NULL}, "issuer \"Lost\" is not among"},
		/* The first of what is wrong is what is told; a decoy's signature tells least. */
		{{{ROOT}, {LEAF, "Mid#2<Root !ca", MID " " EXPIRED}, NULL}, "issuer \"Mid\" expired"},
		{{{ROOT}, {LEAF, MID " " EXPIRED, MID " eku=mail"}, NULL}, "issuer \"Mid\" expired"},
	};

	(void)state;
	judge_rows(rows, COUNT(rows));
}

/* Rows of certificates of one name: every way among them would be sixteen factorial. */
static void test_many(void **state)
{
	static char text[CHAIN_MAX + 4][40];
	struct judged j = {.roots = {ROOT}, .chain = {LEAF}};

	(void)state;
	for (size_t i = 1; i < CHAIN_MAX; i++) {
		(void)snprintf(text[i], sizeof text[i], "Mid#%zu<Mid#%zu !ca", i + 1, i + 2);
		j.chain[i] = text[i];
	}
	assert_non_null(strstr(judge_text(&j), "the first 16 certificates of the server lead to no trusted root"));
	j.chain[1] = MID;
	assert_string_equal(judge_text(&j), "ok");
	/* What is past the bound is not read: in vain, and without harm. */
	j.chain[1] = STRAY;
	for (size_t i = 2; i < CHAIN_MAX; i++) {
		(void)snprintf(text[i], sizeof text[i], "Stray %zu<Nobody !ca", i);
		j.chain[i] = text[i];
	}
	assert_non_null(strstr(judge_text(&j), "issuer \"Mid\" is not among"));
	j.chain[CHAIN_MAX] = MID;
	assert_non_null(strstr(judge_text(&j), "of more than 16, or 65536 bytes, nothing is read"));
	j.chain[CHAIN_MAX - 1] = MID;
	assert_string_equal(judge_text(&j), "ok");
}

/* Decoys, each with the name of the one that is meant: what it takes to find it has a bound, too. */
static void test_effort(void **state)
{
	static char text[CHAIN_MAX][40];
	struct judged j = {.roots = {ROOT}, .chain = {LEAF}};

	(void)state;
	for (size_t i = 1; i < CHAIN_MAX; i++) {
		(void)snprintf(text[i], sizeof text[i], i < 8 ? "Mid#%zu<Upper !ca" : "Upper#%zu<Root !ca", i);
		j.chain[i] = text[i];
	}
	j.chain[1] = "Mid<Upper !ca";
	j.chain[CHAIN_MAX - 1] = "Upper<Root !ca";
	assert_string_equal(judge_text(&j), "ok");
	j.chain[1] = text[1];
	j.chain[7] = "Mid<Upper !ca";
	assert_non_null(strstr(judge_text(&j), "a signature in the certificate chain is wrong"));
}

/* One of more bytes than there are: the server's own, and another. */
static void test_long(void **state)
{
	static unsigned char junk[CHAIN_BYTES_MAX + 1];
	static struct verifier v;
	struct judged j = {.roots = {ROOT}, .chain = {LEAF, MID}};
	struct err e = {0};

	(void)state;
	verifier_init(&v, "server.test", true, NULL);
	v.vtable->start_chain(&v.vtable, NULL);
	v.vtable->start_cert(&v.vtable, sizeof junk);
	v.vtable->append(&v.vtable, junk, sizeof junk);
	v.vtable->end_cert(&v.vtable);
	assert_int_equal(verifier_explain(&v, (int)v.vtable->end_chain(&v.vtable), &e), -1);
	assert_string_equal(e.text, "certificate is longer than 65536 bytes");

	assert_int_equal(judge(&v, &j, 0), 0);
	v.code = 0;
	v.effort = 0;
	v.vtable->start_cert(&v.vtable, sizeof junk);
	v.vtable->append(&v.vtable, junk, sizeof junk);
	v.vtable->end_cert(&v.vtable);
	assert_int_equal(v.chain.n, 2);
	assert_true(v.chain.is_cut);
	assert_int_equal(v.vtable->end_chain(&v.vtable), 0);
}

/* Junk is no issuer; as the server's own certificate it is malformed, in each way of looking. */
static void test_junk(void **state)
{
	static struct verifier v;
	static const unsigned char junk[] = {0x30, 0x03, 0x02, 0x01, 0x01};

	(void)state;
	for (int verify = 0; verify < 2; verify++) {
		struct err e = {0};

		verifier_init(&v, "server.test", verify, NULL);
		v.vtable->start_chain(&v.vtable, NULL);
		v.vtable->start_cert(&v.vtable, sizeof junk);
		v.vtable->append(&v.vtable, junk, sizeof junk);
		v.vtable->end_cert(&v.vtable);
		assert_int_equal(verifier_explain(&v, (int)v.vtable->end_chain(&v.vtable), &e), -1);
		assert_non_null(strstr(e.text, "malformed"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain),       cmocka_unit_test(test_root_end), cmocka_unit_test(test_purposes),
		cmocka_unit_test(test_constraints), cmocka_unit_test(test_roots),    cmocka_unit_test(test_order),
		cmocka_unit_test(test_many),        cmocka_unit_test(test_effort),   cmocka_unit_test(test_long),
		cmocka_unit_test(test_junk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
