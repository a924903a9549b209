/* SPDX-License-Identifier: ISC */
/* $GENERATE as BIND 9 has it: a range and patterns with $ in them. */

#include "common/zone/private.h"

#include <errno.h>

#define WIDTH_MAX 128

static bool read_number(const char **p, long *out)
{
	char *end;

	if (**p < '0' || **p > '9')
		return false;
	errno = 0;
	*out = strtol(*p, &end, 10);
	*p = end;
	return errno == 0 && *out <= INT32_MAX;
}

bool zone_range_parse(const char *text, struct zone_range *range)
{
	range->step = 1;
	if (!read_number(&text, &range->start) || *text++ != '-' ||
		!read_number(&text, &range->stop))
		return false;
	if (*text == '/') {
		text++;
		if (!read_number(&text, &range->step))
			return false;
	}
	return *text == '\0' && range->step > 0 && range->start <= range->stop;
}

struct modifier {
	long offset, width;
	char base;
};

/* "{offset[,width[,base]]}" at *p, behind the $. */
static bool read_modifier(const char **p, struct modifier *m)
{
	bool negative;

	(*p)++;
	negative = **p == '-';
	*p += negative || **p == '+';
	if (!read_number(p, &m->offset))
		return false;
	if (negative)
		m->offset = -m->offset;
	if (**p == ',') {
		(*p)++;
		if (!read_number(p, &m->width) || m->width > WIDTH_MAX)
			return false;
	}
	if (**p == ',') {
		(*p)++;
		m->base = **p;
		if (m->base == '\0' || !strchr("doxXnN", m->base))
			return false;
		(*p)++;
	}
	return *(*p)++ == '}';
}

/* Nibbles, lowest first, with dots between: for ip6.arpa. `width` counts the
 * dots too. */
static int print_nibbles(
	unsigned long value, const struct modifier *m, char *out, size_t size)
{
	const char *digits =
		m->base == 'N' ? "0123456789ABCDEF" : "0123456789abcdef";
	size_t len = 0;

	do {
		if (len + 3 > size)
			return -EINVAL;
		if (len > 0)
			out[len++] = '.';
		out[len++] = digits[value & 15];
		value >>= 4;
	} while (value != 0 || (long)len < m->width);
	out[len] = '\0';
	return (int)len;
}

/* Returns the number of characters, or -EINVAL. */
static int print_value(
	long value, const struct modifier *m, char *out, size_t size)
{
	unsigned long v;
	int n;

	value += m->offset;
	if (value < 0)
		return -EINVAL;
	v = (unsigned long)value;
	if (m->base == 'n' || m->base == 'N')
		return print_nibbles(v, m, out, size);
	if (m->base == 'o')
		n = snprintf(out, size, "%0*lo", (int)m->width, v);
	else if (m->base == 'x')
		n = snprintf(out, size, "%0*lx", (int)m->width, v);
	else if (m->base == 'X')
		n = snprintf(out, size, "%0*lX", (int)m->width, v);
	else
		n = snprintf(out, size, "%0*lu", (int)m->width, v);
	return n >= 0 && (size_t)n < size ? n : -EINVAL;
}

int zone_generate(const char *pattern, long value, char *out, size_t size)
{
	const char *p = pattern;
	size_t len = 0;

	while (*p != '\0') {
		struct modifier m = {.base = 'd'};
		int n;

		if (len + 3 > size)
			return -EINVAL;
		if (p[0] == '\\' && p[1] != '\0') {
			out[len++] = *p++;
			out[len++] = *p++;
			continue;
		}
		if (p[0] != '$') {
			out[len++] = *p++;
			continue;
		}
		if (*++p == '$') {
			out[len++] = *p++;
			continue;
		}
		if (*p == '{' && !read_modifier(&p, &m))
			return -EINVAL;
		n = print_value(value, &m, out + len, size - len);
		if (n < 0)
			return -EINVAL;
		len += (size_t)n;
	}
	if (len >= size)
		return -EINVAL;
	out[len] = '\0';
	return 0;
}
