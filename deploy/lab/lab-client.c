/* SPDX-License-Identifier: ISC */
/*
 * ispdns-lab-client: sends DNS queries over UDP at a fixed rate and reports
 * what was lost and for how long, as one JSON object.
 *
 * An open loop: a query leaves at its time whether or not the ones before
 * were answered, since subscribers do not wait for each other. One record of
 * 16 bytes per query is kept, the table is allocated at start. `lost` counts
 * queries without an answer; a `gap` is the longest span of send times
 * between two neighbouring answered queries. `send_late_ms` is how late the
 * latest query left: what this program itself adds to a gap at most, when
 * its machine is busy.
 *
 * With --marks FIFO every line written there becomes a mark with the time
 * when it came, and the report has one window per mark (until the next one).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/base.h"

#define SOURCES_MAX 64
#define MARKS_MAX   64
#define QUERIES_MAX 8000000
#define QUERY_SIZE  320
#define NO_ANSWER   0xff

struct record {
	int64_t sent_us; /* since the start of the run */
	uint32_t rtt_us;
	uint8_t rcode; /* NO_ANSWER until answered */
	uint8_t tc;
};

struct mark {
	char name[48];
	int64_t at_us;
	unsigned from, to; /* the window's records */
};

static struct {
	struct sockaddr_storage server;
	socklen_t server_len;
	long rate, timeout_ms, first;
	double seconds;
	const char *name;
	int qtype;
	bool do_bit, no_rd;
	const char *marks_path;
	char *sources;
} opt = {.rate = 1000,
	.timeout_ms = 2000,
	.seconds = 10,
	.name = "www.zaibdns.lab",
	.qtype = 1};

static struct pollfd fds[SOURCES_MAX + 1];
static unsigned source_count;
static struct record *records;
static unsigned record_max, sent, unmatched, send_errors;
static struct mark marks[MARKS_MAX + 1];
static unsigned mark_count;
static int64_t start_us;
static volatile sig_atomic_t stopping;

static void on_signal(int sig)
{
	(void)sig;
	stopping = 1;
}

static NORETURN void die(const char *what, const char *arg)
{
	fprintf(stderr, "ispdns-lab-client: %s %s: %s\n", what, arg,
		strerror(errno));
	exit(2);
}

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000 - start_us;
}

/* ADDRESS or ADDRESS@PORT. */
static socklen_t parse_address(const char *text, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)(void *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)ss;
	char host[64];
	const char *at = strchr(text, '@');
	uint16_t port = htons((uint16_t)(at ? atoi(at + 1) : 53));

	memset(ss, 0, sizeof(*ss));
	snprintf(host, sizeof(host), "%.*s",
		at ? (int)(at - text) : (int)strlen(text), text);
	if (inet_pton(AF_INET, host, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = port;
		return sizeof(*in4);
	}
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = port;
		return sizeof(*in6);
	}
	errno = EINVAL;
	die("address", text);
}

static void put16(unsigned char *p, unsigned value)
{
	p[0] = (unsigned char)(value >> 8);
	p[1] = (unsigned char)value;
}

/* The name of query `seq`: each %u in the pattern becomes its number. */
static size_t put_name(unsigned char *out, unsigned seq)
{
	char text[256], *p = text;
	size_t len = 0, left = sizeof(text);

	for (const char *s = opt.name; *s && left > 12; s++) {
		int n = 1;

		if (s[0] == '%' && s[1] == 'u') {
			n = snprintf(p, left, "%u", seq + (unsigned)opt.first);
			s++;
		} else {
			*p = *s;
		}
		p += n;
		left -= (size_t)n;
	}
	*p = '\0';
	for (p = text; *p;) {
		size_t label = strcspn(p, ".");

		if (label == 0 || label > 63)
			break;
		out[len++] = (unsigned char)label;
		memcpy(out + len, p, label);
		len += label;
		p += label + (p[label] == '.');
	}
	out[len++] = 0;
	return len;
}

static size_t put_query(unsigned char *q, unsigned seq)
{
	size_t len = 12;

	memset(q, 0, QUERY_SIZE);
	put16(q, seq & 0xffff);
	q[2] = opt.no_rd ? 0 : 1;
	q[5] = 1;
	len += put_name(q + len, seq);
	put16(q + len, (unsigned)opt.qtype);
	q[len + 3] = 1;
	len += 4;
	if (opt.do_bit) {
		q[11] = 1;
		put16(q + len + 1, 41);
		put16(q + len + 3, 1232);
		q[len + 7] = 0x80;
		len += 11;
	}
	return len;
}

static int64_t due_us(unsigned seq)
{
	return (int64_t)seq * 1000000 / opt.rate;
}

static void send_one(void)
{
	unsigned char q[QUERY_SIZE];
	struct record *r = &records[sent];
	size_t len = put_query(q, sent);

	r->sent_us = now_us();
	r->rcode = NO_ANSWER;
	if (send(fds[sent % source_count].fd, q, len, MSG_DONTWAIT) < 0)
		send_errors++;
	sent++;
}

/* Find the newest query with this id and check that the question is its. */
static struct record *match(const unsigned char *a, size_t len)
{
	unsigned char q[QUERY_SIZE];
	unsigned id, seq;
	size_t name_len;

	if (len < 12 || sent == 0 || !(a[2] & 0x80))
		return NULL;
	id = (unsigned)a[0] << 8 | a[1];
	seq = sent - 1 - ((sent - 1 - id) & 0xffff);
	if (seq >= sent)
		return NULL;
	put_query(q, seq);
	name_len = put_name(q + 12, seq);
	if (len < 12 + name_len + 4 || memcmp(a + 12, q + 12, name_len + 4))
		return NULL;
	return &records[seq];
}

static void receive(int fd)
{
	unsigned char a[4096];
	ssize_t len;

	while ((len = recv(fd, a, sizeof(a), MSG_DONTWAIT)) > 0) {
		struct record *r = match(a, (size_t)len);
		int64_t rtt = r ? now_us() - r->sent_us : 0;

		if (!r || r->rcode != NO_ANSWER ||
			rtt > opt.timeout_ms * 1000) {
			unmatched++;
			continue;
		}
		r->rcode = a[3] & 0x0f;
		r->tc = (a[2] & 2) != 0;
		r->rtt_us = (uint32_t)rtt;
	}
}

/* Names go into JSON and into shell scripts: anything odd becomes `_`. */
static void add_mark(const char *name, size_t len)
{
	struct mark *m = &marks[mark_count];

	if (mark_count == MARKS_MAX || len == 0)
		return;
	snprintf(m->name, sizeof(m->name), "%.*s", (int)len, name);
	for (char *p = m->name; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
			    "XYZ0123456789-_.:",
			    *p))
			*p = '_';
	m->at_us = now_us();
	mark_count++;
}

static void read_marks(int fd)
{
	char text[512], *line = text, *end;
	ssize_t len = read(fd, text, sizeof(text) - 1);

	if (len <= 0)
		return;
	text[len] = '\0';
	while ((end = strchr(line, '\n')) != NULL) {
		add_mark(line, (size_t)(end - line));
		line = end + 1;
	}
}

static void pump(int64_t wait_us)
{
	struct timespec ts = {wait_us / 1000000, wait_us % 1000000 * 1000};

	if (ppoll(fds, source_count + 1, &ts, NULL) <= 0)
		return;
	for (unsigned i = 0; i < source_count; i++)
		if (fds[i].revents)
			receive(fds[i].fd);
	if (fds[source_count].revents)
		read_marks(fds[source_count].fd);
}

static void open_source(const char *source)
{
	struct sockaddr_storage from;
	int fd = socket(opt.server.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int size = 4 << 20;
	char address[80];
	socklen_t len;

	if (fd < 0 || source_count == SOURCES_MAX)
		die("socket", source ? source : "");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (source) {
		snprintf(address, sizeof(address), "%s@0", source);
		len = parse_address(address, &from);
		if (bind(fd, (struct sockaddr *)&from, len) < 0)
			die("bind", source);
	}
	if (connect(fd, (struct sockaddr *)&opt.server, opt.server_len) < 0)
		die("connect", "");
	fds[source_count].fd = fd;
	fds[source_count++].events = POLLIN;
}

static void open_sources(void)
{
	char *next = opt.sources;
	struct pollfd *m;

	if (!next)
		open_source(NULL);
	while (next)
		open_source(strsep(&next, ","));
	m = &fds[source_count];
	m->fd = -1;
	m->events = POLLIN;
	if (!opt.marks_path)
		return;
	if (mkfifo(opt.marks_path, 0600) < 0 && errno != EEXIST)
		die("mkfifo", opt.marks_path);
	/* Read and write, so that it never reports the end of file. */
	m->fd = open(opt.marks_path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (m->fd < 0)
		die("open", opt.marks_path);
}

/* Can a query from `*oldest` on still get an answer that counts? */
static bool is_waiting(unsigned *oldest)
{
	int64_t from_us = now_us() - opt.timeout_ms * 1000;

	while (*oldest < sent && (records[*oldest].rcode != NO_ANSWER ||
					 records[*oldest].sent_us < from_us))
		++*oldest;
	return *oldest < sent;
}

static void run(void)
{
	int64_t end_us = (int64_t)(opt.seconds * 1e6);
	unsigned oldest = 0;

	while (!stopping && sent < record_max) {
		int64_t due = due_us(sent);
		int64_t now = now_us();

		if (due >= end_us)
			break;
		if (due <= now)
			send_one();
		pump(due <= now ? 0 : due - now);
	}
	while (is_waiting(&oldest))
		pump(10000);
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static void print_times(unsigned from, unsigned to)
{
	uint32_t *t = calloc(to - from + 1, sizeof(*t));
	unsigned n = 0;

	if (!t)
		die("memory", "");
	for (unsigned i = from; i < to; i++)
		if (records[i].rcode != NO_ANSWER)
			t[n++] = records[i].rtt_us;
	qsort(t, n, sizeof(*t), compare_u32);
	printf("\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f",
		n ? t[n / 2] / 1000.0 : 0.0,
		n ? t[(size_t)n * 99 / 100] / 1000.0 : 0.0,
		n ? t[n - 1] / 1000.0 : 0.0);
	free(t);
}

/* The longest span between answered neighbours that touches the window. */
static void longest_gap(
	unsigned from, unsigned to, double *gap_ms, double *at_ms)
{
	int64_t before = -1;

	*gap_ms = *at_ms = 0;
	for (unsigned i = 0; i <= sent; i++) {
		int64_t t, span;

		if (i < sent && records[i].rcode == NO_ANSWER)
			continue;
		/* Unanswered to the end counts up to the last query. */
		t = i < sent ? records[i].sent_us
		    : sent   ? records[sent - 1].sent_us
			     : 0;
		if (before < 0)
			before = sent ? records[0].sent_us : 0;
		span = t - before;
		if (i >= from && from < to &&
			before <= records[to - 1].sent_us &&
			(double)span / 1000 > *gap_ms) {
			*gap_ms = (double)span / 1000;
			*at_ms = (double)before / 1000;
		}
		before = t;
	}
}

static void print_window(unsigned from, unsigned to)
{
	static const char *const names[16] = {"NOERROR", "FORMERR", "SERVFAIL",
		"NXDOMAIN", "NOTIMP", "REFUSED"};
	unsigned rcodes[16] = {0}, n = 0, tc = 0;
	int64_t late_us = 0;
	double gap_ms, at_ms;
	const char *comma = "";

	for (unsigned i = from; i < to; i++) {
		if (records[i].sent_us - due_us(i) > late_us)
			late_us = records[i].sent_us - due_us(i);
		if (records[i].rcode == NO_ANSWER)
			continue;
		rcodes[records[i].rcode & 15]++;
		tc += records[i].tc;
		n++;
	}
	longest_gap(from, to, &gap_ms, &at_ms);
	printf("\"sent\":%u,\"answered\":%u,\"lost\":%u,\"truncated\":%u,"
	       "\"longest_gap_ms\":%.3f,\"gap_at_ms\":%.3f,"
	       "\"send_late_ms\":%.3f,\"rcodes\":{",
		to - from, n, to - from - n, tc, gap_ms, at_ms,
		(double)late_us / 1000);
	for (unsigned i = 0; i < 16; i++) {
		if (rcodes[i] == 0)
			continue;
		if (names[i])
			printf("%s\"%s\":%u", comma, names[i], rcodes[i]);
		else
			printf("%s\"RCODE%u\":%u", comma, i, rcodes[i]);
		comma = ",";
	}
	printf("},");
	print_times(from, to);
}

static void place_marks(void)
{
	for (unsigned m = 0; m < mark_count; m++) {
		unsigned i = 0;

		while (i < sent && records[i].sent_us < marks[m].at_us)
			i++;
		marks[m].from = i;
		if (m)
			marks[m - 1].to = i;
		marks[m].to = sent;
	}
}

static void report(void)
{
	place_marks();
	printf("{");
	print_window(0, sent);
	printf(",\"unmatched\":%u,\"send_errors\":%u,\"elapsed_ms\":%.3f,"
	       "\"marks\":[",
		unmatched, send_errors,
		sent ? (double)records[sent - 1].sent_us / 1000 : 0.0);
	for (unsigned m = 0; m < mark_count; m++) {
		printf("%s{\"name\":\"%s\",\"at_ms\":%.3f,", m ? "," : "",
			marks[m].name, (double)marks[m].at_us / 1000);
		print_window(marks[m].from, marks[m].to);
		printf("}");
	}
	printf("]}\n");
}

static int parse_type(const char *text)
{
	static const struct {
		const char *name;
		int type;
	} types[] = {{"A", 1}, {"NS", 2}, {"CNAME", 5}, {"SOA", 6}, {"PTR", 12},
		{"MX", 15}, {"TXT", 16}, {"AAAA", 28}, {"DS", 43},
		{"DNSKEY", 48}, {"ANY", 255}};

	for (size_t i = 0; i < countof(types); i++)
		if (!strcmp(text, types[i].name))
			return types[i].type;
	return atoi(text);
}

static NORETURN void usage(int status)
{
	fputs("usage: ispdns-lab-client [option...] SERVER[@PORT]\n"
	      "  --rate N        queries per second (1000)\n"
	      "  --seconds S     how long to send (10); SIGTERM ends it too\n"
	      "  --name PATTERN  name to ask; %u is the query's number\n"
	      "  --first N       number of the first query (0)\n"
	      "  --type TYPE     query type, name or number (A)\n"
	      "  --timeout-ms N  later answers do not count (2000)\n"
	      "  --source A,B..  send from these addresses in turn\n"
	      "  --marks FIFO    lines written there become marks\n"
	      "  --dnssec        add an OPT record with DO\n"
	      "  --no-rd         clear RD\n",
		status ? stderr : stdout);
	exit(status);
}

static void parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{"rate", required_argument, NULL, 'r'},
		{"seconds", required_argument, NULL, 's'},
		{"name", required_argument, NULL, 'n'},
		{"first", required_argument, NULL, 'f'},
		{"type", required_argument, NULL, 't'},
		{"timeout-ms", required_argument, NULL, 'w'},
		{"source", required_argument, NULL, 'b'},
		{"marks", required_argument, NULL, 'm'},
		{"dnssec", no_argument, NULL, 'd'},
		{"no-rd", no_argument, NULL, 'R'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'r':
			opt.rate = atol(optarg);
			break;
		case 's':
			opt.seconds = atof(optarg);
			break;
		case 'n':
			opt.name = optarg;
			break;
		case 'f':
			opt.first = atol(optarg);
			break;
		case 't':
			opt.qtype = parse_type(optarg);
			break;
		case 'w':
			opt.timeout_ms = atol(optarg);
			break;
		case 'b':
			opt.sources = optarg;
			break;
		case 'm':
			opt.marks_path = optarg;
			break;
		case 'd':
			opt.do_bit = true;
			break;
		case 'R':
			opt.no_rd = true;
			break;
		default:
			usage(c == 'h' ? 0 : 2);
		}
	}
	if (optind + 1 != argc || opt.rate < 1 || opt.rate > 1000000 ||
		opt.seconds <= 0 || opt.seconds > 86400 || opt.qtype < 1 ||
		opt.qtype > 65535 || opt.timeout_ms < 1 ||
		opt.timeout_ms > 60000)
		usage(2);
	opt.server_len = parse_address(argv[optind], &opt.server);
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = on_signal};
	double want;

	parse_options(argc, argv);
	want = (double)opt.rate * opt.seconds + 1;
	record_max = want > QUERIES_MAX ? QUERIES_MAX : (unsigned)want;
	records = calloc(record_max, sizeof(*records));
	if (!records)
		die("memory", "");
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	open_sources();
	start_us = now_us();
	run();
	report();
	return 0;
}
