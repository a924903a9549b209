/* SPDX-License-Identifier: ISC */
#include "ha/instance_impl.h"

#include "common/base/clock.h"

/*
 * The sockets of a virtual router. Others are asked for when the link or the
 * way to the peers is another one, and come a moment later (opener.h). Those
 * in use serve until then, unless their link is gone. What comes too late for
 * yet another change is closed, and asked for again.
 */

enum {
	ROUND = 256
};

/* Bounded, so that a flood cannot keep us from our own adverts. */
void in_drain(struct instance *in)
{
	for (int i = 0; i < ROUND && in->sock.rx >= 0; i++) {
		if (sock_receive(&in->sock, &in->packet) <= 0)
			return;
		in_take_packet(in, mtime_now().us);
	}
}

static void on_readable(void *arg)
{
	in_drain(arg);
}

void in_open_neighbour(struct instance *in, int64_t now)
{
	if (in->arp < 0)
		return;
	in_trouble(in, "listen to ARP",
		neighbour_open(&in->neighbour, &in->conf, in->arp, in->index,
			in->mac, now));
}

/* Out of the event loop, and out of our hands. */
static void give_away(struct instance *in, struct opener_set *out)
{
	neighbour_close(&in->neighbour);
	poll_del(in->env->poll, &in->rx);
	in->rx.fd = -1;
	out->sock = in->sock;
	out->arp = in->arp;
	in->sock.rx = in->sock.tx = in->arp = -1;
}

void in_close(struct instance *in)
{
	struct opener_set set;

	if (in->sock.rx < 0)
		return;
	give_away(in, &set);
	opener_close(in->env->opener, &set);
}

static void take(struct instance *in, const struct opener_set *set, int64_t now)
{
	uint16_t id = in->sock.id;
	int rc;

	in->sock = set->sock;
	in->sock.id = id;
	in->arp = set->arp;
	in->rx.fd = in->sock.rx;
	in->rx.ready = on_readable;
	in->rx.arg = in;
	rc = poll_add(in->env->poll, &in->rx);
	in_open_neighbour(in, now);
	if (rc < 0)
		in_close(in);
	in->sockets.failed = rc < 0;
	in_trouble(in, "open socket", rc);
}

/* The new one heard what the old one did: once is enough. */
static void replace(
	struct instance *in, const struct opener_set *set, int64_t now)
{
	bool first = in->sock.rx < 0;

	in_drain(in);
	in_close(in);
	take(in, set, now);
	for (int i = 0; i < ROUND && !first && in->sock.rx >= 0; i++)
		if (sock_receive(&in->sock, &in->packet) <= 0)
			break;
	in->sockets.have = in->sockets.want;
}

void in_renew(struct instance *in)
{
	in->sockets.want++;
	in->sockets.failed = false;
}

void in_open(struct instance *in, bool again)
{
	struct in_sockets *s = &in->sockets;
	struct opener_want want = {
		.owner = in->owner,
		.round = s->want,
		.family = in->conf.family,
		.unicast = in->conf.peer_count > 0,
		.index = in->index,
	};

	if (in->index == 0 || s->asking || (s->failed && !again) ||
		(in->sock.rx >= 0 && s->have == s->want))
		return;
	memcpy(want.ifname, in->conf.ifname, sizeof(want.ifname));
	s->asking = opener_ask(in->env->opener, &want) == 0;
}

void instance_opened(
	struct instance *in, const struct opener_got *got, int64_t now_us)
{
	bool fits = got->round == in->sockets.want;

	in->sockets.asking = false;
	if (got->rc == 0 && fits) {
		replace(in, &got->set, now_us);
		in_trouble(in, "listen to ARP", got->arp_rc);
	} else if (got->rc == 0) {
		opener_close(in->env->opener, &got->set);
	} else if (fits) {
		in->sockets.failed = true;
		in_trouble(in, "open socket", got->rc);
	}
	in_open(in, false);
}

bool in_is_deaf(const struct instance *in)
{
	return in->index != 0 && in->sock.rx < 0 && !in->sockets.failed;
}

void in_inherit_sockets(struct instance *in, struct instance *old, int64_t now)
{
	struct opener_set set;

	if (old->sock.rx < 0 || old->index != in->index || in->sock.rx >= 0)
		return;
	give_away(old, &set);
	take(in, &set, now);
}
