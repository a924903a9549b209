/* SPDX-License-Identifier: ISC */
#ifndef HA_WORKER_H
#define HA_WORKER_H

#include "ha/anycast.h"
#include "ha/health.h"
#include "ha/instance.h"

/*
 * The one thread of the state machines, in real time: all virtual routers,
 * anycast services, the health socket and the peers' datagrams, on one epoll.
 * After worker_start it allocates nothing, logs nothing and waits for nobody;
 * addresses and routes are another thread's errand (kernel.h). The main thread
 * reaches it by worker_call, which runs a function there between two rounds.
 */

struct worker;

struct worker_counters {
	uint64_t excused; /* silences of the frontend, since nobody ran */
	uint64_t rounds, late_rounds, events_lost, resyncs, resumed_late;
	struct histogram late_us; /* of wake-ups that had their time */
};

/* Main thread, before start: sockets, netlink, leftover addresses removed.
 * `event_fd` of worker_event_fd becomes readable when events wait. */
struct worker *worker_new(const struct config *config, struct keep *keep,
	struct err *err) MUST_CHECK;
/* Begin to run; `drained`: as the operator left it. -errno, err. */
int worker_start(struct worker *w, bool drained, struct err *err) MUST_CHECK;
/* Stop at once: goodbyes, addresses off, thread joined. Then free. */
void worker_free(struct worker *w); /* NULL allowed */
/* Its end leaves addresses, routes and roles as they are: for the next process.
 */
void worker_stay(struct worker *w, bool on);

/* Run fn(w, arg) on the real-time thread and wait for it; before the start
 * or after the end it runs right here. Main thread. */
void worker_call(
	struct worker *w, void (*fn)(struct worker *w, void *arg), void *arg);

/* Main thread, every TRACK_TURN_US: an ordinary thread got a processor. When
 * it does not, a silent frontend is excused for up to a second. */
void worker_turn(struct worker *w);

int worker_event_fd(const struct worker *w);
/* The next event; false when there is none. Main thread. */
bool worker_next_event(struct worker *w, struct instance_event *out);

/* Is the thread scheduled in real time, with its memory locked? */
bool worker_is_realtime(const struct worker *w);

/* A new configuration, prepared: instances that are not running yet. */
struct worker_change;
struct worker_change *worker_prepare(struct worker *w,
	const struct config *next, struct err *err) MUST_CHECK;
/* Switch in one go between two rounds; cannot fail. `next` must stay valid
 * until the next commit. Frees the change. */
void worker_commit(struct worker *w, struct worker_change *change);
void worker_discard(struct worker_change *change); /* NULL allowed */

/* For functions run by worker_call (and tests): */
size_t worker_instances(struct worker *w);
struct instance *worker_instance(struct worker *w, size_t i);
/* With those that are leaving. */
size_t worker_anycasts(struct worker *w);
struct anycast *worker_anycast(struct worker *w, size_t i);
const struct health *worker_health(const struct worker *w);
const struct worker_counters *worker_count(const struct worker *w);

#endif
