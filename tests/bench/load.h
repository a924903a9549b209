/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BENCH_LOAD_H
#define TESTS_BENCH_LOAD_H

/*
 * The load generator: asks a server as fast as it answers (or at a fixed
 * rate), from several source addresses, and checks each answer by id and
 * question. One thread.
 */

#include "common/base/clock.h"
#include "common/net/addr.h"

#include <sys/types.h>

#define NAME_OCTETS  25 /* every name has this length: see names.c */
#define QUERY_OCTETS (12 + NAME_OCTETS + 4)
#define WINDOW_MAX   256

/* --- names.c: what is asked --- */

enum name_pattern {
	NAMES_HOT,    /* one of `count`, all alike */
	NAMES_ZIPF,   /* one of `count` by Zipf's law, `fresh` % never seen */
	NAMES_EACH,   /* each of `count` once, in order */
	NAMES_UNIQUE, /* never seen */
};

struct names {
	enum name_pattern pattern;
	uint32_t count;
	unsigned fresh; /* percent */
	uint32_t seed;  /* of unseen names: another one for each run */
	uint64_t random, next;
	uint32_t *draws; /* made once: a draw of Zipf's law is dear */
};

/* "hot:COUNT", "zipf:COUNT:PERCENT", "each:COUNT" or "unique". -EINVAL. */
int names_init(struct names *n, const char *text, uint32_t seed) MUST_CHECK;
void names_fini(struct names *n);
void names_next(struct names *n, uint8_t wire[NAME_OCTETS]);

/* --- what is done, and what came of it --- */

struct load_config {
	union addr server;
	struct names names;
	unsigned sources; /* 127.0.1.1 and on */
	unsigned window;  /* unanswered questions per socket, power of two */
	unsigned connections; /* TCP */
	bool tcp, single;     /* single: one question per connection */
	double seconds;
	uint64_t count; /* ends after so many questions; 0: by time */
	double rate;    /* questions per second; 0: as fast as answered */
	unsigned timeout_ms;
	pid_t pid; /* its processor time is taken, 0: nobody's */
};

#define LOAD_BUCKETS 2048

struct load_result {
	uint64_t sent, answered;
	uint64_t lost;           /* not answered in time */
	uint64_t wrong_id;       /* answers that nobody waits for */
	uint64_t wrong_question; /* the id fits, the question does not */
	uint64_t failed;         /* answers with another code than NOERROR */
	uint64_t malformed;      /* too short, or no answers */
	uint64_t errors;         /* refused by the kernel, or closed */
	double seconds;
	double cpu_s; /* of config.pid */
	uint64_t latency[LOAD_BUCKETS];
};

/* Both: 0, or negative errno with a line on stderr. */
int load_udp(const struct load_config *c, struct load_result *r) MUST_CHECK;
int load_tcp(const struct load_config *c, struct load_result *r) MUST_CHECK;

/* --- slot.c: a question that waits for its answer --- */

struct slot {
	int64_t sent_us; /* 0: free */
	uint16_t id;
	uint8_t msg[2 + QUERY_OCTETS]; /* with the length that TCP wants */
};

/* The questions of one socket. */
struct window {
	unsigned size, used;
	uint16_t turn;
	uint16_t free[WINDOW_MAX];
	struct slot slots[WINDOW_MAX];
};

void window_init(struct window *w, unsigned size);
/* A new question, or NULL: all wait. */
struct slot *window_ask(struct window *w, struct names *names, int64_t now_us);
/* An answer came. True when it was one that was waited for. */
bool window_answer(struct window *w, const uint8_t *msg, size_t len,
	int64_t now_us, struct load_result *r);
/* Give up what was asked before `before_us`. */
void window_expire(struct window *w, int64_t before_us, struct load_result *r);

void latency_add(struct load_result *r, int64_t us);
double latency_quantile_us(const struct load_result *r, double q);

/* User and system time of a process, seconds; < 0: it is not there. */
double process_cpu_s(pid_t pid);
/* A non-blocking socket from source number `i`; negative errno. */
int load_socket(const struct load_config *c, int type, unsigned i) MUST_CHECK;

#endif
