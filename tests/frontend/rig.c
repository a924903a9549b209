/* SPDX-License-Identifier: ISC */
/*
 * Sockets, a worker in its own thread, and messages made from a few words.
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

/* --- messages ---------------------------------------------------------- */

static size_t add_options(uint8_t *msg, size_t len, const char *options)
{
	uint8_t octets[512];
	size_t n = options ? wire(octets, sizeof(octets), options) : 0;

	memcpy(msg + len, octets, n);
	put16(msg + len - 2, (uint16_t)n); /* RDLEN of the OPT, the last */
	return len + n;
}

size_t ask_make(const struct ask *ask, uint8_t *out, size_t size)
{
	struct name name;
	size_t len;

	if (name_parse(ask->name, &name) < 0)
		tap_bail("name %s", ask->name);
	len = msg_make_query(out, size, ask->id, name.wire, name.len,
		ask->type ? ask->type : DNS_TYPE_A,
		ask->class ? ask->class : DNS_CLASS_IN, ask->flags,
		ask->payload, ask->dnssec_ok);
	if (ask->options)
		len = add_options(out, len, ask->options);
	return len;
}

void send_udp(int fd, const void *data, size_t len)
{
	if (send(fd, data, len, 0) < 0 && errno != ECONNREFUSED)
		tap_bail("send: %s", strerror(errno));
}

static void send_framed(int fd, const uint8_t *data, size_t len)
{
	uint8_t frame[65538];

	put16(frame, (uint16_t)len);
	memcpy(frame + 2, data, len);
	if (send(fd, frame, len + 2, MSG_NOSIGNAL) != (ssize_t)len + 2)
		tap_diag("send on TCP: %s", strerror(errno));
}

void ask_udp(int fd, const struct ask *ask)
{
	uint8_t msg[1024];

	send_udp(fd, msg, ask_make(ask, msg, sizeof(msg)));
}

void ask_tcp(int fd, const struct ask *ask)
{
	uint8_t msg[1024];

	send_framed(fd, msg, ask_make(ask, msg, sizeof(msg)));
}

static bool wait_readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) > 0;
}

bool take_udp(int fd, struct packet *p, int ms)
{
	socklen_t len = sizeof(p->from);
	ssize_t n;

	if (!wait_readable(fd, ms))
		return false;
	n = recvfrom(fd, p->data, sizeof(p->data), 0, &p->from.sa, &len);
	p->len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static bool read_all(int fd, uint8_t *out, size_t len, int ms)
{
	while (len > 0) {
		ssize_t n;

		if (!wait_readable(fd, ms))
			return false;
		n = recv(fd, out, len, 0);
		if (n <= 0)
			return false;
		out += n;
		len -= (size_t)n;
	}
	return true;
}

bool take_tcp(int fd, struct packet *p, int ms)
{
	uint8_t head[2];

	p->len = 0;
	if (!read_all(fd, head, 2, ms))
		return false;
	p->len = get16(head);
	return read_all(fd, p->data, p->len, ms);
}

bool is_closed(int fd, int ms)
{
	uint8_t octet;

	return wait_readable(fd, ms) && recv(fd, &octet, 1, 0) <= 0;
}

int rig_accept(struct rig *rig, int backend, int ms)
{
	if (!wait_readable(rig->tcp[backend], ms))
		return -1;
	return accept(rig->tcp[backend], NULL, NULL);
}

/* --- replies ----------------------------------------------------------- */

static size_t add_record(uint8_t *out, size_t len, uint16_t type,
	uint32_t ttl_s, const void *rdata, size_t rdlen)
{
	put16(out + len, 0xc00c);
	put16(out + len + 2, type);
	put16(out + len + 4, DNS_CLASS_IN);
	put32(out + len + 6, ttl_s);
	put16(out + len + 10, (uint16_t)rdlen);
	memcpy(out + len + 12, rdata, rdlen);
	return len + 12 + rdlen;
}

static size_t add_soa(uint8_t *out, size_t len, uint32_t minimum_s)
{
	uint8_t rdata[22] = {
		0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4};

	put32(rdata + 18, minimum_s);
	return add_record(out, len, DNS_TYPE_SOA, 3600, rdata, sizeof(rdata));
}

static size_t add_padding(uint8_t *out, size_t len, size_t octets, int *count)
{
	uint8_t text[256];

	memset(text, 'x', sizeof(text));
	for (*count = 0; octets > 0; (*count)++) {
		size_t n = octets < 250 ? octets : 250;

		text[0] = (uint8_t)(n - 1);
		len = add_record(out, len, DNS_TYPE_TXT, 60, text, n);
		octets -= n;
	}
	return len;
}

size_t reply_make(const struct packet *question, const struct reply *reply,
	uint8_t *out, size_t size)
{
	struct query_view view;
	struct name other;
	const uint8_t *name;
	int texts = 0;
	size_t len;

	if (msg_parse_query(question->data, question->len, &view) != MSG_OK)
		tap_bail("a backend was asked something malformed");
	name = view.q.name;
	if (reply->name) {
		if (name_parse(reply->name, &other) < 0)
			tap_bail("name %s", reply->name);
		name = other.wire;
	}
	len = msg_make_query(out, size,
		(uint16_t)(msg_id(question->data) + reply->id_off), name,
		(uint8_t)name_wire_len(name, 255),
		reply->type ? reply->type : view.q.type, view.q.class,
		(uint16_t)(MSG_QR | reply->flags | reply->rcode), 0, false);
	for (int i = 0; i < reply->answers; i++) {
		const uint8_t a[] = {192, 0, 2, (uint8_t)i};

		len = add_record(out, len, DNS_TYPE_A, reply->ttl_s, a, 4);
	}
	len = add_padding(out, len, reply->padding, &texts);
	msg_set_count(out, MSG_AN, (uint16_t)(reply->answers + texts));
	if (reply->soa) {
		len = add_soa(out, len, reply->minimum_s);
		msg_set_count(out, MSG_NS, 1);
	}
	if (!reply->no_opt) {
		len += edns_write(
			out + len, size - len, 1232, false, 0, -1, NULL);
		if (reply->options)
			len = add_options(out, len, reply->options);
		msg_set_count(out, MSG_AR, 1);
	}
	return len;
}

void reply_udp(int fd, const struct packet *question, const struct reply *reply)
{
	static uint8_t msg[65536];
	size_t len = reply_make(question, reply, msg, sizeof(msg));

	if (sendto(fd, msg, len, 0, &question->from.sa,
		    addr_len(&question->from)) < 0)
		tap_diag("reply: %s", strerror(errno));
}

void reply_tcp(int fd, const struct packet *question, const struct reply *reply)
{
	static uint8_t msg[65536];

	send_framed(fd, msg, reply_make(question, reply, msg, sizeof(msg)));
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

/* --- looking at answers ------------------------------------------------ */

static bool find_record(const struct packet *p, enum msg_section section,
	bool opt, struct record *out)
{
	struct record_iter it;
	struct name name;
	int n = name_read(p->data, p->len, MSG_HEADER, &name);

	if (n < 0)
		return false;
	record_iter_init(&it, p->data, p->len, MSG_HEADER + (size_t)n + 4);
	while (record_iter_next(&it, out))
		if (out->section == section &&
			(out->type == DNS_TYPE_OPT) == opt)
			return true;
	return false;
}

uint32_t first_ttl(const struct packet *p)
{
	struct record rr;

	if (find_record(p, MSG_AN, false, &rr))
		return rr.ttl;
	return UINT32_MAX;
}

bool has_opt(const struct packet *p)
{
	struct record rr;

	return find_record(p, MSG_AR, true, &rr);
}

int ede_of(const struct packet *p)
{
	struct record rr;
	const uint8_t *o;

	if (!find_record(p, MSG_AR, true, &rr) || rr.rdlen < 6)
		return -1;
	o = p->data + rr.rdata_offset;
	return get16(o) == EDNS_OPTION_EDE ? get16(o + 4) : -1;
}
