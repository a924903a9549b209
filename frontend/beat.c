/* SPDX-License-Identifier: ISC */
/*
 * A thread of its own, since the main thread may be busy with a big
 * configuration for longer than ha is patient. With a table of files of its
 * own too: that of a process which dies is closed only after its memory was
 * given back, 0.1 ms for each MB of cache, while this one goes with its thread
 * and ha knows at once.
 */

#include "frontend/beat.h"

#include "common/base/log.h"
#include "common/base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define WORKERS_MAX 64
#define RETRY_MS    10

struct beat {
	struct sockaddr_un addr;
	sem_t stop;
	pthread_t thread;
	beat_count_fn count;
	void *arg;
	unsigned workers;
	uint64_t last[WORKERS_MAX];
	int fd;
	uint32_t state;     /* enum heartbeat_state; atomic */
	uint32_t connected; /* atomic */
};

static void set_connected(struct beat *b, bool on)
{
	__atomic_store_n(&b->connected, on, __ATOMIC_RELAXED);
}

bool beat_is_connected(const struct beat *b)
{
	return __atomic_load_n(&b->connected, __ATOMIC_RELAXED);
}

void beat_set_state(struct beat *b, enum heartbeat_state state)
{
	__atomic_store_n(&b->state, state, __ATOMIC_RELAXED);
}

static bool open_socket(struct beat *b)
{
	b->fd = socket(
		AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (b->fd < 0)
		return false;
	if (connect(b->fd, (const struct sockaddr *)&b->addr,
		    sizeof(b->addr)) == 0) {
		set_connected(b, true);
		log_info("ha: connected: socket=%s", b->addr.sun_path);
		return true;
	}
	close(b->fd);
	b->fd = -1;
	return false;
}

static bool all_turned(struct beat *b)
{
	bool turned = true;

	for (unsigned i = 0; i < b->workers; i++) {
		uint64_t now = b->count(b->arg, i);

		turned &= now != b->last[i];
	}
	if (turned)
		for (unsigned i = 0; i < b->workers; i++)
			b->last[i] = b->count(b->arg, i);
	return turned;
}

/* Returns how many milliseconds to wait now. */
static int beat_once(struct beat *b)
{
	struct heartbeat hb = {
		.state = (enum heartbeat_state)__atomic_load_n(
			&b->state, __ATOMIC_RELAXED),
		.pid = (int)getpid(),
	};
	char text[HEARTBEAT_MAX];
	size_t len;

	if (!all_turned(b)) /* on a busy machine it will in a moment */
		return RETRY_MS;
	if (b->fd < 0 && !open_socket(b))
		return HEARTBEAT_MS;
	len = heartbeat_encode(&hb, text);
	if (send(b->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
		errno == EAGAIN)
		return HEARTBEAT_MS;
	close(b->fd);
	b->fd = -1;
	set_connected(b, false);
	log_warn("ha: connection lost: socket=%s", b->addr.sun_path);
	return HEARTBEAT_MS;
}

static bool is_stopped(struct beat *b, int wait_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += wait_ms * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (sem_clockwait(&b->stop, CLOCK_MONOTONIC, &until) < 0)
		if (errno != EINTR)
			return false;
	return true;
}

/* The others' files are not ours to keep open; log lines go to one of the
 * first three. */
static void own_files(void)
{
	if (unshare(CLONE_FILES) == 0)
		(void)close_range(STDERR_FILENO + 1, ~0U, 0);
	else
		log_warn("ha: a crash will be known later: unshare: %s",
			strerror(errno));
}

static void *run(void *arg)
{
	struct beat *b = arg;
	int wait_ms;

	own_files();
	do
		wait_ms = beat_once(b);
	while (!is_stopped(b, wait_ms));
	if (b->fd >= 0)
		close(b->fd);
	return NULL;
}

static void beat_free(struct beat *b)
{
	sem_destroy(&b->stop);
	free(b);
}

static struct beat *beat_new(const char *path, unsigned workers)
{
	struct beat *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->fd = -1;
	b->workers = workers;
	b->addr.sun_family = AF_UNIX;
	(void)snprintf(b->addr.sun_path, sizeof(b->addr.sun_path), "%s", path);
	sem_init(&b->stop, 0, 0);
	return b;
}

struct beat *beat_start(const char *path, unsigned workers, beat_count_fn count,
	void *arg, struct err *err)
{
	struct beat *b;
	int rc;

	if (strlen(path) >= sizeof(b->addr.sun_path) || workers > WORKERS_MAX) {
		err_set(err, "%s: the path of a socket has at most %zu octets",
			path, sizeof(b->addr.sun_path) - 1);
		return NULL;
	}
	b = beat_new(path, workers);
	if (!b) {
		err_set(err, "out of memory");
		return NULL;
	}
	b->count = count;
	b->arg = arg;
	rc = thread_start(&b->thread, run, b);
	if (rc == 0)
		return b;
	err_set(err, "start of the heartbeat: %s", strerror(-rc));
	beat_free(b);
	return NULL;
}

void beat_stop(struct beat *b)
{
	if (!b)
		return;
	sem_post(&b->stop);
	(void)pthread_join(b->thread, NULL);
	beat_free(b);
}
