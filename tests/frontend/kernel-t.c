/* SPDX-License-Identifier: ISC */
/* Counters of the kernel, as /proc tells them. */

#include "frontend/kernel.h"

#include "common/base/base.h"
#include "tests/tap/tap.h"

static const char snmp[] =
	"Ip: Forwarding DefaultTTL\nIp: 1 64\n"
	"Udp: InDatagrams NoPorts InErrors\nUdp: 36 1100 4072\n"
	"UdpLite: InDatagrams NoPorts InErrors\nUdpLite: 7 8 9\n";
static const char snmp6[] = "Udp6InDatagrams\t5\nUdp6InErrors     \t17\n"
			    "Udp6InErrorsX 1\n";

static bool is(
	const char *text, const char *group, const char *key, uint64_t want)
{
	uint64_t value;

	return kernel_find(text, group, key, &value) && value == want;
}

static bool is_none(const char *text, const char *group, const char *key)
{
	uint64_t value;

	return !kernel_find(text, group, key, &value);
}

static void count(void *arg, const char *name, const char *help, uint64_t value)
{
	unsigned *n = arg;

	(void)value;
	*n += strncmp(name, "dnsdist_", 8) == 0 && help[0];
}

int main(void)
{
	unsigned n = 0;

	ok(is(snmp, "Udp", "InDatagrams", 36), "the first");
	ok(is(snmp, "Udp", "InErrors", 4072), "the last of its group");
	ok(is(snmp, "Ip", "DefaultTTL", 64), "another group");
	ok(is(snmp, "UdpLite", "InErrors", 9), "a longer name of a group");
	ok(is_none(snmp, "Udp", "Errors"), "a part of a word is none");
	ok(is_none(snmp, "Tcp", "InErrors"), "a group that is not there");
	ok(is_none("Udp: A B\n", "Udp", "B"), "no line of numbers");
	ok(is_none("Udp: A B\nUdp: 1\n", "Udp", "B"), "a number is missing");
	ok(is_none("Udp: A B\nIp: 1 2\n", "Udp", "B"), "another's numbers");
	ok(is_none("", "Udp", "B"), "nothing");
	ok(is(snmp6, NULL, "Udp6InErrors", 17), "one per line");
	ok(is(snmp6, NULL, "Udp6InDatagrams", 5), "with a tab");
	ok(is_none(snmp6, NULL, "Udp6"), "a part of a word is none");
	kernel_each(count, &n);
	ok(n >= 2, "%u of this kernel", n);
	return tap_done();
}
