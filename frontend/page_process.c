/* SPDX-License-Identifier: ISC */
/*
 * What the page says of the process, its averages and its host. Where
 * dnsdist has a counter for what cannot happen here, it stands at 0, so that
 * sums over several names go on.
 */

#include "frontend/page.h"

#include "frontend/kernel.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <config.h> /* of the build, not frontend/config.h */

#define OWN "ispdns_frontend_"

void page_one(struct text *out, const char *name, const char *type,
	const char *help, double value)
{
	metrics_family(out, name, type, help);
	text_add(out, "%s %.15g\n", name, value);
}

/* Resident memory in octets; 0: unknown. */
static double resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long size = 0, pages = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%ld %ld", &size, &pages) != 2)
		pages = 0;
	(void)fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* Open descriptors; 0: unknown. */
static double descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	if (!dir)
		return 0;
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n > 3 ? n - 3 : 0; /* ".", ".." and its own */
}

static void print_averages(
	const struct average *a, const char *prefix, struct text *out)
{
	for (unsigned i = 0; i < AVERAGES; i++) {
		char name[64];

		(void)snprintf(
			name, sizeof(name), "%s%u", prefix, average_spans[i]);
		page_one(out, name, "gauge",
			"Time of the last so many answers, about, "
			"microseconds.",
			a->us[i]);
	}
}

static void print_kernel(
	void *arg, const char *name, const char *help, uint64_t value)
{
	page_one(arg, name, "untyped", help, (double)value);
}

static void print_never(struct text *out)
{
	static const char *const pipes[] = {"doh_query_pipe_full",
		"doh_response_pipe_full", "outgoing_doh_query_pipe_full",
		"tcp_query_pipe_full", "tcp_cross_protocol_query_pipe_full",
		"tcp_cross_protocol_response_pipe_full",
		"proxy_protocol_invalid"};

	for (size_t i = 0; i < countof(pipes); i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "dnsdist_%s", pipes[i]);
		page_one(out, name, "untyped",
			"None: there is neither such a pipe nor protocol.", 0);
	}
	page_one(out, "dnsdist_trunc_failures", "untyped",
		"Errors while truncating an answer: none can happen.", 0);
	page_one(out, "dnsdist_security_status", "gauge",
		"0: no security polling.", 0);
}

static double sum_failures(const struct frontend *fe)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < SERVERS_MAX; i++)
		if (fe->registry.servers[i])
			sum += server_read(&fe->registry.servers[i]->failures);
	return (double)sum;
}

void page_process(const struct frontend *fe, struct text *out)
{
	struct rusage usage;
	double uptime =
		(double)(mtime_sub_us(mtime_now(), fe->started) / 1000000);

	metrics_family(out, OWN "build_info", "gauge", "1, with the version.");
	text_add(out, OWN "build_info{version=\"%s\"} 1\n", VERSION);
	page_one(out, OWN "uptime_seconds", "gauge", "Seconds since the start.",
		uptime);
	metrics_family(out, "dnsdist_info", "gauge", "1, with the version.");
	text_add(out, "dnsdist_info{version=\"ispdns-%s\"} 1\n", VERSION);
	page_one(out, "dnsdist_servfail_responses", "untyped",
		"SERVFAIL and alike received from backends.", sum_failures(fe));
	page_one(out, OWN "resident_memory_bytes", "gauge", "Resident memory.",
		resident());
	page_one(out, "dnsdist_real_memory_usage", "gauge",
		"Resident memory, octets.", resident());
	page_one(out, "dnsdist_uptime", "gauge", "Seconds since the start.",
		uptime);
	page_one(out, OWN "reloads_total", "counter",
		"Changes of configuration.", (double)fe->reloads);
	page_one(out, OWN "draining", "gauge", "1 while draining.",
		fe->draining);
	page_one(out, OWN "open_descriptors", "gauge", "Open descriptors.",
		descriptors());
	page_one(out, "dnsdist_fd_usage", "gauge", "Open descriptors.",
		descriptors());
	print_averages(&fe->average, "dnsdist_latency_avg", out);
	print_averages(&fe->tcp_average, "dnsdist_latency_tcp_avg", out);
	kernel_each(print_kernel, out);
	print_never(out);
	if (getrusage(RUSAGE_SELF, &usage) < 0)
		return;
	page_one(out, "dnsdist_cpu_user_msec", "untyped",
		"Milliseconds of user time.",
		(double)usage.ru_utime.tv_sec * 1000 +
			(double)(usage.ru_utime.tv_usec / 1000));
	page_one(out, "dnsdist_cpu_sys_msec", "untyped",
		"Milliseconds of system time.",
		(double)usage.ru_stime.tv_sec * 1000 +
			(double)(usage.ru_stime.tv_usec / 1000));
}
