/* SPDX-License-Identifier: ISC */
/*
 * From a backend's octets to what a client gets: taken, cached, found again,
 * rendered for all sorts of clients. Whatever is rendered must be a whole
 * answer to the question that was asked, within the client's size, without
 * what belongs to another hop.
 */

#include "tests/fuzz/fuzz.h"

#include "frontend/cache.h"

static const struct cache_rules rules = {
	.max_ttl_s = 300,
	.max_negative_ttl_s = 60,
	.failure_ttl_s = 5,
	.stale_s = 60,
};
static const struct hash_key secret = {3, 4};
static struct answer taken, found_answer;
static uint8_t msg[MSG_MAX], stored[CACHE_MAX_MSG], out[MSG_MAX + 1];

static void check_render(const struct answer *a, const struct asker *asker,
	const struct answer_style *style)
{
	struct question q;
	struct edns edns;
	bool cut;
	size_t len = answer_render(a, asker, style, out, sizeof(out), &cut);

	fuzz_check(len >= MSG_HEADER && len <= MSG_MAX);
	fuzz_check(!asker->udp_limit || len <= asker->udp_limit);
	fuzz_check(msg_check_answer(out, len, &q, &edns));
	fuzz_check(q.name && q.type == asker->type && q.class == asker->class);
	fuzz_check(memcmp(q.name, asker->name, asker->name_len) == 0);
	fuzz_check(msg_id(out) == asker->id);
	fuzz_check(edns.present == asker->edns);
	fuzz_check(edns.cookie_offset == 0 && edns.ecs_offset == 0);
	fuzz_check(!edns.present || edns.payload == EDNS_OUR_PAYLOAD);
	fuzz_check(cut == ((msg_flags(out) & MSG_TC) != 0));
	fuzz_check(style->auth == !(msg_flags(out) & MSG_RA));
	fuzz_check(style->auth || !(msg_flags(out) & MSG_AA));
}

static void render_all(const struct answer *a, struct asker *asker, bool stale)
{
	static const uint16_t limits[] = {0, 512, 700, 1232};

	for (unsigned i = 0; i < 16; i++) {
		struct answer_style style = {
			.auth = i & 1,
			.stale = stale,
			.age_s = i & 2 ? 7 : 0,
			.cap_s = i & 1 ? 100 : 0,
			.stale_ttl_s = 30,
		};

		asker->udp_limit = limits[i / 4];
		asker->edns = (i & 2) != 0;
		asker->flags = i & 1 ? MSG_RD | MSG_AD : 0;
		check_render(a, asker, &style);
	}
}

static void check_cache(struct asker *asker)
{
	struct cache *cache = cache_new(4, 65536);
	struct mtime now = {.us = 1000000000};
	struct cache_found found;
	struct cache_key key;

	if (!cache)
		return;
	cache_key_make(&secret, &key, 1, asker);
	if (cache_insert(cache, &key, &rules, now, &taken)) {
		fuzz_check(cache_lookup(cache, &key, &rules, now, &found_answer,
				   stored, &found) == CACHE_HIT);
		fuzz_check(found_answer.len == taken.len &&
			   found_answer.ttl_count == taken.ttl_count);
		fuzz_check(memcmp(stored + found_answer.q_end,
				   taken.msg + taken.q_end,
				   taken.len - taken.q_end) == 0);
		render_all(&found_answer, asker, true);
	}
	cache_free(cache);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct asker asker = {.id = 0x4242};
	struct question q;
	struct edns edns;

	if (size > sizeof(msg))
		return 0;
	memcpy(msg, data, size);
	if (!msg_check_answer(msg, size, &q, &edns) || !q.name)
		return 0;
	asker.type = q.type;
	asker.class = q.class;
	asker.name_len = q.name_len;
	memcpy(asker.name, q.name, q.name_len);
	if (!answer_take(&taken, msg, size, &q, &edns))
		return 0;
	render_all(&taken, &asker, false);
	check_cache(&asker);
	return 0;
}
