/* SPDX-License-Identifier: ISC */
/*
 * Memory runs out at the Nth request in everything of common/net and
 * common/serve that allocates: it fails cleanly, and works when there is
 * enough. Run with the address sanitizer this finds leaks too.
 */

#include "common/net/http.h"
#include "common/net/prefix.h"
#include "common/net/udp.h"
#include "common/serve/serve.h"
#include "tests/tap/failmem.h"
#include "tests/tap/tap.h"

#include <fcntl.h>
#include <unistd.h>

static struct loop *loop;

/* True: it worked (and was undone again). */
typedef bool (*attempt_fn)(void);

/* A free descriptor number tells whether the attempt leaked one. */
static int next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY);

	close(fd);
	return fd;
}

static void try_all(const char *what, attempt_fn attempt)
{
	int before = next_fd();
	unsigned n = 0;
	bool done = false;

	for (; !done && n < 1000; n++) {
		failmem_after(n);
		done = attempt();
		failmem_off();
	}
	ok(done, "%s: works after %u failures", what, n - 1);
	ok(n > 1, "%s: it did fail", what);
	is_int(next_fd(), before, "%s: no descriptor is left open", what);
}

static bool attempt_loop(void)
{
	struct loop *l = loop_new();

	loop_free(l);
	return l != NULL;
}

static void nothing(void *arg)
{
	(void)arg;
}

static void nothing_fd(void *arg, int fd, int events)
{
	(void)arg;
	(void)fd;
	(void)events;
}

static bool attempt_timer(void)
{
	struct timer *t = timer_new(loop, nothing, NULL);

	timer_free(t);
	return t != NULL;
}

static bool attempt_watch(void)
{
	struct watch *w = watch_open(loop, 0, 0, nothing_fd, NULL);

	watch_close(w);
	return w != NULL;
}

static bool attempt_hook(void)
{
	int rc = loop_after_round(loop, nothing, NULL);

	loop_after_round_remove(loop, nothing, NULL);
	return rc == 0;
}

static bool attempt_batch(void)
{
	struct udp_batch *b = udp_batch_new(8, 512);

	udp_batch_free(b);
	return b != NULL;
}

static bool attempt_prefixes(void)
{
	struct arena arena;
	struct prefix_map *map;
	struct prefix p;
	int rc = -1;

	arena_init(&arena, 256, 0);
	map = prefix_map_new(&arena);
	for (unsigned i = 0; map && i < 40; i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.%u.0.0/16", i);
		if (prefix_parse(text, &p) < 0)
			break;
		rc = prefix_map_add(map, &p, i);
		if (rc < 0)
			break;
	}
	arena_fini(&arena);
	return map && rc == 0;
}

static union addr loopback(void)
{
	union addr a;

	if (addr_parse("127.0.0.1", 0, &a) < 0)
		tap_bail("addr");
	return a;
}

static void on_request(void *arg, const struct serve_request *req)
{
	(void)arg;
	(void)req;
}

static bool attempt_serve(void)
{
	union addr a = loopback();
	struct serve_config config = {.addrs = &a, .addr_count = 1};
	struct err err = {.text = ""};
	struct serve *s =
		serve_new(loop, &config, on_request, NULL, NULL, &err);
	bool told = err.text[0] != '\0';

	serve_free(s);
	if (!s && !told)
		tap_bail("serve_new failed without a word");
	return s != NULL;
}

static int get(void *arg, const char *path, struct text *body)
{
	(void)arg;
	(void)path;
	(void)body;
	return 404;
}

static bool attempt_http(void)
{
	union addr a = loopback();
	struct err err = {.text = ""};
	struct http_server *s = http_server_new(loop, &a, get, NULL, &err);

	http_server_free(s);
	return s != NULL;
}

int main(void)
{
	loop = loop_new();
	if (!loop)
		tap_bail("loop_new");
	try_all("loop", attempt_loop);
	try_all("timer", attempt_timer);
	try_all("watch", attempt_watch);
	try_all("hook", attempt_hook);
	try_all("batch", attempt_batch);
	try_all("prefixes", attempt_prefixes);
	try_all("serve", attempt_serve);
	try_all("http", attempt_http);
	loop_free(loop);
	return tap_done();
}
