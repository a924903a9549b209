/* SPDX-License-Identifier: ISC */
/* Zone text in, canonical text out; what is refused, and with which line. */

#include "common/zone/zone.h"

#include "tests/tap/failmem.h"
#include "tests/tap/tap.h"

#include <sys/stat.h>
#include <unistd.h>

#define SOA     "@ 3600 IN SOA ns admin 1 2 3 4 5\n"
#define SOA_OUT "x. 3600 IN SOA ns.x. admin.x. 1 2 3 4 5\n"

static const struct zone_read_options plain = {.origin = "X"};

static const struct {
	const char *what, *in, *out;
} good[] = {
	{"absolute, relative and @",
		"www.x. 60 IN A 192.0.2.1\nMail 60 IN A 192.0.2.2\n"
		"@ 60 IN MX 10 Mail\n",
		"x. 60 IN MX 10 mail.x.\nmail.x. 60 IN A 192.0.2.2\n"
		"www.x. 60 IN A 192.0.2.1\n"},
	{"TTL and class in any order, or none",
		"$TTL 1h30m\na IN 60 A 192.0.2.1\nb 60 IN A 192.0.2.1\n"
		"c A 192.0.2.1\nd IN A 192.0.2.1\n",
		"a.x. 60 IN A 192.0.2.1\nb.x. 60 IN A 192.0.2.1\n"
		"c.x. 5400 IN A 192.0.2.1\nd.x. 5400 IN A 192.0.2.1\n"},
	{"the last TTL stays without $TTL", "a 60 A 192.0.2.1\nb A 192.0.2.1\n",
		"a.x. 60 IN A 192.0.2.1\nb.x. 60 IN A 192.0.2.1\n"},
	{"the SOA's MINIMUM without any TTL",
		"@ SOA ns admin 1 2 3 4 300\na A 192.0.2.1\n",
		"x. 300 IN SOA ns.x. admin.x. 1 2 3 4 300\n"
		"a.x. 300 IN A 192.0.2.1\n"},
	{"owner left out, comments, parentheses",
		"; zone\n@ 60 IN SOA ns admin ( 1 ; serial\n\t2 3\n4 5 )\n"
		"\n   ; nothing\n\t60 NS ns ; and\nns 60 A 192.0.2.1 ;x\n",
		"x. 60 IN SOA ns.x. admin.x. 1 2 3 4 5\nx. 60 IN NS ns.x.\n"
		"ns.x. 60 IN A 192.0.2.1\n"},
	{"$ORIGIN, absolute and relative",
		"$ORIGIN sub.x.\na 60 A 192.0.2.1\n$ORIGIN low\n"
		"a 60 CNAME b\n",
		"a.sub.x. 60 IN A 192.0.2.1\n"
		"a.low.sub.x. 60 IN CNAME b.low.sub.x.\n"},
	{"strings", "a 60 TXT \"b; (c\" d\\;e \"f\\\"g\" h\\\"i \"\"\n",
		"a.x. 60 IN TXT \"b; (c\" \"d;e\" \"f\\\"g\" \"h\\\"i\" "
		"\"\"\n"},
	{"strings without a blank between", "a 60 TXT \"b\"\"c\"\n",
		"a.x. 60 IN TXT \"b\" \"c\"\n"},
	{"octets outside of ASCII in a string", "a 60 TXT \"\xc3\xa4\"\n",
		"a.x. 60 IN TXT \"\\195\\164\"\n"},
	{"escapes in names", "a\\.b 60 A 192.0.2.1\n\\* 60 CNAME \\097\\ b\n",
		"*.x. 60 IN CNAME a\\032b.x.\na\\.b.x. 60 IN A 192.0.2.1\n"},
	{"owner that looks like a type or TTL",
		"MX 60 A 192.0.2.1\n"
		"60 60 A 192.0.2.1\n",
		"60.x. 60 IN A 192.0.2.1\nmx.x. 60 IN A 192.0.2.1\n"},
	{"lines end with CR LF, and a byte order mark",
		"\xef\xbb\xbf"
		"a 60 A 192.0.2.1\r\nb 60 A 192.0.2.1\r\n",
		"a.x. 60 IN A 192.0.2.1\nb.x. 60 IN A 192.0.2.1\n"},
	{"SVCB", "@ 60 HTTPS 1 . alpn=\"h2,h3\" ipv4hint=192.0.2.1\n",
		"x. 60 IN HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.1\n"},
	{"unknown types (RFC 3597)",
		"a 60 TYPE65280 \\# 3 010203\nb 60 TYPE1 \\# 4 c0000201\n",
		"a.x. 60 IN TYPE65280 \\# 3 010203\nb.x. 60 IN A 192.0.2.1\n"},
	{"simple types in unusual form",
		"a 60 A \\# 4 c0000201\nb 60 MX 007 c\n"
		"c 60 CNAME \\# 3 016100\nd 60 AAAA 0:0::ffff:1.2.3.4\n"
		"e 60 NS a\\\"b@c\\$\n",
		"a.x. 60 IN A 192.0.2.1\nb.x. 60 IN MX 7 c.x.\n"
		"c.x. 60 IN CNAME a.\nd.x. 60 IN AAAA ::ffff:1.2.3.4\n"
		"e.x. 60 IN NS a\\\"b\\@c\\$.x.\n"},
	{"DNSKEY without ldns's comment", "@ 60 DNSKEY 256 3 8 AwEA Acw=\n",
		"x. 60 IN DNSKEY 256 3 8 AwEAAcw=\n"},
	{"APL and NSEC without trailing blanks",
		"@ 60 APL 1:192.168.32.0/21 !1:192.168.38.0/28\n"
		"@ 60 NSEC a A MX\n",
		"x. 60 IN APL 1:192.168.32.0/21 !1:192.168.38.0/28\n"
		"x. 60 IN NSEC a.x. A MX\n"},
	{"$GENERATE", "$GENERATE 1-3 host$ 60 A 192.0.2.$\n",
		"host1.x. 60 IN A 192.0.2.1\nhost2.x. 60 IN A 192.0.2.2\n"
		"host3.x. 60 IN A 192.0.2.3\n"},
	{"$GENERATE with step, offset, width and base",
		"$TTL 60\n$GENERATE 0-16/16 h${-0,3,x} CNAME ${10}.y.\n"
		"$GENERATE 26-26 ${0,7,n} PTR a$$b\\$\n",
		"a.1.0.0.x. 60 IN PTR a\\$b\\$.x.\nh000.x. 60 IN CNAME 10.y.\n"
		"h010.x. 60 IN CNAME 26.y.\n"},
	{"$GENERATE in other bases",
		"$TTL 60\n$GENERATE 255-255 a${0,0,o} A 192.0.2.1\n"
		"$GENERATE 255-255 b${0,4,X} A 192.0.2.1\n"
		"$GENERATE 255-255 ${+1,5,N} A 192.0.2.1\n"
		"$GENERATE 7-7 c${2,3} A 192.0.2.1\n",
		"0.0.1.x. 60 IN A 192.0.2.1\na377.x. 60 IN A 192.0.2.1\n"
		"b00ff.x. 60 IN A 192.0.2.1\nc009.x. 60 IN A 192.0.2.1\n"},
	{"the SOA first, then canonical order",
		"z 60 A 192.0.2.1\na.b 60 A 192.0.2.1\nb 60 AAAA ::1\n"
		"b 60 A 192.0.2.9\nb 60 A 192.0.2.10\n" SOA,
		SOA_OUT "b.x. 60 IN A 192.0.2.10\nb.x. 60 IN A 192.0.2.9\n"
			"b.x. 60 IN AAAA ::1\na.b.x. 60 IN A 192.0.2.1\n"
			"z.x. 60 IN A 192.0.2.1\n"},
	{"doubles go, TTLs of an rrset become one",
		"a 60 A 192.0.2.1\nA 30 A 192.0.2.1\na 90 A 192.0.2.2\n",
		"a.x. 60 IN A 192.0.2.1\na.x. 60 IN A 192.0.2.2\n"},
	{"nothing", "", ""},
};

static struct zone *read_it(const char *in,
	const struct zone_read_options *options, struct zone_report *report)
{
	zone_report_init(report);
	return zone_read_text(in, strlen(in), "db", options, report);
}

/* print(read(x)) is what is wanted, and reading that gives it again. */
static void test_good(void)
{
	for (size_t i = 0; i < countof(good); i++) {
		struct zone_report report, again;
		struct zone *zone = read_it(good[i].in, &plain, &report);
		struct zone *second = NULL;
		struct text out, out2;

		text_init(&out);
		text_init(&out2);
		if (zone)
			zone_print(zone, &out);
		else
			text_add(&out, "%s", report.items[0].text);
		is_string(out.data, good[i].out, "%s", good[i].what);
		second = read_it(out.data, &plain, &again);
		if (second)
			zone_print(second, &out2);
		ok(zone && second && zone_equal(zone, second, false),
			"  read again: equal");
		is_string(out2.data, out.data, "  printed again: the same");
		text_fini(&out);
		text_fini(&out2);
		zone_free(zone);
		zone_free(second);
		zone_report_fini(&report);
		zone_report_fini(&again);
	}
}

static const struct {
	const char *in, *error;
} bad[] = {
	{"a 60 A 192.0.2\n", "db:1: A: Syntax error, could not parse the RR's "
			     "rdata"},
	{"\n\na 60 A\n", "db:3: A: Syntax error, value expected"},
	{"a 60 A 192.0.2.1 x\n",
		"db:1: A: Syntax error, superfluous text present"},
	{"a 60 MX 65536 b\n",
		"db:1: MX: \"65536\" is not a number from 0 to 65535"},
	{"a 60 SRV 0 0 99999 b\n",
		"db:1: SRV: \"99999\" is not a number from 0 to 65535"},
	{"@ 60 SOA a b 4294967296 2 3 4 5\n",
		"db:1: SOA: \"4294967296\" is not a number from 0 to "
		"4294967295"},
	{"a 60 MX -1 b\n", "db:1: MX: \"-1\" is not a number from 0 to 65535"},
	{"a 60 FOO bar\n", "db:1: \"FOO\" is not a type"},
	{"a 60\n", "db:1: record without a type"},
	{"a\n", "db:1: record without a type"},
	{"a 60 CH TXT x\n", "db:1: class CH is not served"},
	{"a 60 60 A 192.0.2.1\n", "db:1: \"60\" is not a type"},
	{"a 2147483648 A 192.0.2.1\n", "db:1: \"2147483648\" is not a type"},
	{"a..b 60 A 192.0.2.1\n", "db:1: \"a..b\" is not a domain name"},
	{" 60 A 192.0.2.1\n", "db:1: record without an owner"},
	{"a 60 A 192.0.2.1\nlong..b 60 A 192.0.2.1\n 60 A 192.0.2.2\n",
		"db:2: \"long..b\" is not a domain name"},
	{"a 60 TXT \"b\n", "db:1: string is not closed"},
	{"a 60 TXT (b\n", "db:1: ( is not closed"},
	{"a 60 TXT b)\n", "db:1: ) without ("},
	{"a 60 TXT \"b\\", "db:1: nothing behind \\"},
	{"a 60 TXT b\x01\n", "db:1: control character"},
	{"a 60 OPT x\n", "db:1: type OPT is not for zones"},
	{"a 60 ANY x\n", "db:1: type ANY is not for zones"},
	{"a 60 TYPE65280 \\# 4 010203\n",
		"db:1: TYPE65280: Syntax error, could not parse the RR's "
		"rdata"},
	{"$TTL\n", "db:1: $TTL needs one time"},
	{"$TTL 1x\n", "db:1: $TTL needs one time"},
	{"$ORIGIN\n", "db:1: $ORIGIN needs one name"},
	{"$ORIGIN a b\n", "db:1: $ORIGIN needs one name"},
	{"$ORIGIN a..b\n", "db:1: \"a..b\" is not a domain name"},
	{"$FOO\n", "db:1: unknown directive $FOO"},
	{"$INCLUDE\n", "db:1: $INCLUDE needs a file"},
	{"$INCLUDE /etc/passwd\n", "db:1: $INCLUDE is not allowed here"},
	{"$GENERATE 1-3 a$ A\n",
		"db:1: $GENERATE needs a range, owner, type and rdata"},
	{"$GENERATE 3-1 a$ A 192.0.2.$\n",
		"db:1: $GENERATE: \"3-1\" is not a range"},
	{"$GENERATE 1-3/0 a$ A 192.0.2.$\n",
		"db:1: $GENERATE: \"1-3/0\" is not a range"},
	{"$GENERATE 0-2000000000 a$ A 192.0.2.1\n",
		"db:1: $GENERATE makes more than 262144 records"},
	{"$GENERATE 1-3 a${ A 192.0.2.1\n",
		"db:1: $GENERATE: \"a${\" fails for 1"},
	{"$GENERATE 1-3 a${-2} A 192.0.2.1\n",
		"db:1: $GENERATE: \"a${-2}\" fails for 1"},
	{"$GENERATE 1 a$ A 192.0.2.1\n",
		"db:1: $GENERATE: \"1\" is not a range"},
	{"$GENERATE 1-99999999999 a$ A 192.0.2.1\n",
		"db:1: $GENERATE: \"1-99999999999\" is not a range"},
	{"$GENERATE 1-2 a${0,999} A 192.0.2.1\n",
		"db:1: $GENERATE: \"a${0,999}\" fails for 1"},
	{"$GENERATE 1-2 a${0,1,q} A 192.0.2.1\n",
		"db:1: $GENERATE: \"a${0,1,q}\" fails for 1"},
	{"$GENERATE 1-2 a${x} A 192.0.2.1\n",
		"db:1: $GENERATE: \"a${x}\" fails for 1"},
	{"a 60 TXT \"b", "db:1: string is not closed"},
	{"@ 60 HTTPS 1 . port=1 key1=x key0=y\n",
		"db:1: HTTPS: Syntax error, could not parse the RR's rdata"},
	{"$GENERATE 254-300 a$ A 192.0.2.$\n",
		"db:1: A: Syntax error, could not parse the RR's rdata"},
};

static void test_bad(void)
{
	for (size_t i = 0; i < countof(bad); i++) {
		struct zone_report report;
		struct zone *zone = read_it(bad[i].in, &plain, &report);
		struct err err = {"none"};

		ok(zone == NULL, "no zone of: %.30s", bad[i].in);
		zone_report_err(&report, &err);
		is_string(err.text, bad[i].error, "  why");
		zone_free(zone);
		zone_report_fini(&report);
	}
}

static void test_many(void)
{
	static const char text[] = "a 60 A 1\nb 60 A 192.0.2.1\nc 60 A 2\n"
				   "d 60 FOO x\n";
	struct zone_report report;
	struct zone *zone = read_it(text, &plain, &report);
	struct err err;
	struct text big;

	ok(!zone && report.errors == 3, "all errors in one run");
	ok(strncmp(report.items[2].text, "db:4:", 5) == 0, "with their lines");
	is_int(zone_report_err(&report, &err), -22, "as an err");
	ok(strstr(err.text, "(and 2 more)") != NULL, "which tells how many");
	zone_report_fini(&report);

	text_init(&big);
	for (int i = 0; i < 1000; i++)
		text_add(&big, "a 60 FOO x\n");
	zone = read_it(big.data, &plain, &report);
	ok(!zone && report.errors == 1000 && report.count == 200,
		"of 1000 errors 200 are kept");
	zone_report_fini(&report);
	text_fini(&big);
}

/* Long lines: 120 strings of 250 octets, and what is too long. */
static void test_long(void)
{
	struct zone_report report;
	struct zone *zone;
	struct text in, out;

	text_init(&in);
	text_init(&out);
	text_add(&in, "a.x. 60 IN TXT");
	for (int i = 0; i < 120; i++)
		text_add(&in, " \"%0250d\"", i);
	text_add(&in, "\n");
	zone = read_it(in.data, &plain, &report);
	ok(zone != NULL, "a record of 30,000 octets");
	if (zone)
		zone_print(zone, &out);
	is_string(out.data, in.data, "  as it was");
	zone_free(zone);
	zone_report_fini(&report);
	text_fini(&in);
	text_fini(&out);

	text_add(&in, "a 60 TXT ");
	for (int i = 0; i < 66000; i++)
		text_add(&in, "x");
	text_add(&in, "\nb 60 A bad\n");
	zone = read_it(in.data, &plain, &report);
	ok(!zone && report.errors == 2, "a line of 66,000 octets");
	is_string(report.items[0].text, "db:1: line is longer than 64 KiB",
		"  why");
	ok(strncmp(report.items[1].text, "db:2: A:", 8) == 0,
		"  and reading goes on behind it");
	zone_report_fini(&report);
	text_fini(&in);

	text_add(&in, "a 60 TXT ");
	for (int i = 0; i < 1100; i++)
		text_add(&in, "x ");
	zone = read_it(in.data, &plain, &report);
	ok(!zone, "1100 words");
	is_string(report.items[0].text,
		"db:1: more than 1024 words in a record", "  why");
	zone_report_fini(&report);
	text_fini(&in);

	text_add(&in, "a 60 TXT %0256d\n", 0);
	zone = read_it(in.data, &plain, &report);
	ok(!zone, "a string of 256 octets");
	zone_report_fini(&report);
	text_fini(&in);
}

static void test_limits(void)
{
	struct zone_read_options few = {.origin = "x", .max_records = 2};
	struct zone_read_options outside = {
		.origin = "x", .drop_outside = true};
	struct zone_report report;
	struct zone *zone;

	zone = read_it("$GENERATE 1-9 a$ 60 A 192.0.2.$\n", &few, &report);
	ok(!zone && report.errors == 1, "limit of records");
	is_string(report.items[0].text, "db:1: more than 2 records", "  why");
	zone_report_fini(&report);
	zone = read_it("a 60 A 192.0.2.1\nb 60 A 192.0.2.1", &plain, &report);
	ok(zone && report.warnings == 1, "a file without an end is told");
	zone_free(zone);
	zone_report_fini(&report);
	zone = read_it(
		"a.y. 60 A 192.0.2.1\nb 60 A 192.0.2.1\n", &outside, &report);
	ok(zone && zone_count(zone) == 1 && report.warnings == 1,
		"records out of zone are dropped as named does");
	zone_free(zone);
	zone_report_fini(&report);
	zone = zone_read_text("", 0, "db",
		&(struct zone_read_options){.origin = "a..b"}, &report);
	ok(!zone && report.errors == 1, "origin that is no name");
	zone_report_fini(&report);
}

static char dir[] = "/tmp/zone-read-t.XXXXXX";

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		tap_bail("%s", path);
}

static void try_include(const char *text, const char *want, const char *what)
{
	char zones[256], path[256];
	struct zone_read_options options = {.origin = "x"};
	struct zone_report report;
	struct zone *zone;
	struct text out;
	struct err err;

	snprintf(zones, sizeof(zones), "%s/zones", dir);
	snprintf(path, sizeof(path), "%s/zones/db", dir);
	options.include_dir = zones;
	put("zones/db", text);
	zone_report_init(&report);
	text_init(&out);
	zone = zone_read_file(path, &options, &report);
	if (zone)
		zone_print(zone, &out);
	else if (zone_report_err(&report, &err) != 0)
		text_add(&out, "%s", err.text + strlen(dir));
	ok(strstr(out.data, want) != NULL, "%s", what);
	if (!strstr(out.data, want))
		tap_diag("got: %s", out.data);
	zone_free(zone);
	text_fini(&out);
	zone_report_fini(&report);
}

static void test_include(void)
{
	char path[256];

	if (!mkdtemp(dir))
		tap_bail("mkdtemp");
	snprintf(path, sizeof(path), "%s/zones", dir);
	if (mkdir(path, 0700) != 0)
		tap_bail("mkdir");
	snprintf(path, sizeof(path), "%s/zones/link", dir);
	put("outside", "o 60 A 192.0.2.66\n");
	if (symlink("../outside", path) != 0)
		tap_bail("symlink");
	put("zones/part", "$ORIGIN p.x.\nq 60 A 192.0.2.2\n");
	put("zones/loop", "$INCLUDE loop\n");
	put("zones/broken", "\nq 60 A x\n");

	try_include("$INCLUDE part\nr 60 A 192.0.2.3\n",
		"q.p.x. 60 IN A 192.0.2.2\nr.x. 60 IN A 192.0.2.3\n",
		"the origin is as before behind it");
	try_include("@ 60 A 192.0.2.1\n$INCLUDE \"part\" s\n\t60 TXT a\n",
		"x. 60 IN TXT \"a\"", "so is the owner");
	put("zones/part", "q 60 A 192.0.2.2\n");
	try_include("$INCLUDE part s\n", "q.s.x. 60 IN A", "with an origin");
	try_include("$INCLUDE link\n", "not below", "a link out of it");
	try_include("$INCLUDE ../outside\n", "not below", "a path out of it");
	try_include("$INCLUDE /etc/passwd\n", "not below", "an absolute one");
	try_include("$INCLUDE none\n", "/zones/db:1: $INCLUDE none: No such",
		"no such file");
	try_include("$INCLUDE part a..b\n", "is not a domain name",
		"an origin that is no name");
	try_include("$INCLUDE .\n", "not below", "the directory itself");
	try_include("$INCLUDE loop\n", "nested too deep", "a loop");
	try_include("$INCLUDE broken\n", "/zones/broken:2: A: Syntax",
		"an error inside tells the inner line");
	snprintf(path, sizeof(path), "rm -r %s", dir);
	if (system(path) != 0)
		tap_diag("cannot remove %s", dir);
}

static void test_no_file(void)
{
	struct zone_report report;

	zone_report_init(&report);
	ok(!zone_read_file("/nonexistent/db", &plain, &report), "no file");
	is_string(report.items[0].text,
		"/nonexistent/db: No such file or directory", "  why");
	zone_report_fini(&report);
	ok(!zone_read_file("/", &plain, &report), "not a file");
	zone_report_fini(&report);
}

static void test_no_memory(void)
{
	static const char text[] = "$TTL 60\n" SOA "a A 192.0.2.1\n"
				   "$GENERATE 1-3 h$ TXT a$\n";
	bool done = false;
	unsigned n;

	for (n = 0; !done && n < 10000; n++) {
		struct zone_report report;
		struct zone *zone;

		zone_report_init(&report);
		failmem_after(n);
		zone = zone_read_text(
			text, strlen(text), "db", &plain, &report);
		failmem_off();
		done = zone != NULL;
		if (!zone && report.errors == 0)
			ok(false, "no zone and no error at %u", n);
		if (zone && zone_count(zone) != 5)
			ok(false, "a zone cut short at %u", n);
		zone_free(zone);
		zone_report_fini(&report);
	}
	ok(done && n > 10, "without memory: an error, never half a zone");
}

int main(void)
{
	test_good();
	test_bad();
	test_many();
	test_long();
	test_limits();
	test_include();
	test_no_file();
	test_no_memory();
	return tap_done();
}
