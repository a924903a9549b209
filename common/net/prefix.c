/* SPDX-License-Identifier: ISC */
/*
 * The map holds one open-addressing hash table per address family, keyed by
 * (masked address, length), and the list of the lengths in use, longest
 * first. A lookup probes each length once: its cost depends on how many
 * different lengths there are (at most 33 or 129), never on the number of
 * prefixes. The keys come from the operator, so the hash needs no secret.
 */

#include "common/net/prefix.h"

#include <errno.h>

struct family {
	struct entry *entries; /* power of two, NULL while empty */
	uint32_t size, used;
	uint8_t lens[129]; /* lengths in use, longest first */
	unsigned len_count;
};

struct entry {
	uint64_t hi, lo; /* address bits, left-aligned */
	uint32_t value;  /* PREFIX_NONE: free */
	uint32_t len;
};

struct prefix_map {
	struct arena *arena;
	struct family v4, v6;
};

struct bits {
	uint64_t hi, lo;
};

/* --- text --- */

static unsigned max_len(const union addr *a)
{
	return a->sa.sa_family == AF_INET6 ? 128 : 32;
}

static uint8_t *octets_of(union addr *a, size_t *n)
{
	if (a->sa.sa_family == AF_INET6) {
		*n = 16;
		return a->v6.sin6_addr.s6_addr;
	}
	*n = 4;
	return (uint8_t *)&a->v4.sin_addr.s_addr;
}

/* Clear the host bits; true when one was set. */
static bool mask_host(union addr *a, unsigned len)
{
	size_t n;
	uint8_t *octets = octets_of(a, &n);
	bool was_set = false;

	for (size_t i = len / 8; i < n; i++) {
		uint8_t keep = 0;

		if (i == len / 8)
			keep = (uint8_t) ~(0xff >> (len % 8));
		was_set |= (octets[i] & ~keep) != 0;
		octets[i] &= keep;
	}
	return was_set;
}

static int parse_len(const char *text, unsigned max, uint8_t *len)
{
	unsigned value = 0;
	size_t n = strlen(text);

	if (n == 0 || n > 3 || (n > 1 && text[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	if (value > max)
		return -EINVAL;
	*len = (uint8_t)value;
	return 0;
}

/* An address without port, scope or brackets. */
static int parse_host(const char *text, union addr *out)
{
	if (strpbrk(text, "[]%"))
		return -EINVAL;
	if (strchr(text, '.') && strchr(text, ':') && text[0] != ':' &&
		strchr(text, ':') == strrchr(text, ':'))
		return -EINVAL; /* 192.0.2.1:53 */
	return addr_parse(text, 0, out);
}

int prefix_parse(const char *text, struct prefix *out)
{
	char host[ADDR_TEXT];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);

	if (n >= sizeof(host))
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	memcpy(host, text, n);
	host[n] = '\0';
	if (parse_host(host, &out->addr) < 0)
		return -EINVAL;
	out->len = (uint8_t)max_len(&out->addr);
	if (slash && parse_len(slash + 1, out->len, &out->len) < 0)
		return -EINVAL;
	return mask_host(&out->addr, out->len) ? -EDOM : 0;
}

char *prefix_print(const struct prefix *p, char out[PREFIX_TEXT])
{
	char ip[ADDR_TEXT];

	addr_print_ip(&p->addr, ip);
	snprintf(out, PREFIX_TEXT, "%.*s/%u", PREFIX_TEXT - 5, ip, p->len);
	return out;
}

void prefix_mask(const union addr *a, unsigned len, struct prefix *out)
{
	unsigned max = max_len(a);

	memset(out, 0, sizeof(*out));
	out->addr.sa.sa_family = a->sa.sa_family;
	if (a->sa.sa_family == AF_INET6)
		out->addr.v6.sin6_addr = a->v6.sin6_addr;
	else
		out->addr.v4.sin_addr = a->v4.sin_addr;
	out->len = (uint8_t)(len < max ? len : max);
	(void)mask_host(&out->addr, out->len);
}

/* --- lookup --- */

static uint64_t load64(const uint8_t *p)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static struct bits bits_of(const union addr *a)
{
	const uint8_t *o;
	struct bits b = {0, 0};

	if (addr_octets(a, &o) == 16) {
		b.hi = load64(o);
		b.lo = load64(o + 8);
	} else {
		b.hi = (uint64_t)o[0] << 56 | (uint64_t)o[1] << 48 |
		       (uint64_t)o[2] << 40 | (uint64_t)o[3] << 32;
	}
	return b;
}

static struct bits mask_bits(struct bits b, unsigned len)
{
	b.hi &= len == 0    ? 0
		: len >= 64 ? UINT64_MAX
			    : UINT64_MAX << (64 - len);
	b.lo &= len <= 64 ? 0 : UINT64_MAX << (128 - len);
	return b;
}

static uint32_t bits_hash(struct bits b, unsigned len)
{
	uint64_t h = (b.hi ^ len) * 0x9e3779b97f4a7c15u;

	h = (h ^ h >> 32 ^ b.lo) * 0xd6e8feb86659fd93u;
	return (uint32_t)(h >> 32);
}

/* The entry of this key, or the free one where it would go. */
static struct entry *slot_of(
	const struct family *f, struct bits b, unsigned len)
{
	uint32_t i = bits_hash(b, len) & (f->size - 1);

	for (;;) {
		struct entry *e = &f->entries[i];

		if (e->value == PREFIX_NONE)
			return e;
		if (e->hi == b.hi && e->lo == b.lo && e->len == len)
			return e;
		i = (i + 1) & (f->size - 1);
	}
}

bool prefix_contains(const struct prefix *p, const union addr *a)
{
	struct bits mine, theirs;

	if (p->addr.sa.sa_family != a->sa.sa_family)
		return false;
	mine = bits_of(&p->addr);
	theirs = mask_bits(bits_of(a), p->len);
	return mine.hi == theirs.hi && mine.lo == theirs.lo;
}

struct prefix_map *prefix_map_new(struct arena *arena)
{
	struct prefix_map *map = arena_alloc(arena, sizeof(*map));

	if (map)
		map->arena = arena;
	return map;
}

/* Keep the table at most half full. */
static int family_grow(struct prefix_map *map, struct family *f)
{
	struct family bigger = *f;

	if (f->size > 2 * f->used)
		return 0;
	bigger.size = f->size ? f->size * 2 : 16;
	bigger.entries =
		arena_array(map->arena, bigger.size, sizeof(*bigger.entries));
	if (!bigger.entries)
		return -ENOMEM;
	for (uint32_t i = 0; i < bigger.size; i++)
		bigger.entries[i].value = PREFIX_NONE;
	for (uint32_t i = 0; i < f->size; i++) {
		const struct entry *e = &f->entries[i];
		struct bits b = {e->hi, e->lo};

		if (e->value != PREFIX_NONE)
			*slot_of(&bigger, b, e->len) = *e;
	}
	*f = bigger;
	return 0;
}

static void family_note_len(struct family *f, uint8_t len)
{
	unsigned i = 0;

	while (i < f->len_count && f->lens[i] > len)
		i++;
	if (i < f->len_count && f->lens[i] == len)
		return;
	memmove(f->lens + i + 1, f->lens + i, f->len_count - i);
	f->lens[i] = len;
	f->len_count++;
}

int prefix_map_add(
	struct prefix_map *map, const struct prefix *p, uint32_t value)
{
	struct family *f =
		p->addr.sa.sa_family == AF_INET6 ? &map->v6 : &map->v4;
	struct bits b = mask_bits(bits_of(&p->addr), p->len);
	struct entry *e;

	if (value == PREFIX_NONE)
		return -EINVAL;
	if (family_grow(map, f) < 0)
		return -ENOMEM;
	e = slot_of(f, b, p->len);
	if (e->value != PREFIX_NONE)
		return -EEXIST;
	e->hi = b.hi;
	e->lo = b.lo;
	e->len = p->len;
	e->value = value;
	f->used++;
	family_note_len(f, p->len);
	return 0;
}

uint32_t prefix_map_find(const struct prefix_map *map, const union addr *a)
{
	const struct family *f =
		a->sa.sa_family == AF_INET6 ? &map->v6 : &map->v4;
	struct bits whole = bits_of(a);

	for (unsigned i = 0; i < f->len_count; i++) {
		struct bits b = mask_bits(whole, f->lens[i]);
		const struct entry *e = slot_of(f, b, f->lens[i]);

		if (e->value != PREFIX_NONE)
			return e->value;
	}
	return PREFIX_NONE;
}
