/* SPDX-License-Identifier: ISC */
/*
 * One line is one write(2) to stderr, so lines of several threads do not mix
 * and nothing is lost at a crash. Control characters in the text are shown as
 * '?': a name from the network cannot forge a second line.
 */

#include "common/base/log.h"

#include "common/base/clock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <strings.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static const char *log_ident = "ispdns";
static bool log_to_journal;
static int log_level_now = LOG_LVL_INFO;

static const char *const level_names[] = {"error", "warn", "info", "debug"};
/* syslog(3) priorities: err, warning, info, debug */
static const char level_priority[] = {'3', '4', '6', '7'};

void log_open(const char *ident, enum log_level level)
{
	log_ident = ident;
	log_to_journal = getenv("JOURNAL_STREAM") != NULL;
	log_set_level(level);
}

void log_set_level(enum log_level level)
{
	__atomic_store_n(&log_level_now, (int)level, __ATOMIC_RELAXED);
}

enum log_level log_get_level(void)
{
	return (enum log_level)__atomic_load_n(
		&log_level_now, __ATOMIC_RELAXED);
}

bool log_level_parse(const char *text, enum log_level *level)
{
	for (size_t i = 0; i < countof(level_names); i++) {
		if (strcasecmp(text, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

static size_t write_head(char *line, size_t size, enum log_level level)
{
	char stamp[32];
	int n;

	if (log_to_journal)
		n = snprintf(line, size, "<%c>", level_priority[level]);
	else
		n = snprintf(line, size, "%s %s[%d] %s: ",
			wall_format(wall_now_s(), stamp, sizeof(stamp)),
			log_ident, (int)getpid(), level_names[level]);
	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

static void write_all(const char *line, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, line, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* nowhere left to complain */
		line += n;
		len -= (size_t)n;
	}
}

void log_write(enum log_level level, const char *fmt, ...)
{
	int saved_errno = errno;
	char line[LINE_MAX_BYTES];
	size_t head, len;
	va_list args;

	if (level > log_get_level())
		return;
	head = write_head(line, sizeof(line), level);
	errno = saved_errno; /* for %m */
	va_start(args, fmt);
	vsnprintf(line + head, sizeof(line) - head, fmt, args);
	va_end(args);
	len = head + strlen(line + head);
	for (size_t i = head; i < len; i++) {
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	}
	line[len++] = '\n';
	write_all(line, len);
	errno = saved_errno;
}

bool log_gate_open(
	struct log_gate *gate, unsigned seconds, unsigned long *suppressed)
{
	long long now = mtime_now().us;
	long long next = __atomic_load_n(&gate->next_us, __ATOMIC_RELAXED);

	if (now < next) {
		__atomic_fetch_add(&gate->suppressed, 1, __ATOMIC_RELAXED);
		return false;
	}
	if (!__atomic_compare_exchange_n(&gate->next_us, &next,
		    now + seconds * 1000000LL, false, __ATOMIC_RELAXED,
		    __ATOMIC_RELAXED)) {
		__atomic_fetch_add(&gate->suppressed, 1, __ATOMIC_RELAXED);
		return false;
	}
	*suppressed =
		__atomic_exchange_n(&gate->suppressed, 0, __ATOMIC_RELAXED);
	return true;
}
