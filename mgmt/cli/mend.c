/* SPDX-License-Identifier: ISC */
/*
 * Put the line ends back into a one-line zone. Each type's number of rdata
 * words tells where a record ends; what follows is an owner unless it is a
 * class, a TTL or a type. Types with an open number of words (TXT) end where
 * their quoted words end.
 */
#include "mgmt/cli/mend.h"

#include "common/base/buf.h"

#include <ctype.h>
#include <strings.h>

static const struct shape {
	const char *type;
	unsigned words; /* of rdata; 0: all quoted words */
} shapes[] = {
	{"SOA", 7},
	{"NS", 1},
	{"A", 1},
	{"AAAA", 1},
	{"CNAME", 1},
	{"DNAME", 1},
	{"PTR", 1},
	{"MX", 2},
	{"SRV", 4},
	{"CAA", 3},
	{"TXT", 0},
	{"SPF", 0},
};

struct words {
	const char *pos;
	const char *start;
	size_t len;
	bool paren;
};

/* Next word; quoted text and "(" and ")" are words. False at the end. */
static bool next(struct words *w)
{
	w->pos += strspn(w->pos, " \t\r");
	w->start = w->pos;
	w->paren = *w->pos == '(' || *w->pos == ')';
	if (!*w->pos || *w->pos == '\n' || *w->pos == ';')
		return false;
	if (*w->pos == '"') {
		w->pos += 1 + strcspn(w->pos + 1, "\"\n");
		w->pos += *w->pos == '"';
	} else if (w->paren) {
		w->pos++;
	} else {
		w->pos += strcspn(w->pos, " \t\r\n()\";");
	}
	w->len = (size_t)(w->pos - w->start);
	return true;
}

static bool is(const struct words *w, const char *text)
{
	return w->len == strlen(text) &&
	       strncasecmp(w->start, text, w->len) == 0;
}

static const struct shape *shape(const struct words *w)
{
	for (size_t i = 0; i < countof(shapes); i++)
		if (is(w, shapes[i].type))
			return &shapes[i];
	return NULL;
}

/* At the place of an owner "ns" is a name, "NS" the type of a record that
 * takes the owner before. */
static bool is_upper(const struct words *w)
{
	for (size_t i = 0; i < w->len; i++)
		if (islower((unsigned char)w->start[i]))
			return false;
	return true;
}

/* One of the words between owner and rdata? */
static bool is_class_or_ttl(const struct words *w)
{
	return is(w, "IN") || isdigit((unsigned char)w->start[0]);
}

static void put(struct text *out, const struct words *w)
{
	text_add(out, " %.*s", (int)w->len, w->start);
}

/* The rdata of one record. Leaves `w` on the first word behind it. */
static bool rdata(struct words *w, const struct shape *s, struct text *out)
{
	unsigned count = 0;
	bool more = next(w);

	while (more && (s->words == 0 ? *w->start == '"' || count == 0
				      : count < s->words || w->paren)) {
		put(out, w);
		count += !w->paren;
		more = next(w);
	}
	text_add(out, "\n");
	return more;
}

/* One record, starting at the present word. False at the end of the line. */
static bool record(struct words *w, struct text *out)
{
	bool owner = !is_upper(w) || (!is(w, "IN") && !shape(w)), more = true;
	const struct shape *s = owner ? NULL : shape(w);

	if (owner)
		text_add(out, "%.*s", (int)w->len, w->start);
	else
		put(out, w);
	while (more && !s) {
		more = next(w);
		if (!more)
			break;
		put(out, w);
		s = shape(w);
		if (!s && !is_class_or_ttl(w))
			break; /* a type that we do not know: give up here */
	}
	if (more && s)
		return rdata(w, s, out);
	while (more && (more = next(w)))
		put(out, w);
	text_add(out, "\n");
	return false;
}

char *zone_mend(const char *text)
{
	struct words w = {.pos = text + strspn(text, " \t\r\n")};
	struct text out;
	bool more;

	if (!next(&w) || !is(&w, "$TTL"))
		return NULL;
	text_init(&out);
	text_add(&out, "$TTL");
	more = next(&w);
	if (more)
		put(&out, &w);
	text_add(&out, "\n");
	more = more && next(&w);
	if (!more) {
		text_fini(&out);
		return NULL;
	}
	while (more)
		more = record(&w, &out);
	text_add(&out, "%s", w.pos);
	return text_take(&out);
}
