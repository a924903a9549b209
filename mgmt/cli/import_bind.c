/* SPDX-License-Identifier: ISC */
/*
 * named.conf with its zone files -> zone.import, and for a resolver its ACL
 * and validation. Zones are read by common/zone, so what is sent is flat and
 * canonical; a zone pasted into one line (which named refuses) is mended.
 */
#include "mgmt/cli/import.h"
#include "mgmt/cli/mend.h"
#include "mgmt/cli/named.h"

#include "common/ctl/file.h"
#include "common/net/prefix.h"
#include "common/zone/zone.h"

#include <errno.h>

#define ZONE_MAX (256U << 20)

struct bind {
	struct import *im;
	const char *path; /* of named.conf */
	const char *directory;
	struct named *top;
	json_t *acl; /* prefix -> "allow" or "deny" */
	bool recursion, recursion_said;
	const struct named *query, *recursing; /* allow-query, -recursion */
};

static const char *word(const struct named *st, size_t i)
{
	return i < st->count ? st->words[i] : "";
}

static bool is(const struct named *st, size_t i, const char *text)
{
	return strcmp(word(st, i), text) == 0;
}

/* ---- address match lists ---- */

static void match_list(
	struct bind *b, const struct named *list, bool negate, unsigned depth);

static const struct named *acl_named(const struct bind *b, const char *name)
{
	const struct named *st;

	for (st = b->top; st; st = st->next)
		if (is(st, 0, "acl") && is(st, 1, name))
			return st;
	return NULL;
}

static void match_prefix(
	struct bind *b, const struct named *item, const char *text, bool negate)
{
	char canonical[PREFIX_TEXT];
	struct prefix prefix;

	if (prefix_parse(text, &prefix) == -EINVAL) {
		import_error(b->im, item->file, item->line,
			"'%s' is no address, prefix or known acl", text);
		return;
	}
	prefix_print(&prefix, canonical);
	if (!json_object_get(b->acl, canonical))
		json_object_set_new(b->acl, canonical,
			json_string(negate ? "deny" : "allow"));
}

static void match_item(
	struct bind *b, const struct named *item, bool negate, unsigned depth)
{
	const char *text = word(item, 0);
	const struct named *acl;

	if (*text == '!') {
		negate = !negate;
		text = text[1] ? text + 1 : word(item, 1);
	}
	if (item->block) {
		match_list(b, item, negate, depth + 1);
	} else if (strcmp(text, "none") == 0 ||
		   strcmp(text, "localhost") == 0) {
		return; /* the loopback is always admitted */
	} else if (strcmp(text, "any") == 0) {
		import_warn(b->im, item->file, item->line,
			"'any' would make an open resolver: not taken over; "
			"name your prefixes with `ispdns acl add`");
	} else if (strcmp(text, "localnets") == 0) {
		import_warn(b->im, item->file, item->line,
			"'localnets' depends on the host: not taken over; name "
			"the prefixes with `ispdns acl add`");
	} else if ((acl = acl_named(b, text)) != NULL && depth < 8) {
		match_list(b, acl, negate, depth + 1);
	} else {
		match_prefix(b, item, text, negate);
	}
}

static void match_list(
	struct bind *b, const struct named *list, bool negate, unsigned depth)
{
	const struct named *item;

	for (item = list->children; item; item = item->next)
		match_item(b, item, negate, depth);
}

/* ---- options ---- */

static bool yes(const char *text)
{
	return strcmp(text, "yes") == 0 || strcmp(text, "true") == 0 ||
	       strcmp(text, "1") == 0 || strcmp(text, "auto") == 0;
}

/* Options that need nothing here, or something else. */
static const struct plain {
	const char *name;
	enum import_level level;
	const char *text;
} plain[] = {
	{"listen-on", IMPORT_NOTE,
		"the node's address is given by `ispdns node add`"},
	{"listen-on-v6", IMPORT_NOTE,
		"the node's address is given by `ispdns node add`"},
	{"auth-nxdomain", IMPORT_NOTE, "not needed"},
	{"version", IMPORT_NOTE, "not needed: never told"},
	{"hostname", IMPORT_NOTE, "not needed: never told"},
	{"server-id", IMPORT_NOTE, "not needed: never told"},
	{"querylog", IMPORT_WARNING, "no query log is written"},
	{"pid-file", IMPORT_NOTE, "not needed"},
	{"dump-file", IMPORT_NOTE, "not needed"},
	{"statistics-file", IMPORT_NOTE, "not needed"},
	{"memstatistics-file", IMPORT_NOTE, "not needed"},
	{"key-directory", IMPORT_NOTE, "not needed"},
	{"managed-keys-directory", IMPORT_NOTE, "not needed"},
	{"bindkeys-file", IMPORT_NOTE, "not needed"},
	{"minimal-responses", IMPORT_NOTE, "not needed: always"},
	{"notify", IMPORT_NOTE, "not needed: nodes get zones from management"},
	{"also-notify", IMPORT_WARNING,
		"foreign secondaries are not notified: ignored"},
	{"allow-transfer", IMPORT_WARNING, "transfers are refused to everyone"},
	{"allow-update", IMPORT_WARNING,
		"dynamic updates are refused; use `ispdns record`"},
	{"allow-query-cache", IMPORT_NOTE, "follows the access list"},
	{"max-cache-size", IMPORT_NOTE, "see `ispdns resolver set`"},
	{"max-cache-ttl", IMPORT_NOTE, "see `ispdns resolver set`"},
	{"max-ncache-ttl", IMPORT_NOTE, "see `ispdns resolver set`"},
	{"recursive-clients", IMPORT_NOTE, "see `ispdns resolver set`"},
	{"tcp-clients", IMPORT_NOTE, "not needed"},
	{"edns-udp-size", IMPORT_NOTE, "1232 octets are used"},
	{"max-udp-size", IMPORT_NOTE, "1232 octets are used"},
	{"qname-minimization", IMPORT_NOTE, "not needed: always"},
	{"dnssec-enable", IMPORT_NOTE, "not needed: always"},
	{"rate-limit", IMPORT_WARNING,
		"response rates are limited at the frontends; see `ispdns "
		"limit set`"},
	{"empty-zones-enable", IMPORT_NOTE, "not needed"},
	{"check-names", IMPORT_NOTE, "not needed"},
	{"forward", IMPORT_NOTE, "see `ispdns resolver set`"},
};

static void option(struct bind *b, const struct named *st)
{
	if (is(st, 0, "directory")) {
		b->directory = word(st, 1);
	} else if (is(st, 0, "recursion")) {
		b->recursion = yes(word(st, 1));
		b->recursion_said = true;
	} else if (is(st, 0, "allow-query")) {
		b->query = st;
	} else if (is(st, 0, "allow-recursion")) {
		b->recursing = st;
	} else if (is(st, 0, "dnssec-validation")) {
		import_call(b->im, "resolver.set",
			json_pack("{s:b}", "dnssec", yes(word(st, 1))));
	} else {
		for (size_t i = 0; i < countof(plain); i++)
			if (is(st, 0, plain[i].name)) {
				import_say(b->im, plain[i].level, st->file,
					st->line, "%s: %s", plain[i].name,
					plain[i].text);
				return;
			}
		import_error(b->im, st->file, st->line,
			"options: '%s': unknown statement", word(st, 0));
	}
}

static void access_list(struct bind *b)
{
	const struct named *list = b->recursing ? b->recursing : b->query;
	const char *prefix;
	json_t *action;

	if (!b->recursion)
		return;
	if (!list) {
		import_warn(b->im, b->path, 0,
			"recursion without allow-recursion: named admits its "
			"own networks; name them with `ispdns acl add`");
		return;
	}
	match_list(b, list, false, 0);
	json_object_foreach(b->acl, prefix, action)
		import_call(b->im, "acl.add",
			json_pack("{s:s,s:s,s:O}", "list", "resolvers",
				"prefix", prefix, "action", action));
}

/* ---- zones ---- */

/* "file:line: message" of the zone reader -> a remark at that place. */
static void zone_problem(
	struct bind *b, const char *path, const struct zone_problem *problem)
{
	enum import_level level =
		problem->severity == ZONE_ERROR ? IMPORT_ERROR : IMPORT_WARNING;
	const char *text = problem->text;
	size_t len = strlen(path);
	unsigned line = 0;
	char *end;

	if (strncmp(text, path, len) == 0 && text[len] == ':') {
		line = (unsigned)strtoul(text + len + 1, &end, 10);
		text = *end == ':' ? end + 1 : end;
		text += strspn(text, " ");
	}
	import_say(b->im, level, path, line, "%s", text);
}

static struct zone *zone_load(struct bind *b, const char *origin,
	const char *path, struct zone_report *report, struct err *err)
{
	struct zone_read_options options = {.origin = origin};
	char *text = NULL, *mended = NULL, *folder = strdup(path);
	struct zone *zone = NULL;
	size_t len;

	if (!folder || file_read(path, ZONE_MAX, &text, &len, err) < 0)
		goto out;
	*(strrchr(folder, '/') ? strrchr(folder, '/') + 1 : folder) = '\0';
	options.include_dir = *folder ? folder : ".";
	mended = zone_mend(text);
	if (mended)
		import_warn(b->im, path, 1,
			"the whole zone stands on the $TTL line, which named "
			"refuses: read as one record a line instead");
	zone = zone_read_text(mended ? mended : text,
		mended ? strlen(mended) : len, path, &options, report);
	if (zone)
		(void)zone_check(zone, NULL, report);
out:
	free(mended);
	free(text);
	free(folder);
	return zone;
}

static void zone_send(struct bind *b, const char *name, const char *path)
{
	struct zone_report report;
	struct err err = {""};
	struct zone *zone;
	struct text text;

	zone_report_init(&report);
	text_init(&text);
	zone = zone_load(b, name, path, &report, &err);
	for (size_t i = 0; i < report.count; i++)
		zone_problem(b, path, &report.items[i]);
	if (!zone && report.errors == 0)
		import_error(b->im, path, 0, "%s",
			err.text[0] ? err.text : "zone could not be read");
	if (zone) {
		zone_print(zone, &text);
		import_call(b->im, "zone.import",
			json_pack("{s:s,s:s}", "zone", zone_origin(zone),
				"text", text.data));
	}
	text_fini(&text);
	zone_free(zone);
	zone_report_fini(&report);
}

static bool is_local_zone(const char *name)
{
	static const char *const names[] = {"localhost", "127.in-addr.arpa",
		"0.in-addr.arpa", "255.in-addr.arpa", "0.0.127.in-addr.arpa"};

	for (size_t i = 0; i < countof(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static void zone_statements(struct bind *b, const struct named *zone)
{
	static const char *const known[] = {"type", "file", "notify",
		"allow-query", "check-names", "zone-statistics",
		"masterfile-format"};
	const struct named *st;
	size_t i;

	for (st = zone->children; st; st = st->next) {
		for (i = 0; i < countof(known) && !is(st, 0, known[i]); i++)
			;
		if (i < countof(known))
			continue;
		if (is(st, 0, "allow-transfer") || is(st, 0, "also-notify") ||
			is(st, 0, "allow-update"))
			option(b, st);
		else
			import_error(b->im, st->file, st->line,
				"zone: '%s': unknown statement", word(st, 0));
	}
}

static void zone_statement(struct bind *b, const struct named *st)
{
	const struct named *type = named_find(st, "type");
	const struct named *file = named_find(st, "file");
	char path[4096];

	if (type && is(type, 1, "hint")) {
		import_note(b->im, st->file, st->line,
			"zone \"%s\": the root hints are built in",
			word(st, 1));
	} else if (is_local_zone(word(st, 1))) {
		import_note(b->im, st->file, st->line,
			"zone \"%s\": answered by the resolvers themselves",
			word(st, 1));
	} else if (!type ||
		   (!is(type, 1, "master") && !is(type, 1, "primary"))) {
		import_error(b->im, st->file, st->line,
			"zone \"%s\": type %s: only primary (master) zones "
			"can be imported",
			word(st, 1), type ? word(type, 1) : "is missing");
	} else if (!file || file->count != 2) {
		import_error(b->im, st->file, st->line,
			"zone \"%s\": file is missing", word(st, 1));
	} else if (named_locate(b->path, b->directory, file->words[1], path,
			   sizeof(path)) < 0 ||
		   strlen(path) == 0) {
		import_error(b->im, file->file, file->line, "path too long");
	} else {
		zone_statements(b, st);
		zone_send(b, word(st, 1), path);
	}
}

static void statement(struct bind *b, const struct named *st)
{
	static const char *const notes[] = {"acl", "key", "controls", "logging",
		"statistics-channels", "trust-anchors", "managed-keys",
		"trusted-keys", "tls", "http"};
	const struct named *child;

	if (is(st, 0, "options")) {
		for (child = st->children; child; child = child->next)
			option(b, child);
		return;
	}
	if (is(st, 0, "zone")) {
		zone_statement(b, st);
		return;
	}
	for (size_t i = 0; i < countof(notes); i++)
		if (is(st, 0, notes[i])) {
			if (i > 0)
				import_note(b->im, st->file, st->line,
					"%s: not needed", notes[i]);
			return;
		}
	import_error(b->im, st->file, st->line, "'%s': unknown statement",
		word(st, 0));
}

int import_bind(struct import *im, const char *path, struct err *err)
{
	struct bind b = {.im = im, .path = path};
	const struct named *st;
	struct arena arena;
	int rc;

	arena_init(&arena, 0, 64U << 20);
	b.acl = json_object();
	rc = b.acl ? named_read(path, im, &arena, &b.top, err) : -ENOMEM;
	if (rc == 0) {
		for (st = b.top; st; st = st->next)
			statement(&b, st);
		access_list(&b);
		if (im->failed)
			rc = -ENOMEM;
	}
	if (rc == -ENOMEM)
		err_set(err, "%s: out of memory", path);
	json_decref(b.acl);
	arena_fini(&arena);
	return rc;
}
