/* SPDX-License-Identifier: ISC */
/* A row follows its address when the list changes. */

#include "frontend/front.h"

#include "common/base/base.h"

static void set(
	struct fronts *f, size_t i, enum front_cell cell, uint64_t value)
{
	__atomic_store_n(&f->cells[i][cell], value, __ATOMIC_RELAXED);
}

uint64_t front_read(
	const struct fronts *f, size_t listener, enum front_cell cell)
{
	return __atomic_load_n(&f->cells[listener][cell], __ATOMIC_RELAXED);
}

static int find(const struct fronts *f, const union addr *addr)
{
	for (size_t i = 0; i < f->count; i++)
		if (addr_equal(&f->addrs[i], addr))
			return (int)i;
	return -1;
}

void fronts_set(struct fronts *f, const union addr *addrs, size_t count)
{
	uint64_t before[FRONTS_MAX][FRONT_CELLS];
	int from[FRONTS_MAX];

	if (count > FRONTS_MAX)
		count = FRONTS_MAX;
	memcpy(before, f->cells, sizeof(before));
	for (size_t i = 0; i < count; i++)
		from[i] = find(f, &addrs[i]);
	for (size_t i = 0; i < count; i++)
		for (unsigned c = 0; c < FRONT_CELLS; c++)
			set(f, i, (enum front_cell)c,
				from[i] < 0 ? 0 : before[from[i]][c]);
	memcpy(f->addrs, addrs, count * sizeof(addrs[0]));
	f->count = count;
}

void fronts_publish(struct fronts *f, const struct serve *serve)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct serve_tcp_counts *n = serve_tcp_counts(serve, i);

		if (!n)
			return;
		set(f, i, FRONT_TCP_ACCEPTED, n->accepted);
		set(f, i, FRONT_TCP_OPEN, n->open);
		set(f, i, FRONT_TCP_MOST, n->most);
		set(f, i, FRONT_TCP_TIMEOUTS, n->timeouts);
		set(f, i, FRONT_TCP_DIED_READING, n->died_reading);
		set(f, i, FRONT_TCP_DIED_SENDING, n->died_sending);
		set(f, i, FRONT_TCP_ENDED, n->ended);
		set(f, i, FRONT_TCP_LIFE_MS, n->life_ms);
		set(f, i, FRONT_TCP_READS, n->reads);
		set(f, i, FRONT_TCP_ENDED_QUERIES, n->ended_queries);
	}
}
