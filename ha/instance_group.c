/* SPDX-License-Identifier: ISC */
#include "ha/instance_impl.h"

/*
 * Sync groups: virtual routers of which all are led by one node, such as
 * IPv4 and IPv6 of one service. What one suffers all suffer (a fault, a lost
 * gateway); none takes over by silence while another one still hears its
 * master; and when one is led away the others follow by planned moves, so
 * that nothing is lost on the way. A fault of another one only gives the
 * address up, as a failed service does: the last man still takes it back.
 */

enum {
	PULL_US = 100 * 1000,
	SPLIT_US = 300 * 1000,
};

static bool is_fellow(const struct instance *in, const struct instance *other)
{
	return other != in && in->conf.group[0] &&
	       strcmp(in->conf.group, other->conf.group) == 0;
}

static struct instance *const *everybody(
	const struct instance *in, size_t *count)
{
	return in->env->everybody(in->env->arg, count);
}

void in_group_look(const struct instance *in, struct in_group *out)
{
	size_t count;
	struct instance *const *all = everybody(in, &count);

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < count; i++) {
		if (!is_fellow(in, all[i]))
			continue;
		out->failed |= all[i]->own_fault != TRACK_FAULT_NONE;
		out->gateway_lost |= all[i]->gateway_lost;
		out->rescued |= all[i]->rescue.leads;
	}
}

bool in_group_changed(const struct instance *in)
{
	struct in_group is;

	in_group_look(in, &is);
	return is.failed != in->group.failed ||
	       is.gateway_lost != in->group.gateway_lost ||
	       is.rescued != in->group.rescued;
}

/* A whole master-down time of each would make them wait for each other; one
 * advert that is overdue shows that the master is silent there as well. */
bool in_group_waits(const struct instance *in, int64_t now)
{
	size_t count;
	struct instance *const *all = everybody(in, &count);

	for (size_t i = 0; i < count; i++) {
		const struct state *st = &all[i]->st;

		if (!is_fellow(in, all[i]) || st->role != STATE_BACKUP ||
			st->skewing)
			continue;
		if (now - st->armed_us <= (int64_t)st->active_us * 3 / 2 ||
			in_path_waits(all[i], now))
			return true;
	}
	return false;
}

uint8_t in_group_top(const struct instance *in)
{
	size_t count;
	struct instance *const *all = everybody(in, &count);
	uint8_t top = in->st.master_priority;

	for (size_t i = 0; i < count; i++) {
		const struct state *st = &all[i]->st;

		if (is_fellow(in, all[i]) && st->role == STATE_BACKUP &&
			st->master_priority > top)
			top = st->master_priority;
	}
	return top;
}

void in_group_left(struct instance *in, int64_t now)
{
	if (!in->conf.group[0] || in->st.role != STATE_BACKUP)
		return;
	/* They most often hear the new master themselves. */
	in->pull_us = now + 2 * (int64_t)in->conf.interval_us + PULL_US;
}

void in_group_pull(struct instance *in, int64_t now)
{
	size_t count;
	struct instance *const *all = everybody(in, &count);

	if (!in->pull_us || now < in->pull_us)
		return;
	in->pull_us = 0;
	for (size_t i = 0; i < count && in->st.role == STATE_BACKUP; i++)
		if (is_fellow(in, all[i]) && !all[i]->st.move_us &&
			!all[i]->sc.leaving)
			instance_event(all[i], STATE_EV_MOVE, now);
}

bool instance_in_group(const struct instance *in, const char *group)
{
	return group[0] && strcmp(in->conf.group, group) == 0;
}

/* --- what two paths tell of one peer ------------------------------------ */

/* It says that it is master, and not one advert of it came for long. */
static bool is_unheard(
	const struct instance *in, const struct instance_peer *peer)
{
	int64_t from = in->advert_us > in->st.since_us ? in->advert_us
						       : in->st.since_us;

	return peer->state != TRACK_PEER_LOST && peer->role == STATE_MASTER &&
	       peer->heard_us > from + 2 * (int64_t)in->st.active_us + SPLIT_US;
}

/*
 * A node that died stops both, so only a hello of a time at which an advert
 * was overdue tells that adverts are lost on the way; and only one of now.
 */
static bool is_alive_unheard(const struct instance *in,
	const struct instance_peer *peer, int64_t now)
{
	int64_t from = in->advert_us > in->st.since_us ? in->advert_us
						       : in->st.since_us;
	int64_t active = in->st.active_us;
	int64_t period = active < HELLO_US ? active : HELLO_US;

	return peer->state != TRACK_PEER_LOST && peer->role == STATE_MASTER &&
	       peer->fit && peer->heard_us >= from + active * 5 / 4 &&
	       now - peer->heard_us <= 3 * period;
}

/* Without a gateway to watch on both sides nobody knows whom clients reach,
 * and two masters are better than none. */
bool in_path_waits(const struct instance *in, int64_t now)
{
	enum track_gateway own = neighbour_gateway(&in->neighbour);

	if (own == TRACK_GATEWAY_UNKNOWN)
		return false;
	for (size_t i = 0; i < in->conf.handover_count; i++) {
		const struct instance_peer *peer = &in->peers[i];

		if (peer->gateway == TRACK_GATEWAY_UNKNOWN ||
			!is_alive_unheard(in, peer, now))
			continue;
		if (own == TRACK_GATEWAY_LOST ||
			peer->gateway == TRACK_GATEWAY_GOOD)
			return true;
	}
	return false;
}

static const struct instance_peer *find_unheard(const struct instance *in)
{
	if (in->st.role != STATE_BACKUP && in->st.role != STATE_MASTER)
		return NULL;
	for (size_t i = 0; i < in->conf.handover_count; i++)
		if (is_unheard(in, &in->peers[i]))
			return &in->peers[i];
	return NULL;
}

void in_judge_paths(struct instance *in)
{
	struct instance_event ev = {.kind = INSTANCE_ASYMMETRIC};
	const struct instance_peer *peer = find_unheard(in);
	enum state_role role = peer ? in->st.role : STATE_INIT;

	if (role == in->asymmetric)
		return;
	in->asymmetric = role;
	ev.value = peer != NULL;
	ev.from = in->sc.priority;
	ev.to = (uint8_t)role;
	if (peer) {
		const uint8_t *octets;
		size_t n = addr_octets(&peer->addr, &octets);

		ev.priority = peer->priority;
		ev.family = n == 16 ? 6 : 4;
		memcpy(ev.peer, octets, n);
	}
	in_emit(in, &ev);
}
