/* SPDX-License-Identifier: ISC */
/* OPT records: options whole and broken, sizes, writing. */

#include "common/dns/edns.h"

#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#define COOKIE8 "000a 0008 0102030405060708"

static void test_read(void)
{
	static const struct {
		const char *rdata;
		bool good;
		int cookie, ecs; /* offsets in rdata, 0: none */
		const char *what;
	} rows[] = {
		{"", true, 0, 0, "no option"},
		{COOKIE8, true, 4, 0, "client cookie"},
		{"0008 0004 00012000" COOKIE8, true, 12, 4, "ECS and cookie"},
		{COOKIE8 COOKIE8, true, 4, 0, "the first of two cookies"},
		{"000c 0000", true, 0, 0, "empty padding"},
		{"fde9 0003 010203", true, 0, 0, "unknown option"},
		{"000a 0007 01020304050607", false, 0, 0, "cookie of 7"},
		{"000a 0009 010203040506070809", false, 0, 0, "cookie of 9"},
		{"000c 0001", false, 0, 0, "length over the rdata"},
		{"000c ffff 00", false, 0, 0, "length far over it"},
		{"000c 00", false, 0, 0, "half an option header"},
	};

	for (size_t i = 0; i < countof(rows); i++) {
		uint8_t msg[512];
		size_t n = wire(msg, sizeof(msg), rows[i].rdata);
		struct edns edns;
		bool good =
			edns_read(msg, 0, 1232, 0x8000, 0, (uint16_t)n, &edns);

		is_int(good, rows[i].good, "%s", rows[i].what);
		if (!good)
			continue;
		is_int(edns.cookie_offset, rows[i].cookie, "  cookie");
		is_int(edns.ecs_offset, rows[i].ecs, "  ECS");
	}
}

static void test_read_fields(void)
{
	uint8_t msg[512] = {0};
	struct edns edns;

	ok(edns_read(msg, 20, 4096, 0x05008000, 31, 0, &edns), "no options");
	ok(edns.present && edns.dnssec_ok, "DO");
	is_int(edns.ext_rcode, 5, "extended rcode");
	is_int(edns.version, 0, "version");
	is_int(edns.payload, 4096, "payload");
	is_int(edns.offset, 20, "offset");
	is_int(edns.length, 11, "length");
	ok(edns_read(msg, 0, 512, 0x00010000, 11, 3, &edns) &&
			edns.version == 1 && !edns.dnssec_ok,
		"version 1: rdata is not looked at");
	ok(edns_read(msg, 0, 512, 0, 0, 64 * 4, &edns), "64 options");
	ok(!edns_read(msg, 0, 512, 0, 0, 65 * 4, &edns), "65 options");
}

static void test_limit(void)
{
	static const struct {
		bool present;
		uint16_t payload, limit, want;
	} rows[] = {
		{false, 4096, 1232, 512},
		{true, 4096, 1232, 1232},
		{true, 800, 1232, 800},
		{true, 100, 1232, 512},
		{true, 0, 1232, 512},
		{true, 65535, 65535, 65535},
	};

	for (size_t i = 0; i < countof(rows); i++) {
		struct edns edns = {
			.present = rows[i].present, .payload = rows[i].payload};

		is_int(edns_udp_limit(&edns, rows[i].limit), rows[i].want,
			"client %u, limit %u", rows[i].payload, rows[i].limit);
	}
	is_int(edns_udp_limit(NULL, 1232), 512, "no EDNS");
}

static void test_write(void)
{
	uint8_t out[64], want[64];
	size_t n, m;

	n = edns_write(out, sizeof(out), 1232, true, 1, -1, NULL);
	m = wire(want, sizeof(want), "00 0029 04d0 01 00 8000 0000");
	is_bytes(out, n, want, m, "plain OPT");
	n = edns_write(out, sizeof(out), 1232, false, 0, 3, "stale");
	m = wire(want, sizeof(want),
		"00 0029 04d0 00 00 0000 000b 000f 0007 0003 'stale'");
	is_bytes(out, n, want, m, "with EDE and text");
	is_int((long long)edns_write(out, n, 1232, false, 0, 3, "stale"),
		(long long)n, "room exactly enough");
	is_int((long long)edns_write(out, n - 1, 1232, false, 0, 3, "stale"), 0,
		"room short by one");
	is_int((long long)edns_write(out, 10, 1232, false, 0, -1, NULL), 0,
		"room for no OPT");
}

int main(void)
{
	test_read();
	test_read_fields();
	test_limit();
	test_write();
	return tap_done();
}
