/* SPDX-License-Identifier: ISC */
#include "ha/aside.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "common/base/thread.h"

/*
 * The thread reads its bell before it looks at what is asked, so nothing that
 * is asked meanwhile is overlooked.
 */

enum {
	PAUSE_US = 100
};

int aside_init(struct aside *a, struct err *err)
{
	memset(a, 0, sizeof(*a));
	a->ask_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	a->tell_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (a->ask_fd < 0 || a->tell_fd < 0)
		return err_fail(err, -errno, "eventfd: %s", strerror(errno));
	return 0;
}

void aside_fini(struct aside *a)
{
	if (a->ask_fd >= 0)
		close(a->ask_fd);
	if (a->tell_fd >= 0)
		close(a->tell_fd);
}

int aside_start(
	struct aside *a, void *(*run)(void *arg), void *arg, struct err *err)
{
	int rc = thread_start(&a->thread, run, arg);

	if (rc < 0)
		return err_fail(err, rc, "thread: %s", strerror(-rc));
	a->running = true;
	return 0;
}

void aside_stop(struct aside *a)
{
	if (!a->running)
		return;
	__atomic_store_n(&a->quit, true, __ATOMIC_RELEASE);
	aside_ring(a->ask_fd);
	pthread_join(a->thread, NULL);
	a->running = false;
}

bool aside_quits(const struct aside *a)
{
	return __atomic_load_n(&a->quit, __ATOMIC_ACQUIRE);
}

void aside_ring(int fd)
{
	uint64_t one = 1;

	/* A counter that is full is one that rings. */
	(void)!write(fd, &one, sizeof(one));
}

void aside_silence(int fd)
{
	uint64_t count;

	(void)!read(fd, &count, sizeof(count));
}

void aside_pause(void)
{
	static const struct timespec pause = {0, PAUSE_US * 1000};

	nanosleep(&pause, NULL);
}
