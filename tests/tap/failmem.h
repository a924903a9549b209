/* SPDX-License-Identifier: ISC */
#ifndef TESTS_TAP_FAILMEM_H
#define TESTS_TAP_FAILMEM_H

/*
 * Memory that runs out at the Nth request, for programs linked with
 * $(FAILMEM_LINK). The loop of a test:
 *
 *	for (n = 0; !done; n++) {
 *		failmem_after(n);
 *		done = operation() succeeded;
 *		failmem_off();
 *		when not done: check that nothing changed or leaked
 *	}
 */

/* Requests of this process succeed `n` times more, then all fail. */
void failmem_after(unsigned n);
void failmem_off(void);

#endif
