/* SPDX-License-Identifier: ISC */

/* Is the BGP daemon there? From tables as /proc/net/unix has them, and from
 * the real one with a socket of our own. */

#include "ha/engine.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/tap/tap.h"

#define HEAD "Num       RefCount Protocol Flags    Type St Inode Path\n"
#define LINE(flags, path)                                                      \
	"0000000000000000: 00000002 00000000 " flags " 0001 01 22531 " path "\n"

static void test_table(void)
{
	static const struct {
		const char *table, *path;
		bool there;
	} cases[] = {
		{HEAD LINE("00010000", "/run/bird/bird.ctl"),
			"/run/bird/bird.ctl", true},
		{HEAD LINE("00010000", "/var/run/frr/bgpd.vty"),
			"/run/frr/bgpd.vty", true},
		{HEAD LINE("00010000", "/run/frr/bgpd.vty"),
			"/var/run/frr/bgpd.vty", true},
		{HEAD LINE("00000000", "/run/bird/bird.ctl"),
			"/run/bird/bird.ctl", false},
		{HEAD LINE("00010000", "/run/bird/bird.ctl2"),
			"/run/bird/bird.ctl", false},
		{HEAD "0000000000000000: 00000002 00000000 00010000 0001 01 "
		      "7\n",
			"/run/bird/bird.ctl", false},
		{HEAD, "/run/bird/bird.ctl", false},
		{"", "/run/bird/bird.ctl", false},
	};

	for (size_t i = 0; i < countof(cases); i++)
		is_int(engine_in_table(cases[i].table, cases[i].path),
			cases[i].there, "table %zu", i);
}

static void test_real(void)
{
	static struct config config;
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct engine_state s;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "/tmp/engine-t.%d",
		(int)getpid());
	config.anycast_count = 1;
	snprintf(config.anycast[0].engine_socket,
		sizeof(config.anycast[0].engine_socket), "%s", sun.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		tap_bail("no socket");
	engine_look(&s, &config);
	ok(s.absent[0], "bound alone is absent");
	if (listen(fd, 1) < 0)
		tap_bail("listen");
	engine_look(&s, &config);
	ok(!s.absent[0], "a listener is there");
	close(fd);
	engine_look(&s, &config);
	ok(s.absent[0], "its file alone is not");
	unlink(sun.sun_path);
}

int main(void)
{
	test_table();
	test_real();
	return tap_done();
}
