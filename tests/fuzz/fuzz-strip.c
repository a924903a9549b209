/* SPDX-License-Identifier: ISC */
/*
 * The resolver's way of an answer: kept with and without DNSSEC records,
 * written for a client. The first octet chooses the client. What is written
 * is a whole answer to the question, within the size, and holds no DNSSEC
 * records for one who did not ask for them.
 */

#include "tests/fuzz/fuzz.h"

#include "common/dns/code.h"
#include "resolver/answer.h"

static uint8_t out[MSG_MAX];

static void no_dnssec(const struct question *q, size_t len)
{
	struct record_iter it;
	struct record rr;

	record_iter_init(&it, out, len, q->end);
	while (record_iter_next(&it, &rr)) {
		if (rr.type == q->type)
			continue;
		fuzz_check(rr.type != DNS_TYPE_RRSIG &&
			   rr.type != DNS_TYPE_NSEC &&
			   rr.type != DNS_TYPE_NSEC3);
	}
}

static void write_it(
	const struct answer *answer, const struct question *asked, uint8_t how)
{
	struct answer_client client = {.name = asked->name,
		.name_len = asked->name_len,
		.type = asked->type,
		.class = asked->class,
		.id = 0x1234,
		.flags = how & 1 ? MSG_RD : MSG_RD | MSG_CD,
		.edns = how & 2,
		.dnssec_ok = (how & 6) == 6,
		.payload = 1232};
	struct question q;
	struct edns edns;
	size_t n;

	client.limit = how & 8 ? MSG_MAX : client.edns ? 1232 : 512;
	n = answer_write(answer, &client, how, how & 16 ? 30 : 0, out);
	fuzz_check(n <= client.limit);
	fuzz_check(msg_check_answer(out, n, &q, &edns));
	fuzz_check(question_equal(&q, asked) && msg_id(out) == 0x1234);
	fuzz_check(edns.present == client.edns);
	if (!client.dnssec_ok && asked->type != DNS_TYPE_ANY)
		no_dnssec(&q, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct answer *answer;
	struct question q;
	struct edns edns;

	if (size < 1 || size - 1 > MSG_MAX)
		return 0;
	if (!msg_check_answer(data + 1, size - 1, &q, &edns) || !q.name)
		return 0;
	answer = answer_new(data + 1, size - 1, &q,
		(enum answer_security)(data[0] >> 6) % 3, NULL);
	if (answer)
		write_it(answer, &q, data[0]);
	free(answer);
	return 0;
}
