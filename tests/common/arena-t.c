/* SPDX-License-Identifier: ISC */
/* Arena: alignment, zero fill, big requests, limit, memory running out. */

#include "common/base/arena.h"

#include "tests/tap/failmem.h"
#include "tests/tap/tap.h"

#include <stdint.h>

static bool all_zero(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != 0)
			return false;
	}
	return true;
}

static void test_many(void)
{
	struct arena arena;
	bool aligned = true, zero = true;

	arena_init(&arena, 256, 0);
	for (size_t size = 0; size < 600; size++) {
		unsigned char *p = arena_alloc(&arena, size);

		if (!p)
			tap_bail("no memory");
		aligned = aligned && (uintptr_t)p % 16 == 0;
		zero = zero && all_zero(p, size);
		memset(p, 0xff, size);
	}
	ok(aligned, "all aligned to 16");
	ok(zero, "all zero-filled, none overlaps");
	arena_fini(&arena);
	is_int((long long)arena.used_bytes, 0, "empty after fini");
	ok(arena_alloc(&arena, 8) != NULL, "usable again");
	arena_fini(&arena);
}

static void test_limits(void)
{
	struct arena arena;

	arena_init(&arena, 0, 64);
	ok(arena_alloc(&arena, 48) != NULL, "below the limit");
	ok(arena_alloc(&arena, 17) == NULL, "over the limit");
	ok(arena_alloc(&arena, 16) != NULL, "exactly the limit");
	ok(arena_alloc(&arena, 0) == NULL, "nothing left");
	arena_fini(&arena);

	arena_init(&arena, 0, 0);
	ok(arena_array(&arena, SIZE_MAX / 2, 4) == NULL, "product overflows");
	ok(arena_alloc(&arena, SIZE_MAX - 4) == NULL, "rounding overflows");
	ok(arena_array(&arena, 3, 4) != NULL, "array");
	is_string(arena_strdup(&arena, "text"), "text", "strdup");
	ok(arena_memdup(&arena, NULL, 0) != NULL, "memdup of nothing");
	arena_fini(&arena);
}

static void test_no_memory(void)
{
	struct arena arena;
	unsigned n;
	bool done = false;

	for (n = 0; !done && n < 10; n++) {
		arena_init(&arena, 64, 0);
		failmem_after(n);
		done = arena_alloc(&arena, 40) && arena_alloc(&arena, 40) &&
		       arena_alloc(&arena, 1000);
		failmem_off();
		arena_fini(&arena);
	}
	is_int(n, 4, "fails at each of three chunks, then works");
}

int main(void)
{
	test_many();
	test_limits();
	test_no_memory();
	return tap_done();
}
