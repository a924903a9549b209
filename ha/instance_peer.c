/* SPDX-License-Identifier: ISC */
#include "ha/instance_impl.h"

#include "common/base/clock.h"

/*
 * Our own peers, by what their datagrams say: who lives, who is fit, and what
 * they ask of us.
 */

enum {
	PEER_LOST_US = 700 * 1000
};

void in_set_peers(struct instance *in)
{
	struct instance_peer old[CONFIG_PEERS];

	memcpy(old, in->peers, sizeof(old));
	memset(in->peers, 0, sizeof(in->peers));
	for (size_t i = 0; i < in->conf.handover_count; i++) {
		in->peers[i].addr = in->conf.handover[i];
		for (size_t k = 0; k < CONFIG_PEERS; k++)
			if (addr_equal(&old[k].addr, &in->peers[i].addr))
				in->peers[i] = old[k];
	}
}

static enum track_peer judge_peer(const struct instance_peer *peer, int64_t now)
{
	if (!peer->heard_us)
		return TRACK_PEER_UNKNOWN;
	if (now - peer->heard_us > PEER_LOST_US)
		return TRACK_PEER_LOST;
	return peer->fit ? TRACK_PEER_FIT : TRACK_PEER_FAILED;
}

static void note_peer(
	struct instance *in, struct instance_peer *peer, enum track_peer state)
{
	struct instance_event ev = {.kind = INSTANCE_PEER};
	const uint8_t *octets;
	size_t n;

	if (state == peer->state)
		return;
	ev.from = (uint8_t)peer->state;
	ev.to = (uint8_t)state;
	n = addr_octets(&peer->addr, &octets);
	ev.family = n == 16 ? 6 : 4;
	memcpy(ev.peer, octets, n);
	peer->state = state;
	in_emit(in, &ev);
	if (state == TRACK_PEER_LOST && peer->role == STATE_MASTER)
		instance_event(in, STATE_EV_SILENT, mtime_now().us);
}

/* The best of our peers: fit before failed before lost before unknown. */
void in_judge_peers(struct instance *in, struct track_input *input, int64_t now)
{
	for (size_t i = 0; i < in->conf.handover_count; i++) {
		struct instance_peer *peer = &in->peers[i];
		enum track_peer state = judge_peer(peer, now);

		note_peer(in, peer, state);
		if (state == TRACK_PEER_UNKNOWN)
			continue;
		if (input->peer != TRACK_PEER_UNKNOWN && state >= input->peer)
			continue;
		input->peer = state;
		input->peer_base = peer->base;
	}
}

/* As often as adverts, so that they can be told apart from a dead node. */
int64_t in_hello_period(const struct instance *in)
{
	int64_t us = in->conf.interval_us;

	return in->st.role == STATE_MASTER && us < HELLO_US ? us : HELLO_US;
}

void instance_peer_said(struct instance *in, const struct handover_msg *msg,
	const union addr *from, int64_t now_us)
{
	for (size_t i = 0; i < in->conf.handover_count; i++) {
		struct instance_peer *peer = &in->peers[i];

		if (!addr_equal_ip(&peer->addr, from))
			continue;
		if (msg->boot == peer->boot && msg->seq <= peer->seq) {
			in->counters.handover_bad++;
			return;
		}
		peer->boot = msg->boot;
		peer->seq = msg->seq;
		peer->heard_us = now_us;
		peer->role = msg->role;
		peer->priority = msg->priority;
		peer->base = msg->base;
		peer->fit = msg->fit;
		peer->gateway = msg->gateway;
		in->counters.hellos_received++;
		if (msg->kind == HANDOVER_TAKE) {
			in->counters.takes_received++;
			instance_event(in, STATE_EV_TAKE, now_us);
		} else if (msg->kind == HANDOVER_WANT) {
			instance_event(in, STATE_EV_MOVE, now_us);
		}
		return;
	}
	in->counters.handover_bad++;
}

void instance_want(struct instance *in)
{
	in_tell_peers(in, HANDOVER_WANT);
}
