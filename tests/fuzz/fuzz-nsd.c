/* SPDX-License-Identifier: ISC */

/*
 * What NSD tells: answers to bulk commands and statistics as text, answers
 * to our questions as messages.
 */

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "authority/nsd.h"
#include "authority/probe.h"

static void see(void *arg, const char *name, double value)
{
	(void)value;
	fuzz_check(name[0] != '\0');
	*(size_t *)arg += strlen(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct name x_test = {8, "\1x\4test"};
	struct probe_zone zone = {.wire = &x_test, .serial = 7};
	struct err err = {.text = ""};
	char *text = malloc(size + 1);
	size_t seen = 0, errors;

	fuzz_check(text);
	memcpy(text, data, size);
	text[size] = '\0';
	errors = nsd_bulk_errors(text, &err);
	fuzz_check((errors > 0) == (err.text[0] != '\0'));
	nsd_parse_stats(text, see, &seen);
	fuzz_check(seen <= size);
	free(text);
	err.text[0] = '\0';
	fuzz_check(probe_judge(&zone, data, size, &err) || err.text[0]);
	zone.absent = true;
	fuzz_check(probe_judge(&zone, data, size, &err) || err.text[0]);
	return 0;
}
