/* SPDX-License-Identifier: ISC */

/*
 * ispdns-ha: start, change, drain and stop of the VRRP daemon. All that is
 * urgent happens on the worker's thread; here are configuration, control,
 * metrics and log.
 */

#include <errno.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/ctl/file.h"
#include "ha/ha.h"

/* Where the role is kept: beside the health socket. */
#define KEEP_NAME "role"
#define KEEP_PATH ISPDNS_RUN_DIR "/ha/" KEEP_NAME

enum {
	STOP_POLL_MS = 20,
	PULSE_MS = 1000,
	STOP_MAX_US = 8 * 1000 * 1000,
	ROUTED_MAX_US = 25 * 1000 * 1000, /* below the unit's TimeoutStopSec */
	RESTART_US = 1000000,
	RESTART_MS = 20,
	STAY_US = 10 * 1000 * 1000, /* from ExecStop to the signal */
};

static void stop_poll(void *arg);
static void on_restart(void *arg);

/* --- events ------------------------------------------------------------ */

static void log_event(const struct instance_event *ev)
{
	char text[256];

	if (!ha_note_text(ev, text, sizeof(text)))
		return;
	if (ev->kind == INSTANCE_ROLE || ev->kind == INSTANCE_PEER ||
		ev->kind == INSTANCE_ROUTE ||
		(ev->kind == INSTANCE_FRONTEND &&
			ev->to != TRACK_SERVICE_FAILED))
		log_info("ha: %s", text);
	else
		log_warn("ha: %s", text);
}

static void note_event(struct ha *ha, const struct instance_event *ev)
{
	struct ha_note *note = &ha->history[++ha->history_seq % HA_HISTORY];

	note->seq = ha->history_seq;
	note->wall_s = wall_now_s();
	note->event = *ev;
	if (ev->kind == INSTANCE_ROLE && ev->from < 4 && ev->to < 4 &&
		ev->reason < STATE_REASONS)
		ha->transitions[ev->from][ev->to][ev->reason]++;
	log_event(ev);
	fence_event(&ha->fence, ha->config, ev, mtime_now().us);
	ha_moves_event(ha, ev);
}

static void on_events(void *arg, int fd, int events)
{
	struct instance_event ev;
	struct ha *ha = arg;

	(void)fd;
	(void)events;
	while (worker_next_event(ha->worker, &ev))
		note_event(ha, &ev);
}

static void look_late(struct worker *w, void *arg)
{
	uint64_t *min_us = arg;

	*min_us = pace_min_us(&worker_count(w)->late_us);
}

/* Said again when it becomes worse, and after a change. */
static void warn_pace(struct ha *ha, uint64_t min_us)
{
	if (min_us <= ha->pace_told_us)
		return;
	ha->pace_told_us = min_us;
	for (size_t i = 0; i < ha->config->instance_count; i++) {
		const struct config_instance *in = &ha->config->instances[i];

		if (in->interval_us < min_us)
			log_warn("ha: %s: interval: %u ms is too short for "
				 "this machine: timers run up to %g ms late, "
				 "need %u ms",
				in->name, in->interval_us / 1000,
				(double)min_us / PACE_FACTOR / 1000,
				(unsigned)(min_us / 1000));
	}
}

static void on_turn(void *arg)
{
	struct ha *ha = arg;

	worker_turn(ha->worker);
	timer_set_ms(ha->turn, TRACK_TURN_US / 1000);
}

/* worker_call ends the process when the worker does not answer. */
static void on_pulse(void *arg)
{
	struct ha *ha = arg;
	uint64_t min_us;

	worker_call(ha->worker, look_late, &min_us);
	warn_pace(ha, min_us);
	ha_look_engine(ha);
	timer_set_ms(ha->pulse, PULSE_MS);
}

/* --- start ------------------------------------------------------------- */

static int http_get(void *arg, const char *path, struct text *body)
{
	struct ha *ha = arg;

	if (strcmp(path, "/metrics") == 0) {
		ha_metrics(ha, body);
		return 200;
	}
	if (strcmp(path, "/health") == 0) {
		text_add(body, "ok\n");
		return 200;
	}
	return 404;
}

static void ha_free(void *state)
{
	struct ha *ha = state;

	http_server_free(ha->metrics);
	timer_free(ha->stop_timer);
	timer_free(ha->move_timer);
	timer_free(ha->restart_timer);
	timer_free(ha->pulse);
	timer_free(ha->turn);
	watch_close(ha->events);
	worker_free(ha->worker);
	keep_close(ha->keep);
	config_free(ha->config);
	free(ha);
}

static int open_parts(struct ha *ha, struct loop *loop, struct err *err)
{
	char dir[sizeof(ha->config->health_path)], path[160];

	snprintf(dir, sizeof(dir), "%s", ha->config->health_path);
	*strrchr(dir, '/') = '\0'; /* the path is absolute */
	snprintf(path, sizeof(path), "%s/" KEEP_NAME, dir);
	if (dir_make(dir, 0750, err) < 0)
		return -EIO;
	ha->keep = keep_open(path, err);
	if (!ha->keep)
		return -EBUSY;
	ha->worker = worker_new(ha->config, ha->keep, err);
	if (!ha->worker)
		return -EIO;
	ha->events = watch_open(
		loop, worker_event_fd(ha->worker), LOOP_READ, on_events, ha);
	ha->stop_timer = timer_new(loop, stop_poll, ha);
	ha->move_timer = timer_new(loop, ha_moves_expire, ha);
	ha->restart_timer = timer_new(loop, on_restart, ha);
	ha->pulse = timer_new(loop, on_pulse, ha);
	ha->turn = timer_new(loop, on_turn, ha);
	if (!ha->events || !ha->stop_timer || !ha->move_timer ||
		!ha->restart_timer || !ha->pulse || !ha->turn)
		return err_fail(err, -ENOMEM, "out of memory");
	if (!ha->config->has_metrics)
		return 0;
	ha->metrics =
		http_server_new(loop, &ha->config->metrics, http_get, ha, err);
	return ha->metrics ? 0 : -EADDRINUSE;
}

static void warn_config(const struct config *c)
{
	for (size_t i = 0; i < c->instance_count; i++)
		if (c->instances[i].password_cut)
			log_warn("ha: %s: password: the first %d octets count",
				c->instances[i].name, PACKET_AUTH_LEN);
}

static int ha_start(struct daemon *d, const struct conf *conf, void **state,
	struct err *err)
{
	struct ha *ha = calloc(1, sizeof(*ha));

	if (!ha)
		return err_fail(err, -ENOMEM, "out of memory");
	ha->daemon = d;
	ha->fence.loop = daemon_loop(d);
	ha->config = config_build(conf, err);
	if (!ha->config || open_parts(ha, daemon_loop(d), err) < 0 ||
		worker_start(ha->worker, keep_drained(ha->keep), err) < 0) {
		ha_free(ha);
		return -EINVAL;
	}
	if (ha->config->realtime && !worker_is_realtime(ha->worker))
		log_warn("ha: not permitted to run in real time; a busy "
			 "machine can delay adverts");
	warn_config(ha->config);
	timer_set_ms(ha->pulse, PULSE_MS);
	timer_set_ms(ha->turn, TRACK_TURN_US / 1000);
	*state = ha;
	return 0;
}

/* --- change ------------------------------------------------------------ */

struct ha_change {
	struct config *config;
	struct worker_change *worker;
};

static void ha_prepare(struct daemon *d, void *state, const struct conf *conf)
{
	struct ha_change *change = calloc(1, sizeof(*change));
	struct err err = {.text = "out of memory"};
	struct ha *ha = state;

	if (change)
		change->config = config_build(conf, &err);
	if (change && change->config)
		change->worker =
			worker_prepare(ha->worker, change->config, &err);
	if (change && change->worker) {
		daemon_prepared(d, change, NULL);
		return;
	}
	if (change)
		config_free(change->config);
	free(change);
	daemon_prepared(d, NULL, &err);
}

static bool ha_commit(struct daemon *d, void *state, void *next)
{
	struct ha_change *change = next;
	struct ha *ha = state;

	(void)d;
	worker_commit(ha->worker, change->worker);
	config_free(ha->config);
	ha->config = change->config;
	ha->pace_told_us = 0;
	warn_config(ha->config);
	free(change);
	return true;
}

static void ha_discard(struct daemon *d, void *state, void *next)
{
	struct ha_change *change = next;

	(void)d;
	(void)state;
	worker_discard(change->worker);
	config_free(change->config);
	free(change);
}

/* --- drain and stop ---------------------------------------------------- */

static void set_drain(struct worker *w, void *arg)
{
	const bool *on = arg;

	for (size_t i = 0; i < worker_instances(w); i++)
		instance_drain(worker_instance(w, i), *on);
	for (size_t i = 0; i < worker_anycasts(w); i++)
		anycast_drain(worker_anycast(w, i), *on);
}

static void set_stop(struct worker *w, void *arg)
{
	set_drain(w, arg);
	for (size_t i = 0; i < worker_anycasts(w); i++)
		anycast_hurry(worker_anycast(w, i), mtime_now().us);
}

static void ha_drain(struct daemon *d, void *state, bool on)
{
	struct ha *ha = state;

	(void)d;
	keep_set_drained(ha->keep, on);
	worker_call(ha->worker, set_drain, &on);
}

struct busy {
	bool master, lingers, routed;
	int64_t wait_us; /* how long a peer may need to take over */
};

static void look_busy(struct worker *w, void *arg)
{
	struct busy *busy = arg;

	for (size_t i = 0; i < worker_instances(w); i++) {
		const struct instance *in = worker_instance(w, i);

		if (in->st.role == STATE_MASTER) {
			busy->master = true;
			if (in->sc.move_us > busy->wait_us)
				busy->wait_us = in->sc.move_us;
		}
		if (in->vip.place == VIP_LINGER)
			busy->lingers = true;
	}
	for (size_t i = 0; i < worker_anycasts(w); i++)
		busy->routed |= anycast_busy(worker_anycast(w, i));
}

/* Until the peers have taken over and late packets have come to an end. */
static void stop_poll(void *arg)
{
	struct ha *ha = arg;
	struct busy busy = {0};
	int64_t now = mtime_now().us;

	worker_call(ha->worker, look_busy, &busy);
	if ((busy.master && now < ha->stop_us) || busy.lingers ||
		(busy.routed && now < ha->routed_us)) {
		timer_set_ms(ha->stop_timer, STOP_POLL_MS);
		return;
	}
	daemon_stopped(ha->daemon);
}

void ha_stay(struct ha *ha)
{
	ha->stay_us = mtime_now().us + STAY_US;
}

/* What is here stays for the next process, also past systemd's --cleanup. */
static void end_here(struct ha *ha)
{
	log_info("ha: ends to be started again: roles and routes stay");
	keep_mark_restart(ha->keep, mtime_now().us);
	worker_stay(ha->worker, true);
	daemon_stopped(ha->daemon);
}

static void on_restart(void *arg)
{
	end_here(arg);
}

/* In a moment: the answer to who asked for it goes out first. */
void ha_restart(struct ha *ha)
{
	timer_set_ms(ha->restart_timer, RESTART_MS);
}

static void ha_stop(struct daemon *d, void *state)
{
	struct ha *ha = state;
	struct busy busy = {0};
	bool on = true;

	(void)d;
	if (mtime_now().us < ha->stay_us) {
		end_here(ha);
		return;
	}
	worker_call(ha->worker, look_busy, &busy);
	worker_call(ha->worker, set_stop, &on);
	if (busy.wait_us > STOP_MAX_US)
		busy.wait_us = STOP_MAX_US;
	ha->stop_us = mtime_now().us + busy.wait_us;
	ha->routed_us = mtime_now().us + ROUTED_MAX_US;
	stop_poll(ha);
}

/* --- --cleanup --------------------------------------------------------- */

/* Under systemd after a crash: a restart follows. */
static bool crashed(void)
{
	const char *result = getenv("SERVICE_RESULT");

	return result && strcmp(result, "success") != 0;
}

struct static_route {
	const struct iface_addr *addr;
	bool found;
};

static void match_route(void *arg, const struct iface_route *route)
{
	struct static_route *s = arg;

	s->found |= memcmp(route->octets, s->addr->octets,
			    sizeof(route->octets)) == 0;
}

/* The address of a route that stays. */
static bool is_routed(void *arg, const struct iface_addr *addr)
{
	struct static_route s = {addr, false};

	return iface_route_scan(arg, addr->family, 0, match_route, &s) == 0 &&
	       s.found;
}

/* After a crash anycast stays as it is (fail-static): the frontend may well
 * be alive, and the restart takes it in. */
static int sweep(bool crash)
{
	struct err err = {.text = ""};
	struct iface *iface = iface_new(&err);
	int routes = 0, addrs = -EIO;

	if (iface && !crash)
		routes = iface_route_sweep(iface, NULL, NULL);
	if (iface && routes >= 0)
		addrs = iface_sweep(iface, crash ? is_routed : NULL, iface);
	if (routes < 0)
		addrs = routes;
	if (addrs < 0)
		fprintf(stderr, "ispdns-ha: cleanup: %s\n",
			iface ? strerror(-addrs) : err.text);
	else
		printf("%d routes, %d addresses removed\n", routes, addrs);
	iface_free(iface);
	return addrs < 0;
}

/* A restart may go on as master, so what was used a moment ago is left. */
static int cleanup(const char *path)
{
	struct err err = {.text = ""};
	struct keep *keep = NULL;
	bool restarts;
	int status = 0;

	if (access(path, F_OK) == 0) {
		keep = keep_open(path, &err);
		if (!keep) {
			fprintf(stderr, "ispdns-ha: %s\n", err.text);
			return 1;
		}
	}
	restarts = crashed() ||
		   (keep && keep_restarts(keep, mtime_now().us - RESTART_US));
	if (!restarts || !keep ||
		!keep_recent(keep, mtime_now().us - RESTART_US))
		status = sweep(restarts);
	keep_close(keep);
	return status;
}

static int ha_option(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--cleanup") == 0)
			return cleanup(i + 1 < argc ? argv[i + 1] : KEEP_PATH);
	return -1;
}

int main(int argc, char **argv)
{
	static const struct daemon_ops ops = {
		.name = "ispdns-ha",
		.part = "ha",
		.summary = "VRRP: moves service addresses between nodes",
		.schema = config_schema,
		.check = config_check,
		.start = ha_start,
		.prepare = ha_prepare,
		.commit = ha_commit,
		.discard = ha_discard,
		.drain = ha_drain,
		.status = ha_status,
		.stats = ha_stats,
		.stop = ha_stop,
		.free = ha_free,
		.commands = ha_commands,
		.render = ha_render,
		.option = ha_option,
	};

	return daemon_main(argc, argv, &ops);
}
