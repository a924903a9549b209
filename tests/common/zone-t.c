/* SPDX-License-Identifier: ISC */
/* Zones in memory: changes, rules, serials, file names. */

#include "common/zone/zone.h"

#include "common/dns/code.h"
#include "tests/tap/failmem.h"
#include "tests/tap/tap.h"

#include <errno.h>

#define SOA "@ 3600 IN SOA ns admin 10 2 3 4 5\n"
#define NS  "@ 3600 NS ns\nns 3600 A 192.0.2.53\n"

static struct zone *zone_of(const char *text)
{
	struct zone_read_options options = {.origin = "x"};
	struct zone_report report;
	struct zone *zone;
	struct err err;

	zone_report_init(&report);
	zone = zone_read_text(text, strlen(text), "db", &options, &report);
	if (!zone && zone_report_err(&report, &err) != 0)
		tap_bail("%s", err.text);
	zone_report_fini(&report);
	return zone;
}

static void is_zone(const struct zone *zone, const char *want, const char *what)
{
	struct text out;

	text_init(&out);
	zone_print(zone, &out);
	is_string(out.data, want, "%s", what);
	text_fini(&out);
}

/* ---- rules ---- */

static const struct {
	const char *what, *text, *problem; /* NULL: none at all */
	bool error;
} rules[] = {
	{"a sound zone", SOA NS "www 60 A 192.0.2.1\n", NULL, false},
	{"no SOA", NS, "x.: no SOA record", true},
	{"two SOAs", SOA "@ 3600 SOA ns other 11 2 3 4 5\n" NS,
		"db:2: x.: second SOA record", true},
	{"SOA below", SOA NS "a 60 SOA ns admin 1 2 3 4 5\n",
		"db:4: a.x.: SOA not at the zone's name", true},
	{"CNAME and other data", SOA NS "a 60 CNAME ns\na 60 A 192.0.2.1\n",
		"db:4: a.x.: CNAME and other data", true},
	{"CNAME at the apex", SOA NS "@ 60 CNAME y.\n",
		"db:4: x.: CNAME and other data", true},
	{"CNAME with its RRSIG",
		SOA NS "a 60 CNAME ns\na 60 RRSIG CNAME 8 2 60 20300101000000 "
		       "20250101000000 1 x. aaaa\n",
		NULL, false},
	{"two CNAMEs", SOA NS "a 60 CNAME b.y.\na 60 CNAME c.y.\n",
		"db:5: a.x.: second CNAME record", true},
	{"out of zone", SOA NS "a.y. 60 A 192.0.2.1\n",
		"db:4: a.y.: not in zone x.", true},
	{"out of zone, the name's end alone", SOA NS "ax. 60 A 192.0.2.1\n",
		"db:4: ax.: not in zone x.", true},
	{"data below a DNAME", SOA NS "d 60 DNAME y.\na.b.d 60 A 192.0.2.1\n",
		"db:5: a.b.d.x.: data below the DNAME of d.x.", true},
	{"data beside a DNAME",
		SOA NS "d 60 DNAME y.\nd 60 A 192.0.2.1\n"
		       "dd 60 A 192.0.2.1\n",
		NULL, false},
	{"two DNAMEs", SOA NS "d 60 DNAME y.\nd 60 DNAME z.\n",
		"db:5: d.x.: second DNAME record", true},
	{"no NS", SOA, "x.: no NS record at the zone's name", false},
	{"NS without address", SOA "@ 60 NS ns\n",
		"db:2: x.: NS points to ns.x. without address", false},
	{"NS to a CNAME", SOA "@ 60 NS ns\nns 60 CNAME y.\n",
		"db:2: x.: NS points to ns.x., which is a CNAME", false},
	{"NS by a wildcard", SOA "@ 60 NS ns\n* 60 A 192.0.2.1\n", NULL, false},
	{"NS elsewhere", SOA "@ 60 NS ns.y.\n", NULL, false},
	{"MX to a CNAME", SOA NS "@ 60 MX 10 m\nm 60 CNAME ns\n",
		"db:4: x.: MX points to m.x., which is a CNAME", false},
	{"MX to nothing", SOA NS "@ 60 MX 10 m\n",
		"db:4: x.: MX points to m.x. without address", false},
	{"null MX", SOA NS "@ 60 MX 0 .\n", NULL, false},
	{"SRV to nothing", SOA NS "_s._tcp 60 SRV 0 0 1 m\n",
		"db:4: _s._tcp.x.: SRV points to m.x. without address", false},
	{"delegation with glue",
		SOA NS "sub 60 NS ns.sub\nns.sub 60 A 192.0.2.1\n", NULL,
		false},
	{"delegation without glue", SOA NS "sub 60 NS ns.sub\n",
		"db:4: sub.x.: NS points to ns.sub.x. without glue", false},
	{"MX into a delegation", SOA NS "sub 60 NS ns.y.\n@ 60 MX 1 m.sub\n",
		NULL, false},
	{"data below a delegation", SOA NS "sub 60 NS ns.y.\na.sub 60 TXT b\n",
		"db:5: a.sub.x.: hidden below the delegation of sub.x.", false},
	{"wildcard NS", SOA NS "*.w 60 NS ns.y.\n",
		"db:4: *.w.x.: NS at a wildcard", false},
};

static void test_rules(void)
{
	for (size_t i = 0; i < countof(rules); i++) {
		struct zone *zone = zone_of(rules[i].text);
		struct zone_report report;
		int ret;

		zone_report_init(&report);
		ret = zone_check(zone, NULL, &report);
		is_string(report.count ? report.items[0].text : NULL,
			rules[i].problem, "%s", rules[i].what);
		is_int(ret, rules[i].error ? -EINVAL : 0, "  verdict");
		is_int((long long)(report.errors + report.warnings),
			rules[i].problem != NULL, "  and no other problem");
		zone_report_fini(&report);
		zone_free(zone);
	}
}

static void check_against(const struct zone *zone, const struct zone *served,
	const uint32_t *serial, const char *want, const char *what)
{
	struct zone_check_options options = {served, serial};
	struct zone_report report;

	zone_report_init(&report);
	is_int(zone_check(zone, &options, &report), 0, "%s", what);
	is_string(report.count ? report.items[0].text : NULL, want, "  says");
	zone_report_fini(&report);
}

static void test_served(void)
{
	struct zone *zone = zone_of(SOA NS), *other = zone_of(SOA NS);
	uint32_t serial = 11;
	struct err err;

	check_against(zone, NULL, &serial,
		"db:1: x.: serial 10 is lower than 11, which is served",
		"a lower serial");
	serial = 9;
	check_against(zone, NULL, &serial, NULL, "a higher serial");
	check_against(zone, other, NULL, NULL, "the same zone");
	if (zone_add(other, "a", 60, DNS_TYPE_A, "192.0.2.1", &err) != 0)
		tap_bail("%s", err.text);
	check_against(zone, other, NULL,
		"db:1: x.: other data under the serial 10 that is served",
		"the same serial, other data");
	ok(!zone_equal(zone, other, true), "zones differ");
	zone_free(other);
	other = zone_copy(zone);
	ok(other && zone_equal(zone, other, false), "a copy is equal");
	is_int(zone_serial_set(other, 77, &err), 0, "serial set");
	ok(!zone_equal(zone, other, false), "the serial makes a difference");
	ok(zone_equal(zone, other, true), "unless it is let out");
	zone_free(other);
	zone_free(zone);
}

/* ---- changes ---- */

static void test_add(void)
{
	struct zone *zone = zone_of(SOA);
	struct err err;

	is_int(zone_add(zone, "WWW", 60, DNS_TYPE_A, "192.0.2.2", &err), 0,
		"add");
	is_int(zone_add(zone, "www.x.", 30, DNS_TYPE_A, "192.0.2.1", &err), 0,
		"add a second");
	is_int(zone_add(zone, "www", 60, DNS_TYPE_A, "192.0.2.2", &err),
		-EEXIST, "it is there already");
	is_string(err.text, "www.x.: this record is there already", "  says");
	is_int(zone_add(zone, "@", ZONE_TTL_KEEP, DNS_TYPE_MX, "10 WWW", &err),
		0, "TTL of the SOA");
	is_int(zone_add(zone, "www", ZONE_TTL_KEEP, DNS_TYPE_A, "192.0.2.3",
		       &err),
		0, "TTL of the rrset");
	is_zone(zone,
		"x. 3600 IN SOA ns.x. admin.x. 10 2 3 4 5\n"
		"x. 3600 IN MX 10 www.x.\n"
		"www.x. 30 IN A 192.0.2.1\nwww.x. 30 IN A 192.0.2.2\n"
		"www.x. 30 IN A 192.0.2.3\n",
		"the rrset has one TTL");
	is_int(zone_add(zone, "@", 60, DNS_TYPE_SOA, "a b 20 2 3 4 5", &err), 0,
		"a second SOA");
	is_int((long long)zone_count(zone), 5, "replaces the first");
	is_int(zone_add(zone, "www", 60, DNS_TYPE_A, "x", &err), -EINVAL,
		"bad rdata");
	is_int(zone_add(zone, "a.y.", 60, DNS_TYPE_A, "192.0.2.2", &err),
		-EINVAL, "out of zone");
	is_string(err.text, "a.y. is not in zone x.", "  says");
	is_int(zone_add(zone, "a..b", 60, DNS_TYPE_A, "192.0.2.2", &err),
		-EINVAL, "not a name");
	is_int(zone_add(zone, "a", 2147483648u, DNS_TYPE_A, "192.0.2.2", &err),
		-EINVAL, "TTL too large");
	is_int(zone_add(zone, "a", 60, DNS_TYPE_SOA, "a b 20 2 3 4 5", &err),
		-EINVAL, "SOA not at the apex");
	is_int((long long)zone_count(zone), 5, "nothing changed");
	zone_free(zone);
}

static void test_set_delete(void)
{
	static const char *const two[] = {"192.0.2.9", "192.0.2.8"};
	static const char *const twice[] = {"192.0.2.9", "192.0.2.9"};
	static const char *const half[] = {"192.0.2.7", "bad"};
	struct zone *zone = zone_of(SOA "a 60 A 192.0.2.1\na 60 TXT t\n");
	struct err err;

	is_int(zone_set(zone, "a", 90, DNS_TYPE_A, two, 2, &err), 0, "set");
	is_zone(zone,
		"x. 3600 IN SOA ns.x. admin.x. 10 2 3 4 5\n"
		"a.x. 90 IN A 192.0.2.8\na.x. 90 IN A 192.0.2.9\n"
		"a.x. 60 IN TXT \"t\"\n",
		"the rrset is replaced");
	is_int(zone_set(zone, "a", 90, DNS_TYPE_A, half, 2, &err), -EINVAL,
		"one of them is bad");
	is_int(zone_set(zone, "a", 90, DNS_TYPE_A, twice, 2, &err), -EEXIST,
		"one of them twice");
	is_int(zone_set(zone, "a", 90, DNS_TYPE_A, two, 0, &err), -EINVAL,
		"none");
	is_int((long long)zone_count(zone), 4, "nothing changed");
	is_int(zone_delete(zone, "a", DNS_TYPE_A, "192.0.2.8", &err), 1,
		"delete one");
	is_int(zone_delete(zone, "a", DNS_TYPE_A, "192.0.2.8", &err), -ENOENT,
		"it is gone");
	is_int(zone_delete(zone, "a", DNS_TYPE_A, "bad", &err), -EINVAL,
		"bad rdata");
	is_int(zone_delete(zone, "A", DNS_TYPE_A, NULL, &err), 1,
		"delete the rrset");
	is_int(zone_delete(zone, "a", DNS_TYPE_MX, NULL, &err), -ENOENT,
		"no such rrset");
	is_int(zone_delete(zone, "a", 0, NULL, &err), 1, "delete the owner");
	is_int(zone_delete(zone, "@", 0, NULL, &err), -ENOENT,
		"the SOA is not deleted with the owner");
	is_int(zone_delete(zone, "@", DNS_TYPE_SOA, NULL, &err), 1,
		"only by name");
	is_int(zone_delete(zone, "a", 0, "t", &err), -EINVAL,
		"rdata without a type");
	is_int((long long)zone_count(zone), 0, "empty");
	zone_free(zone);
}

static void test_look(void)
{
	struct zone *zone = zone_of(SOA NS "a 60 A 192.0.2.1\n"
					   "a 60 A 192.0.2.2\n");
	struct zone_rrset set;
	size_t it = 0, sets = 0;

	while (zone_next(zone, &it, &set))
		sets++;
	is_int((long long)sets, 4, "rrsets");
	ok(zone_find(zone, "a", DNS_TYPE_A, &set), "found");
	is_string(set.owner, "a.x.", "owner");
	is_int((long long)set.count, 2, "records");
	is_string(zone_rdata(&set, 1), "192.0.2.2", "rdata");
	ok(zone_rdata(&set, 2) == NULL, "no third");
	ok(zone_find(zone, "@", DNS_TYPE_SOA, &set), "the SOA");
	ok(!zone_find(zone, "a", DNS_TYPE_AAAA, &set), "no such type");
	ok(!zone_find(zone, "b", DNS_TYPE_A, &set), "no such owner");
	ok(!zone_find(zone, "a..b", DNS_TYPE_A, &set), "not a name");
	is_string(zone_origin(zone), "x.", "origin");
	zone_free(zone);
}

/* A change that runs out of memory changes nothing. */
static void test_no_memory(void)
{
	static const char *const two[] = {"192.0.2.9", "192.0.2.8"};
	struct zone *zone = zone_of(SOA "a 60 A 192.0.2.1\n");
	struct zone *before = zone_copy(zone);
	bool unchanged = true, done = false;
	struct err err;
	unsigned n;

	for (n = 0; !done && n < 1000; n++) {
		failmem_after(n);
		done = zone_set(zone, "a", 90, DNS_TYPE_A, two, 2, &err) == 0;
		failmem_off();
		unchanged =
			unchanged && (done || zone_equal(zone, before, false));
	}
	ok(done && n > 4 && unchanged, "set: all or nothing");
	for (n = 0, done = false; !done && n < 1000; n++) {
		failmem_after(n);
		done = zone_add(zone, "b", 90, DNS_TYPE_A, "192.0.2.1", &err) ==
		       0;
		failmem_off();
	}
	ok(done && zone_count(zone) == 4, "add: all or nothing");
	for (n = 0, done = false; !done && n < 1000; n++) {
		struct zone *copy;

		failmem_after(n);
		copy = zone_copy(zone);
		failmem_off();
		done = copy != NULL;
		zone_free(copy);
	}
	ok(done && n > 4, "copy: all or nothing");
	zone_free(zone);
	zone_free(before);
}

/* ---- single records, TTLs, serials, file names ---- */

static void test_record(void)
{
	struct zone_record r;
	struct err err;

	is_int(zone_record_parse(
		       "Example.net", "WWW", 60, "mx", "10 Mail", &r, &err),
		0, "words of a command line");
	is_string(r.owner, "www.example.net.", "owner");
	is_string(r.rdata, "10 mail.example.net.", "rdata");
	is_int(r.type, DNS_TYPE_MX, "type");
	zone_record_fini(&r);
	is_int(zone_record_parse("x", "a", 60, "NOPE", "1", &r, &err), -EINVAL,
		"unknown type");
	is_string(err.text, "\"NOPE\" is not a type", "  says");
	is_int(zone_record_parse("x", "a.y.", 60, "A", "192.0.2.1", &r, &err),
		-EINVAL, "out of zone");
	is_int(zone_record_parse("x", "a", 60, "A", "192.0.2.300", &r, &err),
		-EINVAL, "bad rdata");
	is_int(zone_record_parse("x", "a", 60, "A",
		       "192.0.2.1\nb.x. 60 IN A 192.0.2.2", &r, &err),
		-EINVAL, "a second line smuggled in");
	is_int(zone_record_parse("x", "a", 60, "TXT", "\"a\nb\"", &r, &err), 0,
		"a newline in a string");
	is_string(r.rdata, "\"a\\010b\"", "  is escaped");
	zone_record_fini(&r);
	is_int(zone_record_parse("a..b", "a", 60, "A", "192.0.2.1", &r, &err),
		-EINVAL, "origin that is no name");
	is_int(zone_record_parse("x", "a", 60, "A", "192.0.2.1 ; c", &r, &err),
		0, "a comment is no part of it");
	is_string(r.rdata, "192.0.2.1", "  rdata");
	zone_record_fini(&r);
}

static void test_ttl(void)
{
	static const struct {
		const char *text;
		long long ttl; /* -1: not one */
	} rows[] = {{"0", 0}, {"3600", 3600}, {"1h", 3600}, {"1H30m", 5400},
		{"1w2d3h4m5s", 788645}, {"2147483647", 2147483647},
		{"2147483648", -1}, {"99999999999999999999", -1}, {"", -1},
		{"h", -1}, {"1h30", -1}, {"1x", -1}, {"-1", -1}, {"1 h", -1},
		{"9999w", -1}};
	uint32_t ttl;

	for (size_t i = 0; i < countof(rows); i++)
		is_int(zone_ttl_parse(rows[i].text, &ttl) ? (long long)ttl : -1,
			rows[i].ttl, "TTL \"%s\"", rows[i].text);
}

static void test_serial(void)
{
	static const int64_t now = 1771063200; /* 2026-02-14 */
	static const struct {
		enum zone_serial_policy policy;
		uint32_t current, served, want;
		const char *what;
	} rows[] = {
		{ZONE_SERIAL_DATE, 1, 1, 2026021400, "first of a day"},
		{ZONE_SERIAL_DATE, 2026021400, 2026021400, 2026021401,
			"second of a day"},
		{ZONE_SERIAL_DATE, 2026021399, 2026021399, 2026021400,
			"after 99 of the day before"},
		{ZONE_SERIAL_DATE, 2026021499, 2026021499, 2026021500,
			"more than a hundred a day"},
		{ZONE_SERIAL_DATE, 2026021400, 2030010100, 2030010101,
			"never below the served one"},
		{ZONE_SERIAL_UNIXTIME, 5, 5, 1771063200, "seconds"},
		{ZONE_SERIAL_UNIXTIME, 1771063200, 5, 1771063201,
			"twice in a second"},
		{ZONE_SERIAL_INCREMENT, 41, 41, 42, "plus one"},
		{ZONE_SERIAL_INCREMENT, 41, 99, 100, "plus one, served"},
		{ZONE_SERIAL_INCREMENT, UINT32_MAX, UINT32_MAX, 1,
			"around, never 0"},
		{ZONE_SERIAL_DATE, 4294967000u, 4294967000u, 2026021400,
			"the date is ahead, around the end"},
		{ZONE_SERIAL_DATE, 4100000000u, 4100000000u, 4100000001u,
			"the date is behind"},
	};
	struct zone *zone = zone_of(SOA), *none = zone_of("");
	uint32_t serial = 0;
	struct err err;

	for (size_t i = 0; i < countof(rows); i++)
		is_int(zone_serial_next(rows[i].policy, rows[i].current,
			       rows[i].served, now),
			rows[i].want, "serial: %s", rows[i].what);
	ok(zone_serial_gt(1, 0) && zone_serial_gt(0, UINT32_MAX) &&
			!zone_serial_gt(0, 1) && !zone_serial_gt(7, 7) &&
			!zone_serial_gt(0x80000000u, 0),
		"RFC 1982");
	ok(zone_serial(zone, &serial) && serial == 10, "read");
	is_int(zone_serial_set(zone, UINT32_MAX, &err), 0, "set");
	is_zone(zone, "x. 3600 IN SOA ns.x. admin.x. 4294967295 2 3 4 5\n",
		"as set");
	ok(!zone_serial(none, &serial), "no SOA, no serial");
	is_int(zone_serial_set(none, 1, &err), -ENOENT, "nor one to set");
	zone_free(zone);
	zone_free(none);
}

static void test_file_name(void)
{
	static const struct {
		const char *zone, *file; /* NULL: hashed */
	} rows[] = {
		{"Example.NET", "example.net.zone"},
		{"2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa.zone"},
		{"0-127.2.0.192.in-addr.arpa",
			"0-127.2.0.192.in-addr.arpa.zone"},
		{"_tcp.x", "_tcp.x.zone"},
		{".", NULL},
		{"a/b.x", NULL},
		{"\\.\\..x", NULL},
		{"*.x", NULL},
		{"a\\000.x", NULL},
	};
	char file[ZONE_FILE_NAME], longest[260], again[ZONE_FILE_NAME];
	struct name name;

	for (size_t i = 0; i < countof(rows); i++) {
		if (name_parse(rows[i].zone, &name) != 0)
			tap_bail("%s", rows[i].zone);
		is_int(zone_file_name(&name, file), rows[i].file != NULL, "%s",
			rows[i].zone);
		if (rows[i].file)
			is_string(file, rows[i].file, "  file name");
		else
			is_int((long long)strcspn(file, "."), 64, "  hashed");
	}
	for (int i = 0; i < 126; i++)
		memcpy(longest + 2 * i, "a.", 3);
	if (name_parse(longest, &name) != 0)
		tap_bail("name");
	ok(!zone_file_name(&name, file), "too long for a file name: hashed");
	longest[0] = 'A';
	if (name_parse(longest, &name) != 0)
		tap_bail("name");
	zone_file_name(&name, again);
	is_string(again, file, "the hash does not see the case");
}

int main(void)
{
	test_rules();
	test_served();
	test_add();
	test_set_delete();
	test_look();
	test_no_memory();
	test_record();
	test_ttl();
	test_serial();
	test_file_name();
	return tap_done();
}
