/* SPDX-License-Identifier: ISC */
/* Log lines as they arrive at stderr. */

#include "common/base/log.h"

#include "common/base/clock.h"
#include "tests/tap/tap.h"

#include <fcntl.h>
#include <unistd.h>

static int pipe_in;
static char line[8192];

/* What was written to stderr since the last call. */
static const char *written(void)
{
	ssize_t n = read(pipe_in, line, sizeof(line) - 1);

	line[n > 0 ? n : 0] = '\0';
	return line;
}

static void test_levels(void)
{
	enum log_level level;

	log_open("testd", LOG_LVL_WARN);
	log_info("not shown");
	is_string(written(), "", "info is silent at level warn");
	log_error("backend: down: name=%s", "rec1");
	ok(strstr(written(), "testd[") != NULL, "ident in the line");
	ok(strstr(line, " error: backend: down: name=rec1\n") != NULL, "text");
	log_set_level(LOG_LVL_DEBUG);
	is_int(log_get_level(), LOG_LVL_DEBUG, "level is set");
	log_debug("x");
	ok(strstr(written(), " debug: x\n") != NULL, "debug is shown now");
	ok(log_level_parse("Info", &level) && level == LOG_LVL_INFO,
		"level parsed");
	ok(!log_level_parse("verbose", &level), "unknown level");
}

static void test_hostile(void)
{
	char big[4096];

	log_warn("name=%s", "a\nerror: forged\x1b[2J\x7f");
	ok(strstr(written(), "name=a?error: forged?[2J?\n") != NULL,
		"control characters are shown as ?");
	memset(big, 'y', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_warn("%s", big);
	is_int((long long)strlen(written()), 2048, "a long line is cut");
	is_int(line[2047], '\n', "and still ends");
}

static void test_journal(void)
{
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_open("testd", LOG_LVL_INFO);
	log_warn("w");
	is_string(written(), "<4>w\n", "priority prefix under the journal");
	unsetenv("JOURNAL_STREAM");
	log_open("testd", LOG_LVL_INFO);
}

static void chatter(int i)
{
	LOG_EVERY(10, LOG_LVL_WARN, "packet: bad: i=%d", i);
}

static void test_every(void)
{
	struct mtime t = {1000000};

	mtime_set(t);
	for (int i = 0; i < 5; i++)
		chatter(i);
	ok(strstr(written(), "i=0 (0 more not shown)\n") != NULL, "first");
	ok(strstr(line, "i=1") == NULL, "the others are silent");
	mtime_set(mtime_add_ms(t, 9999));
	chatter(6);
	is_string(written(), "", "silent until the time is over");
	mtime_set(mtime_add_ms(t, 10000));
	chatter(7);
	ok(strstr(written(), "i=7 (5 more not shown)\n") != NULL,
		"then with the count");
	mtime_set((struct mtime){-1});
}

int main(void)
{
	int fds[2];

	if (pipe2(fds, O_NONBLOCK) != 0 || dup2(fds[1], STDERR_FILENO) < 0)
		tap_bail("pipe");
	pipe_in = fds[0];
	unsetenv("JOURNAL_STREAM");
	test_levels();
	test_hostile();
	test_journal();
	test_every();
	return tap_done();
}
