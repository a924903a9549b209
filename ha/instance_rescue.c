/* SPDX-License-Identifier: ISC */
#include "ha/instance_impl.h"

/*
 * The rescue of rescue.h as an instance makes it: what is known of the master
 * goes to the judge, its questions are asked by a probe of their own, and what
 * it decides is told, kept for a restart and counted.
 */

/* Is the master one of our own peers, by what their hellos say? */
static bool master_is_ours(const struct instance *in)
{
	for (size_t i = 0; i < in->conf.handover_count; i++) {
		const struct instance_peer *peer = &in->peers[i];

		if (peer->role == STATE_MASTER &&
			(peer->state == TRACK_PEER_FIT ||
				peer->state == TRACK_PEER_FAILED))
			return true;
	}
	return false;
}

/* While the address is here, on lo or on its way off, we would ask ourselves.
 */
static bool is_fit(const struct instance *in, int64_t now)
{
	return in->service == TRACK_SERVICE_OK && !in->gateway_lost &&
	       !in->group.gateway_lost &&
	       in->health.fault == TRACK_FAULT_NONE && !in->health.leaving &&
	       in->st.heard_us && now >= in->st.startup_us &&
	       in->vip.place == VIP_OFF && vip_settled(&in->vip);
}

/* The judge wants somebody else asked, or begins anew. */
static void follow_ask(struct instance *in, int64_t now)
{
	const struct rescue *r = &in->rescue;
	struct probe *p = &in->rescue_probe;
	const uint8_t *octets = r->master;

	if (in->rescue_round == r->round)
		return;
	in->rescue_round = r->round;
	probe_stop(p);
	if (r->ask == RESCUE_ASK_NOBODY)
		return;
	if (r->ask == RESCUE_ASK_SERVICE)
		octets = vip_public(&in->conf)->octets;
	in_trouble(in, "ask the master",
		probe_start(p, &in->env->config->probe, in->conf.family, octets,
			in->index, now));
	probe_at_once(p, now);
	if (r->ask == RESCUE_ASK_SERVICE && rescue_trusts(r))
		probe_believe(p);
}

static void note(struct instance *in, enum rescue_result result)
{
	struct instance_event ev = {.kind = INSTANCE_RESCUE, .value = result};

	ev.family = in->conf.family;
	memcpy(ev.peer, in->rescue.master, sizeof(ev.peer));
	in->counters.rescues += result == RESCUE_TAKE;
	in_emit(in, &ev);
	keep_set_rescue(
		in->keep_rescue, in->rescue.leads ? in->rescue.master : NULL);
}

bool in_rescue(struct instance *in, int64_t now)
{
	const struct probe *p = &in->rescue_probe;
	struct rescue_input input = {.role = in->st.role};
	bool leads = in->rescue.leads;
	enum rescue_result result;

	probe_tick(&in->rescue_probe, now);
	if (!in->started)
		return false;
	input.fit = in->conf.rescue && is_fit(in, now);
	input.ours = master_is_ours(in);
	input.priority = in_group_top(in);
	memcpy(input.master, in->st.master, sizeof(input.master));
	input.silent = probe_is_silent(p);
	input.answers = probe_answers(p);
	input.alive = in->st.heard_us >= p->silent_us;
	if (leads && !in->conf.rescue)
		input.role = STATE_INIT; /* not wanted any more */
	result = rescue_step(&in->rescue, &input, now);
	if (result != RESCUE_NOTHING)
		note(in, result);
	if (in->rescue.known)
		keep_set_trust(in->keep_rescue, in->rescue.trusted);
	follow_ask(in, now);
	return in->rescue.leads != leads;
}

/* A master that is mended does not wait longer because of a reload. */
void in_rescue_reconf(struct instance *in, const struct config_instance *old)
{
	struct probe *p = &in->rescue_probe;
	bool same =
		in->rescue.ask != RESCUE_ASK_SERVICE ||
		memcmp(vip_public(old)->octets, vip_public(&in->conf)->octets,
			PACKET_ADDR_MAX) == 0;

	if (probe_reconf(p, &in->env->config->probe) && same)
		return;
	probe_stop(p);
	in->rescue_round = in->rescue.round - 1;
}

void in_rescue_resume(struct instance *in)
{
	uint8_t master[STATE_ADDR_MAX];

	if (keep_get_trust(in->keep_rescue, master))
		rescue_trust(&in->rescue, master);
	if (in->resume && in->conf.rescue &&
		keep_get_rescue(in->keep_rescue, master))
		rescue_resume(&in->rescue, master);
	else
		keep_set_rescue(in->keep_rescue, NULL);
}
