/* SPDX-License-Identifier: ISC */
/* Bounded reader and writer, growing text. */

#include "common/base/buf.h"

#include "tests/tap/failmem.h"
#include "tests/tap/tap.h"

static void test_read(void)
{
	static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
	struct rbuf r;

	rbuf_init(&r, data, sizeof(data));
	is_int(rbuf_u8(&r), 1, "u8");
	is_int(rbuf_u16(&r), 0x0203, "u16");
	is_int(rbuf_u32(&r), 0x04050607, "u32");
	is_int((long long)rbuf_left(&r), 2, "left");
	is_int(rbuf_u32(&r), 0, "over the end gives 0");
	ok(r.failed, "and is remembered");
	is_int(rbuf_u8(&r), 0, "even where there would be room");
	is_int((long long)rbuf_left(&r), 0, "nothing is left");

	rbuf_init(&r, data, sizeof(data));
	ok(rbuf_take(&r, 9) == data && !r.failed, "take all");
	ok(rbuf_skip(&r, 0), "skip nothing at the end");
	ok(!rbuf_skip(&r, SIZE_MAX), "a huge length does not wrap");
}

static void test_write(void)
{
	static const uint8_t want[] = {1, 2, 3, 4, 5, 6, 7, 'a', 'b'};
	uint8_t data[16];
	struct wbuf w;

	wbuf_init(&w, data, 9);
	wbuf_u8(&w, 1);
	wbuf_u16(&w, 0x0203);
	wbuf_u32(&w, 0x04050607);
	wbuf_bytes(&w, "ab", 2);
	ok(!w.failed, "fits");
	is_bytes(data, w.pos, want, sizeof(want), "octets");
	wbuf_u8(&w, 0xff);
	ok(w.failed && w.pos == 9, "no room");
	wbuf_bytes(&w, "", SIZE_MAX);
	ok(w.pos == 9, "a huge length does not wrap");
}

static void test_text(void)
{
	struct text t;
	char *taken;

	text_init(&t);
	is_string(t.data, "", "empty");
	for (int i = 0; i < 1000; i++)
		text_add(&t, "%d,", i % 10);
	is_int((long long)t.len, 2000, "grows");
	is_int((long long)strlen(t.data), 2000, "is a string");
	text_add_bytes(&t, "a\0b", 3);
	is_int((long long)t.len, 2003, "octets, NUL too");
	taken = text_take(&t);
	ok(memcmp(taken, "0,1,2,", 6) == 0, "taken");
	is_int((long long)t.len, 0, "empty after");
	free(taken);
	taken = text_take(&t);
	is_string(taken, "", "an empty one is taken as a string");
	free(taken);
	text_fini(&t);
}

static void test_text_limit(void)
{
	static char block[1 << 20];
	struct text t;

	text_init(&t);
	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 70; i++)
		text_add_bytes(&t, block, sizeof(block));
	ok(t.failed && t.len <= 64u << 20, "stops at 64 MiB");
	text_fini(&t);
	ok(!t.failed, "usable again");

	text_add(&t, "abc");
	failmem_after(0);
	text_add(&t, "%1000d", 1);
	failmem_off();
	ok(t.failed, "no memory is remembered");
	is_string(t.data, "abc", "what was there stays");
	text_fini(&t);
}

int main(void)
{
	test_read();
	test_write();
	test_text();
	test_text_limit();
	return tap_done();
}
