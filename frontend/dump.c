/* SPDX-License-Identifier: ISC */
/*
 * A line that names the format, the wall clock, then one record per entry:
 *
 *	u64 hash of what follows, against damage
 *	u32 seconds since it was stored   u16 length of the message
 *	u8 bits   u8 octets of the pool's name   the name   the message
 *
 * in network order, closed by a record without a message. TTLs, kind and places
 *are found anew when it is read: the file says nothing that the message does
 * not. The extended error of the backend is not kept, nor is what was asked
 * for a subnet.
 */

#include "frontend/dump.h"

#include "common/base/buf.h"
#include "common/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const char magic[] = "ispdns-cache 1\n";

#define RECORD_HEAD 8
#define RECORD_MAX  (RECORD_HEAD + 255 + MSG_MAX)

/* Against accidents, not against people: the folder is ours. */
static uint64_t checksum(const uint8_t *record, size_t len)
{
	static const struct hash_key key = {0x64756d70, 0x31};

	return hash_bytes(&key, record, len);
}

struct save {
	FILE *file;
	const struct registry *registry;
	uint32_t now_ds;
	size_t count;
	uint8_t record[RECORD_MAX];
};

static void write_record(struct save *s, size_t len)
{
	uint64_t sum = checksum(s->record, len);
	uint8_t octets[8];

	put32(octets, (uint32_t)(sum >> 32));
	put32(octets + 4, (uint32_t)sum);
	(void)fwrite(octets, sizeof(octets), 1, s->file);
	(void)fwrite(s->record, len, 1, s->file);
}

static uint32_t to_ds(struct mtime t)
{
	return (uint32_t)(t.us / 100000);
}

static void save_one(void *arg, const struct cache_key *key,
	const struct answer *a, uint32_t stored_ds)
{
	struct save *s = arg;
	const char *pool = s->registry->pools[key->pool];
	uint8_t *r = s->record;
	size_t pool_len = strlen(pool);

	if (a->info.kind == ANSWER_FAILURE || a->info.kind == ANSWER_TRUNCATED)
		return;
	if (key->bits & (CACHE_ECS | CACHE_ALL_ECS))
		return;
	put32(r, (s->now_ds - stored_ds) / 10);
	put16(r + 4, (uint16_t)a->len);
	r[6] = key->bits;
	r[7] = (uint8_t)pool_len;
	memcpy(r + RECORD_HEAD, pool, pool_len);
	memcpy(r + RECORD_HEAD + pool_len, a->msg, a->len);
	write_record(s, RECORD_HEAD + pool_len + a->len);
	s->count++;
}

static int save_all(struct save *s, struct cache *cache)
{
	uint8_t clock[8];
	uint64_t wall = (uint64_t)wall_now_s();

	put32(clock, (uint32_t)(wall >> 32));
	put32(clock + 4, (uint32_t)wall);
	(void)fwrite(magic, sizeof(magic) - 1, 1, s->file);
	(void)fwrite(clock, sizeof(clock), 1, s->file);
	if (!cache_each(cache, save_one, s))
		return -ENOMEM;
	memset(s->record, 0, RECORD_HEAD);
	write_record(s, RECORD_HEAD);
	if (fflush(s->file) != 0 || ferror(s->file))
		return -EIO;
	return fsync(fileno(s->file)) < 0 ? -errno : 0;
}

/* `next` is renamed to `path` when it is whole. */
static int save_file(
	struct save *s, struct cache *cache, const char *next, const char *path)
{
	int fd = open(next,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc;

	s->file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!s->file) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	rc = save_all(s, cache);
	if (fclose(s->file) != 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(next, path) < 0)
		rc = -errno;
	if (rc < 0)
		(void)unlink(next);
	return rc;
}

int dump_save(struct cache *cache, const struct registry *registry,
	const char *path, size_t *count, struct err *err)
{
	struct save *s = calloc(1, sizeof(*s));
	char next[4096];
	int rc;

	*count = 0;
	if (!s)
		return err_fail(err, -ENOMEM, "out of memory");
	s->registry = registry;
	s->now_ds = to_ds(mtime_now());
	if (snprintf(next, sizeof(next), "%s.next", path) < (int)sizeof(next))
		rc = save_file(s, cache, next, path);
	else
		rc = -ENAMETOOLONG;
	*count = rc < 0 ? 0 : s->count;
	free(s);
	return rc < 0 ? err_fail(err, rc, "%s: %s", path, strerror(-rc)) : 0;
}

struct load {
	FILE *file;
	struct cache *cache;
	struct registry *registry;
	const struct hash_key *secret;
	const struct cache_rules *rules;
	int64_t lay_s; /* since the file was written */
	size_t count;
	struct answer answer;
	uint8_t record[RECORD_MAX];
};

static bool read_exactly(struct load *l, void *out, size_t len)
{
	return len == 0 || fread(out, len, 1, l->file) == 1;
}

/* Is the pool one that we have? */
static bool find_pool(const struct load *l, const char *name, uint16_t *id)
{
	for (unsigned i = 0; i < l->registry->pool_count; i++) {
		if (strcmp(l->registry->pools[i], name) == 0) {
			*id = (uint16_t)i;
			return true;
		}
	}
	return false;
}

/* The message just read. False: it is not one that we would have kept. */
static bool take_message(struct load *l, uint8_t *msg, size_t len, uint8_t bits,
	uint16_t pool, uint32_t age_s)
{
	struct asker asker = {.flags = bits & CACHE_CD ? MSG_CD : 0,
		.dnssec_ok = (bits & CACHE_DO) != 0,
		.no_recurse = (bits & CACHE_NO_RD) != 0};
	struct mtime stored =
		mtime_add_ms(mtime_now(), -(l->lay_s + age_s) * 1000);
	struct cache_key key;
	struct question q;
	struct edns edns;

	if (!msg_check_answer(msg, len, &q, &edns) || !q.name ||
		!answer_take(&l->answer, msg, len, &q, &edns))
		return false;
	asker.type = q.type;
	asker.class = q.class;
	asker.name_len = q.name_len;
	memcpy(asker.name, q.name, q.name_len);
	cache_key_make(l->secret, &key, pool, &asker);
	if (l->answer.info.ttl_s + (uint64_t)l->rules->stale_s >
		(uint64_t)(l->lay_s + age_s))
		l->count += cache_insert(
			l->cache, &key, l->rules, stored, &l->answer);
	return true;
}

/* 1: a record, 0: the end, -EBADMSG. */
static int load_one(struct load *l)
{
	uint8_t *r = l->record;
	uint8_t sum[8];
	char pool[256];
	uint16_t id;
	size_t len, all;

	if (!read_exactly(l, sum, sizeof(sum)) ||
		!read_exactly(l, r, RECORD_HEAD))
		return -EBADMSG;
	len = get16(r + 4);
	all = RECORD_HEAD + r[7] + len;
	if (!read_exactly(l, r + RECORD_HEAD, all - RECORD_HEAD) ||
		checksum(r, all) !=
			((uint64_t)get32(sum) << 32 | get32(sum + 4)))
		return -EBADMSG;
	if (len == 0)
		return 0;
	memcpy(pool, r + RECORD_HEAD, r[7]);
	pool[r[7]] = '\0';
	if (!find_pool(l, pool, &id))
		return 1;
	return take_message(l, r + all - len, len, r[6], id, get32(r))
		       ? 1
		       : -EBADMSG;
}

/* Since then; 0 when the clock was set back, and not longer than anything
 * lives: the field may be damaged. */
static int64_t lay_s(uint64_t then_s)
{
	uint64_t now_s = (uint64_t)wall_now_s();

	if (then_s >= now_s)
		return 0;
	return now_s - then_s < UINT32_MAX ? (int64_t)(now_s - then_s)
					   : UINT32_MAX;
}

static int load_all(struct load *l)
{
	char line[sizeof(magic)] = "";
	uint8_t clock[8];
	int rc = 1;

	if (!read_exactly(l, line, sizeof(magic) - 1) ||
		strcmp(line, magic) != 0 ||
		!read_exactly(l, clock, sizeof(clock)))
		return -EBADMSG;
	l->lay_s = lay_s((uint64_t)get32(clock) << 32 | get32(clock + 4));
	while (rc > 0)
		rc = load_one(l);
	return rc;
}

int dump_load(struct cache *cache, struct registry *registry,
	const struct hash_key *secret, const struct cache_rules *rules,
	const char *path, size_t *count, struct err *err)
{
	struct load *l = calloc(1, sizeof(*l));
	int rc = -ENOMEM;

	*count = 0;
	if (!l)
		return err_fail(err, rc, "out of memory");
	l->cache = cache;
	l->registry = registry;
	l->secret = secret;
	l->rules = rules;
	l->file = fopen(path, "re");
	rc = l->file ? load_all(l) : -errno;
	if (l->file)
		(void)fclose(l->file);
	*count = l->count;
	free(l);
	if (rc < 0)
		return err_fail(err, rc, "%s: %s", path,
			rc == -EBADMSG ? "not a whole dump of the cache"
				       : strerror(-rc));
	return 0;
}
