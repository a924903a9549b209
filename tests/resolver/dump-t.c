/* SPDX-License-Identifier: ISC */
/* The cache in files: what is kept, for whom, and damage. */

#include "resolver/dump.h"

#include "common/base/buf.h"
#include "common/ctl/file.h"
#include "common/dns/code.h"
#include "resolver/steer.h"
#include "tests/tap/tap.h"

#include <unistd.h>

#define NAMES 50

static char folder[64];
static const struct cache_limits limits = {1000, 1 << 20, 60000};
static const struct mtime T0 = {.us = 900000000};

static struct question question(unsigned i, struct name *n)
{
	char text[64];

	snprintf(text, sizeof(text), "host%u.example.", i);
	if (name_parse(text, n) < 0)
		tap_bail("%s", text);
	return (struct question){.name = n->wire,
		.name_len = n->len,
		.type = DNS_TYPE_A,
		.class = DNS_CLASS_IN};
}

static struct answer *make(
	const struct question *q, enum answer_security security)
{
	uint8_t msg[512];
	size_t len = msg_make_query(msg, sizeof(msg), 0, q->name, q->name_len,
		q->type, q->class, MSG_QR | MSG_RD | MSG_RA, 0, false);
	struct wbuf w;

	wbuf_init(&w, msg, sizeof(msg));
	w.pos = len;
	wbuf_u16(&w, 0xc00c);
	wbuf_u16(&w, DNS_TYPE_A);
	wbuf_u16(&w, DNS_CLASS_IN);
	wbuf_u32(&w, 300);
	wbuf_u16(&w, 4);
	wbuf_u32(&w, 0xc0000201);
	msg_set_count(msg, MSG_AN, 1);
	return answer_new(msg, w.pos, q, security, NULL);
}

static struct cache *filled(void)
{
	struct cache *cache = cache_new(&limits);
	struct name n;
	struct question q;

	for (unsigned i = 0; i < NAMES; i++) {
		q = question(i, &n);
		cache_insert(cache, &q, make(&q, ANSWER_SECURE), 300, T0);
	}
	q = question(1000, &n);
	cache_insert(cache, &q, make(&q, ANSWER_BOGUS), 300, T0);
	q = question(1001, &n);
	cache_insert(cache, &q, answer_new_failure(q.name_len, 2, -1), 300, T0);
	q = question(1002, &n);
	cache_insert(cache, &q, make(&q, ANSWER_INSECURE), 5, T0);
	return cache;
}

static int load(struct cache *cache, unsigned index, unsigned count,
	const char *library, char text[ERR_MAX])
{
	struct dump d = {folder, index, count, library};
	struct err err = {.text = ""};
	int n = dump_load(cache, &d, mtime_add_ms(T0, 77000), &err);

	memcpy(text, err.text, ERR_MAX);
	return n;
}

static void test_round_trip(void)
{
	struct cache *cache = filled(), *other = cache_new(&limits);
	struct dump d = {folder, 0, 1, "lib"};
	struct err err = {.text = ""};
	char text[ERR_MAX];
	struct cache_entry *e;
	struct name n;
	struct question q = question(7, &n);

	is_int(dump_save(cache, &d, mtime_add_ms(T0, 10000), &err), NAMES,
		"what is fresh and good is saved %s", err.text);
	is_int(load(other, 0, 1, "lib", text), NAMES, "and loaded %s", text);
	e = cache_find(other, &q, mtime_add_ms(T0, 77000));
	ok(e != NULL, "an entry is there");
	is_int(e->answer->security, ANSWER_SECURE, "still secure");
	ok(mtime_sub_us(e->expires, mtime_add_ms(T0, 77000)) <= 290000000,
		"its life goes on where it was");
	is_int(load(other, 0, 1, "other", text), 0,
		"another configuration of the library: nothing");
	is_string(text, "", "which is no error");
	cache_free(cache);
	cache_free(other);
}

static void test_workers(void)
{
	struct cache *two[2] = {cache_new(&limits), cache_new(&limits)};
	char text[ERR_MAX];
	unsigned sum = 0, wrong = 0;

	for (unsigned i = 0; i < 2; i++)
		sum += (unsigned)load(two[i], i, 2, "lib", text);
	is_int(sum, NAMES, "two workers share what one has left");
	for (unsigned i = 0; i < NAMES; i++) {
		struct name n;
		struct question q = question(i, &n);

		wrong += !cache_find(two[steer_index(n.wire, 2)], &q,
			mtime_add_ms(T0, 77000));
	}
	is_int(wrong, 0, "each has the names that are steered to it");
	cache_free(two[0]);
	cache_free(two[1]);
}

/* Any change of any octet, and any cut, is found. */
static void test_damage(void)
{
	char path[128], text[ERR_MAX], *data;
	struct err err;
	size_t len;
	unsigned taken = 0, silent = 0;

	snprintf(path, sizeof(path), "%s/cache.0", folder);
	if (file_read(path, 1 << 20, &data, &len, &err) < 0)
		tap_bail("%s", err.text);
	for (size_t at = 0; at < len; at += 37) {
		struct cache *cache = cache_new(&limits);
		size_t cut = at % 2 ? at : len;

		data[at] ^= 0x10;
		if (file_write(path, data, cut, 0600, &err) < 0)
			tap_bail("%s", err.text);
		data[at] ^= 0x10;
		taken += load(cache, 0, 1, "lib", text) != 0;
		silent += text[0] == '\0';
		cache_free(cache);
	}
	is_int(taken, 0, "nothing of a damaged file is taken");
	is_int(silent, 0, "and it is told each time");
	free(data);
}

int main(void)
{
	struct err err;

	snprintf(folder, sizeof(folder), "/tmp/ispdns-dump-t.XXXXXX");
	if (!mkdtemp(folder))
		tap_bail("mkdtemp");
	test_round_trip();
	test_workers();
	test_damage();
	if (dir_remove(folder, &err) < 0)
		tap_diag("%s", err.text);
	return tap_done();
}
