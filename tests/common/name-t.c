/* SPDX-License-Identifier: ISC */
/* Names: wire forms good and hostile, text, order, hash. */

#include "common/dns/name.h"

#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#include <errno.h>

static void test_wire_len(void)
{
	static const struct {
		const char *wire;
		int len;
		const char *what;
	} rows[] = {
		{"00", 1, "root"},
		{"<a.b.> ffff", 5, "what follows does not matter"},
		{"", -EINVAL, "nothing"},
		{"03 6162", -EINVAL, "label cut"},
		{"01 61", -EINVAL, "no root label"},
		{"c000", -EINVAL, "pointer"},
		{"40 00", -EINVAL, "label type 01"},
		{"80 00", -EINVAL, "label type 10"},
	};
	uint8_t buf[300];

	for (size_t i = 0; i < countof(rows); i++) {
		size_t n = wire(buf, sizeof(buf), rows[i].wire);

		is_int(name_wire_len(buf, n), rows[i].len, "%s", rows[i].what);
	}
	for (int i = 0; i < 127; i++) {
		buf[2 * i] = 1;
		buf[2 * i + 1] = 'a';
	}
	buf[254] = 0;
	is_int(name_wire_len(buf, sizeof(buf)), 255, "127 labels, 255 octets");
	is_int(name_wire_len(buf, 254), -EINVAL, "the same, cut by one");
	buf[254] = 1;
	buf[255] = 'a';
	buf[256] = 0;
	is_int(name_wire_len(buf, sizeof(buf)), -EINVAL, "257 octets");
}

static void test_read(void)
{
	static const struct {
		const char *msg;
		size_t offset;
		int used;
		const char *name;
		const char *what;
	} rows[] = {
		{"<www.x.>", 0, 7, "www.x.", "no pointer"},
		{"<x.> 03'www' c000", 3, 6, "www.x.", "pointer at the end"},
		{"<x.> c000", 3, 2, "x.", "only a pointer"},
		{"<x.> c000 c003", 5, 2, "x.", "pointer to a pointer"},
		{"<x.> 01'w' c000 01'v' c003", 7, 4, "v.w.x.", "two pointers"},
		{"c000", 0, -EINVAL, "", "pointer to itself"},
		{"c002 c000", 0, -EINVAL, "", "forward pointer"},
		{"01'a' c000", 0, -EINVAL, "", "loop over a label"},
		{"00 c0", 1, -EINVAL, "", "half a pointer"},
		{"00 ffff", 1, -EINVAL, "", "pointer out of the message"},
		{"<x.>", 3, -EINVAL, "", "offset at the end"},
		{"<x.>", 4000000000u, -EINVAL, "", "offset far behind it"},
		{"03'ww'", 0, -EINVAL, "", "label cut"},
		{"40", 0, -EINVAL, "", "label type 01"},
	};
	uint8_t buf[300];
	char text[NAME_MAX_TEXT];
	struct name name;

	for (size_t i = 0; i < countof(rows); i++) {
		size_t n = wire(buf, sizeof(buf), rows[i].msg);
		int used = name_read(buf, n, rows[i].offset, &name);

		is_int(used, rows[i].used, "%s", rows[i].what);
		is_int(name_read(buf, n, rows[i].offset, NULL), used,
			"%s, check only", rows[i].what);
		if (used > 0)
			is_string(name_print(&name, text), rows[i].name,
				"%s, name", rows[i].what);
	}
}

/* Pointers can make a name of more than 255 octets, or very many hops. */
static void test_read_limits(void)
{
	uint8_t buf[1024];
	size_t len = 0;

	/* Five labels of 63 in a row, joined by pointers. */
	buf[len++] = 0;
	for (int i = 0; i < 5; i++) {
		size_t before = i == 0 ? 0 : len - 66;

		buf[len] = 63;
		memset(buf + len + 1, 'a', 63);
		len += 64;
		buf[len++] = 0xc0;
		buf[len++] = (uint8_t)before;
		buf[len - 2] |= (uint8_t)(before >> 8);
	}
	is_int(name_read(buf, len, len - 3 * 66, NULL), 66, "193 octets");
	is_int(name_read(buf, len, len - 66, NULL), -EINVAL, "321 octets");

	len = 1;
	for (int i = 0; i < 200; i++) {
		size_t target = i == 0 ? 0 : len - 2;

		buf[len++] = (uint8_t)(0xc0 | target >> 8);
		buf[len++] = (uint8_t)target;
	}
	is_int(name_read(buf, len, 1 + 2 * 60, NULL), 2, "61 pointers");
	is_int(name_read(buf, len, len - 2, NULL), -EINVAL, "200 pointers");
}

static void test_text(void)
{
	static const struct {
		const char *text, *print; /* print NULL: not a name */
	} rows[] = {
		{".", "."},
		{"www.example.net", "www.example.net."},
		{"www.example.net.", "www.example.net."},
		{"WwW.X.", "WwW.X."},
		{"*.x.", "*.x."},
		{"_sip._udp.x", "_sip._udp.x."},
		{"a\\.b.x", "a\\.b.x."},
		{"a\\046b.x", "a\\.b.x."},
		{"a\\000b.x", "a\\000b.x."},
		{"\\255.x", "\\255.x."},
		{"a\\ b.x", "a\\032b.x."},
		{"\\@.x", "\\@.x."},
		{"\\\\.x", "\\\\.x."},
		{"", NULL},
		{"..", NULL},
		{".x", NULL},
		{"a..b", NULL},
		{"a b", NULL},
		{"a\tb", NULL},
		{"\\256.x", NULL},
		{"\\25.x", NULL},
		{"\\2", NULL},
		{"a\\", NULL},
		{"\xc3\xa4.x", NULL},
	};
	char text[NAME_MAX_TEXT];
	struct name name;

	for (size_t i = 0; i < countof(rows); i++) {
		int ret = name_parse(rows[i].text, &name);

		is_string(ret == 0 ? name_print(&name, text) : NULL,
			rows[i].print, "\"%s\"", rows[i].text);
	}
}

static void test_text_limits(void)
{
	char text[1100], back[NAME_MAX_TEXT];
	struct name name;

	memset(text, 'a', 64);
	text[64] = '\0';
	is_int(name_parse(text, &name), -EINVAL, "label of 64");
	text[63] = '\0';
	is_int(name_parse(text, &name), 0, "label of 63");
	text[0] = '\0';
	for (int i = 0; i < 127; i++)
		memcpy(text + 2 * i, "a.", 3);
	is_int(name_parse(text, &name), 0, "255 octets");
	is_int(name.len, 255, "its length");
	memcpy(text + 254, "a.", 3);
	is_int(name_parse(text, &name), -EINVAL, "257 octets");

	/* The longest text there is: all octets as \DDD. */
	memset(name.wire, 0x01, sizeof(name.wire));
	for (int i = 0; i < 4; i++)
		name.wire[64 * i] = i < 3 ? 63 : 61;
	name.wire[254] = 0;
	name.len = 255;
	is_int(name_wire_len(name.wire, 255), 255, "a name of \\001s");
	is_int((long long)strlen(name_print(&name, back)), 1004,
		"its text fits");
	is_int(name_parse(back, &name), 0, "and parses");
}

static const uint8_t *w(const char *text)
{
	static uint8_t bufs[4][NAME_MAX_WIRE];
	static unsigned next;
	uint8_t *buf = bufs[next++ % 4];
	struct name name;

	if (name_parse(text, &name) != 0)
		tap_bail("%s", text);
	memcpy(buf, name.wire, name.len);
	return buf;
}

static void test_relations(void)
{
	static const struct {
		const char *a, *b;
		bool equal, under;
	} rows[] = {
		{"www.X.", "WWW.x.", true, true},
		{"www.x.", "x.", false, true},
		{"wwwx.", "x.", false, false},
		{"notx.lab.", "x.lab.", false, false},
		{"x.", "www.x.", false, false},
		{"x.", ".", false, true},
		{".", ".", true, true},
		{"a@.x.", "a`.x.", false, false},
		{"a[.x.", "a{.x.", false, false},
	};

	for (size_t i = 0; i < countof(rows); i++) {
		const char *a = rows[i].a, *b = rows[i].b;

		is_int(name_equal(w(a), w(b)), rows[i].equal, "%s = %s", a, b);
		is_int(name_under(w(a), w(b)), rows[i].under, "%s in %s", a, b);
	}
	is_int(name_labels(w("a.b.c.")), 3, "labels");
	is_int(name_labels(w(".")), 0, "labels of the root");
	ok(name_equal(name_parent(w("a.b.c.")), w("b.c.")), "parent");
}

/* RFC 4034 6.1's own example. */
static void test_order(void)
{
	static const char *const names[] = {"example.", "a.example.",
		"yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.",
		"z.example.", "\\001.z.example.", "*.z.example.",
		"\\200.z.example."};

	for (size_t i = 0; i < countof(names); i++) {
		for (size_t j = 0; j < countof(names); j++) {
			int got = name_compare(w(names[i]), w(names[j]));
			int want = (i > j) - (i < j);

			if ((got > 0) - (got < 0) == want)
				continue;
			ok(false, "%s against %s", names[i], names[j]);
			return;
		}
	}
	ok(true, "canonical order");
}

static void test_case(void)
{
	static const struct hash_key key = {1, 2};
	uint8_t all[256], lower[256];
	bool right = true;

	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	for (size_t shift = 0; shift < 8; shift++) {
		name_to_lower(lower + shift, all + shift, 256 - shift);
		for (size_t i = shift; i < 256; i++)
			right = right && lower[i] == name_lower((uint8_t)i);
	}
	ok(right, "lower case of all octets at all alignments");
	ok(name_hash(&key, w("WWW.Example."), 13) ==
			name_hash(&key, w("www.eXAMPLE."), 13),
		"hash does not see the case");
	ok(name_hash(&key, w("www.example."), 13) !=
			name_hash(&key, w("wwx.example."), 13),
		"hash sees the name");
}

/* Of every length, copied and in place; nothing beside it is touched. */
static void test_lower_lengths(void)
{
	uint8_t in[NAME_MAX_WIRE + 2], out[NAME_MAX_WIRE + 2];
	unsigned wrong = 0;

	for (size_t len = 0; len <= NAME_MAX_WIRE; len++) {
		for (size_t i = 0; i < sizeof(in); i++)
			in[i] = (uint8_t)(i * 7 + len);
		memset(out, 0xee, sizeof(out));
		name_to_lower(out + 1, in + 1, len);
		for (size_t i = 0; i < sizeof(in); i++)
			wrong +=
				out[i] !=
				(i >= 1 && i <= len ? name_lower(in[i]) : 0xee);
		name_to_lower(in + 1, in + 1, len);
		wrong += memcmp(in + 1, out + 1, len) != 0;
	}
	is_int(wrong, 0, "lower case of 0 to 255 octets, also in place");
}

int main(void)
{
	test_wire_len();
	test_read();
	test_read_limits();
	test_text();
	test_text_limits();
	test_relations();
	test_order();
	test_case();
	test_lower_lengths();
	return tap_done();
}
