/* SPDX-License-Identifier: ISC */

/*
 * The health socket with real processes: a child that beats, says things,
 * is killed; and rubbish from others.
 */

#include "ha/health.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/ctl/heartbeat.h"
#include "tests/tap/tap.h"

static struct health health;
static struct poll loop;
static char path[64];

static int connect_to(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	memcpy(sun.sun_path, path, sizeof(path));
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		_exit(1);
	return fd;
}

static void say(int fd, enum heartbeat_state state)
{
	struct heartbeat hb = {state, getpid()};
	char text[HEARTBEAT_MAX];
	size_t len = heartbeat_encode(&hb, text);

	if (send(fd, text, len, MSG_NOSIGNAL) < 0)
		_exit(1);
}

/* A process that beats until it is killed. */
static pid_t start_child(void)
{
	pid_t pid = fork();
	int fd;

	if (pid != 0)
		return pid;
	fd = connect_to();
	for (;;) {
		say(fd, HEARTBEAT_OK);
		usleep(HEARTBEAT_MS * 1000);
	}
}

static void run(int ms)
{
	struct epoll_event ev[8];
	int n = epoll_wait(loop.epfd, ev, 8, ms);

	loop.now_us = mtime_now().us;
	for (int i = 0; i < n; i++) {
		struct poll_item *item = ev[i].data.ptr;

		if (item->fd >= 0)
			item->ready(item->arg);
	}
}

static enum track_service judge(void)
{
	return track_beat_judge(&health.beat, &health.conf, mtime_now().us);
}

/* Drive the loop until the judgement is `want`; false after 5 s. */
static bool becomes(enum track_service want)
{
	int64_t end = mtime_now().us + 5000000;

	while (judge() != want) {
		if (mtime_now().us > end)
			return false;
		run(5);
	}
	return true;
}

static void test_death(void)
{
	pid_t pid;

	is_int(judge(), TRACK_SERVICE_WAITING, "nobody is there");
	pid = start_child();
	ok(becomes(TRACK_SERVICE_OK), "a child that beats is well");
	is_int(health.conns[0].pid, pid, "and known by its pid");
	kill(pid, SIGKILL);
	ok(becomes(TRACK_SERVICE_FAILED), "case 61: killed: failed");
	is_int((long long)health.deaths, 1,
		"case 61: its death was seen, not timed");
	waitpid(pid, NULL, 0);
}

/* Its socket lives on in a child of its own: only the pidfd tells. */
static void test_pidfd(void)
{
	unsigned long long deaths = health.deaths;
	pid_t pid;
	int held[2];
	char c;

	health.conf.rise_us = health.beat.rise_us = 0;
	if (pipe(held) < 0)
		tap_bail("pipe");
	pid = fork();
	if (pid == 0) {
		int fd = connect_to();

		close(held[1]);
		if (fork() == 0) { /* until the test closes its end */
			(void)!read(held[0], &c, 1);
			_exit(0);
		}
		for (;;) {
			say(fd, HEARTBEAT_OK);
			usleep(HEARTBEAT_MS * 1000);
		}
	}
	close(held[0]);
	ok(becomes(TRACK_SERVICE_OK), "one that has a child of its own");
	kill(pid, SIGKILL);
	ok(becomes(TRACK_SERVICE_FAILED) &&
			health.beat.cause == TRACK_CAUSE_DEATH &&
			health.deaths == deaths + 1,
		"case 61: its end is seen by the pidfd alone");
	waitpid(pid, NULL, 0);
	close(held[1]);
}

/* As the daemon measures it: what a busy machine adds is in some of the
 * rounds, what the judge needs is in all. */
static void test_hang(void)
{
	pid_t pid = start_child();
	int64_t best = INT64_MAX;
	int silent = 0, stops = 5;

	health.conf.rise_us = health.beat.rise_us = 0;
	for (int i = 0; i < stops; i++) {
		if (!becomes(TRACK_SERVICE_OK))
			tap_bail("the child is not well");
		kill(pid, SIGSTOP);
		if (!becomes(TRACK_SERVICE_FAILED))
			tap_bail("its hang is not seen");
		silent += health.beat.cause == TRACK_CAUSE_SILENCE &&
			  health.beat.silence_us >= 150000;
		if (health.beat.silence_us < best)
			best = health.beat.silence_us;
		kill(pid, SIGCONT);
	}
	is_int(silent, stops, "case 62: stopped: failed, by silence of 150 ms");
	ok(best <= 200000, "case 62: found out in 200 ms: %lld us",
		(long long)best);
	ok(becomes(TRACK_SERVICE_OK), "goes on: well");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ok(becomes(TRACK_SERVICE_FAILED), "killed");
}

static void test_words(void)
{
	int fd = connect_to(), other;

	health.beat.rise_us = 0;
	say(fd, HEARTBEAT_DEGRADED);
	ok(becomes(TRACK_SERVICE_DEGRADED), "degraded");
	say(fd, HEARTBEAT_DRAINING);
	ok(becomes(TRACK_SERVICE_DRAINING), "draining");
	say(fd, HEARTBEAT_FAILED);
	ok(becomes(TRACK_SERVICE_FAILED), "failed");
	health.beat.rise_us = 0;
	say(fd, HEARTBEAT_OK);
	ok(becomes(TRACK_SERVICE_OK), "ok");
	other = connect_to();
	ok(send(other, "ispdns1 frontend great 1\n", 25, 0) > 0, "rubbish");
	ok(send(other, "x", 1, 0) > 0, "more of it");
	for (int i = 0; i < 20 && health.malformed < 2; i++)
		run(50);
	is_int((long long)health.malformed, 2, "rubbish is counted");
	close(other);
	say(fd, HEARTBEAT_OK);
	run(50);
	is_int(judge(), TRACK_SERVICE_OK, "and changes nothing");
	other = connect_to();
	say(other, HEARTBEAT_DEGRADED);
	ok(becomes(TRACK_SERVICE_DEGRADED), "a new frontend takes over");
	close(other);
	for (int i = 0; i < 10; i++) {
		say(fd, HEARTBEAT_OK);
		run(10);
	}
	is_int(judge(), TRACK_SERVICE_OK, "it goes: the old one counts");
	close(fd);
	ok(becomes(TRACK_SERVICE_FAILED) &&
			health.beat.cause == TRACK_CAUSE_DEATH,
		"case 61: the last one goes: seen by its socket alone");
}

static void test_crowd(void)
{
	int fds[HEALTH_CONNS + 4];

	for (size_t i = 0; i < countof(fds); i++) {
		fds[i] = connect_to();
		run(50);
	}
	ok(true, "a crowd is survived");
	for (size_t i = 0; i < countof(fds); i++)
		close(fds[i]);
	for (int i = 0; i < 20; i++)
		run(5);
	is_int(health.conns[0].sock.fd, -1, "and forgotten when it goes");
}

int main(void)
{
	struct err err;

	snprintf(path, sizeof(path), "/tmp/ispdns-health-t.%d", (int)getpid());
	loop.epfd = epoll_create1(EPOLL_CLOEXEC);
	if (health_open(&health, path, &err) < 0)
		tap_bail("%s", err.text);
	if (health_watch(&health, &loop) < 0)
		tap_bail("cannot watch");
	test_death();
	test_pidfd();
	test_hang();
	test_words();
	test_crowd();
	health_close(&health);
	ok(access(path, F_OK) < 0, "the socket file is removed");
	return tap_done();
}
