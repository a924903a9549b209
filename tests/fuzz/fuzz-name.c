/* SPDX-License-Identifier: ISC */
/*
 * Names: from a message at the offset that the first octet tells, and from
 * text. Printing and parsing again gives the same name.
 */

#include "tests/fuzz/fuzz.h"

#include "common/dns/name.h"

static void round_trip(const struct name *name)
{
	char text[NAME_MAX_TEXT];
	struct name again;

	fuzz_check(name_wire_len(name->wire, name->len) == name->len);
	name_print(name, text);
	fuzz_check(name_parse(text, &again) == 0);
	fuzz_check(again.len == name->len);
	fuzz_check(memcmp(again.wire, name->wire, name->len) == 0);
	fuzz_check(name_compare(again.wire, name->wire) == 0);
	fuzz_check(name_under(name->wire, again.wire));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct name name;
	char *text;
	int used;

	if (size == 0)
		return 0;
	used = name_read(data + 1, size - 1, data[0], &name);
	fuzz_check(used == name_read(data + 1, size - 1, data[0], NULL));
	if (used > 0) {
		fuzz_check(data[0] + (size_t)used <= size - 1);
		round_trip(&name);
	}
	used = name_wire_len(data + 1, size - 1);
	fuzz_check(used <= 255 && used <= (int)size - 1);
	text = strndup((const char *)data + 1, size - 1);
	if (text && name_parse(text, &name) == 0)
		round_trip(&name);
	free(text);
	return 0;
}
