/* SPDX-License-Identifier: ISC */
/*
 * sd_notify(3) without its library: one datagram. The variables are taken
 * out of the environment, so that no child speaks for us.
 */

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/ctl/daemon_impl.h"

static struct sockaddr_un target;
static socklen_t target_len; /* 0: nobody listens */

static void take_socket(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;

	if (len < 2 || len >= sizeof(target.sun_path) ||
		(path[0] != '/' && path[0] != '@'))
		return;
	target.sun_family = AF_UNIX;
	memcpy(target.sun_path, path, len);
	if (path[0] == '@')
		target.sun_path[0] = '\0';
	target_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static int64_t take_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	long long us;

	if (!usec || (pid && atoll(pid) != (long long)getpid()))
		return 0;
	us = atoll(usec);
	return us > 0 ? us : 0;
}

int64_t notify_init(void)
{
	int64_t watchdog_us = take_watchdog();

	take_socket();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return watchdog_us;
}

void daemon_notify(const char *text)
{
	int fd;

	if (target_len == 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
		    (const struct sockaddr *)&target, target_len) < 0)
		LOG_EVERY(60, LOG_LVL_WARN, "daemon: cannot notify: %s",
			strerror(errno));
	close(fd);
}
