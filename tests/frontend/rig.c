/* SPDX-License-Identifier: ISC */
/*
 * Sockets and a worker in its own thread.
 */

#include "tests/frontend/rig.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <unistd.h>

static int new_socket(int type, union addr *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	memset(addr, 0, sizeof(*addr));
	addr->v4.sin_family = AF_INET;
	addr->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, &addr->sa, sizeof(addr->v4)) < 0 ||
		getsockname(fd, &addr->sa, &len) < 0)
		tap_bail("socket: %s", strerror(errno));
	return fd;
}

/* UDP and TCP on one port. */
static void open_backend(struct rig *rig, int i)
{
	union addr addr;

	for (int tries = 0; tries < 50; tries++) {
		int fd;

		rig->udp[i] = new_socket(SOCK_DGRAM, &addr);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (bind(fd, &addr.sa, sizeof(addr.v4)) == 0 &&
			listen(fd, 8) == 0) {
			rig->tcp[i] = fd;
			return;
		}
		close(fd);
		close(rig->udp[i]);
	}
	tap_bail("no port for a backend");
}

static unsigned port_of(int fd)
{
	union addr addr;
	socklen_t len = sizeof(addr);

	if (getsockname(fd, &addr.sa, &len) < 0)
		tap_bail("getsockname");
	return addr_port(&addr);
}

static void read_config(struct rig *rig, const char *extra, const char *rec)
{
	struct text yaml;
	struct err err = {.text = ""};

	text_init(&yaml);
	text_add(&yaml,
		"workers: 1\n"
		"listen: [\"127.0.0.1:%u\"]\n"
		"pools:\n"
		"  rec: {%s backends: [\n"
		"    {name: r1, order: 1, address: \"127.0.0.1:%u\"},\n"
		"    {name: r2, order: 2, address: \"127.0.0.1:%u\"}]}\n"
		"  auth: {cache: false, backends: [\n"
		"    {name: a1, address: \"127.0.0.1:%u\"}]}\n"
		"routes: [{suffix: zaibdns.lab., pool: auth}]\n"
		"default_pool: rec\n%s%s",
		rig->worker ? addr_port(&rig->server) : 0, rec,
		port_of(rig->udp[0]), port_of(rig->udp[1]),
		port_of(rig->udp[2]),
		/* a slow test must not look like a slow backend */
		strstr(extra, "retry:") ? "" : "retry: {hedge: false}\n",
		extra);
	rig->conf = conf_parse(
		yaml.data, yaml.len, "rig.yaml", config_schema(), &err);
	if (!rig->conf || config_check(rig->conf, &err) < 0)
		tap_bail("%s", err.text);
	text_fini(&yaml);
}

static struct policy *make_policy(struct rig *rig)
{
	struct err err = {.text = ""};
	struct policy *policy;

	if (config_build(rig->conf, &rig->registry, &policy, &err) < 0)
		tap_bail("%s", err.text);
	return policy;
}

static struct server *find_server(struct rig *rig, const char *name)
{
	for (unsigned i = 0; i < SERVERS_MAX; i++)
		if (rig->registry.servers[i] &&
			strcmp(rig->registry.servers[i]->name, name) == 0)
			return rig->registry.servers[i];
	tap_bail("no server %s", name);
}

struct server *rig_server(struct rig *rig, int backend)
{
	static const char *const names[] = {"r1", "r2", "a1"};

	return find_server(rig, names[backend]);
}

void rig_fitness(struct rig *rig, int backend, enum server_fitness fitness)
{
	__atomic_store_n(
		&rig_server(rig, backend)->fitness, fitness, __ATOMIC_RELAXED);
}

void rig_start(struct rig *rig, const char *extra, const char *rec)
{
	union addr addrs[CONFIG_LISTEN_MAX];
	struct worker_config config = {.secret = &rig->secret};
	struct config_sizes sizes;
	struct err err = {.text = ""};

	memset(rig, 0, sizeof(*rig));
	for (int i = 0; i < RIG_BACKENDS; i++)
		open_backend(rig, i);
	read_config(rig, extra, rec);
	config_sizes(rig->conf, &sizes);
	config_serve(rig->conf, addrs, &config.serve);
	rig->policy = make_policy(rig);
	rig->policy->cache = cache_new(sizes.cache_entries, sizes.cache_bytes);
	rig->policy->limiter = limiter_new(sizes.limit_entries);
	rig->policy->blocks = blocks_new();
	rig->policy->offenders = offenders_new(sizes.offender_entries);
	stats_init(&rig->metrics);
	hash_key_random(&rig->secret);
	config.row = metrics_row_new(&rig->metrics);
	config.policy = rig->policy;
	config.inflight = 1000;
	rig->worker = worker_new(&config, &err);
	if (!rig->worker)
		tap_bail("%s", err.text);
	rig->server = serve_local_addr(rig->worker->serve, 0);
	for (int i = 0; i < RIG_BACKENDS; i++)
		rig_fitness(rig, i, SERVER_FIT);
	if (worker_start(rig->worker, &err) < 0)
		tap_bail("%s", err.text);
}

void rig_stop(struct rig *rig)
{
	worker_free(rig->worker);
	cache_free(rig->policy->cache);
	limiter_free(rig->policy->limiter);
	blocks_free(rig->policy->blocks);
	offenders_free(rig->policy->offenders);
	config_release(rig->policy, &rig->registry);
	registry_fini(&rig->registry);
	metrics_fini(&rig->metrics);
	conf_free(rig->conf);
	for (int i = 0; i < RIG_BACKENDS; i++) {
		if (rig->udp[i] >= 0)
			close(rig->udp[i]);
		if (rig->tcp[i] >= 0)
			close(rig->tcp[i]);
	}
}

struct change {
	struct rig *rig;
	struct policy *policy;
	struct serve_config serve;
	struct err err;
	int rc;
	sem_t done;
};

static void run_change(void *arg)
{
	struct change *c = arg;

	c->rc = worker_change(c->rig->worker, c->policy, &c->serve, &c->err);
	(void)sem_post(&c->done);
}

void rig_change(struct rig *rig, const char *extra, const char *rec)
{
	union addr addrs[CONFIG_LISTEN_MAX];
	struct policy *old = rig->policy;
	struct change c = {.rig = rig};
	struct conf *old_conf = rig->conf;

	read_config(rig, extra, rec);
	config_serve(rig->conf, addrs, &c.serve);
	c.policy = make_policy(rig);
	c.policy->cache = old->cache;
	c.policy->limiter = old->limiter;
	c.policy->blocks = old->blocks;
	c.policy->offenders = old->offenders;
	(void)sem_init(&c.done, 0, 0);
	if (loop_post(rig->worker->loop, run_change, &c) < 0)
		tap_bail("loop_post");
	while (sem_wait(&c.done) < 0)
		;
	(void)sem_destroy(&c.done);
	if (c.rc < 0)
		tap_bail("%s", c.err.text);
	rig->policy = c.policy;
	config_release(old, &rig->registry);
	conf_free(old_conf);
}

uint64_t rig_stat(struct rig *rig, enum stat_id id)
{
	return metrics_read(&rig->metrics, id);
}

struct wanted {
	struct rig *rig;
	enum stat_id id;
	uint64_t value;
};

static bool has_value(void *arg)
{
	struct wanted *w = arg;

	return rig_stat(w->rig, w->id) == w->value;
}

bool rig_wait_stat(struct rig *rig, enum stat_id id, uint64_t value)
{
	struct wanted w = {rig, id, value};

	if (tap_wait(has_value, &w, RIG_SOON))
		return true;
	tap_diag("%s is %llu", stats_name(id),
		(unsigned long long)rig_stat(rig, id));
	return false;
}

static int new_client(struct rig *rig, int type)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, &rig->server.sa, sizeof(rig->server.v4)) < 0)
		tap_bail("connect: %s", strerror(errno));
	return fd;
}

int rig_udp_client(struct rig *rig)
{
	return new_client(rig, SOCK_DGRAM);
}

int rig_tcp_client(struct rig *rig)
{
	return new_client(rig, SOCK_STREAM);
}

int rig_accept(struct rig *rig, int backend, int ms)
{
	if (!is_readable(rig->tcp[backend], ms))
		return -1;
	return accept(rig->tcp[backend], NULL, NULL);
}

bool round_trip(struct rig *rig, int client, const struct ask *ask, int backend,
	const struct reply *reply, struct packet *answer)
{
	static struct packet question;
	bool asked;

	ask_udp(client, ask);
	/* whichever comes first, the question there or the answer here */
	struct pollfd p[2] = {{.fd = client, .events = POLLIN},
		{.fd = rig->udp[backend], .events = POLLIN}};

	if (poll(p, 2, RIG_SOON) <= 0) {
		answer->len = 0;
		return false;
	}
	asked = (p[1].revents & POLLIN) != 0;
	if (asked && take_udp(rig->udp[backend], &question, 0))
		reply_udp(rig->udp[backend], &question, reply);
	if (!take_udp(client, answer, RIG_SOON))
		answer->len = 0;
	return asked;
}
