/* SPDX-License-Identifier: ISC */

/*
 * Replay of a corpus as a TAP test: every file of tests/fuzz/corpus/NAME
 * (NAME from the program name fuzz-NAME-t), and of each file every shorter
 * form and some changed ones, so that even a small corpus reaches the edges.
 */

#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "tests/tap/tap.h"

enum {
	INPUT_MAX = 1 << 20,
	MUTATIONS = 2000
};

/* A copy of its exact size, so that a sanitizer sees an over-read. */
static void run_one(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		tap_bail("no memory");
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 8;
}

static void mutate(uint8_t *data, size_t size, uint32_t *seed)
{
	for (int i = 0; size && i < MUTATIONS; i++) {
		size_t at = next_random(seed) % size;
		uint8_t old = data[at];

		data[at] = (uint8_t)next_random(seed);
		run_one(data, size);
		/* Keep some changes, to get further away. */
		if (i % 16)
			data[at] = old;
	}
}

static void replay(const char *dir, const char *name)
{
	static uint8_t data[INPUT_MAX];
	char path[PATH_MAX + 256];
	uint32_t seed = 1;
	size_t size;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	if (!f)
		tap_bail("cannot read %s", path);
	size = fread(data, 1, sizeof(data), f);
	fclose(f);
	run_one(data, size);
	for (size_t cut = 0; cut < size && cut < 4096; cut++)
		run_one(data, cut);
	if (size < 65536)
		mutate(data, size, &seed);
	tap_ok(true, __FILE__, __LINE__, "%s, %zu octets", name, size);
}

int main(int argc, char **argv)
{
	const char *source = getenv("ISPDNS_SRCDIR");
	const char *name = strrchr(argv[0], '/');
	char dir[PATH_MAX];
	struct dirent *entry;
	int count = 0;
	DIR *d;

	name = name ? name + 1 : argv[0];
	if (strncmp(name, "fuzz-", 5) == 0)
		name += 5;
	if (argc > 1)
		snprintf(dir, sizeof(dir), "%s", argv[1]);
	else
		snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%.*s",
			source ? source : ".", (int)strcspn(name, "-"), name);
	d = opendir(dir);
	if (!d)
		tap_bail("no corpus: %s", dir);
	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		replay(dir, entry->d_name);
		count++;
	}
	closedir(d);
	tap_ok(count > 0, __FILE__, __LINE__, "%d inputs in %s", count, dir);
	return tap_done();
}
