/* SPDX-License-Identifier: ISC */
/*
 * One round of the loop reads at most one batch per listener, so that no
 * listener starves another; the answers of a round leave in one sendmmsg.
 */

#include "common/serve/udp.h"

#include <unistd.h>

#define ANSWER_SIZE 4096 /* the largest UDP answer that anyone configures */

struct serve_udp {
	struct serve_udp_owner *owner;
	struct watch *watch;
	struct udp_batch *out;
	unsigned queued;
	int fd;
	uint16_t index;
	uint32_t id;
};

static void take(struct serve_udp *udp, const struct udp_packet *p)
{
	struct serve_udp_owner *owner = udp->owner;
	struct serve_request req = {
		.peer = {.client = p->peer,
			.local = p->local,
			.ifindex = p->ifindex,
			.listener = udp->index,
			.conn = udp->id},
		.msg = p->data,
		.len = p->len,
	};

	owner->stats->udp_in++;
	if (p->cut)
		owner->stats->udp_cut++;
	else if (p->len > 0)
		owner->fn(owner->arg, &req);
}

static void readable(void *arg, int fd, int events)
{
	struct serve_udp *udp = arg;
	struct serve_udp_owner *owner = udp->owner;
	int n = udp_recv(fd, owner->in);

	(void)events;
	for (int i = 0; i < n; i++)
		take(udp, udp_batch_packet(owner->in, (unsigned)i));
}

struct serve_udp *serve_udp_open(struct serve_udp_owner *owner,
	const union addr *addr, int flags, uint32_t id, struct err *err)
{
	struct serve_udp *udp;
	int fd = udp_open(addr, flags, err);

	if (fd < 0)
		return NULL;
	udp = calloc(1, sizeof(*udp));
	if (!udp) {
		close(fd);
		err_set(err, "out of memory");
		return NULL;
	}
	udp->owner = owner;
	udp->fd = fd;
	udp->id = id;
	udp->out = udp_batch_new(owner->batch, ANSWER_SIZE);
	udp->watch = watch_open(owner->loop, fd, LOOP_READ, readable, udp);
	if (udp->out && udp->watch)
		return udp;
	err_set(err, "out of memory");
	serve_udp_close(udp);
	return NULL;
}

void serve_udp_close(struct serve_udp *udp)
{
	if (!udp)
		return;
	if (udp->out)
		serve_udp_flush(udp);
	watch_close(udp->watch);
	udp_batch_free(udp->out);
	close(udp->fd);
	free(udp);
}

void serve_udp_set_index(struct serve_udp *udp, uint16_t index)
{
	udp->index = index;
}

uint32_t serve_udp_id(const struct serve_udp *udp)
{
	return udp->id;
}

int serve_udp_socket(const struct serve_udp *udp)
{
	return udp->fd;
}

void serve_udp_flush(struct serve_udp *udp)
{
	struct serve_stats *stats = udp->owner->stats;
	unsigned sent;

	if (udp->queued == 0)
		return;
	sent = udp_send(udp->fd, udp->out, udp->queued);
	stats->udp_out += sent;
	stats->udp_send_errors += udp->queued - sent;
	udp->queued = 0;
}

void serve_udp_reply(struct serve_udp *udp, const struct serve_peer *peer,
	const uint8_t *msg, size_t len)
{
	struct udp_packet *p;

	if (len > ANSWER_SIZE) {
		udp->owner->stats->udp_send_errors++;
		return;
	}
	if (udp->queued == udp_batch_size(udp->out))
		serve_udp_flush(udp);
	p = udp_batch_packet(udp->out, udp->queued++);
	p->peer = peer->client;
	p->local = peer->local;
	p->ifindex = peer->ifindex;
	p->len = (uint32_t)len;
	memcpy(p->data, msg, len);
}

/*
 * A connected socket gets packets of its peer only, so the kernel gives new
 * ones to the other sockets that share the address; sendmsg with an address
 * still works. Closing it would lose the answers that are still due.
 */
void serve_udp_pause(struct serve_udp *udp)
{
	union addr self;
	socklen_t len = sizeof(self);
	int rc = getsockname(udp->fd, &self.sa, &len);

	addr_set_port(&self, 9); /* discard: nobody sends from there */
	if (rc == 0)
		rc = connect(udp->fd, &self.sa, addr_len(&self));
	(void)rc; /* an address that is not up gets no queries anyway */
}
