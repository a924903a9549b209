/* SPDX-License-Identifier: ISC */
#ifndef HA_HA_H
#define HA_HA_H

#include "common/ctl/daemon.h"
#include "common/net/http.h"
#include "ha/engine.h"
#include "ha/fence.h"
#include "ha/pace.h"
#include "ha/worker.h"

/*
 * The main thread's side of the daemon: what ties worker, control socket,
 * metrics page and history together. Main thread only.
 */

enum {
	HA_HISTORY = 256,
	HA_MOVES = 8
};

/* One thing an operator may want to know later. */
struct ha_note {
	long long seq; /* 1, 2, 3 ... since the start */
	int64_t wall_s;
	struct instance_event event;
};

/* A move that somebody waits for. */
struct ha_move {
	struct control_call *call; /* NULL: free */
	char name[CONFIG_NAME];
	bool take; /* wants to be master here, not to leave */
	int64_t until_us;
};

struct ha {
	struct daemon *daemon;
	struct config *config;
	struct keep *keep;
	struct worker *worker;
	struct watch *events;
	struct http_server *metrics;
	struct timer *stop_timer; /* polls the end of a drain */
	struct timer *move_timer;
	struct timer *turn; /* see worker_turn */
	struct timer *restart_timer;
	struct timer *pulse; /* does the worker still come round? */
	int64_t stop_us;     /* when to stop waiting for a peer */
	int64_t routed_us;   /* the same for routers to move on */
	int64_t stay_us;     /* an end until then is a restart; 0 = is none */
	bool goodbye;        /* linger after the goodbye is being waited for */
	struct ha_note history[HA_HISTORY];
	long long history_seq;                     /* of the newest */
	uint64_t transitions[4][4][STATE_REASONS]; /* from, to, reason */
	struct ha_move moves[HA_MOVES];
	struct fence fence;
	struct engine_state engine;
	uint64_t pace_told_us; /* the interval that was asked for last */
};

/* The copy of one instance that status and metrics work on. */
struct ha_view {
	struct instance_counters counters;
	struct config_instance conf;
	struct state st;
	struct track_result health;
	enum track_service service;
	enum vip_place place;
	enum track_gateway gateway;
	uint8_t priority;    /* said in adverts now */
	bool interval_short; /* for how late our thread is */
	bool link_up, has_source, probe_running, probe_failed, probe_proven,
		vips_seen, gateway_lost, asymmetric, split_brain, foreign;
	uint64_t conflicts;
	struct rescue rescue;
	bool rescued; /* as in instance.h */
	uint8_t source[16];
	int64_t split_us; /* as in instance.h */
	uint8_t rival[16];
	struct instance_peer peers[CONFIG_PEERS];
};

/* The same of one anycast service. */
struct ha_anycast_view {
	struct config_anycast conf;
	struct route st;
	struct anycast_counters counters;
	enum track_service service;
	uint8_t routed; /* of its addresses: how many have a route */
	bool probe_running, drained;
	bool engine_absent; /* no BGP daemon reads what we route */
};

struct ha_views {
	size_t anycast_count;
	struct ha_anycast_view anycast[CONFIG_ANYCAST];
	size_t count;
	struct ha_view view[CONFIG_INSTANCES];
	enum track_service service;
	uint64_t beats, malformed, deaths;
	struct worker_counters worker;
	uint64_t min_us; /* see pace.h */
	int64_t now_us;
};

/* malloc'ed; taken on the real-time thread. NULL: no memory. */
struct ha_views *ha_look(struct ha *ha) MUST_CHECK;

/* "10.1.2.3" of octets. Returns `out`. */
char *ha_print_ip(uint8_t family, const uint8_t *octets, char out[ADDR_TEXT]);

/* stats.c */
void ha_metrics(struct ha *ha, struct text *out);
void ha_stats(void *state, json_t *out);
/* show.c */
void ha_status(void *state, json_t *out);
bool ha_render(const char *verb, const json_t *result);
json_t *ha_note_json(const struct ha_note *note) MUST_CHECK;
/* One line about an event for the log; false: not worth one. */
bool ha_note_text(const struct instance_event *ev, char *out, size_t size);
/* show_anycast.c */
void ha_look_anycast(struct worker *w, struct ha_views *views);
/* Main thread: look for the BGP daemons; a change is logged. */
void ha_look_engine(struct ha *ha);
void ha_view_engine(const struct ha *ha, struct ha_views *views);
json_t *ha_anycast_json(const struct ha_views *views) MUST_CHECK;
void ha_anycast_render(const json_t *list);
void ha_anycast_metrics(const struct ha_views *views, struct text *out);
void ha_anycast_stats(const struct ha_views *views, json_t *out);
/* Line of an INSTANCE_ROUTE or INSTANCE_ROUTE_ROBBED event. */
void ha_anycast_text(const struct instance_event *ev, char *out, size_t size);
/* main.c: an end in the next seconds leaves everything as it is for the process
 * that follows; or end now in that way. */
void ha_stay(struct ha *ha);
void ha_restart(struct ha *ha);
/* verbs.c */
extern const struct control_command ha_commands[];
/* A role or a failed move was reported: does somebody wait for it? */
void ha_moves_event(struct ha *ha, const struct instance_event *ev);
void ha_moves_expire(void *arg);

#endif
