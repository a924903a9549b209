/* SPDX-License-Identifier: ISC */
/*
 * A UDP listener under load is read in every round and not watched. When it
 * is empty it is watched again: what comes then is still heard, and the loop
 * sleeps in between.
 */

#include "common/serve/serve.h"

#include "tests/tap/tap.h"

#include <pthread.h>
#include <unistd.h>

#define BURST  200
#define SINGLE 200

static struct loop *loop;
static struct serve *serve;
static unsigned rounds; /* atomic */

static void echo(void *arg, const struct serve_request *req)
{
	(void)arg;
	serve_reply(serve, &req->peer, req->msg, req->len);
}

static void count_round(void *arg)
{
	(void)arg;
	(void)__atomic_add_fetch(&rounds, 1, __ATOMIC_RELAXED);
}

static void *run(void *arg)
{
	(void)arg;
	(void)loop_run(loop);
	return NULL;
}

static int client(void)
{
	const struct timeval tv = {.tv_sec = 5};
	union addr to = serve_local_addr(serve, 0);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (connect(fd, &to.sa, addr_len(&to)) < 0)
		tap_bail("connect");
	return fd;
}

static unsigned send_many(int fd, unsigned count)
{
	unsigned sent = 0;

	for (unsigned i = 0; i < count; i++)
		sent += send(fd, "q", 1, 0) == 1;
	return sent;
}

static unsigned take_many(int fd, unsigned count)
{
	unsigned got = 0;
	char c;

	while (got < count && recv(fd, &c, 1, 0) == 1)
		got++;
	return got;
}

/* No round in 50 ms; waits for that at most 5 s. */
static bool comes_to_rest(void)
{
	for (unsigned i = 0; i < 100; i++) {
		unsigned before = __atomic_load_n(&rounds, __ATOMIC_RELAXED);

		(void)usleep(50000);
		if (__atomic_load_n(&rounds, __ATOMIC_RELAXED) == before)
			return true;
	}
	return false;
}

int main(void)
{
	union addr a;
	struct serve_config config = {.addrs = &a, .addr_count = 1};
	struct err err = {{0}};
	pthread_t thread;
	unsigned good = 0;
	int fd;

	loop = loop_new();
	if (addr_parse("127.0.0.1", 0, &a) < 0 ||
		loop_after_round(loop, count_round, NULL) < 0)
		tap_bail("loop");
	serve = serve_new(loop, &config, echo, NULL, NULL, &err);
	if (!serve)
		tap_bail("%s", err.text);
	fd = client();
	is_int(send_many(fd, BURST), BURST, "a burst waits at the start");
	(void)pthread_create(&thread, NULL, run, NULL);
	is_int(take_many(fd, BURST), BURST, "all of it is answered");
	for (unsigned i = 0; i < SINGLE; i++)
		good += send_many(fd, 1) == 1 && take_many(fd, 1) == 1;
	is_int(good, SINGLE, "one by one later, too");
	ok(comes_to_rest(), "the loop sleeps when nothing comes");
	is_int(send_many(fd, BURST), BURST, "another burst");
	is_int(take_many(fd, BURST), BURST, "is answered");
	loop_stop(loop);
	(void)pthread_join(thread, NULL);
	is_int(serve_get_stats(serve)->udp_out, 2 * BURST + SINGLE,
		"each once");
	close(fd);
	serve_free(serve);
	loop_free(loop);
	return tap_done();
}
