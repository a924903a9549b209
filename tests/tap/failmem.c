/* SPDX-License-Identifier: ISC */
/* The linker sends our calls of malloc and its kin here (--wrap); calls
 * inside libc and other shared libraries are not counted. */

#include "tests/tap/failmem.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Allocations left; below 0: all may pass. Any thread. */
static _Atomic long left = -1;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *mem, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_reallocarray(void *mem, size_t n, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *mem, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_reallocarray(void *mem, size_t n, size_t size);
char *__wrap_strdup(const char *text);

void failmem_after(unsigned n)
{
	left = (long)n;
}

void failmem_off(void)
{
	left = -1;
}

static bool fails(void)
{
	long n = left;

	while (n > 0 && !atomic_compare_exchange_weak(&left, &n, n - 1))
		;
	if (n != 0)
		return false;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *mem, size_t size)
{
	return fails() ? NULL : __real_realloc(mem, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

void *__wrap_reallocarray(void *mem, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(mem, n, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}
