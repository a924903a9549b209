/* SPDX-License-Identifier: ISC */
/*
 * What is told to a worker from outside: links and addresses by the kernel,
 * peers by their datagrams. Each goes on to the instances that it concerns.
 */
#include "common/base/clock.h"
#include "ha/worker_impl.h"

/* --- the kernel -------------------------------------------------------- */

static void see_links(struct worker *w, const struct kernel_view *v)
{
	for (size_t i = 0; i < w->count; i++) {
		struct instance *in = w->instances[i];

		instance_scan_begin(in);
		for (size_t k = 0; k < v->link_count; k++)
			instance_scan_link(in, &v->links[k]);
		for (size_t k = 0; k < v->addr_count; k++)
			instance_scan_addr(in, &v->addrs[k]);
		instance_scan_end(in, v->ticket, mtime_now().us);
	}
	worker_anycast_see_addrs(w, v);
}

static void note_cut(struct worker *w)
{
	struct instance_event ev = {.kind = INSTANCE_TROUBLE, .value = E2BIG};

	if (w->cut)
		return;
	w->cut = true;
	snprintf(ev.name, sizeof(ev.name), "netlink");
	snprintf(ev.what, sizeof(ev.what), "read links and addresses");
	ev.at_us = mtime_now().us;
	worker_emit(w, &ev);
}

static void see(struct worker *w, const struct kernel_view *v)
{
	w->counters.resyncs++;
	if (v->cut)
		note_cut(w);
	if (v->parts & KERNEL_SEES_LINKS)
		see_links(w, v);
	if (v->parts & KERNEL_SEES_ROUTES) {
		w->routes = v->routes;
		worker_anycast_see_routes(w);
	}
}

static struct instance *find_owner(struct worker *w, uint32_t owner)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->instances[i]->owner == owner)
			return w->instances[i];
	return NULL;
}

static void refused(struct worker *w, const struct kernel_failure *f)
{
	struct instance *in;

	if (worker_anycast_refused(w, f, mtime_now().us)) {
		kernel_look(w->kernel);
		return;
	}
	in = find_owner(w, f->owner);
	if (in)
		instance_refused(in, f);
}

void worker_on_kernel(void *arg)
{
	struct worker *w = arg;
	uint64_t done = kernel_done(w->kernel);
	const struct kernel_view *view;
	struct kernel_failure f;

	kernel_drain(w->kernel);
	while (kernel_next_failure(w->kernel, &f))
		refused(w, &f);
	w->env.done = done;
	view = kernel_view(w->kernel);
	if (!view)
		return;
	see(w, view);
	kernel_seen(w->kernel);
}

/* One that left has no use for what it asked for. */
void worker_on_opener(void *arg)
{
	struct worker *w = arg;
	struct opener_got got;

	opener_drain(w->opener);
	while (opener_next(w->opener, &got)) {
		struct instance *in = find_owner(w, got.owner);

		if (in)
			instance_opened(in, &got, mtime_now().us);
		else if (got.rc == 0)
			opener_close(w->opener, &got.set);
	}
}

struct instance *const *worker_everybody(void *arg, size_t *count)
{
	struct worker *w = arg;

	*count = w->count;
	return w->instances;
}

bool worker_knows(void *arg, int index, uint8_t family, uint8_t vrid)
{
	const struct worker *w = arg;

	for (size_t i = 0; i < w->count; i++) {
		const struct instance *in = w->instances[i];

		if (in->index == index && in->conf.family == family &&
			in->conf.vrid == vrid)
			return true;
	}
	return false;
}

/* --- the frontend ------------------------------------------------------ */

void worker_turn(struct worker *w)
{
	(void)__atomic_fetch_add(&w->turns, 1, __ATOMIC_RELAXED);
}

/* The frontend's threads are ordinary ones, as our main thread is; when that
 * one did not run either, the machine is to blame. */
static void excuse_starved(struct worker *w)
{
	const struct track_beat_conf *conf = &w->health.conf;
	struct track_beat *beat = &w->health.beat;
	int64_t now = w->poll.now_us, excused = beat->excused_us;
	uint64_t turns = __atomic_load_n(&w->turns, __ATOMIC_RELAXED);

	if (!track_starved(&w->turns_seen, beat, turns, now) ||
		!beat->connected ||
		now - beat->last_us < conf->period_us * conf->missed)
		return;
	track_beat_excuse(beat, conf, 0, now);
	w->counters.excused += beat->excused_us != excused;
}

enum track_service worker_judge(struct worker *w)
{
	struct track_beat *beat = &w->health.beat;
	struct instance_event ev = {
		.kind = INSTANCE_FRONTEND, .at_us = w->poll.now_us};
	enum track_service is;

	excuse_starved(w);
	is = track_beat_judge(beat, &w->health.conf, w->poll.now_us);
	if (is == w->service)
		return is;
	ev.from = (uint8_t)w->service;
	ev.to = (uint8_t)is;
	ev.reason = (uint8_t)beat->cause;
	ev.value = beat->silence_us;
	w->service = is;
	worker_emit(w, &ev);
	return is;
}

/* --- peers ------------------------------------------------------------- */

static void peer_said(struct worker *w, const struct handover_msg *msg,
	const union addr *from)
{
	for (size_t i = 0; i < w->count; i++) {
		struct instance *in = w->instances[i];

		if (in->conf.vrid == msg->vrid &&
			in->conf.family == msg->family)
			instance_peer_said(in, msg, from, mtime_now().us);
	}
}

static void read_peers(struct worker *w, int fd)
{
	struct handover_msg msg;
	union addr from;
	int rc;

	for (int i = 0; i < ROUND_MAX; i++) {
		rc = handover_receive(&w->handover, fd, &msg, &from);
		if (rc == 0)
			return;
		if (rc == 1)
			peer_said(w, &msg, &from);
		else if (w->count)
			w->instances[0]->counters.handover_bad++;
	}
}

void worker_on_peers4(void *arg)
{
	struct worker *w = arg;

	read_peers(w, w->peers4.fd);
}

void worker_on_peers6(void *arg)
{
	struct worker *w = arg;

	read_peers(w, w->peers6.fd);
}
