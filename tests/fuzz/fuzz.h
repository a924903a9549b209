/* SPDX-License-Identifier: ISC */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

/*
 * A fuzz target is one function over bytes. Linked with replay.c it is a TAP
 * test that replays its corpus in `make check`; linked by clang with
 * -fsanitize=fuzzer it explores.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken promise of the code under test ends the run at once. */
#define fuzz_check(condition)                                                  \
	do {                                                                   \
		if (!(condition))                                              \
			abort();                                               \
	} while (0)

#endif
