/* SPDX-License-Identifier: ISC */
/* The heartbeat: comes while all workers turn, says the state, comes back. */

#include "frontend/beat.h"

#include "common/base/log.h"
#include "tests/tap/tap.h"

#include <dirent.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static uint64_t turns[2];
static int turning = 1, stuck;

/* A worker that turns has done more each time it is looked at. */
static uint64_t count(void *arg, unsigned worker)
{
	(void)arg;
	if (__atomic_load_n(&turning, __ATOMIC_RELAXED) &&
		!(worker == 1 && __atomic_load_n(&stuck, __ATOMIC_RELAXED)))
		turns[worker]++;
	return turns[worker];
}

static struct sockaddr_un addr = {.sun_family = AF_UNIX};

static int listen_at(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	(void)unlink(addr.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
		listen(fd, 4) < 0)
		tap_bail("socket");
	return fd;
}

static bool readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) > 0;
}

static bool take(int fd, struct heartbeat *hb, int ms)
{
	char text[128];
	ssize_t n;

	if (!readable(fd, ms))
		return false;
	n = recv(fd, text, sizeof(text), 0);
	return n > 0 && heartbeat_decode(text, (size_t)n, hb);
}

/* Files of this thread. */
static int files(void)
{
	DIR *d = opendir("/proc/thread-self/fd");
	int n = 0;

	if (!d)
		tap_bail("/proc/thread-self/fd");
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* Read on until a beat has this state. */
static bool take_state(int fd, enum heartbeat_state state)
{
	struct heartbeat hb;

	for (int i = 0; i < 40; i++)
		if (take(fd, &hb, 500) && hb.state == state)
			return true;
	return false;
}

int main(void)
{
	struct err err = {.text = ""};
	char folder[] = "/tmp/ispdns-beat-XXXXXX";
	struct heartbeat hb;
	struct beat *beat;
	int listener, fd, n = 0, before = files();

	log_set_level(LOG_LVL_ERROR);
	if (!mkdtemp(folder))
		tap_bail("mkdtemp");
	(void)snprintf(
		addr.sun_path, sizeof(addr.sun_path), "%s/ha.sock", folder);
	beat = beat_start(addr.sun_path, 2, count, NULL, &err);
	ok(beat && !beat_is_connected(beat), "starts without a socket there");
	listener = listen_at();
	ok(readable(listener, 2000), "connects when there is one");
	fd = accept(listener, NULL, NULL);
	ok(take(fd, &hb, 2000) && hb.state == HEARTBEAT_OK &&
			hb.pid == getpid(),
		"state ok and our pid");
	/* So that it is closed at once when the process dies. */
	is_int(files(), before + 2, "its connection is its thread's alone");
	for (n = 0; n < 10 && take(fd, &hb, 500); n++)
		;
	is_int(n, 10, "again and again");
	beat_set_state(beat, HEARTBEAT_DRAINING);
	ok(take_state(fd, HEARTBEAT_DRAINING), "the state follows");
	__atomic_store_n(&stuck, 1, __ATOMIC_RELAXED);
	while (take(fd, &hb, 120))
		;
	ok(!readable(fd, 300), "one of two workers hangs: silence");
	__atomic_store_n(&stuck, 0, __ATOMIC_RELAXED);
	ok(take(fd, &hb, 2000), "it turns again: beats");
	close(fd);
	close(listener);
	listener = listen_at();
	ok(readable(listener, 2000), "ha restarts: connected again");
	fd = accept(listener, NULL, NULL);
	ok(take(fd, &hb, 2000), "and beats");
	beat_stop(beat);
	while (take(fd, &hb, 10))
		;
	ok(readable(fd, 1000) && recv(fd, folder, 1, MSG_PEEK) == 0,
		"stopped: end of file at once");
	close(fd);
	close(listener);
	(void)unlink(addr.sun_path);
	addr.sun_path[strlen(addr.sun_path) - strlen("/ha.sock")] = '\0';
	(void)rmdir(addr.sun_path);
	return tap_done();
}
