/* SPDX-License-Identifier: ISC */
#ifndef HA_WORKER_IMPL_H
#define HA_WORKER_IMPL_H

/* The insides of a worker: for worker.c and worker_*.c only. */

#include <pthread.h>
#include <semaphore.h>

#include "ha/worker.h"

enum {
	RING = 256, /* a power of two */
	ROUND_MAX = 32,
	RT_PRIORITY = 50,
	CALL_S = 5,
	CHANGE_US = 1000 * 1000, /* a change waits: addresses, sockets */
	SUSPEND_US = 200 * 1000,
	LATE_US = 20 * 1000,                  /* less is ordinary scheduling */
	WORKER_ANYCASTS = 2 * CONFIG_ANYCAST, /* with those that leave */
};

struct worker_call_slot {
	void (*fn)(struct worker *w, void *arg);
	void *arg;
};

struct worker {
	struct poll poll;
	struct iface *iface;
	struct kernel *kernel;
	struct opener *opener;
	struct kernel_routes routes; /* as last seen */
	struct handover handover;
	struct health health;
	struct instance_env env;
	struct announce_links announced;
	struct instance *instances[CONFIG_INSTANCES];
	size_t count;
	struct anycast *anycasts[WORKER_ANYCASTS];
	size_t anycast_count;
	struct keep *keep;
	struct poll_item timer, told, opened, calls, peers4, peers6;
	int event_fd;
	struct worker_call_slot *pending; /* atomic */
	sem_t done;
	/* The main thread's. */
	pthread_t thread;
	uint64_t turns; /* of the main thread; atomic */
	struct track_turns turns_seen;
	bool running; /* the thread exists */
	bool realtime;
	/* The real-time thread's; in no word with the others. */
	int64_t suspend_us; /* CLOCK_BOOTTIME ahead of MONOTONIC */
	bool quit;
	bool stays;                 /* see worker_stay */
	bool cut;                   /* a view did not hold everything: told */
	enum track_service service; /* of the frontend, as last told */
	/* Between the two. */
	struct instance_event ring[RING];
	uint32_t ring_head, ring_tail; /* atomic; head: next to write */
	struct worker_counters counters;
};

/* A new instance with its place in the role file. NULL with err. */
struct instance *worker_make(struct worker *w,
	const struct config_instance *conf, struct err *err) MUST_CHECK;
/* --- worker_call.c ------------------------------------------------------ */

/* instance_env.emit: the event goes to the main thread, or is counted as
 * lost. Real-time thread; arg is the worker. */
void worker_emit(void *arg, const struct instance_event *event);
/* A call of the main thread waits: arg is the worker. */
void worker_on_call(void *arg);

/* --- worker_watch.c; real-time thread, arg is the worker ---------------- */

/* Something of the kernel's thread: refusals, a view, or only that what was
 * asked for is done. */
void worker_on_kernel(void *arg);
/* Sockets are open, or one is closed, so that there is room. */
void worker_on_opener(void *arg);
void worker_on_peers4(void *arg);
void worker_on_peers6(void *arg);
/* The state of the frontend now; a change is told. */
enum track_service worker_judge(struct worker *w);
/* instance_env.everybody and .known */
struct instance *const *worker_everybody(void *arg, size_t *count);
bool worker_knows(void *arg, int index, uint8_t family, uint8_t vrid);

/* --- worker_anycast.c --------------------------------------------------- */

/* Main thread. Those of the configuration, made. -errno, err. */
int worker_anycast_make(struct worker *w, const struct config *config,
	struct err *err) MUST_CHECK;
void worker_anycast_free(struct worker *w);

/* Before the thread starts: routes that a crash left and nobody wants are
 * removed, the others taken in once they were seen; then it is the addresses'
 * turn, by iface_sweep with _owns. */
void worker_anycast_sweep(struct worker *w);
void worker_anycast_adopt(struct worker *w, bool drained);
bool worker_anycast_owns(const struct worker *w, const struct iface_addr *addr);

/* Real-time thread. */
void worker_anycast_tick(struct worker *w, enum track_service service);
int64_t worker_anycast_deadline(const struct worker *w);
void worker_anycast_excuse(struct worker *w, int64_t late_us);
void worker_anycast_see_routes(struct worker *w);
void worker_anycast_see_addrs(struct worker *w, const struct kernel_view *v);
/* False: it is not one of theirs. */
bool worker_anycast_refused(
	struct worker *w, const struct kernel_failure *f, int64_t now_us);
void worker_anycast_close(struct worker *w);

/* A change: made beforehand, switched, then what is gone is freed. */
struct anycast_change {
	struct anycast *made[CONFIG_ANYCAST]; /* new ones only */
	struct anycast *gone[WORKER_ANYCASTS];
	size_t gone_count;
};
int worker_anycast_prepare(struct worker *w, struct anycast_change *change,
	const struct config *next, struct err *err) MUST_CHECK;
void worker_anycast_switch(struct worker *w, struct anycast_change *change,
	const struct config *next, bool drained);
/* After a switch, or of a change that is not made. */
void worker_anycast_done(struct anycast_change *change);

#endif
