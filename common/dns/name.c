/* SPDX-License-Identifier: ISC */
/*
 * Names as octets. Length octets are at most 63, below 'A', so a whole name
 * can be lower-cased or compared octet by octet without looking at labels.
 */

#include "common/dns/name.h"

#include <errno.h>

#define LABEL_MAX    63
#define POINTER_BITS 0xc0
/* A name has at most 127 labels and real compression needs a pointer or two;
 * a bound keeps chains of pointers from costing time. */
#define HOPS_MAX   64
#define LABELS_MAX 128

int name_wire_len(const uint8_t *wire, size_t size)
{
	size_t pos = 0;

	if (size > NAME_MAX_WIRE)
		size = NAME_MAX_WIRE;
	while (pos < size) {
		if (wire[pos] == 0)
			return (int)pos + 1;
		if (wire[pos] > LABEL_MAX)
			return -EINVAL;
		pos += wire[pos] + 1u;
	}
	return -EINVAL;
}

int name_read(
	const uint8_t *msg, size_t msg_len, size_t offset, struct name *out)
{
	size_t pos = offset, lowest = offset, total = 0;
	int used = 0;
	unsigned hops = 0;

	for (;;) {
		unsigned n;

		if (pos >= msg_len)
			return -EINVAL;
		n = msg[pos];
		if ((n & POINTER_BITS) == POINTER_BITS) {
			if (pos + 1 >= msg_len || ++hops > HOPS_MAX)
				return -EINVAL;
			if (used == 0)
				used = (int)(pos + 2 - offset);
			pos = (n & 0x3f) << 8 | msg[pos + 1];
			if (pos >= lowest)
				return -EINVAL;
			lowest = pos;
			continue;
		}
		if (n > LABEL_MAX || pos + 1 + n > msg_len ||
			total + 1 + n > NAME_MAX_WIRE)
			return -EINVAL;
		if (out)
			memcpy(out->wire + total, msg + pos, n + 1);
		total += n + 1;
		pos += n + 1;
		if (n > 0)
			continue;
		if (out)
			out->len = (uint8_t)total;
		return used > 0 ? used : (int)(pos - offset);
	}
}

/* One character of text, escapes undone. Returns the number of characters it
 * takes, or -EINVAL. */
static int read_char(const char *text, uint8_t *c)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned value = 0;

	if (p[0] != '\\') {
		*c = p[0];
		return p[0] > ' ' && p[0] < 0x7f ? 1 : -EINVAL;
	}
	if (p[1] < '0' || p[1] > '9') {
		*c = p[1];
		return p[1] >= ' ' && p[1] < 0x7f ? 2 : -EINVAL;
	}
	for (int i = 1; i <= 3; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -EINVAL;
		value = value * 10 + (p[i] - '0');
	}
	*c = (uint8_t)value;
	return value <= 255 ? 4 : -EINVAL;
}

/* The label at `text` into `label` (length octet first, room 64). Returns the
 * characters used, the dot apart, or -EINVAL. */
static int read_label(const char *text, uint8_t *label)
{
	const char *p = text;
	unsigned n = 0;

	while (*p != '\0' && *p != '.') {
		uint8_t c;
		int used = read_char(p, &c);

		if (used < 0 || n == LABEL_MAX)
			return -EINVAL;
		label[++n] = c;
		p += used;
	}
	label[0] = (uint8_t)n;
	return n > 0 ? (int)(p - text) : -EINVAL;
}

int name_parse(const char *text, struct name *out)
{
	uint8_t wire[NAME_MAX_WIRE];
	size_t len = 0;

	if (strcmp(text, ".") == 0)
		text++;
	else if (*text == '\0')
		return -EINVAL;
	while (*text != '\0') {
		uint8_t label[LABEL_MAX + 1];
		int used = read_label(text, label);

		if (used < 0 || len + label[0] + 2 > NAME_MAX_WIRE)
			return -EINVAL;
		memcpy(wire + len, label, label[0] + 1u);
		len += label[0] + 1u;
		text += used;
		text += *text == '.';
	}
	wire[len++] = 0;
	memcpy(out->wire, wire, len);
	out->len = (uint8_t)len;
	return 0;
}

static char *print_char(uint8_t c, char *p)
{
	if (c <= ' ' || c >= 0x7f) {
		*p++ = '\\';
		*p++ = (char)('0' + c / 100);
		*p++ = (char)('0' + c / 10 % 10);
		*p++ = (char)('0' + c % 10);
		return p;
	}
	if (strchr(".\\\"();@$", c))
		*p++ = '\\';
	*p++ = (char)c;
	return p;
}

char *name_wire_print(const uint8_t *wire, char out[NAME_MAX_TEXT])
{
	char *p = out;

	if (wire[0] == 0)
		*p++ = '.';
	while (wire[0] != 0) {
		for (unsigned i = 1; i <= wire[0]; i++)
			p = print_char(wire[i], p);
		*p++ = '.';
		wire = name_parent(wire);
	}
	*p = '\0';
	return out;
}

char *name_print(const struct name *name, char out[NAME_MAX_TEXT])
{
	return name_wire_print(name->wire, out);
}

/* Eight octets at once: bit 5 is set in those that are 'A'..'Z'. */
static uint64_t lower8(uint64_t x)
{
	const uint64_t ones = 0x0101010101010101ULL;
	uint64_t low = x & (0x7f * ones);
	uint64_t from_a = low + (0x80 - 'A') * ones;
	uint64_t above_z = low + (0x7f - 'Z') * ones;
	uint64_t upper = ~x & (from_a ^ above_z) & (0x80 * ones);

	return x | upper >> 2;
}

static inline void lower_at(uint8_t *dst, const uint8_t *src)
{
	uint64_t x;

	memcpy(&x, src, 8);
	x = lower8(x);
	memcpy(dst, &x, 8);
}

/* The last eight may have been done in part: done twice is done. */
void name_to_lower(uint8_t *dst, const uint8_t *src, size_t len)
{
	size_t i = 0;

	if (len >= 8) {
		for (; i + 8 < len; i += 8)
			lower_at(dst + i, src + i);
		lower_at(dst + len - 8, src + len - 8);
		return;
	}
	for (; i < len; i++)
		dst[i] = name_lower(src[i]);
}

bool name_equal(const uint8_t *a, const uint8_t *b)
{
	for (;;) {
		unsigned n = a[0];

		if (n != b[0])
			return false;
		if (n == 0)
			return true;
		for (unsigned i = 1; i <= n; i++) {
			if (a[i] != b[i] &&
				name_lower(a[i]) != name_lower(b[i]))
				return false;
		}
		a += n + 1;
		b += n + 1;
	}
}

unsigned name_labels(const uint8_t *wire)
{
	unsigned count = 0;

	for (; wire[0] != 0; wire = name_parent(wire))
		count++;
	return count;
}

bool name_under(const uint8_t *name, const uint8_t *suffix)
{
	unsigned have = name_labels(name);
	unsigned want = name_labels(suffix);

	for (; have > want; have--)
		name = name_parent(name);
	return have == want && name_equal(name, suffix);
}

uint64_t name_hash(const struct hash_key *key, const uint8_t *wire, size_t len)
{
	uint8_t lower[NAME_MAX_WIRE];

	if (len > sizeof(lower))
		len = sizeof(lower);
	name_to_lower(lower, wire, len);
	return hash_bytes(key, lower, len);
}

/* The labels of a name, outermost (leftmost) first. Returns how many. */
static unsigned split(const uint8_t *wire, const uint8_t *labels[LABELS_MAX])
{
	unsigned count = 0;

	for (; wire[0] != 0 && count < LABELS_MAX; wire = name_parent(wire))
		labels[count++] = wire;
	return count;
}

static int label_compare(const uint8_t *a, const uint8_t *b)
{
	unsigned n = a[0] < b[0] ? a[0] : b[0];

	for (unsigned i = 1; i <= n; i++) {
		int diff = name_lower(a[i]) - name_lower(b[i]);

		if (diff != 0)
			return diff;
	}
	return a[0] - b[0];
}

int name_compare(const uint8_t *a, const uint8_t *b)
{
	const uint8_t *la[LABELS_MAX], *lb[LABELS_MAX];
	unsigned na = split(a, la), nb = split(b, lb);

	while (na > 0 && nb > 0) {
		int diff = label_compare(la[--na], lb[--nb]);

		if (diff != 0)
			return diff;
	}
	return (int)na - (int)nb;
}
