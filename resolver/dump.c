/* SPDX-License-Identifier: ISC */
/*
 * FOLDER/cache.INDEX: magic, digest of what follows, digest of the library's
 * configuration, wall clock of writing, then for each entry security, seconds
 * left, length and message. Times in the file are of the wall clock, as the
 * monotonic one starts anew with the machine; when it has jumped back or by
 * more than a day nothing is taken.
 */

#include "resolver/dump.h"

#include <errno.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/digest.h"
#include "common/ctl/file.h"
#include "common/dns/code.h"
#include "resolver/steer.h"

#define MAGIC      "ispdns resolver cache 1\n"
#define MAGIC_LEN  (sizeof(MAGIC) - 1)
#define FILE_BYTES ((size_t)1 << 30)
#define AGE_MAX_S  86400
#define SAVE_BYTES ((size_t)48 << 20) /* what is over that is left out */
#define HEAD_LEN   (MAGIC_LEN + 2 * DIGEST_SIZE + 8)

static void put_u32(struct text *t, uint32_t v)
{
	uint8_t b[4];

	put32(b, v);
	text_add_bytes(t, b, sizeof(b));
}

static int file_name(
	char out[4096], const struct dump *d, unsigned index, struct err *err)
{
	if (path_join(out, 4096, "%s/cache.%u", d->folder, index) < 0)
		return err_fail(
			err, -ENAMETOOLONG, "%s: path is too long", d->folder);
	return 0;
}

/* --- saving --- */

struct saver {
	struct text out;
	struct mtime now;
	int count;
};

static void save_entry(void *arg, const struct cache_entry *e)
{
	static uint8_t msg[MSG_MAX + 1];
	struct saver *s = arg;
	struct answer_client whole = {.name = e->name,
		.name_len = e->name_len,
		.type = e->type,
		.class = e->class,
		.flags = MSG_RD | MSG_CD,
		.dnssec_ok = true,
		.limit = MSG_MAX};
	int64_t left_us = mtime_sub_us(e->expires, s->now);
	uint32_t age_s;
	uint8_t head[1];
	size_t len;

	if (s->out.len > SAVE_BYTES || left_us < 1000000 ||
		e->answer->failure || e->answer->security == ANSWER_BOGUS)
		return;
	age_s = (uint32_t)(mtime_sub_us(s->now, e->stored) / 1000000);
	len = answer_write(e->answer, &whole, age_s, 0, msg);
	head[0] = (uint8_t)e->answer->security;
	text_add_bytes(&s->out, head, sizeof(head));
	put_u32(&s->out, (uint32_t)(left_us / 1000000));
	put_u32(&s->out, (uint32_t)len);
	text_add_bytes(&s->out, msg, len);
	s->count++;
}

static void save_head(struct text *t, const struct dump *d)
{
	uint8_t digest[DIGEST_SIZE] = {0};
	uint64_t now = (uint64_t)wall_now_s();

	text_add_bytes(t, MAGIC, MAGIC_LEN);
	text_add_bytes(t, digest, sizeof(digest)); /* set at the end */
	digest_sha256(d->library, strlen(d->library), digest);
	text_add_bytes(t, digest, sizeof(digest));
	put_u32(t, (uint32_t)(now >> 32));
	put_u32(t, (uint32_t)now);
}

int dump_save(struct cache *cache, const struct dump *d, struct mtime now,
	struct err *err)
{
	struct saver s = {.now = now};
	const size_t at = MAGIC_LEN + DIGEST_SIZE;
	char path[4096];
	int rc = file_name(path, d, d->index, err);

	if (rc < 0)
		return rc;
	text_init(&s.out);
	save_head(&s.out, d);
	cache_each(cache, save_entry, &s);
	if (s.out.failed) {
		text_fini(&s.out);
		return err_fail(err, -ENOMEM, "%s: no memory", path);
	}
	digest_sha256(s.out.data + at, s.out.len - at,
		(uint8_t *)s.out.data + MAGIC_LEN);
	rc = file_write(path, s.out.data, s.out.len, 0600, err);
	text_fini(&s.out);
	return rc < 0 ? rc : s.count;
}

/* --- loading --- */

/* Seconds since it was written, or -1: not usable. */
static int64_t check_head(
	const char *data, size_t len, const struct dump *d, struct err *err)
{
	const uint8_t *bytes = (const uint8_t *)data;
	const size_t at = MAGIC_LEN + DIGEST_SIZE;
	uint8_t digest[DIGEST_SIZE];
	int64_t written, age;

	if (len < HEAD_LEN || memcmp(data, MAGIC, MAGIC_LEN) != 0) {
		err_set(err, "is no cache of ours");
		return -1;
	}
	digest_sha256(data + at, len - at, digest);
	if (memcmp(digest, data + MAGIC_LEN, DIGEST_SIZE) != 0) {
		err_set(err, "is damaged");
		return -1;
	}
	digest_sha256(d->library, strlen(d->library), digest);
	if (memcmp(digest, data + at, DIGEST_SIZE) != 0)
		return -1; /* other settings: of no use, nothing wrong */
	written = (int64_t)((uint64_t)get32(bytes + HEAD_LEN - 8) << 32 |
			    get32(bytes + HEAD_LEN - 4));
	age = wall_now_s() - written;
	return age < 0 || age > AGE_MAX_S ? -1 : age;
}

static bool load_entry(struct cache *cache, const struct dump *d,
	struct rbuf *r, int64_t age_s, struct mtime now)
{
	enum answer_security security = rbuf_u8(r);
	uint32_t left_s = rbuf_u32(r), len = rbuf_u32(r);
	const uint8_t *msg = rbuf_take(r, len);
	struct question q;
	struct edns edns;
	struct answer *a;

	if (!msg || left_s <= age_s ||
		(security != ANSWER_SECURE && security != ANSWER_INSECURE))
		return false;
	if (!msg_check_answer(msg, len, &q, &edns) || !q.name ||
		steer_index(q.name, d->count) != d->index)
		return false;
	a = answer_new(msg, len, &q, security, NULL);
	if (!a)
		return false;
	/* As if it had come when the file was written: TTLs age from then. */
	cache_insert(cache, &q, a, left_s, mtime_add_us(now, -age_s * 1000000));
	return true;
}

static int load_file(struct cache *cache, const struct dump *d,
	const char *path, struct mtime now, struct err *err)
{
	struct rbuf r;
	char *data;
	size_t len;
	int64_t age_s;
	int count = 0;

	if (access(path, F_OK) < 0)
		return 0;
	if (file_read(path, FILE_BYTES, &data, &len, err) < 0)
		return 0;
	age_s = check_head(data, len, d, err);
	if (age_s >= 0) {
		rbuf_init(&r, data + HEAD_LEN, len - HEAD_LEN);
		while (rbuf_left(&r) > 0)
			count += load_entry(cache, d, &r, age_s, now);
	}
	free(data);
	if (err->text[0])
		err_prefix(err, "%s", path);
	return count;
}

int dump_load(struct cache *cache, const struct dump *d, struct mtime now,
	struct err *err)
{
	char path[4096];
	int count = 0;

	err->text[0] = '\0';
	for (unsigned i = 0; i < d->count; i++)
		if (file_name(path, d, i, err) == 0)
			count += load_file(cache, d, path, now, err);
	return count;
}
