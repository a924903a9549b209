/* SPDX-License-Identifier: ISC */
/*
 * The numbers are those of the counters, not of the samples: a line says how
 * many queries were dropped for its reason since the last such line.
 */

#include "frontend/droplog.h"

#include "common/dns/code.h"

#define LINE 1000000 /* millionths */

/* --- ring -------------------------------------------------------------- */

struct drop_sample *drop_ring_want(struct drop_ring *ring, enum stat_id why)
{
	uint64_t bit = 1ull << (why - STAT_DROP_FIRST);
	uint32_t tail = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);

	if ((ring->told & bit) || ring->head - tail == DROPLOG_RING)
		return NULL;
	ring->told |= bit;
	return &ring->samples[ring->head % DROPLOG_RING];
}

void drop_ring_put(struct drop_ring *ring)
{
	__atomic_store_n(&ring->head, ring->head + 1, __ATOMIC_RELEASE);
}

void drop_ring_pulse(struct drop_ring *ring)
{
	ring->told = 0;
}

bool drop_ring_take(struct drop_ring *ring, struct drop_sample *out)
{
	uint32_t head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);

	if (head == ring->tail)
		return false;
	*out = ring->samples[ring->tail % DROPLOG_RING];
	__atomic_store_n(&ring->tail, ring->tail + 1, __ATOMIC_RELEASE);
	return true;
}

/* --- lines ------------------------------------------------------------- */

void droplog_add(struct droplog *log, const struct drop_sample *sample)
{
	unsigned i = (unsigned)sample->why - STAT_DROP_FIRST;

	log->reasons[i].waiting = true;
	log->reasons[i].sample = *sample;
}

static bool is_time(struct droplog *log, struct mtime now, unsigned rate)
{
	int64_t most = (int64_t)rate * LINE;

	log->millionths += mtime_sub_us(now, log->last) * rate;
	log->last = now;
	if (log->millionths > most)
		log->millionths = most;
	return log->millionths >= LINE;
}

/* The waiting reason that was told of least lately; -1: none. */
static int next_reason(const struct droplog *log)
{
	int next = -1;

	for (int i = 0; i < DROPLOG_REASONS; i++)
		if (log->reasons[i].waiting &&
			(next < 0 || log->reasons[i].told_at <
					     log->reasons[next].told_at))
			next = i;
	return next;
}

static void print(const struct drop_sample *s, uint64_t count, char *line)
{
	char reason[32], addr[ADDR_TEXT], name[NAME_MAX_TEXT] = "-";
	char type[DNS_CODE_TEXT] = "-";

	stats_reason(s->why, reason, sizeof(reason));
	if (s->named) {
		(void)name_print(&s->name, name);
		(void)dns_type_print(s->type, type);
	}
	(void)snprintf(line, DROPLOG_LINE,
		"drop: %s: client=%s proto=%s name=%s type=%s count=%llu",
		reason, addr_print_ip(&s->client, addr), s->tcp ? "tcp" : "udp",
		name, type, (unsigned long long)count);
}

bool droplog_line(struct droplog *log, const struct metrics *counts,
	struct mtime now, unsigned per_second, char line[DROPLOG_LINE])
{
	bool allowed = is_time(log, now, per_second);
	int i = next_reason(log);
	uint64_t total;

	if (!allowed || i < 0)
		return false;
	total = metrics_read(counts, log->reasons[i].sample.why);
	print(&log->reasons[i].sample, total - log->reasons[i].counted, line);
	log->reasons[i].counted = total;
	log->reasons[i].told_at = ++log->turn;
	log->reasons[i].waiting = false;
	log->millionths -= LINE;
	return true;
}
