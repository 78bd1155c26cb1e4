/* Every file of the fuzzers' corpus, given to its target once. What make fuzz found stays found. */
#include "support.h"

#include <dirent.h>

#include "fuzz.h"

#define INPUT_MAX 65536

static const struct {
	const char *name;
	int (*run)(const uint8_t *p, size_t n);
} targets[] = {
	{"fuzz_cert", fuzz_cert},       {"fuzz_chain", fuzz_chain},
	{"fuzz_key", fuzz_key},         {"fuzz_cloudflare", fuzz_cloudflare},
	{"fuzz_config", fuzz_config},   {"fuzz_dns", fuzz_dns},
	{"fuzz_health", fuzz_health},   {"fuzz_http", fuzz_http},
	{"fuzz_json", fuzz_json},       {"fuzz_request", fuzz_request},
	{"fuzz_resolve", fuzz_resolve}, {"fuzz_run", fuzz_run},
	{"fuzz_url", fuzz_url},         {"fuzz_claims", fuzz_claims},
};

/* As libFuzzer gives it: memory that ends with the input. */
static void run_file(size_t target, const char *path)
{
	static uint8_t storage[INPUT_MAX];
	FILE *file = fopen(path, "rb");
	uint8_t *exact;
	size_t n;

	CHECK(file, "%s cannot be read", path);
	n = fread(storage, 1, sizeof storage, file);
	CHECK(n < sizeof storage && !fclose(file), "%s is too long", path);
	exact = malloc(n ? n : 1);
	assert_non_null(exact);
	memcpy(exact, storage, n);
	(void)targets[target].run(exact, n);
	free(exact);
}

static void test_corpus(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++) {
		char dir_path[64], path[512];
		const struct dirent *entry;
		size_t files_n = 0;
		DIR *dir;

		(void)snprintf(dir_path, sizeof dir_path, "tests/fuzz/corpus/%s", targets[i].name);
		dir = opendir(dir_path);
		CHECK(dir, "no folder %s here", dir_path);
		while ((entry = readdir(dir))) {
			if (entry->d_name[0] == '.')
				continue;
			(void)snprintf(path, sizeof path, "%s/%s", dir_path, entry->d_name);
			run_file(i, path);
			files_n++;
		}
		(void)closedir(dir);
		CHECK(files_n > 0, "%s is empty", dir_path);
	}
}

/* No target takes the absence of an input for one. */
static void test_empty(void **state)
{
	static const uint8_t nothing[1];

	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++)
		(void)targets[i].run(nothing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_corpus),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
