/* SPDX-License-Identifier: ISC */
/*
 * The real program tells another frontend, here the backend a1, what is
 * popular: once, again when it is fetched anew, and nothing else.
 */

#include "tests/frontend/scene.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "tests/tap/tap.h"

#include <stdio.h>
#include <unistd.h>

static struct scene sc;

static struct stub *peer(void)
{
	return &sc.stubs[2];
}

static void ask(int fd, const char *name, unsigned times)
{
	while (times-- > 0) {
		ask_udp(fd, &(struct ask){.name = name});
		if (!take_udp(fd, &sc.answer, SCENE_SOON))
			tap_bail("%s is not answered", name);
	}
}

static long long told(void)
{
	return scene_stat(&sc, "cache_warm_total");
}

static void configure(void)
{
	char addr[ADDR_TEXT], extra[200];
	struct err err;
	union addr a;
	socklen_t len = sizeof(a);

	if (getsockname(peer()->udp, &a.sa, &len) < 0)
		tap_bail("getsockname");
	(void)snprintf(extra, sizeof(extra),
		"cache: {prefetch: false, warm: [\"%s\"]}\n",
		addr_print(&a, addr));
	if (!scene_reload(&sc, extra, "policy: firstAvailable", &err))
		tap_bail("%s", err.text);
}

static void test_popular(void)
{
	static const struct script held = {.hold = true};
	struct packet *p = calloc(1, sizeof(*p));
	struct query_view view;

	ask(sc.client, "popular.test", 3);
	is_int(told(), 0, "before it is configured nobody is told");
	configure();
	stub_set(peer(), &held);
	free(scene_call(&sc, "cache flush all"));
	ask(sc.client, "Popular.test", 3);
	ok(!is_readable(peer()->udp, SCENE_NEVER),
		"asked three times: not told");
	ask(sc.client, "popular.test", 1);
	ok(take_udp(peer()->udp, p, SCENE_SOON) &&
			msg_parse_query(p->data, p->len, &view) == MSG_OK &&
			name_equal(view.q.name,
				(const uint8_t *)"\7popular\4test") &&
			view.q.type == DNS_TYPE_A && view.edns.present,
		"the fourth time: the other frontend is asked for it");
	stub_set(peer(), stub_answering());
	ask(sc.client, "popular.test", 20);
	is_int(told(), 1, "no more as long as it lives");
	is_int(stub_asked(peer()), 0, "nor is it asked again");
	free(p);
}

static bool is_told_again(void *arg)
{
	(void)arg;
	ask(sc.client, "short.test", 1);
	return told() == 3;
}

static void test_again(void)
{
	struct script script = *stub_answering();

	script.reply.ttl_s = 1;
	stub_set(&sc.stubs[0], &script);
	ask(sc.client, "short.test", 4);
	is_int(told(), 2, "another popular name");
	ok(tap_wait(is_told_again, NULL, SCENE_SOON),
		"told again when it has expired and is fetched anew");
	stub_set(&sc.stubs[0], stub_answering());
	ok(stub_wait(peer(), 2), "both reach the other one");
}

/* What a peer asks is not told back: no names go to and fro for ever. */
static void test_peer(void)
{
	char source[ADDR_TEXT];
	union addr a;
	socklen_t len = sizeof(a);
	long long before = told();
	int fd;

	if (getsockname(peer()->udp, &a.sa, &len) < 0)
		tap_bail("getsockname");
	fd = scene_client(&sc, SOCK_DGRAM, addr_print_ip(&a, source));
	ask(fd, "theirs.test", 10);
	is_int(told(), before, "what the other one asks is not told back");
	close(fd);
}

static void test_rate(void)
{
	long long before = told(), count;
	struct mtime start = mtime_now();
	int64_t seconds;

	for (unsigned i = 0; i < 400; i++) {
		char name[40];

		(void)snprintf(name, sizeof(name), "rate%u.test", i);
		ask(sc.client, name, 4);
	}
	count = told() - before;
	seconds = mtime_sub_us(mtime_now(), start) / 1000000 + 2;
	ok(count >= 90 && count <= seconds * 100,
		"of 400 that get popular at once %lld are told", count);
	scene_stop(&sc, "warm");
}

int main(void)
{
	scene_start(&sc, "", "policy: firstAvailable", NULL);
	test_popular();
	test_again();
	test_peer();
	test_rate();
	return tap_done();
}
