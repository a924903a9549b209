/* SPDX-License-Identifier: ISC */
/*
 * One thread per backend; its lock is held for a turn over all its sockets.
 */

#include "tests/frontend/scene_stub.h"

#include "common/dns/msg.h"
#include "tests/tap/tap.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct wanted {
	struct stub *stub;
	unsigned count;
};

static int try_bind(union addr *addr, int type)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		tap_bail("socket: %s", strerror(errno));
	if (bind(fd, &addr->sa, addr_len(addr)) == 0 &&
		getsockname(fd, &addr->sa, &len) == 0)
		return fd;
	close(fd);
	return -1;
}

void stub_bind(union addr *addr, int *udp, int *tcp)
{
	for (int tries = 0; tries < 50; tries++) {
		addr_set_port(addr, 0);
		*udp = try_bind(addr, SOCK_DGRAM);
		*tcp = *udp < 0 ? -1 : try_bind(addr, SOCK_STREAM);
		if (*tcp >= 0)
			return;
		if (*udp >= 0)
			close(*udp);
	}
	tap_bail("no free port");
}

static const struct script answering = {
	.reply = {.flags = MSG_RA, .answers = 1, .ttl_s = 60},
	.probe = {.flags = MSG_RA | MSG_AA, .answers = 1, .ttl_s = 60},
};

static bool is_probe(const struct packet *p)
{
	static const uint8_t suffix[] = "\5probe\4test";

	return memmem(p->data, p->len, suffix, sizeof(suffix)) != NULL;
}

static bool is_killed(struct stub *stub)
{
	return stub->ending || stub->killed;
}

/* With the lock. */
static void answer_udp(struct stub *stub, const struct packet *p)
{
	const struct script *sc = &stub->script;
	struct stub_answer *a = &stub->waits[stub->head % STUB_WAITS];

	if (is_probe(p))
		stub->probes++;
	else
		stub->udp_asked++;
	if (!is_probe(p))
		stub->last = mtime_now();
	if (sc->silent)
		return;
	if (is_probe(p) || sc->delay_ms == 0) {
		reply_udp(stub->udp, p, is_probe(p) ? &sc->probe : &sc->reply);
		return;
	}
	if (stub->head - stub->tail == STUB_WAITS)
		return;
	a->len = reply_make(p, &sc->reply, a->msg, sizeof(a->msg));
	a->to = p->from;
	a->due = mtime_add_ms(mtime_now(), sc->delay_ms);
	stub->head++;
}

static void send_due(struct stub *stub)
{
	for (; stub->tail != stub->head; stub->tail++) {
		struct stub_answer *a = &stub->waits[stub->tail % STUB_WAITS];

		if (mtime_before(mtime_now(), a->due))
			return;
		(void)sendto(stub->udp, a->msg, a->len, 0, &a->to.sa,
			addr_len(&a->to));
	}
}

static void take_connection(struct stub *stub)
{
	int fd = accept(stub->tcp, NULL, NULL);
	unsigned i = 0;

	stub->connections++;
	while (i < STUB_CONNS && stub->conns[i] >= 0)
		i++;
	if (i == STUB_CONNS)
		close(fd);
	else
		stub->conns[i] = fd;
}

static void answer_tcp(struct stub *stub, int *conn)
{
	const struct script *sc = &stub->script;

	if (!take_tcp(*conn, &stub->question, 1000)) {
		close(*conn);
		*conn = -1;
		return;
	}
	stub->tcp_asked++;
	stub->last = mtime_now();
	if (!sc->silent)
		reply_tcp(
			*conn, &stub->question, sc->tcp ? sc->tcp : &sc->reply);
}

/* With the lock: everything that is there now. */
static void stub_turn(struct stub *stub)
{
	for (int i = 0; i < 64 && take_udp(stub->udp, &stub->question, 0); i++)
		answer_udp(stub, &stub->question);
	if (is_readable(stub->tcp, 0))
		take_connection(stub);
	for (unsigned i = 0; i < STUB_CONNS; i++)
		if (stub->conns[i] >= 0 && is_readable(stub->conns[i], 0))
			answer_tcp(stub, &stub->conns[i]);
	send_due(stub);
}

/* What to wait for; -1 is skipped by poll. */
static unsigned stub_watch(struct stub *stub, struct pollfd *p, int *wait_ms)
{
	bool deaf;

	(void)pthread_mutex_lock(&stub->lock);
	deaf = stub->script.hold || stub->killed;
	p[0].fd = stub->wake;
	p[1].fd = deaf ? -1 : stub->udp;
	p[2].fd = deaf ? -1 : stub->tcp;
	for (unsigned i = 0; i < STUB_CONNS; i++)
		p[3 + i].fd = deaf ? -1 : stub->conns[i];
	for (unsigned i = 0; i < 3 + STUB_CONNS; i++)
		p[i].events = POLLIN;
	*wait_ms = stub->head == stub->tail ? -1 : 1;
	(void)pthread_mutex_unlock(&stub->lock);
	return 3 + STUB_CONNS;
}

static void *stub_run(void *arg)
{
	struct stub *stub = arg;
	bool ending = false;

	while (!ending) {
		struct pollfd p[3 + STUB_CONNS];
		int wait_ms;
		unsigned n = stub_watch(stub, p, &wait_ms);
		uint64_t count;

		(void)poll(p, n, wait_ms);
		if ((p[0].revents & POLLIN) &&
			read(stub->wake, &count, sizeof(count)) < 0)
			continue;
		(void)pthread_mutex_lock(&stub->lock);
		if (!stub->script.hold && !is_killed(stub))
			stub_turn(stub);
		ending = stub->ending;
		(void)pthread_mutex_unlock(&stub->lock);
	}
	return NULL;
}

static void wake(struct stub *stub)
{
	const uint64_t one = 1;

	if (write(stub->wake, &one, sizeof(one)) < 0)
		tap_bail("eventfd");
}

void stub_open(struct stub *stub, const union addr *addr)
{
	union addr bound = *addr;

	stub->script = answering;
	stub->waits = calloc(STUB_WAITS, sizeof(*stub->waits));
	stub->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	stub_bind(&bound, &stub->udp, &stub->tcp);
	for (unsigned i = 0; i < STUB_CONNS; i++)
		stub->conns[i] = -1;
	if (listen(stub->tcp, 64) < 0 ||
		pthread_mutex_init(&stub->lock, NULL) != 0 || !stub->waits ||
		pthread_create(&stub->thread, NULL, stub_run, stub) != 0)
		tap_bail("a backend does not start");
}

static void close_all(struct stub *stub)
{
	if (stub->killed)
		return;
	for (unsigned i = 0; i < STUB_CONNS; i++)
		if (stub->conns[i] >= 0)
			close(stub->conns[i]);
	close(stub->udp);
	close(stub->tcp);
}

void stub_end(struct stub *stub)
{
	(void)pthread_mutex_lock(&stub->lock);
	stub->ending = true;
	(void)pthread_mutex_unlock(&stub->lock);
	wake(stub);
	(void)pthread_join(stub->thread, NULL);
	close_all(stub);
	close(stub->wake);
	free(stub->waits);
}

void stub_set(struct stub *stub, const struct script *script)
{
	(void)pthread_mutex_lock(&stub->lock);
	stub->script = *script;
	(void)pthread_mutex_unlock(&stub->lock);
	wake(stub);
}

const struct script *stub_answering(void)
{
	return &answering;
}

unsigned stub_asked(struct stub *stub)
{
	unsigned n;

	(void)pthread_mutex_lock(&stub->lock);
	n = stub->udp_asked + stub->tcp_asked;
	stub->udp_asked = stub->tcp_asked = 0;
	(void)pthread_mutex_unlock(&stub->lock);
	return n;
}

unsigned stub_close_conns(struct stub *stub)
{
	unsigned n = 0;

	(void)pthread_mutex_lock(&stub->lock);
	for (unsigned i = 0; i < STUB_CONNS; i++) {
		if (stub->conns[i] < 0)
			continue;
		close(stub->conns[i]);
		stub->conns[i] = -1;
		n++;
	}
	(void)pthread_mutex_unlock(&stub->lock);
	return n;
}

void stub_kill(struct stub *stub)
{
	(void)pthread_mutex_lock(&stub->lock);
	close_all(stub);
	stub->killed = true;
	stub->last = mtime_now();
	(void)pthread_mutex_unlock(&stub->lock);
	wake(stub);
}

struct mtime stub_last(struct stub *stub)
{
	struct mtime t;

	(void)pthread_mutex_lock(&stub->lock);
	t = stub->last;
	(void)pthread_mutex_unlock(&stub->lock);
	return t;
}

static bool asked_enough(void *arg)
{
	const struct wanted *w = arg;
	bool enough;

	(void)pthread_mutex_lock(&w->stub->lock);
	enough = w->stub->udp_asked + w->stub->tcp_asked >= w->count;
	(void)pthread_mutex_unlock(&w->stub->lock);
	return enough;
}

bool stub_wait(struct stub *stub, unsigned count)
{
	struct wanted w = {stub, count};

	return tap_wait(asked_enough, &w, 5000);
}
