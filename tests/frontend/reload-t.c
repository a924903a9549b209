/* SPDX-License-Identifier: ISC */
/*
 * A thousand changes of configuration of the real program while it answers:
 * no query is lost, what is cached stays, memory and descriptors do not grow,
 * and an address is listened on as soon as the change that adds it is done.
 */

#include "common/base/buf.h"
#include "common/base/hash.h"
#include "common/ctl/control.h"
#include "common/ctl/file.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "common/net/addr.h"
#include "tests/tap/tap.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define RELOADS 1000
#define WARM    200 /* before memory is looked at */
#define CLIENTS 8
#define POPULAR 50
#define LOST_MS 2000

/* A sanitizer keeps freed memory on purpose. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GROWTH_KB (1024 * 1024)
#else
#define GROWTH_KB 1024
#endif

static char dir[] = "/tmp/ispdns-reload-t.XXXXXX";
static char config_path[64], control_path[64];
static uint16_t port, extra_port, backend_port;
static pid_t daemon_pid;
static struct rng rng;
static bool asked_enough, all_over;

/* --- sockets ----------------------------------------------------------- */

static union addr loopback(uint16_t number)
{
	return (union addr){.v4 = {.sin_family = AF_INET,
				    .sin_port = htons(number),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
}

static int bound(int type, uint16_t *number)
{
	union addr addr = loopback(*number);
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, &addr.sa, sizeof(addr.v4)) < 0 ||
		getsockname(fd, &addr.sa, &len) < 0) {
		close(fd);
		return -1;
	}
	*number = ntohs(addr.v4.sin_port);
	return fd;
}

/* Free for UDP and TCP a moment ago, and below those that the kernel gives to
 * sockets without a port: one of these could be taken while we do not listen
 * there. */
static uint16_t free_port(void)
{
	for (int i = 0; i < 50; i++) {
		uint16_t number = (uint16_t)(10000 + rng_below(&rng, 20000));
		int udp = bound(SOCK_DGRAM, &number);
		int tcp = bound(SOCK_STREAM, &number);
		bool good = udp >= 0 && tcp >= 0;

		close(udp);
		close(tcp);
		if (good)
			return number;
	}
	tap_bail("no free port");
}

static int client(int type, uint16_t number)
{
	union addr addr = loopback(number);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, &addr.sa, sizeof(addr.v4)) < 0)
		tap_bail("connect: %s", strerror(errno));
	return fd;
}

static bool readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) > 0;
}

/* --- the backend -------------------------------------------------------- */

static unsigned long popular_asked; /* of the backend */

static void *serve(void *arg)
{
	static const uint8_t rr[] = {
		0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 192, 0, 2, 1};
	int fd = *(int *)arg;

	while (!__atomic_load_n(&all_over, __ATOMIC_RELAXED)) {
		uint8_t in[1500], out[1500];
		struct query_view view;
		union addr from;
		socklen_t len = sizeof(from);
		ssize_t n;
		size_t m;

		if (!readable(fd, 100))
			continue;
		n = recvfrom(fd, in, sizeof(in), 0, &from.sa, &len);
		if (n <= 0 || msg_parse_query(in, (size_t)n, &view) != MSG_OK)
			continue;
		if (view.q.name[1] == 'p')
			__atomic_add_fetch(&popular_asked, 1, __ATOMIC_RELAXED);
		m = msg_make_query(out, sizeof(out), msg_id(in), view.q.name,
			view.q.name_len, view.q.type, view.q.class,
			MSG_QR | MSG_RA | MSG_RD, 0, false);
		memcpy(out + m, rr, sizeof(rr));
		msg_set_count(out, MSG_AN, 1);
		(void)sendto(fd, out, m + sizeof(rr), 0, &from.sa, len);
	}
	return NULL;
}

/* --- the clients -------------------------------------------------------- */

struct load {
	unsigned long asked, lost, wrong;
};

static size_t question(uint8_t *out, size_t size, unsigned long n)
{
	char text[64];
	struct name name;

	/* every other is one that all ask for */
	(void)snprintf(text, sizeof(text),
		n & 1 ? "popular%lu.test" : "u%lu.test",
		n & 1 ? n / 2 % POPULAR : n);
	if (name_parse(text, &name) < 0)
		tap_bail("%s", text);
	return msg_make_query(out, size, (uint16_t)n, name.wire, name.len,
		DNS_TYPE_A, DNS_CLASS_IN, MSG_RD, 0, false);
}

static bool is_right(const uint8_t *msg, ssize_t len, unsigned long n)
{
	if (len > MSG_HEADER && msg_id(msg) == (uint16_t)n &&
		msg_rcode(msg) == 0 && msg_count(msg, MSG_AN) == 1)
		return true;
	tap_diag("%zd octets, id %u, not %u, rcode %u", len,
		len > MSG_HEADER ? msg_id(msg) : 0, (uint16_t)n,
		len > MSG_HEADER ? msg_rcode(msg) : 0);
	return false;
}

static void ask_udp(int fd, unsigned long n)
{
	uint8_t msg[512];

	if (send(fd, msg, question(msg, sizeof(msg), n), 0) < 0)
		tap_diag("send: %s", strerror(errno));
}

static void take_udp(int fd, unsigned long n, struct load *load)
{
	uint8_t msg[1500];

	load->asked++;
	if (!readable(fd, LOST_MS))
		load->lost++;
	else if (!is_right(msg, recv(fd, msg, sizeof(msg), 0), n))
		load->wrong++;
}

static void trip_tcp(int fd, unsigned long n, struct load *load)
{
	uint8_t msg[1500];
	size_t len = question(msg + 2, sizeof(msg) - 2, n);
	ssize_t got;

	put16(msg, (uint16_t)len);
	load->asked++;
	if (send(fd, msg, len + 2, MSG_NOSIGNAL) < 0 ||
		!readable(fd, LOST_MS)) {
		load->lost++;
		return;
	}
	/* one small segment: both parts come at once */
	got = recv(fd, msg, sizeof(msg), 0);
	if (got < 2 || !is_right(msg + 2, got - 2, n))
		load->wrong++;
}

static void *ask_on(void *arg)
{
	struct load *load = arg;
	int fds[CLIENTS], tcp = client(SOCK_STREAM, port);
	unsigned long n = 0;

	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client(SOCK_DGRAM, port);
	for (; !__atomic_load_n(&asked_enough, __ATOMIC_RELAXED);
		n += CLIENTS + 1) {
		for (unsigned i = 0; i < CLIENTS; i++)
			ask_udp(fds[i], n + i);
		trip_tcp(tcp, n + CLIENTS, load);
		for (unsigned i = 0; i < CLIENTS; i++)
			take_udp(fds[i], n + i, load);
		(void)poll(NULL, 0, 1); /* a load, not a race for the cores */
	}
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	close(tcp);
	return NULL;
}

/* --- the program -------------------------------------------------------- */

/* Variants differ in all that can change live. */
static void write_config(unsigned i)
{
	struct err err = {.text = ""};
	struct text t;

	text_init(&t);
	text_add(&t, "workers: 2\nlisten: [\"127.0.0.1:%u\"%s", port,
		i % 10 < 5 ? "" : ", ");
	if (i % 10 >= 5)
		text_add(&t, "\"127.0.0.1:%u\"", extra_port);
	text_add(&t,
		"]\ninflight: 1000\ncache: {entries: 1000, memory: 1M}\n"
		"limit: {qps: %u, table_size: 1024, overrides: "
		"[{prefix: 10.0.0.0/8, qps: %u}]}\n"
		"acl: {allow: [127.0.0.0/8, 10.%u.0.0/16]}\n"
		"pools:\n  rec: {policy: %s, backends: "
		"[{name: r1, address: \"127.0.0.1:%u\"}]}\n",
		1000000 + i, i + 1, i % 256, i & 1 ? "roundrobin" : "chashed",
		backend_port);
	if (i % 3 == 0)
		text_add(&t,
			"  more%u: {backends: "
			"[{name: m%u, address: \"127.0.0.1:%u\"}]}\n"
			"routes: [{suffix: u%u.more.test, pool: more%u}]\n",
			i % 4, i, backend_port, i, i % 4);
	text_add(&t,
		"default_pool: rec\nretry: {hedge: false}\n"
		"top: {enabled: %s}\ncookies: {enabled: %s}\n"
		"ha: {socket: %s/none}\n",
		i % 7 ? "true" : "false", i & 2 ? "true" : "false", dir);
	if (file_write(config_path, t.data, t.len, 0600, &err) < 0)
		tap_bail("%s", err.text);
	text_fini(&t);
}

static bool call(const char *verb, json_t **result)
{
	struct err err = {.text = ""};

	if (control_call_path(control_path, verb, NULL, 10000, result, &err) ==
		0)
		return true;
	tap_diag("%s: %s", verb, err.text);
	return false;
}

static bool is_up(void *arg)
{
	json_t *result = NULL;
	struct err err;
	bool up = control_call_path(control_path, "status", NULL, 1000, &result,
			  &err) == 0 &&
		  json_is_true(json_object_get(result, "pools_usable"));

	(void)arg;
	json_decref(result);
	return up;
}

static bool start_once(void)
{
	const char *build = getenv("ISPDNS_BUILDDIR");
	char program[512];

	(void)snprintf(program, sizeof(program), "%s/ispdns-frontend",
		build ? build : ".");
	port = free_port();
	extra_port = free_port();
	write_config(0);
	daemon_pid = fork();
	if (daemon_pid == 0) {
		execl(program, program, "--config", config_path, "--control",
			control_path, "--log-level", "error", (char *)NULL);
		_exit(127);
	}
	if (tap_wait(is_up, NULL, 10000))
		return true;
	(void)kill(daemon_pid, SIGKILL);
	(void)waitpid(daemon_pid, NULL, 0);
	return false;
}

static long resident_kb(void)
{
	char path[64];
	long size = 0, pages = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)daemon_pid);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%ld %ld", &size, &pages) != 2)
		tap_bail("%s", path);
	(void)fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int descriptors(void)
{
	char path[64];
	int n = 0;
	DIR *d;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)daemon_pid);
	d = opendir(path);
	if (!d)
		tap_bail("%s", path);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n;
}

/* --- the test ----------------------------------------------------------- */

/* What the program has to say when something went wrong. */
static void tell_counters(void)
{
	json_t *result = NULL, *value;
	const char *key;

	if (!call("stats", &result))
		return;
	json_object_foreach(result, key, value)
		if (json_integer_value(value) != 0)
			tap_diag("%s %lld", key,
				(long long)json_integer_value(value));
	json_decref(result);
}

struct outcome {
	unsigned failed, added, answered;
	long before_kb, after_kb;
	int before_fds, after_fds;
};

/* The address that this change added answers at once. */
static void try_added(struct outcome *o, unsigned i)
{
	struct load one = {0};
	int fd = client(SOCK_DGRAM, extra_port);

	o->added++;
	ask_udp(fd, i);
	take_udp(fd, i, &one);
	o->answered += one.lost + one.wrong == 0;
	close(fd);
}

static void change_on(struct outcome *o)
{
	for (unsigned i = 1; i <= RELOADS; i++) {
		write_config(i);
		o->failed += !call("reload", NULL);
		if (i % 10 == 5)
			try_added(o, i);
		if (i == WARM) {
			o->before_kb = resident_kb();
			o->before_fds = descriptors();
		}
	}
	o->after_kb = resident_kb();
	o->after_fds = descriptors();
}

static void run(void)
{
	static struct load load;
	struct outcome o = {0};
	pthread_t clients;

	if (pthread_create(&clients, NULL, ask_on, &load) != 0)
		tap_bail("no thread");
	change_on(&o);
	__atomic_store_n(&asked_enough, true, __ATOMIC_RELAXED);
	(void)pthread_join(clients, NULL);
	is_int(o.failed, 0, "%d changes under load", RELOADS);
	is_int((long long)load.lost, 0, "no query is lost of %lu", load.asked);
	is_int((long long)load.wrong, 0, "each is answered as it should be");
	ok(load.asked > RELOADS / 10, "there was a load");
	ok(o.after_kb - o.before_kb <= GROWTH_KB,
		"memory: %ld KB after %d changes, %ld KB after %d", o.before_kb,
		WARM, o.after_kb, RELOADS);
	if (load.lost + load.wrong > 0)
		tell_counters();
	/* a backend's sockets are opened when they are used: 16 a worker */
	ok(o.after_fds - o.before_fds <= 40, "descriptors: %d, then %d",
		o.before_fds, o.after_fds);
	ok(popular_asked <= 2 * POPULAR,
		"what is cached stays: %lu questions for %d names",
		popular_asked, POPULAR);
	ok(o.added >= RELOADS / 10 && o.answered == o.added,
		"an added address answers when the change is done: %u of %u",
		o.answered, o.added);
}

int main(void)
{
	int backend, status = 0, tries = 0;
	struct err err;
	pthread_t server;

	rng_init(&rng);
	if (!mkdtemp(dir))
		tap_bail("mkdtemp");
	(void)snprintf(config_path, sizeof(config_path), "%s/f.yaml", dir);
	(void)snprintf(control_path, sizeof(control_path), "%s/c.sock", dir);
	backend = bound(SOCK_DGRAM, &backend_port);
	if (backend < 0 || pthread_create(&server, NULL, serve, &backend) != 0)
		tap_bail("no backend");
	while (!start_once())
		if (++tries == 5)
			tap_bail("the frontend does not start");
	run();
	(void)kill(daemon_pid, SIGTERM);
	(void)waitpid(daemon_pid, &status, 0);
	is_int(status, 0, "it ends in good order");
	__atomic_store_n(&all_over, true, __ATOMIC_RELAXED);
	(void)pthread_join(server, NULL);
	close(backend);
	if (dir_remove(dir, &err) < 0)
		tap_diag("%s", err.text);
	return tap_done();
}
