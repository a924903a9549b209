/* SPDX-License-Identifier: ISC */
/*
 * The TAP writer of all C tests: numbered "ok" lines on stdout, what went
 * wrong as "#" lines behind a failed one. One process runs one test file, so
 * the counters are file scope.
 */

#include "tests/tap/tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int planned = -1;
static int run_count;
static int failed_count;

void tap_plan(int count)
{
	planned = count;
	printf("1..%d\n", count);
	fflush(stdout);
}

int tap_done(void)
{
	if (planned < 0)
		printf("1..%d\n", run_count);
	else if (planned != run_count)
		tap_diag("planned %d tests, ran %d", planned, run_count);
	if (failed_count > 0)
		tap_diag("%d of %d tests failed", failed_count, run_count);
	fflush(stdout);
	if (planned >= 0 && planned != run_count)
		return 1;
	return failed_count > 0 ? 1 : 0;
}

__attribute__((format(printf, 4, 0))) static bool report(
	bool pass, const char *file, int line, const char *fmt, va_list args)
{
	run_count++;
	printf("%sok %d - ", pass ? "" : "not ", run_count);
	vprintf(fmt, args);
	putchar('\n');
	if (!pass) {
		failed_count++;
		printf("#   failed at %s:%d\n", file, line);
	}
	fflush(stdout);
	return pass;
}

bool tap_ok(bool pass, const char *file, int line, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report(pass, file, line, fmt, args);
	va_end(args);
	return pass;
}

bool tap_is_int(long long got, long long want, const char *file, int line,
	const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report(got == want, file, line, fmt, args);
	va_end(args);
	if (got != want)
		tap_diag("  got %lld, want %lld", got, want);
	return got == want;
}

bool tap_is_string(const char *got, const char *want, const char *file,
	int line, const char *fmt, ...)
{
	bool pass = got && want ? strcmp(got, want) == 0 : got == want;
	va_list args;

	va_start(args, fmt);
	report(pass, file, line, fmt, args);
	va_end(args);
	if (!pass) {
		tap_diag("  got:  %s", got ? got : "(null)");
		tap_diag("  want: %s", want ? want : "(null)");
	}
	return pass;
}

static void diag_bytes(
	const char *what, const unsigned char *data, size_t len, size_t from)
{
	size_t end = from + 16 < len ? from + 16 : len;

	printf("#   %s (%zu octets), at %zu:", what, len, from);
	for (size_t i = from; i < end; i++)
		printf(" %02x", data[i]);
	putchar('\n');
}

static void diag_difference(const unsigned char *got, size_t got_len,
	const unsigned char *want, size_t want_len)
{
	size_t at = 0;

	while (at < got_len && at < want_len && got[at] == want[at])
		at++;
	diag_bytes("got ", got, got_len, at);
	diag_bytes("want", want, want_len, at);
	fflush(stdout);
}

bool tap_is_bytes(const void *got, size_t got_len, const void *want,
	size_t want_len, const char *file, int line, const char *fmt, ...)
{
	bool pass = got_len == want_len &&
		    (got_len == 0 || memcmp(got, want, got_len) == 0);
	va_list args;

	va_start(args, fmt);
	report(pass, file, line, fmt, args);
	va_end(args);
	if (!pass)
		diag_difference(got, got_len, want, want_len);
	return pass;
}

void tap_skip(int count, const char *fmt, ...)
{
	char why[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	for (int i = 0; i < count; i++)
		printf("ok %d # SKIP %s\n", ++run_count, why);
	fflush(stdout);
}

/* Each line of the text becomes a comment line. */
void tap_diag(const char *fmt, ...)
{
	char text[4096];
	const char *line = text;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	while (*line != '\0') {
		size_t len = strcspn(line, "\n");

		printf("# %.*s\n", (int)len, line);
		line += len;
		line += *line == '\n';
	}
	fflush(stdout);
}

void tap_bail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("Bail out! ");
	vprintf(fmt, args);
	putchar('\n');
	va_end(args);
	fflush(stdout);
	exit(255);
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

bool tap_wait(bool (*condition)(void *arg), void *arg, int ms)
{
	const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
	long long end = now_ms() + ms;

	while (!condition(arg)) {
		if (now_ms() >= end)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}
