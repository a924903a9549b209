/* SPDX-License-Identifier: ISC */
/*
 * Zone text to records: directives and the parts of a record that may be left
 * out (owner, TTL, class) are ours; ldns sees rdata only. Reading goes on
 * behind an error, so that one run lists them all.
 */

#include "common/zone/private.h"

#include "common/dns/code.h"

#include <errno.h>
#include <limits.h>
#include <strings.h>

#define INCLUDE_DEPTH    8
#define RECORDS_MAX      1000000
#define GENERATE_MAX     262144
#define TTL_LARGEST      2147483647u
#define GENERATED_MAX    2048 /* one word made by $GENERATE */
#define GENERATE_WORDS   16
#define GENERATE_MINIMUM 4 /* $GENERATE range owner type rdata: less one */

struct reader {
	struct zone *zone;
	struct zone_report *report;
	const struct zone_read_options *options;
	size_t max_records, max_generate, seen;
	const char *file; /* of the line being read */
	int line;
	struct name origin, owner;
	bool has_owner;
	bool has_ttl;  /* $TTL was given */
	bool has_last; /* a record had a TTL */
	uint32_t ttl_s, last_ttl_s;
	int depth; /* of $INCLUDE */
	bool stop; /* out of memory, or over the limit of records */
};

/* The words of one record or directive. */
struct words {
	char **text;
	size_t count, at;
};

static void PRINTF_LIKE(3, 4)
	say(struct reader *r, enum zone_severity severity, const char *fmt, ...)
{
	char message[ERR_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	zone_problem(
		r->report, severity, r->zone, r->file, r->line, "%s", message);
}

static void no_memory(struct reader *r)
{
	say(r, ZONE_ERROR, "out of memory");
	r->stop = true;
}

static const char *next_word(struct words *w)
{
	return w->at < w->count ? w->text[w->at++] : NULL;
}

bool zone_ttl_parse(const char *text, uint32_t *ttl_s)
{
	static const char units[] = "smhdw";
	static const uint32_t seconds[] = {1, 60, 3600, 86400, 604800};
	uint64_t total = 0;
	bool with_unit = false;

	if (*text == '\0')
		return false;
	while (*text != '\0') {
		uint64_t n = 0;
		const char *unit;

		if (*text < '0' || *text > '9')
			return false;
		for (; *text >= '0' && *text <= '9'; text++) {
			n = n * 10 + (uint64_t)(*text - '0');
			if (n > TTL_LARGEST)
				return false;
		}
		unit = *text ? strchr(units, *text | 0x20) : NULL;
		if (*text != '\0' && !unit)
			return false;
		if (*text == '\0' && with_unit)
			return false; /* "1h30" */
		total += n * (unit ? seconds[unit - units] : 1);
		if (total > TTL_LARGEST)
			return false;
		with_unit = unit != NULL;
		text += with_unit;
	}
	*ttl_s = (uint32_t)total;
	return true;
}

/* "[TTL] [class]" in any order, then the type. */
static bool read_type(struct reader *r, struct words *w, bool *has_ttl,
	uint32_t *ttl_s, uint16_t *type)
{
	bool has_class = false;
	const char *word;

	*has_ttl = false;
	while ((word = next_word(w))) {
		uint16_t class;

		if (!*has_ttl && zone_ttl_parse(word, ttl_s)) {
			*has_ttl = true;
		} else if (!has_class && dns_class_parse(word, &class) &&
			   class != DNS_CLASS_ANY) {
			has_class = true;
			if (class == DNS_CLASS_IN)
				continue;
			say(r, ZONE_ERROR, "class %s is not served", word);
			return false;
		} else if (dns_type_parse(word, type)) {
			return true;
		} else {
			say(r, ZONE_ERROR, "\"%s\" is not a type", word);
			return false;
		}
	}
	say(r, ZONE_ERROR, "record without a type");
	return false;
}

/* What stands for a missing TTL: $TTL, the last one given (RFC 1035 5.1), the
 * SOA's MINIMUM (RFC 1035 3.3.13), the caller's. */
static uint32_t default_ttl(
	const struct reader *r, uint16_t type, const char *rdata)
{
	const char *minimum = strrchr(rdata, ' ');

	if (r->has_ttl)
		return r->ttl_s;
	if (r->has_last)
		return r->last_ttl_s;
	if (type == DNS_TYPE_SOA && minimum) {
		unsigned long n = strtoul(minimum + 1, NULL, 10);

		return n > TTL_LARGEST ? TTL_LARGEST : (uint32_t)n;
	}
	return r->options->default_ttl_s ? r->options->default_ttl_s : 3600;
}

static void add_record(struct reader *r, uint16_t type, bool has_ttl,
	uint32_t ttl_s, const char *rdata)
{
	struct zone_rr *rr;

	if (!has_ttl)
		ttl_s = default_ttl(r, type, rdata);
	if (has_ttl || type == DNS_TYPE_SOA) {
		r->last_ttl_s = ttl_s;
		r->has_last = true;
	}
	if (r->options->drop_outside &&
		!name_under(r->owner.wire, r->zone->origin.wire)) {
		char text[NAME_MAX_TEXT];

		say(r, ZONE_WARNING, "%s: not in zone %s, dropped",
			name_print(&r->owner, text), r->zone->origin_text);
		return;
	}
	rr = zone_rr_new(&r->owner, type, ttl_s, rdata);
	if (!rr || zone_reserve(r->zone) != 0) {
		free(rr);
		no_memory(r);
		return;
	}
	rr->file = r->file;
	rr->line = r->line;
	r->zone->rrs[r->zone->count++] = rr;
}

/* The words from w->at on, joined by blanks; NULL: no memory. */
static char *join(const struct words *w)
{
	struct text rdata;

	text_init(&rdata);
	for (size_t i = w->at; i < w->count; i++)
		text_add(&rdata, "%s%s", i > w->at ? " " : "", w->text[i]);
	if (rdata.failed) {
		text_fini(&rdata);
		return NULL;
	}
	return text_take(&rdata);
}

/* "[TTL] [class] type rdata" for the owner in r->owner. */
static void read_record(struct reader *r, struct words *w)
{
	struct err err = {""};
	char *text, *rdata;
	uint32_t ttl_s = 0;
	uint16_t type;
	bool has_ttl;

	if (r->seen++ >= r->max_records) {
		say(r, ZONE_ERROR, "more than %zu records", r->max_records);
		r->stop = true;
		return;
	}
	if (!read_type(r, w, &has_ttl, &ttl_s, &type))
		return;
	text = join(w);
	if (!text) {
		no_memory(r);
		return;
	}
	rdata = zone_rdata_parse(&r->origin, type, text, &err);
	free(text);
	if (!rdata) {
		say(r, ZONE_ERROR, "%s", err.text);
		return;
	}
	add_record(r, type, has_ttl, ttl_s, rdata);
	free(rdata);
}

static bool set_owner(struct reader *r, const char *text)
{
	if (zone_owner_parse(text, &r->origin, &r->owner) == 0) {
		r->has_owner = true;
		return true;
	}
	say(r, ZONE_ERROR, "\"%s\" is not a domain name", text);
	return false;
}

static void do_ttl(struct reader *r, struct words *w)
{
	const char *word = next_word(w);

	if (!word || !zone_ttl_parse(word, &r->ttl_s) || next_word(w))
		say(r, ZONE_ERROR, "$TTL needs one time");
	else
		r->has_ttl = true;
}

static void do_origin(struct reader *r, struct words *w)
{
	const char *word = next_word(w);
	struct name name;

	if (!word || next_word(w))
		say(r, ZONE_ERROR, "$ORIGIN needs one name");
	else if (zone_owner_parse(word, &r->origin, &name) != 0)
		say(r, ZONE_ERROR, "\"%s\" is not a domain name", word);
	else
		r->origin = name;
}

/* The pattern words of $GENERATE for one value; false: said why. */
static bool generate_one(
	struct reader *r, const struct words *patterns, long value)
{
	static const size_t size = GENERATED_MAX;
	char *text[GENERATE_WORDS];
	char *store = malloc(patterns->count * size);
	struct words made = {.text = text};
	bool good = store != NULL;

	if (!store)
		no_memory(r);
	for (size_t i = 0; good && i < patterns->count; i++) {
		text[i] = store + i * size;
		good = zone_generate(patterns->text[i], value, text[i], size) ==
		       0;
		if (!good)
			say(r, ZONE_ERROR, "$GENERATE: \"%s\" fails for %ld",
				patterns->text[i], value);
	}
	made.count = patterns->count;
	if (good && set_owner(r, next_word(&made))) {
		size_t errors = r->report->errors;

		read_record(r, &made);
		good = r->report->errors == errors;
	} else {
		good = false;
	}
	free(store);
	return good;
}

static void do_generate(struct reader *r, struct words *w)
{
	const char *word = next_word(w);
	struct words patterns = {.text = w->text + w->at};
	struct name owner = r->owner;
	struct zone_range range;
	bool has_owner = r->has_owner;

	patterns.count = w->count - w->at;
	if (patterns.count < GENERATE_MINIMUM - 1 ||
		patterns.count > GENERATE_WORDS) {
		say(r, ZONE_ERROR,
			"$GENERATE needs a range, owner, type and rdata");
		return;
	}
	if (!zone_range_parse(word, &range)) {
		say(r, ZONE_ERROR, "$GENERATE: \"%s\" is not a range", word);
		return;
	}
	if ((size_t)((range.stop - range.start) / range.step) >=
		r->max_generate) {
		say(r, ZONE_ERROR, "$GENERATE makes more than %zu records",
			r->max_generate);
		return;
	}
	for (long v = range.start; v <= range.stop && !r->stop; v += range.step)
		if (!generate_one(r, &patterns, v))
			break; /* the next would fail alike */
	r->owner = owner;
	r->has_owner = has_owner;
}

static void read_lines(struct reader *r, const char *text, size_t len);

/* The words of a file name may be quoted. */
static void unquote(char *word)
{
	size_t len = strlen(word);

	if (len < 2 || word[0] != '"' || word[len - 1] != '"')
		return;
	memmove(word, word + 1, len - 2);
	word[len - 2] = '\0';
}

/* Origin and owner are as before behind the directive (RFC 1035 5.1). */
static void include(struct reader *r, const char *path)
{
	struct name origin = r->origin, owner = r->owner;
	bool has_owner = r->has_owner;
	const char *file = r->file;
	int line = r->line;
	struct err err = {""};
	size_t len = 0;
	char *text = zone_slurp(path, &len, &err);

	if (!text) {
		say(r, ZONE_ERROR, "$INCLUDE %s", err.text);
		return;
	}
	r->depth++;
	r->file = zone_file_intern(r->zone, path);
	if (r->file)
		read_lines(r, text, len);
	r->depth--;
	free(text);
	if (!r->file)
		no_memory(r);
	r->file = file;
	r->line = line;
	r->origin = origin;
	r->owner = owner;
	r->has_owner = has_owner;
}

static void do_include(struct reader *r, struct words *w)
{
	struct name saved = r->origin;
	struct err err = {""};
	char path[PATH_MAX];

	if (w->count < 2 || w->count > 3) {
		say(r, ZONE_ERROR, "$INCLUDE needs a file");
		return;
	}
	if (r->depth >= INCLUDE_DEPTH) {
		say(r, ZONE_ERROR, "$INCLUDE is nested too deep");
		return;
	}
	unquote(w->text[1]);
	if (w->count == 3 &&
		zone_owner_parse(w->text[2], &saved, &r->origin) != 0) {
		say(r, ZONE_ERROR, "\"%s\" is not a domain name", w->text[2]);
		r->origin = saved;
		return;
	}
	if (zone_include_path(r->options->include_dir, w->text[1], path, &err))
		include(r, path);
	else
		say(r, ZONE_ERROR, "$INCLUDE %s", err.text);
	r->origin = saved;
}

static const struct {
	const char *name;
	void (*run)(struct reader *r, struct words *w);
} directives[] = {
	{"$TTL", do_ttl},
	{"$ORIGIN", do_origin},
	{"$INCLUDE", do_include},
	{"$GENERATE", do_generate},
};

static void read_directive(struct reader *r, struct words *w)
{
	const char *name = next_word(w);

	for (size_t i = 0; i < countof(directives); i++) {
		if (strcasecmp(directives[i].name, name) == 0) {
			directives[i].run(r, w);
			return;
		}
	}
	say(r, ZONE_ERROR, "unknown directive %s", name);
}

static void read_line(struct reader *r, struct zone_lexer *lexer)
{
	struct words w = {.text = lexer->tokens, .count = lexer->count};

	if (!lexer->indented && w.text[0][0] == '$') {
		read_directive(r, &w);
		return;
	}
	if (!lexer->indented) {
		if (!set_owner(r, next_word(&w)))
			return;
	} else if (!r->has_owner) {
		say(r, ZONE_ERROR, "record without an owner");
		return;
	}
	read_record(r, &w);
}

static void read_lines(struct reader *r, const char *text, size_t len)
{
	struct zone_lexer *lexer = malloc(sizeof(*lexer));
	int ret;

	if (!lexer || zone_lexer_init(lexer, text, len) != 0) {
		free(lexer);
		no_memory(r);
		return;
	}
	while (!r->stop && (ret = zone_lex(lexer)) != 0) {
		r->line = lexer->first;
		if (ret == 1)
			read_line(r, lexer);
		else if (ret == -ENOMEM)
			no_memory(r);
		else
			say(r, ZONE_ERROR, "%s", lexer->error);
	}
	r->line = lexer->line;
	if (!r->stop && len > 0 && text[len - 1] != '\n')
		say(r, ZONE_WARNING,
			"the last line has no end: is the file whole?");
	zone_lexer_fini(lexer);
	free(lexer);
}

struct zone *zone_read_text(const char *text, size_t len, const char *label,
	const struct zone_read_options *options, struct zone_report *report)
{
	struct reader r = {.report = report, .options = options};
	size_t errors = report->errors;
	struct err err = {""};

	r.max_records =
		options->max_records ? options->max_records : RECORDS_MAX;
	r.max_generate =
		options->max_generate ? options->max_generate : GENERATE_MAX;
	r.zone = zone_new(options->origin, &err);
	if (!r.zone) {
		zone_problem(
			report, ZONE_ERROR, NULL, label, 0, "%s", err.text);
		return NULL;
	}
	r.origin = r.zone->origin;
	r.file = zone_file_intern(r.zone, label);
	if (r.file)
		read_lines(&r, text, len);
	else
		no_memory(&r);
	zone_finish(r.zone, report);
	if (report->errors == errors)
		return r.zone;
	zone_free(r.zone);
	return NULL;
}

struct zone *zone_read_file(const char *path,
	const struct zone_read_options *options, struct zone_report *report)
{
	struct err err = {""};
	struct zone *zone;
	size_t len = 0;
	char *text = zone_slurp(path, &len, &err);

	if (!text) {
		zone_problem(report, ZONE_ERROR, NULL, path, 0, "%s",
			strncmp(err.text, path, strlen(path)) == 0
				? err.text + strlen(path) + 2
				: err.text);
		return NULL;
	}
	zone = zone_read_text(text, len, path, options, report);
	free(text);
	return zone;
}
