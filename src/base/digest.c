#include "base/digest.h"

#include <string.h>

uint64_t digest_add(uint64_t sum, const void *p, size_t n)
{
	const unsigned char *bytes = p;

	for (size_t i = 0; i < n; i++)
		sum = (sum ^ bytes[i]) * 0x100000001b3;
	return sum;
}

uint64_t digest_text(uint64_t sum, const char *text)
{
	if (!text)
		text = "";
	return digest_add(sum, text, strlen(text) + 1);
}
