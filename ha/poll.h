/* SPDX-License-Identifier: ISC */
#ifndef HA_POLL_H
#define HA_POLL_H

#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "common/base/base.h"

/*
 * The real-time thread's event loop: epoll without allocation. An item is
 * part of its owner and stays at its place while it is added.
 */

struct poll {
	int epfd;
	int64_t now_us; /* of this round: when its waiting ended; what is read
			   in a round counts as read then, so that a stall in
			   the middle is seen by the next one as lateness */
};

struct poll_item {
	int fd; /* -1 when not in use */
	void (*ready)(void *arg);
	void *arg;
};

static inline MUST_CHECK int poll_add(struct poll *poll, struct poll_item *item)
{
	struct epoll_event ev = {.events = EPOLLIN, .data = {.ptr = item}};

	return epoll_ctl(poll->epfd, EPOLL_CTL_ADD, item->fd, &ev) < 0 ? -errno
								       : 0;
}

static inline void poll_del(struct poll *poll, struct poll_item *item)
{
	if (item->fd >= 0)
		epoll_ctl(poll->epfd, EPOLL_CTL_DEL, item->fd, NULL);
}

#endif
