/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BASE_LOG_H
#define COMMON_BASE_LOG_H

/*
 * Log lines for an operator: start, stop, configuration, backend up or down,
 * role change. "module: what happened: object=value". To stderr (journald
 * takes it from there; with a <N> priority prefix when $JOURNAL_STREAM is
 * set, else with time stamp and ident). Any thread.
 */

#include "common/base/base.h"

#include <stdbool.h>

enum log_level {
	LOG_LVL_ERROR,
	LOG_LVL_WARN,
	LOG_LVL_INFO,
	LOG_LVL_DEBUG
};

/* `ident` must live as long as the process. Before start of threads. */
void log_open(const char *ident, enum log_level level);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
/* "error", "warn", "info", "debug" -> level; false when unknown. */
bool log_level_parse(const char *text, enum log_level *level);

void log_write(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_error(...) log_write(LOG_LVL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_LVL_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_LVL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LVL_DEBUG, __VA_ARGS__)

/* State of one LOG_EVERY place; zero-initialised. */
struct log_gate {
	long long next_us;
	unsigned long suppressed;
};

/* May this place speak now? At most once per `seconds`; *suppressed = how
 * many calls were silent since. Any thread (relaxed races lose a line). */
bool log_gate_open(
	struct log_gate *gate, unsigned seconds, unsigned long *suppressed);

/* For anything that a packet can trigger: at most one line per `sec`. */
#define LOG_EVERY(sec, level, fmt, ...)                                        \
	do {                                                                   \
		static struct log_gate gate_;                                  \
		unsigned long skipped_;                                        \
		if (log_gate_open(&gate_, (sec), &skipped_))                   \
			log_write((level), fmt " (%lu more not shown)",        \
				##__VA_ARGS__, skipped_);                      \
	} while (0)

#endif
