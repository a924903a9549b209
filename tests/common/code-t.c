/* SPDX-License-Identifier: ISC */
/* Numbers and texts of types, classes, rcodes. */

#include "common/dns/code.h"

#include "tests/tap/tap.h"

static void test_types(void)
{
	static const struct {
		const char *text;
		int type; /* -1: not a type */
	} rows[] = {
		{"A", 1},
		{"aaaa", 28},
		{"TYPE65280", 65280},
		{"type1", 1},
		{"HTTPS", 65},
		{"CAA", 257},
		{"ANY", 255},
		{"TYPE65536", -1},
		{"TYPE4294967297", -1},
		{"TYPE", -1},
		{"TYPE1x", -1},
		{"TYPE-1", -1},
		{"", -1},
		{"AA", -1},
	};
	char out[DNS_CODE_TEXT];

	for (size_t i = 0; i < countof(rows); i++) {
		uint16_t type = 0;
		bool found = dns_type_parse(rows[i].text, &type);

		is_int(found ? type : -1, rows[i].type, "\"%s\"", rows[i].text);
	}
	is_string(dns_type_print(15, out), "MX", "MX");
	is_string(dns_type_print(65535, out), "TYPE65535", "no name");
}

/* Every number prints to a text that parses to it. */
static void test_round_trip(void)
{
	char out[DNS_CODE_TEXT];
	uint16_t value;
	bool same = true;

	for (unsigned n = 0; n < 65536; n++) {
		same = same &&
		       dns_type_parse(
			       dns_type_print((uint16_t)n, out), &value) &&
		       value == n;
		same = same &&
		       dns_class_parse(
			       dns_class_print((uint16_t)n, out), &value) &&
		       value == n;
		same = same &&
		       dns_rcode_parse(
			       dns_rcode_print((uint16_t)n, out), &value) &&
		       value == n;
	}
	ok(same, "all types, classes and rcodes round trip");
}

int main(void)
{
	char out[DNS_CODE_TEXT];
	uint16_t value = 0;

	test_types();
	test_round_trip();
	is_string(dns_class_print(3, out), "CH", "class");
	ok(dns_class_parse("in", &value) && value == 1, "class parsed");
	ok(!dns_class_parse("XX", &value), "unknown class");
	is_string(dns_rcode_print(3, out), "NXDOMAIN", "rcode");
	is_string(dns_rcode_print(11, out), "RCODE11", "rcode without a name");
	ok(!dns_rcode_parse("NOPE", &value), "unknown rcode");
	return tap_done();
}
