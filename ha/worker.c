/* SPDX-License-Identifier: ISC */
/*
 * A round: wait, read what came, then tick every instance. The timer is one
 * timerfd at the earliest deadline of all.
 */
#include "ha/worker.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/thread.h"
#include "ha/worker_impl.h"

/* --- the loop ---------------------------------------------------------- */

static void on_timer(void *arg)
{
	struct worker *w = arg;
	uint64_t count;

	if (read(w->timer.fd, &count, sizeof(count)) < 0)
		return;
}

/* Returns when the thread is to run again at the latest. */
static int64_t arm_timer(struct worker *w)
{
	int64_t t = track_beat_deadline(&w->health.beat, &w->health.conf);
	struct itimerspec its = {0};

	for (size_t i = 0; i < w->count; i++) {
		int64_t due = instance_deadline(w->instances[i]);

		if (due < t)
			t = due;
	}
	if (worker_anycast_deadline(w) < t)
		t = worker_anycast_deadline(w);
	if (t < 1)
		t = 1;
	if (t != INT64_MAX) {
		its.it_value.tv_sec = t / 1000000;
		its.it_value.tv_nsec = t % 1000000 * 1000;
	}
	timerfd_settime(w->timer.fd, TFD_TIMER_ABSTIME, &its, NULL);
	return t;
}

/*
 * Whoever wakes up much later than was asked for stood still, most often
 * with the whole machine and all that it watches. Nobody's silence in that
 * time is held against them.
 */
static void begin_round(struct worker *w, int64_t due_us)
{
	int64_t before = w->poll.now_us, late;

	w->poll.now_us = mtime_now().us;
	if (due_us > before && w->poll.now_us >= due_us)
		histogram_add(&w->counters.late_us,
			(uint64_t)(w->poll.now_us - due_us));
	late = w->poll.now_us - (due_us > before ? due_us : before);
	if (!before || late < LATE_US)
		return;
	w->counters.late_rounds++;
	track_beat_excuse(
		&w->health.beat, &w->health.conf, late, w->poll.now_us);
	for (size_t i = 0; i < w->count; i++)
		instance_excuse(w->instances[i], late);
	worker_anycast_excuse(w, late);
}

/* The machine slept: what we believe of the LAN is old. */
static void check_suspend(struct worker *w)
{
	struct timespec boot;
	int64_t ahead;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	ahead = boot.tv_sec * 1000000LL + boot.tv_nsec / 1000 - mtime_now().us;
	if (w->suspend_us && ahead - w->suspend_us > SUSPEND_US) {
		w->counters.resumed_late++;
		for (size_t i = 0; i < w->count; i++)
			instance_event(w->instances[i], STATE_EV_REASSERT,
				mtime_now().us);
	}
	w->suspend_us = ahead;
}

static void run_round(struct worker *w)
{
	struct epoll_event ready[ROUND_MAX];
	enum track_service service;
	int64_t due = arm_timer(w);
	int n = epoll_wait(w->poll.epfd, ready, ROUND_MAX, -1);

	begin_round(w, due);
	w->counters.rounds++;
	for (int i = 0; i < n; i++) {
		struct poll_item *item = ready[i].data.ptr;

		if (item->fd >= 0) /* not closed by one before it */
			item->ready(item->arg);
	}
	check_suspend(w);
	service = worker_judge(w);
	for (size_t i = 0; i < w->count; i++)
		instance_tick(w->instances[i], service, mtime_now().us);
	worker_anycast_tick(w, service);
}

static void *thread_main(void *arg)
{
	struct worker *w = arg;

	while (!w->quit)
		run_round(w);
	return NULL;
}

static void quit(struct worker *w, void *arg)
{
	(void)arg;
	w->quit = true;
	if (w->stays)
		return;
	worker_anycast_close(w);
	for (size_t i = 0; i < w->count; i++)
		instance_close(w->instances[i], mtime_now().us);
}

static void set_stay(struct worker *w, void *arg)
{
	const bool *on = arg;

	w->stays = *on;
}

void worker_stay(struct worker *w, bool on)
{
	worker_call(w, set_stay, &on);
}

/* --- start and end ----------------------------------------------------- */

static int add_item(struct worker *w, struct poll_item *item, int fd,
	void (*ready)(void *arg))
{
	item->fd = fd;
	item->ready = ready;
	item->arg = w;
	if (fd < 0)
		return 0;
	return poll_add(&w->poll, item);
}

static void clear_items(struct worker *w)
{
	w->poll.epfd = w->event_fd = -1;
	w->timer.fd = w->told.fd = w->opened.fd = w->calls.fd = -1;
	w->peers4.fd = w->peers6.fd = -1;
	w->health.listener.fd = -1;
	w->handover.fd4 = w->handover.fd6 = -1;
	w->env.packet_fd = -1;
}

static int open_loop(struct worker *w, struct err *err)
{
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	int calls = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	int rc;

	w->poll.epfd = epoll_create1(EPOLL_CLOEXEC);
	w->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	w->timer.fd = timer;
	w->calls.fd = calls;
	if (timer < 0 || calls < 0 || w->poll.epfd < 0 || w->event_fd < 0)
		return err_fail(err, -errno, "event loop: %s", strerror(errno));
	rc = add_item(w, &w->timer, timer, on_timer);
	if (rc == 0)
		rc = add_item(w, &w->calls, calls, worker_on_call);
	if (rc == 0)
		rc = add_item(
			w, &w->told, kernel_fd(w->kernel), worker_on_kernel);
	if (rc == 0)
		rc = add_item(
			w, &w->opened, opener_fd(w->opener), worker_on_opener);
	if (rc == 0)
		rc = add_item(w, &w->peers4, w->handover.fd4, worker_on_peers4);
	if (rc == 0)
		rc = add_item(w, &w->peers6, w->handover.fd6, worker_on_peers6);
	if (rc == 0)
		rc = health_watch(&w->health, &w->poll);
	if (rc < 0)
		return err_fail(err, rc, "event loop: %s", strerror(-rc));
	return 0;
}

static int open_all(
	struct worker *w, const struct config *config, struct err *err)
{
	int rc;

	w->iface = iface_new(err);
	if (!w->iface)
		return -EIO;
	w->kernel = kernel_new(w->iface, err);
	if (!w->kernel)
		return -ENOMEM;
	w->opener = opener_new(err);
	if (!w->opener)
		return -ENOMEM;
	rc = w->env.packet_fd = announce_open(err);
	if (rc < 0)
		return rc;
	rc = handover_open(&w->handover, config->handover_port, config->key,
		config->key_len, err);
	if (rc == 0)
		rc = health_open(&w->health, config->health_path, err);
	if (rc == 0)
		rc = open_loop(w, err);
	return rc;
}

struct instance *worker_make(
	struct worker *w, const struct config_instance *conf, struct err *err)
{
	struct instance *in =
		instance_new(conf, &w->env, keep_find(w->keep, conf));

	if (!in)
		err_set(err, "instance %s: out of memory", conf->name);
	return in;
}

/* Does a tagged address belong to one that goes on as master, or lingers? */
static bool still_ours(void *arg, const struct iface_addr *addr)
{
	const struct worker *w = arg;

	for (size_t i = 0; i < w->count; i++) {
		const struct instance *in = w->instances[i];

		if (!in->resume && !in->late)
			continue;
		for (size_t k = 0; k < in->conf.vip_count; k++)
			if (addr->family == in->conf.family &&
				memcmp(addr->octets, in->conf.vips[k].octets,
					16) == 0)
				return true;
	}
	return worker_anycast_owns(w, addr);
}

static void find_loopback(void *arg, const struct iface_link *link)
{
	struct worker *w = arg;

	if (strcmp(link->name, "lo") == 0)
		w->env.loopback = link->index;
}

struct worker *worker_new(
	const struct config *config, struct keep *keep, struct err *err)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (!w) {
		err_set(err, "out of memory");
		return NULL;
	}
	clear_items(w);
	w->poll.now_us = mtime_now().us;
	sem_init(&w->done, 0, 0);
	w->keep = w->env.keep = keep;
	w->service = TRACK_SERVICE_WAITING;
	w->env.config = config;
	w->env.poll = &w->poll;
	w->env.handover = &w->handover;
	w->env.announced = &w->announced;
	w->env.emit = worker_emit;
	w->env.known = worker_knows;
	w->env.everybody = worker_everybody;
	w->env.arg = w;
	if (open_all(w, config, err) < 0)
		goto fail;
	w->env.iface = w->iface;
	w->env.kernel = w->kernel;
	w->env.opener = w->opener;
	w->env.routes = &w->routes;
	if (iface_scan_links(w->iface, find_loopback, w) < 0) {
		err_set(err, "netlink: cannot read the links");
		goto fail;
	}
	for (size_t i = 0; i < config->instance_count; i++) {
		w->instances[i] = worker_make(w, &config->instances[i], err);
		if (!w->instances[i])
			goto fail;
		w->count++;
	}
	if (worker_anycast_make(w, config, err) < 0)
		goto fail;
	return w;
fail:
	worker_free(w);
	return NULL;
}

/* SCHED_RR and locked memory where the limits allow both; a lock that would
 * make later allocations fail is worse than none. */
static bool go_realtime(const struct worker *w)
{
	struct sched_param param = {.sched_priority = RT_PRIORITY};
	struct sched_param behind = {.sched_priority = RT_PRIORITY - 1};
	struct rlimit lim;

	if (pthread_setschedparam(w->thread, SCHED_RR, &param) != 0 ||
		pthread_setschedparam(
			kernel_thread(w->kernel), SCHED_RR, &behind) != 0 ||
		pthread_setschedparam(
			opener_thread(w->opener), SCHED_RR, &behind) != 0)
		return false;
	if (getrlimit(RLIMIT_MEMLOCK, &lim) == 0 &&
		lim.rlim_cur == RLIM_INFINITY)
		return mlockall(MCL_CURRENT | MCL_FUTURE) == 0;
	return true;
}

static void warn_linger(const struct worker *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->instances[i]->index && !w->instances[i]->can_linger)
			log_warn("ha: addresses cannot linger after a move: "
				 "interface=%s (arp_ignore cannot be set)",
				w->instances[i]->conf.ifname);
}

int worker_start(struct worker *w, bool drained, struct err *err)
{
	int rc;

	worker_anycast_sweep(w);
	kernel_look(w->kernel);
	worker_on_kernel(w);
	worker_on_opener(w);
	worker_anycast_adopt(w, drained);
	rc = iface_sweep(w->iface, still_ours, w);
	if (rc > 0)
		log_warn("ha: removed addresses left by a crash: count=%d", rc);
	for (size_t i = 0; i < w->count; i++)
		instance_drain(w->instances[i], drained);
	kernel_look(w->kernel);
	worker_on_kernel(w);
	worker_on_opener(w);
	warn_linger(w);
	rc = kernel_start(w->kernel, err);
	if (rc == 0)
		rc = opener_start(w->opener, err);
	if (rc < 0)
		return rc;
	rc = thread_start(&w->thread, thread_main, w);
	if (rc < 0)
		return err_fail(err, rc, "thread: %s", strerror(-rc));
	w->running = true;
	w->realtime = w->env.config->realtime && go_realtime(w);
	return 0;
}

bool worker_is_realtime(const struct worker *w)
{
	return w->realtime;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	if (w->running) {
		worker_call(w, quit, NULL);
		pthread_join(w->thread, NULL);
		w->running = false;
	}
	if (w->kernel)
		kernel_stop(w->kernel);
	if (w->opener)
		opener_stop(w->opener);
	for (size_t i = 0; i < w->count; i++)
		instance_free(w->instances[i]);
	worker_anycast_free(w);
	health_close(&w->health);
	handover_close(&w->handover);
	if (w->env.packet_fd >= 0)
		close(w->env.packet_fd);
	if (w->timer.fd >= 0)
		close(w->timer.fd);
	if (w->calls.fd >= 0)
		close(w->calls.fd);
	if (w->event_fd >= 0)
		close(w->event_fd);
	if (w->poll.epfd >= 0)
		close(w->poll.epfd);
	kernel_free(w->kernel);
	opener_free(w->opener);
	iface_free(w->iface);
	sem_destroy(&w->done);
	free(w);
}

size_t worker_instances(struct worker *w)
{
	return w->count;
}

struct instance *worker_instance(struct worker *w, size_t i)
{
	return w->instances[i];
}

const struct health *worker_health(const struct worker *w)
{
	return &w->health;
}

const struct worker_counters *worker_count(const struct worker *w)
{
	return &w->counters;
}
