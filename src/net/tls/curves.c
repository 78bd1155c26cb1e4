#include "net/tls/parts.h"

/*
 * P-256 by the code that is made for it, P-384 and P-521 by the general one. What BearSSL offers
 * ready-made (br_ec_all_m31) adds Curve25519: 4 KiB for a curve that no server has alone.
 */
static const br_ec_impl *of(int curve)
{
	return curve == BR_EC_secp256r1 ? &br_ec_p256_m31 : &br_ec_prime_i31;
}

static const unsigned char *generator(int curve, size_t *len)
{
	return of(curve)->generator(curve, len);
}

static const unsigned char *order(int curve, size_t *len)
{
	return of(curve)->order(curve, len);
}

static size_t xoff(int curve, size_t *len)
{
	return of(curve)->xoff(curve, len);
}

static uint32_t mul(unsigned char *g, size_t g_len, const unsigned char *x, size_t x_len, int curve)
{
	return of(curve)->mul(g, g_len, x, x_len, curve);
}

static size_t mulgen(unsigned char *r, const unsigned char *x, size_t x_len, int curve)
{
	return of(curve)->mulgen(r, x, x_len, curve);
}

/* Its parameters are BearSSL's. NOLINTNEXTLINE(readability-function-size) */
static uint32_t muladd(unsigned char *a, const unsigned char *b, size_t len, const unsigned char *x,
		       size_t x_len, const unsigned char *y, size_t y_len, int curve)
{
	return of(curve)->muladd(a, b, len, x, x_len, y, y_len, curve);
}

const br_ec_impl tls_curves = {
	.supported_curves = 1u << BR_EC_secp256r1 | 1u << BR_EC_secp384r1 | 1u << BR_EC_secp521r1,
	.generator = generator,
	.order = order,
	.xoff = xoff,
	.mul = mul,
	.mulgen = mulgen,
	.muladd = muladd,
};
