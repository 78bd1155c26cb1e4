/*
 * Just enough of DER (ITU-T X.690) to look into a certificate: walk over elements, compare,
 * read a time. Never reads past the end it is given. Takes no decision.
 */
#ifndef NET_TLS_DER_H
#define NET_TLS_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_UTF8_STRING = 0x0c,
	DER_PRINTABLE_STRING = 0x13,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_DNS_NAME = 0x82,   /* [2] of GeneralName */
	DER_IP_ADDRESS = 0x87, /* [7] of GeneralName */
	DER_VERSION = 0xa0,    /* [0] of TBSCertificate */
	DER_EXTENSIONS = 0xa3, /* [3] of TBSCertificate */
	DER_PERMITTED = 0xa0,  /* [0] of NameConstraints */
	DER_EXCLUDED = 0xa1,   /* [1] of NameConstraints */
	DER_PARAMETERS = 0xa0  /* [0] of ECPrivateKey */
};

/* A stretch of bytes that someone else owns. */
struct der {
	const unsigned char *p;
	size_t n;
};

/*
 * Take the first element off in. Returns false, *in untouched, at its end or when what is there
 * is not a definite-length element that fits.
 */
bool der_next(struct der *in, unsigned *tag, struct der *value);

/* The same, and its tag must be this one. */
bool der_take(struct der *in, enum der_tag tag, struct der *value);

/* The same, with its tag and length bytes in whole. */
bool der_take_whole(struct der *in, enum der_tag tag, struct der *whole);

/* The same, and nothing may follow it. */
bool der_take_last(struct der in, enum der_tag tag, struct der *value);

/* Take an INTEGER that is not negative: its bytes without zeros in front. */
bool der_take_unsigned(struct der *in, struct der *value);

bool der_equals(struct der a, const void *p, size_t n);

/* The same n bytes, where letters of ASCII have no case. */
bool der_equals_nocase(struct der a, const void *p, size_t n);

/* Take a UTCTime or GeneralizedTime of RFC 5280 section 4.1.2.5: seconds since 1970. */
bool der_take_time(struct der *in, int64_t *sec);

#endif
