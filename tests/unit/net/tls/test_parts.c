/* net/tls/parts: which of BearSSL's implementations a connection has on this processor, and that they agree with the others. */
#include "support.h"

#if defined __i386__ || defined __x86_64__
#include <cpuid.h>
#endif

#include "net/tls/parts.h"

#define PCLMULQDQ (1u << 1)
#define SSE41 (1u << 19)
#define AES (1u << 25)
#define BYTES_MAX 300

static const bool is_64_bit = sizeof(void *) == 8;
static br_ssl_client_context client;

/* The processor has all of these (CPUID, leaf 1, ECX). */
static bool processor_has(unsigned bits)
{
#if defined __i386__ || defined __x86_64__
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bits) == bits;
#else
	(void)bits;
	return false;
#endif
}

static int choose(void **state)
{
	(void)state;
	br_ssl_client_zero(&client);
	tls_parts_for_client(&client);
	return 0;
}

static const br_block_ctr_class *aes_anywhere(void)
{
	return is_64_bit ? &br_aes_ct64_ctr_vtable : &br_aes_ct_ctr_vtable;
}

static br_ghash ghash_anywhere(void)
{
	return is_64_bit ? br_ghash_ctmul64 : br_ghash_ctmul;
}

static void test_aes(void **state)
{
	(void)state;
	print_message("AES: %s\n", processor_has(AES | SSE41) ? "the processor's" : is_64_bit ? "ct64" : "ct");
	if (processor_has(AES | SSE41))
		assert_ptr_equal(client.eng.iaes_ctr, br_aes_x86ni_ctr_get_vtable());
	else
		assert_ptr_equal(client.eng.iaes_ctr, aes_anywhere());
	assert_non_null(client.eng.iaes_ctr);
}

static void test_ghash(void **state)
{
	(void)state;
	print_message("GHASH: %s\n", processor_has(PCLMULQDQ) ? "the processor's" : is_64_bit ? "ctmul64" : "ctmul");
	if (processor_has(PCLMULQDQ))
		assert_true(client.eng.ighash && client.eng.ighash == br_ghash_pclmul_get());
	else
		assert_true(client.eng.ighash == ghash_anywhere());
}

static void fill(unsigned char *p, size_t n)
{
	static uint32_t seed = 1;

	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)test_random(&seed);
}

/* Those that were chosen, and those for any processor, over the same bytes. */
static void test_they_agree(void **state)
{
	static unsigned char data[2][BYTES_MAX];

	(void)state;
	for (size_t n = 0; n <= BYTES_MAX; n++) {
		unsigned char key[32], iv[12], h[16], y[2][16] = {{0}};
		const size_t key_n = n % 2 ? 16 : 32;
		br_aes_gen_ctr_keys keys[2];
		uint32_t counter[2];

		fill(key, sizeof key);
		fill(iv, sizeof iv);
		fill(h, sizeof h);
		fill(data[0], n);
		memcpy(data[1], data[0], n);
		for (size_t i = 0; i < 2; i++) {
			const br_block_ctr_class *aes = i ? aes_anywhere() : client.eng.iaes_ctr;

			aes->init(&keys[i].vtable, key, key_n);
			counter[i] = aes->run(&keys[i].vtable, iv, 0xfffffffe, data[i], n);
			(i ? ghash_anywhere() : client.eng.ighash)(y[i], h, data[i], n);
		}
		if (n % 16 == 0) /* else it counts for nothing: more cannot follow */
			assert_int_equal(counter[0], counter[1]);
		assert_memory_equal(data[0], data[1], n);
		assert_memory_equal(y[0], y[1], sizeof y[0]);
	}
}

/* FIPS 197, appendix C.3: the key stream of one block. */
static void test_known_answer(void **state)
{
	static const unsigned char result[] = {0x8e, 0xa2, 0xb7, 0xca, 0x51, 0x67, 0x45, 0xbf,
					       0xea, 0xfc, 0x49, 0x90, 0x4b, 0x49, 0x60, 0x89};
	unsigned char key[32], iv[12], out[16] = {0};
	br_aes_gen_ctr_keys keys;

	(void)state;
	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (unsigned char)i;
	for (size_t i = 0; i < sizeof iv; i++)
		iv[i] = (unsigned char)(i * 0x11);
	client.eng.iaes_ctr->init(&keys.vtable, key, sizeof key);
	(void)client.eng.iaes_ctr->run(&keys.vtable, iv, 0xccddeeff, out, sizeof out);
	assert_memory_equal(out, result, sizeof out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_aes, choose),
		cmocka_unit_test_setup(test_ghash, choose),
		cmocka_unit_test_setup(test_they_agree, choose),
		cmocka_unit_test_setup(test_known_answer, choose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
