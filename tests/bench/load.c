/* SPDX-License-Identifier: ISC */
/*
 * The load generator's command line. Prints one JSON object.
 *
 *	load [OPTION...] ADDRESS:PORT
 *	load [OPTION...] --start ADDRESS:PORT COMMAND [ARGUMENT...]
 *
 * The second form starts a server and tells how long it took until its first
 * good answer, then ends it.
 */

#include "tests/bench/load.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS 10000

enum {
	OPT_TCP = 256,
	OPT_SINGLE,
	OPT_START
};

static const struct option options[] = {
	{"names", required_argument, NULL, 'n'},
	{"seed", required_argument, NULL, 'S'},
	{"sources", required_argument, NULL, 's'},
	{"window", required_argument, NULL, 'w'},
	{"connections", required_argument, NULL, 'c'},
	{"seconds", required_argument, NULL, 't'},
	{"count", required_argument, NULL, 'N'},
	{"rate", required_argument, NULL, 'r'},
	{"timeout-ms", required_argument, NULL, 'T'},
	{"pid", required_argument, NULL, 'p'},
	{"tcp", no_argument, NULL, OPT_TCP},
	{"single", no_argument, NULL, OPT_SINGLE},
	{"start", no_argument, NULL, OPT_START},
	{NULL, 0, NULL, 0},
};

static _Noreturn void usage(void)
{
	fprintf(stderr,
		"usage: load [--names hot:N|zipf:N:PERCENT|each:N|unique] "
		"[--seed N]\n"
		"            [--sources N] [--window N] [--connections N] "
		"[--tcp] [--single]\n"
		"            [--seconds S] [--count N] [--rate QPS] "
		"[--timeout-ms N] [--pid PID]\n"
		"            ADDRESS:PORT | --start ADDRESS:PORT COMMAND "
		"[ARGUMENT...]\n");
	exit(2);
}

static unsigned number(const char *text, unsigned long max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || end == text || value == 0 || value > max)
		usage();
	return (unsigned)value;
}

static void set_option(struct load_config *c, int option)
{
	switch (option) {
	case 's':
		c->sources = number(optarg, 64);
		break;
	case 'w':
		c->window = number(optarg, WINDOW_MAX);
		if (c->window & (c->window - 1))
			usage();
		break;
	case 'c':
		c->connections = number(optarg, 10000);
		break;
	case 't':
		c->seconds = strtod(optarg, NULL);
		break;
	case 'N':
		c->count = number(optarg, UINT32_MAX);
		break;
	case 'r':
		c->rate = strtod(optarg, NULL);
		break;
	case 'T':
		c->timeout_ms = number(optarg, 60000);
		break;
	case 'p':
		c->pid = (pid_t)number(optarg, INT32_MAX);
		break;
	case OPT_TCP:
		c->tcp = true;
		break;
	case OPT_SINGLE:
		c->single = true;
		break;
	default:
		usage();
	}
}

static void print_result(const struct load_result *r)
{
	double per_core = r->cpu_s > 0 ? (double)r->answered / r->cpu_s : 0;

	printf("{\"sent\": %llu, \"answered\": %llu, \"lost\": %llu, "
	       "\"wrong_id\": %llu, \"wrong_question\": %llu, "
	       "\"failed\": %llu, \"malformed\": %llu, \"errors\": %llu, "
	       "\"seconds\": %.3f, \"cpu_s\": %.3f, \"qps\": %.0f, "
	       "\"per_core\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f}\n",
		(unsigned long long)r->sent, (unsigned long long)r->answered,
		(unsigned long long)r->lost, (unsigned long long)r->wrong_id,
		(unsigned long long)r->wrong_question,
		(unsigned long long)r->failed, (unsigned long long)r->malformed,
		(unsigned long long)r->errors, r->seconds, r->cpu_s,
		r->seconds > 0 ? (double)r->answered / r->seconds : 0, per_core,
		latency_quantile_us(r, 0.5), latency_quantile_us(r, 0.99));
}

/* --- start ------------------------------------------------------------- */

static pid_t start(char **command)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)dup2(STDERR_FILENO, STDOUT_FILENO); /* ours is JSON */
		(void)execvp(command[0], command);
		fprintf(stderr, "load: %s: %s\n", command[0], strerror(errno));
		_exit(127);
	}
	return pid;
}

/* One question; was it answered well within a millisecond? */
static bool try_once(struct load_config *c)
{
	struct window w;
	struct load_result r = {0};
	struct slot *s;
	uint8_t in[1500];
	int fd = load_socket(c, SOCK_DGRAM, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n = 0;

	if (fd < 0)
		return false;
	window_init(&w, 1);
	s = window_ask(&w, &c->names, mtime_now().us);
	if (s && send(fd, s->msg + 2, QUERY_OCTETS, 0) > 0 &&
		poll(&p, 1, 1) > 0)
		n = recv(fd, in, sizeof(in), 0);
	close(fd);
	return n > 0 && window_answer(&w, in, (size_t)n, mtime_now().us, &r) &&
	       r.failed == 0;
}

static int time_start(struct load_config *c, char **command)
{
	struct mtime begin = mtime_now();
	pid_t pid = start(command);
	int64_t us = 0;
	bool answered = false;

	while (pid > 0 && !answered && us < START_MS * 1000) {
		struct mtime asked = mtime_now();

		answered = try_once(c);
		us = mtime_sub_us(mtime_now(), begin);
		/* a closed port says so at once */
		while (!answered && mtime_sub_us(mtime_now(), asked) < 500)
			(void)poll(NULL, 0, 1);
	}
	if (pid > 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	if (!answered) {
		fprintf(stderr, "load: %s gave no good answer\n", command[0]);
		return 1;
	}
	printf("{\"start_ms\": %.1f}\n", (double)us / 1000);
	return 0;
}

int main(int argc, char **argv)
{
	struct load_config c = {.sources = 12,
		.window = 16,
		.connections = 50,
		.seconds = 2,
		.timeout_ms = 1000};
	static struct load_result r;
	const char *names = "hot:1000";
	bool starting = false;
	uint32_t seed = (uint32_t)getpid();
	int option, rc;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'n')
			names = optarg;
		else if (option == 'S')
			seed = number(optarg, UINT32_MAX);
		else if (option == OPT_START)
			starting = true;
		else
			set_option(&c, option);
	}
	if (optind >= argc || addr_parse(argv[optind], 53, &c.server) < 0 ||
		names_init(&c.names, names, seed) < 0 ||
		(starting ? argc < optind + 2 : argc != optind + 1))
		usage();
	if (c.count > 0)
		c.seconds = 3600;
	if (starting)
		return time_start(&c, argv + optind + 1);
	rc = c.tcp ? load_tcp(&c, &r) : load_udp(&c, &r);
	names_fini(&c.names);
	if (rc < 0) {
		fprintf(stderr, "load: %s\n", strerror(-rc));
		return 1;
	}
	print_result(&r);
	return 0;
}
