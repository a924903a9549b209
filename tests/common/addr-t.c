/* SPDX-License-Identifier: ISC */
/* Addresses: text forms, comparison, hashing. */

#include "common/net/addr.h"

#include "tests/tap/tap.h"

static void good(const char *text, uint16_t dflt, const char *want)
{
	union addr a;
	char out[ADDR_TEXT];
	int rc = addr_parse(text, dflt, &a);

	is_int(rc, 0, "%s parses", text);
	is_string(addr_print(&a, out), want, "%s prints as %s", text, want);
}

static void bad(const char *text)
{
	union addr a;

	ok(addr_parse(text, 53, &a) < 0, "\"%s\" is refused", text);
}

static void parse(const char *text, union addr *a)
{
	if (addr_parse(text, 53, a) < 0)
		tap_bail("%s does not parse", text);
}

static void test_text(void)
{
	good("192.0.2.1", 53, "192.0.2.1:53");
	good("192.0.2.1:5353", 53, "192.0.2.1:5353");
	good("192.0.2.1:0", 53, "192.0.2.1:0");
	good("2001:db8::1", 53, "[2001:db8::1]:53");
	good("[2001:db8::1]", 53, "[2001:db8::1]:53");
	good("[2001:db8::1]:65535", 53, "[2001:db8::1]:65535");
	good("::", 1, "[::]:1");
	good("::ffff:192.0.2.1", 53, "[::ffff:192.0.2.1]:53");
	good("fe80::1%lo", 53, "[fe80::1%lo]:53");
	bad("");
	bad("1");
	bad("192.0.2");
	bad("192.0.2.256");
	bad("192.0.2.1:");
	bad("192.0.2.1:65536");
	bad("192.0.2.1:+1");
	bad("192.0.2.1:53x");
	bad("localhost");
	bad("[2001:db8::1");
	bad("[2001:db8::1]53");
	bad("[2001:db8::1]:");
	bad("2001:db8::1%nosuchif");
	bad("2001:db8:::1");
	bad("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "a"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

static void test_compare(void)
{
	union addr a, b, c;

	parse("192.0.2.1:1", &a);
	parse("192.0.2.1:2", &b);
	parse("::ffff:192.0.2.1", &c);
	ok(addr_equal_ip(&a, &b), "same address");
	ok(!addr_equal(&a, &b), "other port");
	ok(!addr_equal_ip(&a, &c), "families differ");
	addr_unmap(&c);
	ok(addr_equal_ip(&a, &c), "equal when unmapped");
	is_int(addr_port(&c), 53, "unmapping keeps the port");
	addr_set_port(&a, 2);
	ok(addr_equal(&a, &b), "equal with the port set");
	parse("0.0.0.0", &a);
	parse("::", &b);
	ok(addr_is_any(&a) && addr_is_any(&b), "any addresses");
	ok(!addr_is_any(&c), "not an any address");
}

static void test_hash(void)
{
	struct hash_key key = {1, 2};
	union addr a, b;

	parse("192.0.2.1:1", &a);
	parse("192.0.2.1:2", &b);
	ok(addr_hash_ip(&key, &a) == addr_hash_ip(&key, &b),
		"the port is not hashed");
	parse("192.0.2.2:1", &b);
	ok(addr_hash_ip(&key, &a) != addr_hash_ip(&key, &b),
		"other address, other hash");
}

int main(void)
{
	test_text();
	test_compare();
	test_hash();
	return tap_done();
}
