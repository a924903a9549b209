/* SPDX-License-Identifier: ISC */
/*
 * Messages: an octet string is taken as a query and as an answer. What is
 * taken must have its parts inside, and replies made of it must be taken as
 * answers themselves.
 */

#include "tests/fuzz/fuzz.h"

#include "common/dns/msg.h"

static void inside(const struct question *q, const uint8_t *data, size_t size)
{
	fuzz_check(q->name == data + MSG_HEADER);
	fuzz_check(q->end <= size);
	fuzz_check(name_wire_len(q->name, size - MSG_HEADER) == q->name_len);
}

static void edns_inside(const struct edns *edns, size_t size)
{
	if (!edns->present)
		return;
	fuzz_check((size_t)edns->offset + edns->length <= size);
	fuzz_check((size_t)edns->cookie_offset + edns->cookie_len <= size);
	fuzz_check((size_t)edns->ecs_offset + edns->ecs_len <= size);
}

static void try_query(const uint8_t *data, size_t size)
{
	uint8_t out[MSG_HEADER + NAME_MAX_WIRE + 4 + 64];
	struct query_view view;
	struct question q;
	struct edns edns;
	enum msg_verdict verdict = msg_parse_query(data, size, &view);
	size_t n;

	if (verdict == MSG_DROP)
		return;
	if (verdict == MSG_OK || verdict == MSG_BADVERS || view.q.name)
		inside(&view.q, data, size);
	edns_inside(&view.edns, size);
	n = msg_make_reply(out, sizeof(out), data, &view.q, &view.edns,
		verdict == MSG_BADVERS ? 16 : 2, true, 22);
	fuzz_check(n >= MSG_HEADER && n <= sizeof(out));
	if (verdict == MSG_NOTIMP)
		return;
	fuzz_check(msg_check_answer(out, n, &q, &edns));
	fuzz_check(edns.present == view.edns.present);
	if (verdict == MSG_OK)
		fuzz_check(question_equal(&q, &view.q));
}

static void try_answer(const uint8_t *data, size_t size)
{
	struct record_iter it;
	struct record rr;
	struct question q;
	struct edns edns;
	uint8_t *copy;
	size_t n;

	if (!msg_check_answer(data, size, &q, &edns))
		return;
	edns_inside(&edns, size);
	if (!q.name)
		return;
	inside(&q, data, size);
	record_iter_init(&it, data, size, q.end);
	while (record_iter_next(&it, &rr))
		fuzz_check((size_t)rr.rdata_offset + rr.rdlen <= size);
	fuzz_check(!it.failed && it.pos == size);
	copy = malloc(size);
	if (!copy)
		return;
	memcpy(copy, data, size);
	n = msg_truncate(copy, size, &q, &edns);
	fuzz_check(n <= size && msg_check_answer(copy, n, &q, &edns));
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_query(data, size);
	try_answer(data, size);
	return 0;
}
