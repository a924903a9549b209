/* SPDX-License-Identifier: ISC */
/* The text form of packets; see wire.h. */

#include "tests/tap/wire.h"

#include "common/base/digest.h"
#include "common/dns/name.h"
#include "tests/tap/tap.h"

static const char *add_name(struct name *name, const char *text)
{
	char copy[NAME_MAX_TEXT];
	size_t len = strcspn(text, ">");

	if (text[len] != '>' || len >= sizeof(copy))
		tap_bail("wire: no '>' behind %s", text);
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (name_parse(copy, name) != 0)
		tap_bail("wire: not a name: %s", copy);
	return text + len + 1;
}

static void add(
	uint8_t *out, size_t size, size_t *len, const void *data, size_t n)
{
	if (n > size - *len)
		tap_bail("wire: more than %zu octets", size);
	memcpy(out + *len, data, n);
	*len += n;
}

size_t wire(uint8_t *out, size_t size, const char *text)
{
	size_t len = 0;

	while (*text != '\0') {
		char pair[3] = {text[0], text[1], '\0'};
		struct name name;
		uint8_t octet;

		if (*text == ' ' || *text == '\n' || *text == '\t') {
			text++;
		} else if (*text == '<') {
			text = add_name(&name, text + 1);
			add(out, size, &len, name.wire, name.len);
		} else if (*text == '\'') {
			size_t n = strcspn(++text, "'");

			add(out, size, &len, text, n);
			text += n + 1;
		} else if (hex_parse(pair, &octet, 1)) {
			add(out, size, &len, &octet, 1);
			text += 2;
		} else {
			tap_bail("wire: at %s", text);
		}
	}
	return len;
}
