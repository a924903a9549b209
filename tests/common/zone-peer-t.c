/* SPDX-License-Identifier: ISC */
/*
 * Our reading of zone text beside NSD's (skipped where nsd-checkzone is not
 * installed): what we print NSD must take, with the same serial; what makes
 * NSD lose a zone must be an error here too.
 */

#include "common/zone/zone.h"

#include "tests/tap/tap.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEAD                                                                   \
	"$TTL 60\n@ SOA ns admin 2026021401 3600 600 604800 300\n@ NS ns\n"    \
	"ns A 192.0.2.53\n"

static char path[] = "/tmp/zone-peer-t.XXXXXX";
static const char *program;

static void put(const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(text, 1, len, f) != len || fclose(f) != 0)
		tap_bail("%s", path);
}

/* What nsd-checkzone says of the file: true when it takes it. */
static bool nsd_takes(const char *text, size_t len)
{
	pid_t pid;
	int status;

	put(text, len);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		if (null >= 0) {
			dup2(null, STDOUT_FILENO);
			dup2(null, STDERR_FILENO);
		}
		execl(program, program, "example.net", path, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		tap_bail("cannot run %s", program);
	if (!WIFEXITED(status) || WEXITSTATUS(status) == 127)
		tap_bail("%s did not run", program);
	return WEXITSTATUS(status) == 0;
}

/* Ours: read and check; the printed text goes to `out` when it is good. */
static bool we_take(const char *text, struct text *out)
{
	struct zone_read_options options = {.origin = "example.net"};
	struct zone_report report;
	struct zone *zone;
	bool good;

	zone_report_init(&report);
	zone = zone_read_text(text, strlen(text), "db", &options, &report);
	good = zone && zone_check(zone, NULL, &report) == 0;
	if (good)
		zone_print(zone, out);
	else if (report.count > 0)
		text_add(out, "%s", report.items[0].text);
	zone_free(zone);
	zone_report_fini(&report);
	return good;
}

static const char *const good[] = {
	HEAD,
	HEAD "* A 192.0.2.1\na\\.b\\000 A 192.0.2.1\n\\@\\$\\\" A 192.0.2.1\n",
	HEAD "@ TXT \"a \\\"b\\\" ; c\" d\\;e \"\" \"\\000\\255\"\n",
	HEAD "@ MX 10 ns\n_s._tcp SRV 0 0 53 ns\n@ CAA 0 issue \"ca.x\"\n",
	HEAD "@ HTTPS 1 . alpn=\"h2,h3\" port=443 ipv4hint=192.0.2.1\n",
	HEAD
	"a SVCB 0 b\n@ NAPTR 1 2 \"s\" \"e2u\" \"\" ns\n@ HINFO a \"b c\"\n",
	HEAD "@ DNSKEY 256 3 8 AwEA Acw=\n@ NSEC a A MX RRSIG TYPE65280\n"
	     "a DS 1 8 2 ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789"
	     "ABCDEF0123456789\na NS ns.a\nns.a A 192.0.2.2\n",
	HEAD "@ LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m\n"
	     "@ SSHFP 1 1 1234567890\n@ TLSA 3 1 1 abcdef\n@ RP admin ns\n"
	     "@ APL 1:192.168.32.0/21 !1:192.168.38.0/28\n",
	HEAD "a TYPE65280 \\# 3 010203\nb URI 10 1 \"http://x/\"\n"
	     "c CERT 1 2 3 AwEA\nd DNAME e.\nf EUI48 00-00-5e-00-53-2a\n",
	HEAD "$GENERATE 0-255 $ PTR h${0,3,d}.example.net.\n",
};

/* NSD refuses each of these at start or loses the zone at reload. */
static const char *const bad[] = {
	"$TTL 60\n@ NS ns\n",
	HEAD "@ SOA ns admin 2 3600 600 604800 300\n",
	HEAD "a CNAME b\na A 192.0.2.1\n",
	HEAD "a CNAME b\na CNAME c\n",
	HEAD "@ CNAME a\n",
	HEAD "a.example.org. A 192.0.2.1\n",
	HEAD "d DNAME e.\na.d A 192.0.2.1\n",
	HEAD "d DNAME e.\nd DNAME f.\n",
	HEAD "a A 192.0.2.256\n",
	HEAD "a A\n",
	HEAD "a A 192.0.2.1 x\n",
	HEAD "a AAAA ::g\n",
	HEAD "a MX ns\n",
	HEAD "a TXT\n",
	HEAD "a TXT \"not closed\n",
	HEAD "a NOTYPE x\n",
	HEAD "a..b A 192.0.2.1\n",
	HEAD "a CNAME aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	     "aaaaaaaaa\n",
	HEAD "$INCLUDE /nonexistent/file\n",
	HEAD "$FOO bar\n",
	HEAD "a CH A 192.0.2.1\n",
	"",
};

/* NSD takes these and serves something else than was written. */
static const char *const wrong[] = {
	HEAD "a SRV 0 0 65536 ns\n",
	HEAD "a TYPE65280 \\# 4 010203\n",
	HEAD "a ( A 192.0.2.1\n",
};

/* The line behind HEAD, without its end. */
static const char *last_line(const char *text)
{
	static char line[60];

	if (strncmp(text, HEAD, strlen(HEAD)) == 0)
		text += strlen(HEAD);
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(text, "\n"), text);
	return line;
}

static void test_good(void)
{
	for (size_t i = 0; i < countof(good); i++) {
		struct text out;
		bool taken;

		text_init(&out);
		ok(we_take(good[i], &out), "we take: %s", last_line(good[i]));
		taken = nsd_takes(out.data, out.len);
		ok(taken, "  NSD takes what we print");
		if (!taken)
			tap_diag("%s", out.data);
		text_fini(&out);
	}
}

static void refuse(const char *text)
{
	struct text out;
	bool taken;

	text_init(&out);
	taken = we_take(text, &out);
	ok(!taken, "  we refuse: %s", taken ? last_line(text) : out.data);
	text_fini(&out);
}

static void test_bad(void)
{
	for (size_t i = 0; i < countof(bad); i++) {
		ok(!nsd_takes(bad[i], strlen(bad[i])), "NSD refuses: %s",
			last_line(bad[i]));
		refuse(bad[i]);
	}
	for (size_t i = 0; i < countof(wrong); i++)
		refuse(wrong[i]);
}

int main(void)
{
	static const char *const places[] = {
		"/usr/sbin/nsd-checkzone", "/usr/local/sbin/nsd-checkzone"};
	int fd;

	for (size_t i = 0; !program && i < countof(places); i++) {
		if (access(places[i], X_OK) == 0)
			program = places[i];
	}
	if (!program) {
		tap_plan(1);
		tap_skip(1, "no nsd-checkzone");
		return tap_done();
	}
	fd = mkstemp(path);
	if (fd < 0)
		tap_bail("mkstemp");
	close(fd);
	test_good();
	test_bad();
	unlink(path);
	return tap_done();
}
