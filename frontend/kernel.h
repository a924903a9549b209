/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_KERNEL_H
#define FRONTEND_KERNEL_H

/*
 * What the kernel counts of the host's UDP, TCP and processors: /proc/net and
 * /proc/stat. A file that a sandbox hides gives no values.
 */

#include <stdbool.h>
#include <stdint.h>

/* The value of `key` in text of the forms "Udp: A B\nUdp: 1 2\n" (snmp,
 * netstat; `group` "Udp") and "Udp6A 1\nUdp6B 2\n" (snmp6; `group` NULL).
 * Pure. */
bool kernel_find(
	const char *text, const char *group, const char *key, uint64_t *value);

/* All counters, one call each. Main thread. */
typedef void (*kernel_value_fn)(
	void *arg, const char *name, const char *help, uint64_t value);
void kernel_each(kernel_value_fn fn, void *arg);

#endif
