/* SPDX-License-Identifier: ISC */
/*
 * Between the two threads. Events for the main thread go through a ring with
 * one writer and one reader; when it is full they are counted and dropped,
 * since the real-time thread must not wait. Calls of the main thread are one
 * slot, run between two rounds.
 */
#include <semaphore.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "ha/worker_impl.h"

/* --- events to the main thread ----------------------------------------- */

void worker_emit(void *arg, const struct instance_event *event)
{
	struct worker *w = arg;
	uint32_t head = w->ring_head;
	uint32_t tail = __atomic_load_n(&w->ring_tail, __ATOMIC_ACQUIRE);
	uint64_t one = 1;

	if (head - tail == RING) {
		w->counters.events_lost++;
		return;
	}
	w->ring[head % RING] = *event;
	__atomic_store_n(&w->ring_head, head + 1, __ATOMIC_RELEASE);
	if (write(w->event_fd, &one, sizeof(one)) < 0)
		w->counters.events_lost++;
}

int worker_event_fd(const struct worker *w)
{
	return w->event_fd;
}

bool worker_next_event(struct worker *w, struct instance_event *out)
{
	uint32_t tail = w->ring_tail;
	uint64_t count;

	if (tail == __atomic_load_n(&w->ring_head, __ATOMIC_ACQUIRE)) {
		/* Look again after the bell is reset: nothing gets lost. */
		if (read(w->event_fd, &count, sizeof(count)) < 0)
			return false;
		if (tail == __atomic_load_n(&w->ring_head, __ATOMIC_ACQUIRE))
			return false;
	}
	*out = w->ring[tail % RING];
	__atomic_store_n(&w->ring_tail, tail + 1, __ATOMIC_RELEASE);
	return true;
}

/* --- calls from the main thread ---------------------------------------- */

void worker_on_call(void *arg)
{
	struct worker *w = arg;
	struct worker_call_slot *slot;
	uint64_t count;

	if (read(w->calls.fd, &count, sizeof(count)) < 0)
		return;
	slot = __atomic_exchange_n(&w->pending, NULL, __ATOMIC_ACQ_REL);
	if (!slot)
		return;
	slot->fn(w, slot->arg);
	sem_post(&w->done);
}

/* A thread that does not come round in CALL_S is beyond help: end, so that a
 * new process can begin and the peer takes over meanwhile. */
static void wait_done(struct worker *w)
{
	struct timespec limit;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += CALL_S;
	while (sem_timedwait(&w->done, &limit) < 0) {
		if (errno == EINTR)
			continue;
		log_error("ha: the VRRP thread hangs");
		abort();
	}
}

void worker_call(
	struct worker *w, void (*fn)(struct worker *w, void *arg), void *arg)
{
	struct worker_call_slot slot = {fn, arg};
	uint64_t one = 1;

	if (!w->running) {
		fn(w, arg);
		return;
	}
	__atomic_store_n(&w->pending, &slot, __ATOMIC_RELEASE);
	while (write(w->calls.fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	wait_done(w);
}
