/* SPDX-License-Identifier: ISC */
#ifndef TESTS_TAP_TAP_H
#define TESTS_TAP_TAP_H

/* A writer of the Test Anything Protocol, run by prove. */

#include <stdbool.h>
#include <stddef.h>

/* How many tests follow; or call tap_done() at the end instead. */
void tap_plan(int count);
/* Print the lazy plan when none was given; returns the exit status. */
int tap_done(void);
bool tap_ok(bool pass, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
bool tap_is_int(long long got, long long want, const char *file, int line,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));
bool tap_is_string(const char *got, const char *want, const char *file,
	int line, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
bool tap_is_bytes(const void *got, size_t got_len, const void *want,
	size_t want_len, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 7, 8)));
/* `count` tests are not run, for a reason. */
void tap_skip(int count, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void tap_diag(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The whole run makes no sense: print and exit 255. */
void tap_bail(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

#define ok(pass, ...) tap_ok((pass), __FILE__, __LINE__, __VA_ARGS__)
#define is_int(got, want, ...)                                                 \
	tap_is_int((got), (want), __FILE__, __LINE__, __VA_ARGS__)
#define is_string(got, want, ...)                                              \
	tap_is_string((got), (want), __FILE__, __LINE__, __VA_ARGS__)
#define is_bytes(got, gl, want, wl, ...)                                       \
	tap_is_bytes((got), (gl), (want), (wl), __FILE__, __LINE__, __VA_ARGS__)

/* Poll `condition()` every 5 ms until true or `ms` have passed. */
bool tap_wait(bool (*condition)(void *arg), void *arg, int ms);

#endif
