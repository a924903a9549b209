/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BASE_BASE_H
#define COMMON_BASE_BASE_H

/*
 * Attributes and three macros that every file may use, and the ban on the
 * unbounded string functions. Nothing else, ever.
 */

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST_CHECK          __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, a) __attribute__((format(printf, fmt, a)))
#define NORETURN            __attribute__((noreturn))
#define UNUSED              __attribute__((unused))

#define countof(array) (sizeof(array) / sizeof((array)[0]))

/* The struct of type `type` whose member `member` is at `ptr`. */
#define container_of(ptr, type, member)                                        \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#ifdef __GNUC__
#pragma GCC poison strcpy strcat sprintf strtok
#endif

#endif
