/* SPDX-License-Identifier: ISC */
/*
 * The id of a question is its slot and how often the slot was used, so that
 * a late answer is not taken for one to the next question of the slot.
 */

#include "tests/bench/load.h"

#include "common/base/buf.h"

#include <errno.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void window_init(struct window *w, unsigned size)
{
	memset(w, 0, sizeof(*w));
	w->size = size;
	for (unsigned i = 0; i < size; i++)
		w->free[i] = (uint16_t)(size - 1 - i);
}

struct slot *window_ask(struct window *w, struct names *names, int64_t now_us)
{
	unsigned i;
	struct slot *s;
	uint8_t *m;

	if (w->used == w->size)
		return NULL;
	i = w->free[w->size - ++w->used];
	s = &w->slots[i];
	s->id = (uint16_t)(w->turn++ * w->size + i);
	s->sent_us = now_us;
	m = s->msg + 2;
	put16(s->msg, QUERY_OCTETS);
	put16(m, s->id);
	memcpy(m + 2, "\1\0\0\1\0\0\0\0\0\0", 10); /* RD, one question */
	names_next(names, m + 12);
	memcpy(m + 12 + NAME_OCTETS, "\0\1\0\1", 4); /* A, IN */
	return s;
}

static void window_give(struct window *w, unsigned i)
{
	w->slots[i].sent_us = 0;
	w->free[w->size - w->used--] = (uint16_t)i;
}

bool window_answer(struct window *w, const uint8_t *msg, size_t len,
	int64_t now_us, struct load_result *r)
{
	struct slot *s;

	if (len < QUERY_OCTETS || !(msg[2] & 0x80)) {
		r->malformed++;
		return false;
	}
	s = &w->slots[get16(msg) % w->size];
	if (!s->sent_us || s->id != get16(msg)) {
		r->wrong_id++;
		return false;
	}
	if (memcmp(msg + 12, s->msg + 14, QUERY_OCTETS - 12) != 0) {
		r->wrong_question++;
		return false;
	}
	if (msg[3] & 15)
		r->failed++;
	r->answered++;
	latency_add(r, now_us - s->sent_us);
	window_give(w, (unsigned)(s - w->slots));
	return true;
}

void window_expire(struct window *w, int64_t before_us, struct load_result *r)
{
	for (unsigned i = 0; w->used > 0 && i < w->size; i++) {
		if (!w->slots[i].sent_us || w->slots[i].sent_us >= before_us)
			continue;
		r->lost++;
		window_give(w, i);
	}
}

/* 128 buckets of a microsecond, then 64 for each doubling. */
void latency_add(struct load_result *r, int64_t us)
{
	uint64_t v = us > 0 ? (uint64_t)us : 0;
	unsigned i = (unsigned)v, shift = 0;

	if (v >= 128) {
		shift = 57 - (unsigned)__builtin_clzll(v);
		i = (unsigned)(v >> shift) + 64 * shift;
	}
	r->latency[i < LOAD_BUCKETS ? i : LOAD_BUCKETS - 1]++;
}

double latency_quantile_us(const struct load_result *r, double q)
{
	uint64_t total = 0, seen = 0;
	unsigned i = 0;

	for (unsigned k = 0; k < LOAD_BUCKETS; k++)
		total += r->latency[k];
	while (i < LOAD_BUCKETS - 1 &&
		(double)(seen += r->latency[i]) < q * (double)total)
		i++;
	if (i < 128)
		return i;
	return (double)((uint64_t)(i % 64 + 64) << (i / 64 - 1));
}

double process_cpu_s(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 ||
		clock_gettime(clock, &t) < 0)
		return -1;
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int load_socket(const struct load_config *c, int type, unsigned i)
{
	const int one = 1;
	union addr from = {.v4 = {.sin_family = AF_INET}};
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return -errno;
	from.v4.sin_addr.s_addr = htonl(0x7f000101 + i % c->sources);
	/* the port is drawn at connect, with the peer known */
	(void)setsockopt(
		fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	if (bind(fd, &from.sa, sizeof(from.v4)) == 0 &&
		(connect(fd, &c->server.sa, addr_len(&c->server)) == 0 ||
			errno == EINPROGRESS))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}
