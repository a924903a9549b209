/* SPDX-License-Identifier: ISC */
/*
 * The file of the cache. An odd first octet: the rest is the file. Else it is
 * the clock and records, which get the checksums that they need to be looked
 * at. Whatever is taken must be a whole answer for the one who finds it.
 */

#include "tests/fuzz/fuzz.h"

#include "common/base/buf.h"
#include "frontend/dump.h"

#include <errno.h>
#include <unistd.h>

#define HEAD 8 /* of a record */

static const char magic[] = "ispdns-cache 1\n";
static const struct cache_rules rules = {.max_ttl_s = 300,
	.max_negative_ttl_s = 60,
	.failure_ttl_s = 5,
	.stale_s = 60};
static const struct hash_key secret = {5, 6};
/* as dump.c's */
static const struct hash_key sum_key = {0x64756d70, 0x31};
static uint8_t out[MSG_MAX + 1];

static void put_record(FILE *f, const uint8_t *record, size_t len)
{
	uint64_t sum = hash_bytes(&sum_key, record, len);
	uint8_t octets[8];

	put32(octets, (uint32_t)(sum >> 32));
	put32(octets + 4, (uint32_t)sum);
	fuzz_check(fwrite(octets, sizeof(octets), 1, f) == 1);
	fuzz_check(fwrite(record, len, 1, f) == 1);
}

static void put_records(FILE *f, const uint8_t *data, size_t size)
{
	size_t n = size < 8 ? size : 8;

	fuzz_check(fwrite(magic, sizeof(magic) - 1, 1, f) == 1);
	fuzz_check(fwrite(data, 1, n, f) == n);
	for (data += n, size -= n; size >= HEAD; data += n, size -= n) {
		n = (size_t)HEAD + data[7] + get16(data + 4);
		if (n > size)
			n = size;
		put_record(f, data, n);
	}
}

static void visit(void *arg, const struct cache_key *key,
	const struct answer *a, uint32_t stored_ds)
{
	static const struct answer_style style = {.auth = false};
	struct asker asker = {.id = 7, .type = key->type, .class = key->class};
	struct question q;
	struct edns edns;
	bool cut;
	size_t len;

	(void)stored_ds;
	++*(size_t *)arg;
	asker.name_len = key->name_len;
	memcpy(asker.name, key->name, key->name_len);
	len = answer_render(a, &asker, &style, out, sizeof(out), &cut);
	fuzz_check(msg_check_answer(out, len, &q, &edns));
	fuzz_check(q.name && q.type == key->type && q.class == key->class);
	fuzz_check(memcmp(q.name, key->name, key->name_len) == 0);
}

static void load(struct registry *registry, const char *path)
{
	struct cache *cache = cache_new(16, 65536);
	struct err err = {.text = ""};
	size_t count = 0, held = 0;
	int rc;

	fuzz_check(cache != NULL);
	rc = dump_load(cache, registry, &secret, &rules, path, &count, &err);
	fuzz_check(rc == 0 || (rc == -EBADMSG && err.text[0]));
	fuzz_check(cache_each(cache, visit, &held));
	fuzz_check(held <= count);
	cache_free(cache);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct registry registry;
	char path[64];
	FILE *f;

	if (size < 1 || size > 65536)
		return 0;
	(void)snprintf(registry.pools[0], sizeof(registry.pools[0]), "rec");
	registry.pool_count = 1;
	(void)snprintf(
		path, sizeof(path), "/tmp/ispdns-fuzz-dump.%d", (int)getpid());
	f = fopen(path, "we");
	fuzz_check(f != NULL);
	if (data[0] & 1)
		fuzz_check(fwrite(data + 1, 1, size - 1, f) == size - 1);
	else
		put_records(f, data + 1, size - 1);
	fuzz_check(fclose(f) == 0);
	load(&registry, path);
	(void)unlink(path);
	return 0;
}
