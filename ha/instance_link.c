/* SPDX-License-Identifier: ISC */
#include "ha/instance_impl.h"

#include <time.h>

#include "common/base/clock.h"

/*
 * The link side of a virtual router: what its socket receives, and what a
 * scan of links and addresses finds. A link that went and came again has a
 * new index, and then new sockets are asked for.
 */

enum {
	ROBBED_WINDOW_US = 10 * 1000 * 1000,
	CONFLICT_WAIT_US = 300 * 1000,
	REASSERT_GAP_US = 10 * 1000 * 1000,
	TELL_GAP_US = 10 * 1000 * 1000,
	OTHER_LIST = 1 << PACKET_OK, /* in `complained`, beside verdicts */
};

/* May this be told? Once until an advert is good again; but one who forges
 * between good ones cannot fill the log either. */
static bool may_tell(struct instance *in, uint32_t bit, int64_t now)
{
	int64_t *told = &in->told_us[__builtin_ctz(bit)];

	if (in->complained & bit || (*told && now < *told + TELL_GAP_US))
		return false;
	in->complained |= bit;
	*told = now;
	return true;
}

static void discard(
	struct instance *in, enum packet_verdict verdict, int64_t now)
{
	struct instance_event ev = {.kind = INSTANCE_DISCARD};
	const struct sock_packet *p = &in->packet;

	in->counters.discard[verdict]++;
	if (verdict == PACKET_LOOP || verdict == PACKET_VRID ||
		!may_tell(in, 1U << verdict, now))
		return;
	ev.value = (int64_t)(in->counters.discard[verdict] -
			     in->told_count[verdict]);
	in->told_count[verdict] = in->counters.discard[verdict];
	ev.reason = (uint8_t)verdict;
	ev.family = in->conf.family;
	memcpy(ev.peer, p->meta.src, sizeof(ev.peer));
	in_emit(in, &ev);
}

static void note_accepted(struct instance *in, const struct packet_advert *adv,
	unsigned notes, int64_t now)
{
	in->counters.received++;
	in->advert_us = in->packet.at_us;
	in->complained &= OTHER_LIST; /* the others are over */
	if (adv->priority == 0)
		in->counters.prio0_received++;
	if (notes & PACKET_NOTE_INTERVAL)
		in->counters.interval_diff++;
	if (in->conf.checksum == CONFIG_FOLLOW_PEER)
		in->sum_form = notes & PACKET_NOTE_PLAIN_SUM
				       ? PACKET_SUM_PLAIN
				       : PACKET_SUM_PSEUDO;
	if (!(notes & PACKET_NOTE_ADDR_LIST)) {
		in->complained &= ~OTHER_LIST;
		return;
	}
	in->counters.addr_list_diff++;
	if (may_tell(in, OTHER_LIST, now))
		in_emit_kind(in, INSTANCE_ADDRS, adv->count);
}

static int64_t wall_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static enum packet_verdict authenticate(
	struct instance *in, const struct hmac_conf *conf)
{
	const struct sock_packet *p = &in->packet;

	/* What is enforced is so at once. */
	if (in->conf.hmac.mode == HMAC_ENFORCE)
		conf = &in->conf.hmac;
	return hmac_check(&in->hmac, conf, &p->meta, p->pdu, p->len, wall_us());
}

/* By the rules in force, or else by those before a change. */
static enum packet_verdict decode(struct instance *in, int64_t now,
	struct packet_advert *adv, unsigned *notes)
{
	const struct sock_packet *p = &in->packet;
	enum packet_verdict verdict;

	if (p->broken)
		return PACKET_LEN;
	verdict =
		packet_decode(&in->rules, &p->meta, p->pdu, p->len, adv, notes);
	if (verdict == PACKET_OK)
		verdict = authenticate(in, &in->conf.hmac);
	if (verdict == PACKET_OK || now > in->old_until_us)
		return verdict;
	if (packet_decode(&in->old_rules, &p->meta, p->pdu, p->len, adv,
		    notes) == PACKET_OK &&
		authenticate(in, &in->old_conf.hmac) == PACKET_OK)
		return PACKET_OK;
	return verdict;
}

void in_take_packet(struct instance *in, int64_t now)
{
	const struct sock_packet *p = &in->packet;
	struct state_event ev = {.kind = STATE_EV_ADVERT};
	struct packet_advert adv;
	unsigned notes = 0;
	enum packet_verdict verdict = decode(in, now, &adv, &notes);

	if (verdict == PACKET_VRID && in->env->known(in->env->arg, in->index,
					      in->conf.family, p->pdu[1]))
		return; /* another one of ours has its own socket */
	if (verdict != PACKET_OK) {
		discard(in, verdict, now);
		return;
	}
	note_accepted(in, &adv, notes, now);
	ev.priority = adv.priority;
	ev.interval_us = adv.interval_cs * 10000U;
	ev.at_us = p->at_us;
	memcpy(ev.src, p->meta.src, sizeof(ev.src));
	in_step(in, &ev, now);
}

/* --- the link ---------------------------------------------------------- */

void instance_scan_begin(struct instance *in)
{
	memset(&in->scan_link, 0, sizeof(in->scan_link));
	in->scan_has_source = false;
	memset(in->scan_vips, 0, sizeof(in->scan_vips));
}

void instance_scan_link(struct instance *in, const struct iface_link *link)
{
	if (strcmp(link->name, in->conf.ifname) == 0)
		in->scan_link = *link;
}

static int vip_number(const struct instance *in, const struct iface_addr *addr)
{
	for (int i = 0; i < in->conf.vip_count; i++)
		if (memcmp(in->conf.vips[i].octets, addr->octets, 16) == 0)
			return i;
	return -1;
}

/* Links come before addresses, so the index is known here. */
void instance_scan_addr(struct instance *in, const struct iface_addr *addr)
{
	int vip;

	if (addr->family != in->conf.family ||
		addr->index != in->scan_link.index)
		return;
	vip = vip_number(in, addr);
	if (vip >= 0) {
		in->scan_vips[vip].here = true;
		in->scan_vips[vip].foreign = addr->tag != IFACE_TAG;
		return;
	}
	if (in->scan_has_source || addr->tag == IFACE_TAG || !addr->usable)
		return;
	if (addr->family == 6 &&
		(addr->octets[0] != 0xfe || (addr->octets[1] & 0xc0) != 0x80))
		return;
	memcpy(in->scan_source, addr->octets, sizeof(in->scan_source));
	in->scan_has_source = true;
}

/* An address was taken off behind our back: put it back, but do not fight
 * for ever (three times in 10 s). */
static void restore(struct instance *in, uint64_t ticket, int64_t now)
{
	if (ticket < in->vip.ticket)
		return; /* it is about to be as we asked for */
	in->vips_seen = true;
	for (size_t i = 0; i < in->conf.vip_count; i++)
		in->vips_seen &= in->scan_vips[i].here;
	if (in->vip.place != VIP_ON || in->vips_seen || !in->scan_link.up)
		return;
	if (in->robbed_us[2] && now - in->robbed_us[2] < ROBBED_WINDOW_US) {
		in->banned_us = now + ROBBED_WINDOW_US;
		in_emit_kind(in, INSTANCE_ROBBED, -1);
		return;
	}
	memmove(&in->robbed_us[1], &in->robbed_us[0], 3 * sizeof(int64_t));
	in->robbed_us[0] = now;
	in->counters.restored++;
	in_emit_kind(in, INSTANCE_ROBBED, (int64_t)in->counters.restored);
	instance_event(in, STATE_EV_REASSERT, now);
}

/* Somebody else put a service address on: it is not ours to take off, but
 * this node answers for it even as backup. What is there before we add our
 * own counts; a kernel that keeps no tags cannot tell then. */
static void check_foreign(struct instance *in)
{
	struct instance_event ev = {.kind = INSTANCE_FOREIGN};
	size_t i = 0;
	bool foreign;

	while (i < in->conf.vip_count && !in->scan_vips[i].foreign)
		i++;
	foreign = i < in->conf.vip_count;
	if (foreign == in->foreign || (foreign && in->vip.place == VIP_ON))
		return;
	in->foreign = foreign;
	ev.value = foreign;
	if (foreign) {
		ev.family = in->conf.family;
		memcpy(ev.peer, in->conf.vips[i].octets, sizeof(ev.peer));
	}
	in_emit(in, &ev);
}

/* A peer that takes over says so by advert and by ARP, in either order: so a
 * claim counts only when we are still master a moment later. */
static void check_conflict(struct instance *in, int64_t now)
{
	struct instance_event ev = {.kind = INSTANCE_CONFLICT};
	struct neighbour *n = &in->neighbour;

	if (!n->conflict_us)
		return;
	if (in->st.role != STATE_MASTER || n->conflict_us < in->st.since_us) {
		n->conflict_us = 0;
		return;
	}
	if (now < n->conflict_us + CONFLICT_WAIT_US)
		return;
	n->conflict_us = 0;
	if (now < in->reassert_us)
		return;
	in->reassert_us = now + REASSERT_GAP_US;
	memcpy(ev.peer, n->thief, sizeof(n->thief));
	in_emit(in, &ev);
	instance_event(in, STATE_EV_REASSERT, now);
}

/* Of our own peers the hellos tell the same, and sooner. */
bool in_any_hello(const struct instance *in)
{
	for (size_t i = 0; i < in->conf.handover_count; i++)
		if (in->peers[i].heard_us)
			return true;
	return false;
}

static void ask_master(struct instance *in, int64_t now)
{
	const struct state *s = &in->st;
	/* What armed the timer was an advert, not a start or a recovery. */
	bool silent = s->role == STATE_BACKUP && s->armed_us == s->heard_us &&
		      !in_any_hello(in);

	if (in->conf.family == 4 &&
		neighbour_master_gone(&in->neighbour, silent ? s->heard_us : 0,
			s->active_us, in->source, in->conf.vips[0].octets, now))
		instance_event(in, STATE_EV_SILENT, now);
}

void in_listen(struct instance *in, int64_t now)
{
	bool lost;

	if (in->has_source) {
		neighbour_tick(&in->neighbour, in->source, now);
		ask_master(in, now);
	}
	check_conflict(in, now);
	lost = neighbour_gateway(&in->neighbour) == TRACK_GATEWAY_LOST;
	if (lost == in->gateway_lost)
		return;
	in->gateway_lost = lost;
	in->hello_us = now; /* the peers want to know */
	in_emit_kind(in, INSTANCE_GATEWAY, lost);
}

int64_t in_listen_deadline(const struct instance *in)
{
	int64_t t =
		in->has_source ? neighbour_deadline(&in->neighbour) : INT64_MAX;

	if (in->neighbour.conflict_us &&
		in->neighbour.conflict_us + CONFLICT_WAIT_US < t)
		t = in->neighbour.conflict_us + CONFLICT_WAIT_US;
	return t;
}

void instance_scan_end(struct instance *in, uint64_t ticket, int64_t now_us)
{
	const struct iface_link *link = &in->scan_link;
	bool moved = link->index != in->index ||
		     memcmp(link->mac, in->mac, sizeof(in->mac)) != 0;
	bool other = link->index != in->index;

	if (moved && link->index != 0) /* it may be a new link */
		in->can_linger = in->conf.family == 6 ||
				 vip_prepare_linger(in->conf.ifname);
	if (other)
		in_close(in);
	in->index = link->index;
	in->vip.index = link->index;
	in->link_up = link->up;
	in->has_source = in->scan_has_source;
	memcpy(in->mac, link->mac, sizeof(in->mac));
	if (moved) {
		in_renew(in);
		in_open_neighbour(in, now_us);
	}
	if (in->scan_has_source &&
		memcmp(in->source, in->scan_source, sizeof(in->source)) != 0) {
		memcpy(in->source, in->scan_source, sizeof(in->source));
		memcpy(in->rules.self, in->source, sizeof(in->rules.self));
		memcpy(in->old_rules.self, in->source,
			sizeof(in->old_rules.self));
		memcpy(in->sc.self, in->source, sizeof(in->sc.self));
	}
	in_open(in, true);
	in->scanned = true;
	check_foreign(in);
	restore(in, ticket, now_us);
}

void in_adopt_link(
	struct instance *in, const struct instance *from, int64_t now)
{
	in->scan_link = from->scan_link;
	in->scan_has_source = from->scan_has_source;
	memcpy(in->scan_source, from->scan_source, sizeof(in->scan_source));
	instance_scan_end(in, in->vip.ticket, now);
}
