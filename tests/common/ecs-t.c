/* SPDX-License-Identifier: ISC */
/* The client subnet option: which are well-formed, and what is written. */

#include "common/dns/ecs.h"

#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

static const struct {
	const char *data, *what;
	bool good;
} rows[] = {
	{"0001 18 00 c00002", "IPv4 /24", true},
	{"0001 18 10 c00002", "with a scope", true},
	{"0001 19 00 c0000280", "IPv4 /25: four octets", true},
	{"0001 20 20 c0000201", "IPv4 /32", true},
	{"0001 01 00 80", "IPv4 /1", true},
	{"0001 00 00", "IPv4 /0", true},
	{"0002 38 00 20010db8 010203", "IPv6 /56", true},
	{"0002 80 00 20010db8 00000000 00000000 00000001", "IPv6 /128", true},
	{"0002 00 00", "IPv6 /0", true},
	{"0000 00 00", "no family, /0", true},
	{"", "empty", false},
	{"0001 18", "three octets", false},
	{"0001 18 00 c000", "an octet too few", false},
	{"0001 18 00 c0000200", "an octet too many", false},
	{"0001 00 00 00", "/0 with an address", false},
	{"0001 17 00 c00003", "a bit behind the prefix", false},
	{"0001 21 00 c000020100", "IPv4 /33", false},
	{"0001 18 21 c00002", "a scope of 33", false},
	{"0002 81 00 20010db8 00000000 00000000 0000000100", "IPv6 /129",
		false},
	{"0000 08 00 0a", "no family, /8", false},
	{"0000 00 01", "no family, a scope", false},
	{"0003 18 00 c00002", "family 3", false},
	{"0101 18 00 c00002", "family 257", false},
};

static void test_read(void)
{
	for (size_t i = 0; i < countof(rows); i++) {
		uint8_t data[64], out[ECS_OPTION_MAX];
		size_t n = wire(data, sizeof(data), rows[i].data);
		struct ecs ecs;
		uint8_t scope;
		bool good = ecs_read(data, n, &ecs, &scope);

		is_int(good, rows[i].good, "%s: %s", rows[i].what,
			rows[i].good ? "well-formed" : "malformed");
		if (!good)
			continue;
		ok(ecs_write(&ecs, scope, out) == n + 4 &&
				memcmp(out + 4, data, n) == 0 && out[1] == 8 &&
				out[3] == n && scope == data[3],
			"  and is written as it was read");
	}
}

static void test_make(void)
{
	static const uint8_t ip4[] = {192, 0, 2, 255};
	static const uint8_t ip6[16] = {
		0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	uint8_t out[ECS_OPTION_MAX], want[ECS_OPTION_MAX];
	struct ecs ecs, again;
	uint8_t scope;
	size_t n;

	ecs_make(&ecs, ip4, 4, 24);
	n = wire(want, sizeof(want), "0008 0007 0001 18 00 c00002");
	ok(ecs_write(&ecs, 0, out) == n && memcmp(out, want, n) == 0,
		"an IPv4 address cut to /24");
	ecs_make(&ecs, ip4, 4, 31);
	n = wire(want, sizeof(want), "0008 0008 0001 1f 00 c00002fe");
	ok(ecs_write(&ecs, 0, out) == n && memcmp(out, want, n) == 0,
		"to /31, within an octet");
	ecs_make(&ecs, ip6, 16, 56);
	n = wire(want, sizeof(want), "0008 000b 0002 38 00 20010db8 010203");
	ok(ecs_write(&ecs, 0, out) == n && memcmp(out, want, n) == 0,
		"an IPv6 address cut to /56");
	ok(ecs_read(out + 4, n - 4, &again, &scope) &&
			memcmp(&ecs, &again, sizeof(ecs)) == 0,
		"which is the same when it is read");
}

int main(void)
{
	test_read();
	test_make();
	return tap_done();
}
