/* SPDX-License-Identifier: ISC */
/* Small files of the kernel's own, read whole, for each page. */

#include "frontend/kernel.h"

#include "common/base/base.h"

#include <stdio.h>
#include <unistd.h>

#define FILE_MAX 16384

struct source {
	const char *file, *group;
};

static const struct source snmp = {"/proc/net/snmp", "Udp"};
static const struct source snmp6 = {"/proc/net/snmp6", NULL};
static const struct source netstat = {"/proc/net/netstat", "TcpExt"};

struct value {
	const struct source *source;
	const char *key, *name, *help;
};

static const struct value values[] = {
	{&snmp, "InErrors", "dnsdist_udp_in_errors",
		"UDP datagrams of the host that could not be delivered."},
	{&snmp, "NoPorts", "dnsdist_udp_noport_errors",
		"UDP datagrams of the host for a port without a listener."},
	{&snmp, "RcvbufErrors", "dnsdist_udp_recvbuf_errors",
		"UDP datagrams of the host lost to a full receive buffer."},
	{&snmp, "SndbufErrors", "dnsdist_udp_sndbuf_errors",
		"UDP datagrams of the host lost to a full send buffer."},
	{&snmp, "InCsumErrors", "dnsdist_udp_in_csum_errors",
		"UDP datagrams of the host with a wrong checksum."},
	{&snmp6, "Udp6InErrors", "dnsdist_udp6_in_errors",
		"The same over IPv6."},
	{&snmp6, "Udp6NoPorts", "dnsdist_udp6_noport_errors",
		"The same over IPv6."},
	{&snmp6, "Udp6RcvbufErrors", "dnsdist_udp6_recvbuf_errors",
		"The same over IPv6."},
	{&snmp6, "Udp6SndbufErrors", "dnsdist_udp6_sndbuf_errors",
		"The same over IPv6."},
	{&snmp6, "Udp6InCsumErrors", "dnsdist_udp6_in_csum_errors",
		"The same over IPv6."},
	{&netstat, "ListenOverflows", "dnsdist_tcp_listen_overflows",
		"TCP connections of the host lost to a full backlog."},
};

/* The value behind the word `key` in a line of words. Its place: -1, none. */
static int place_of(const char *line, size_t len, const char *key)
{
	size_t key_len = strlen(key);
	int place = 0;

	while (len > 0) {
		size_t word = strcspn(line, " \n");

		if (word > len)
			word = len;
		if (word == key_len && memcmp(line, key, word) == 0)
			return place;
		line += word + (word < len);
		len -= word + (word < len);
		place++;
	}
	return -1;
}

static bool number_at(const char *line, int place, uint64_t *value)
{
	char *end;

	for (; place > 0 && *line && *line != '\n'; place--) {
		line += strcspn(line, " \n");
		line += *line == ' ';
	}
	*value = strtoull(line, &end, 10);
	return place == 0 && end != line;
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : NULL;
}

static bool is_group(const char *line, const char *group)
{
	size_t n = strlen(group);

	return strncmp(line, group, n) == 0 && line[n] == ':';
}

static bool find_in_group(
	const char *text, const char *group, const char *key, uint64_t *value)
{
	const char *line, *numbers;
	int place;

	for (line = text; line; line = next_line(line)) {
		if (!is_group(line, group))
			continue;
		place = place_of(line, strcspn(line, "\n"), key);
		numbers = next_line(line);
		return place >= 0 && numbers && is_group(numbers, group) &&
		       number_at(numbers, place, value);
	}
	return false;
}

bool kernel_find(
	const char *text, const char *group, const char *key, uint64_t *value)
{
	size_t n = strlen(key);
	const char *line;

	if (group)
		return find_in_group(text, group, key, value);
	for (line = text; line; line = next_line(line))
		if (strncmp(line, key, n) == 0 &&
			(line[n] == ' ' || line[n] == '\t')) {
			line += n + strspn(line + n, " \t");
			return number_at(line, 0, value);
		}
	return false;
}

static bool read_text(const char *path, char text[FILE_MAX])
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return false;
	n = fread(text, 1, FILE_MAX - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	return n > 0;
}

/* "cpu  user nice system idle iowait irq softirq steal": in ticks. */
static void each_cpu(kernel_value_fn fn, void *arg, char text[FILE_MAX])
{
	static const struct {
		int place;
		const char *name, *help;
	} fields[] = {
		{6, "dnsdist_cpu_iowait",
			"Ticks in which the host's processors waited for I/O."},
		{9, "dnsdist_cpu_steal",
			"Ticks in which they were taken by the hypervisor."},
	};
	uint64_t value;

	if (!read_text("/proc/stat", text))
		return;
	for (size_t i = 0; i < countof(fields); i++)
		if (number_at(text, fields[i].place, &value))
			fn(arg, fields[i].name, fields[i].help, value);
}

void kernel_each(kernel_value_fn fn, void *arg)
{
	const struct source *last = NULL;
	char text[FILE_MAX];
	bool there = false;
	uint64_t value;

	for (size_t i = 0; i < countof(values); i++) {
		const struct value *v = &values[i];

		if (v->source != last)
			there = read_text(v->source->file, text);
		last = v->source;
		if (there &&
			kernel_find(text, v->source->group, v->key, &value))
			fn(arg, v->name, v->help, value);
	}
	each_cpu(fn, arg, text);
}
