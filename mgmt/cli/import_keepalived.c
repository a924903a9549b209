/* SPDX-License-Identifier: ISC */
/*
 * keepalived.conf -> vip.create and vip.node. keepalived itself reads one
 * statement a line; here words are read by the number of parameters that each
 * keyword takes, so the one-line layout of a web page is understood too (with
 * a warning). The health script becomes our own tracking of the frontend.
 */
#include "mgmt/cli/import.h"
#include "mgmt/cli/ka_words.h"

#include "common/ctl/file.h"
#include "common/net/prefix.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

struct vrrp {
	char name[WORD_MAX], interface[WORD_MAX], auth[16], password[16];
	long vrid, priority, version;
	double interval_s, preempt_delay_s;
	bool preempt, tracks;
	unsigned line;
	json_t *addresses, *peers;
};

struct ka {
	struct import *im;
	const char *file;
	struct ka_words words;
	unsigned keyword_line; /* line of the last statement */
	bool layout_said;
	long version; /* vrrp_version of global_defs */
	char router_id[WORD_MAX];
	struct vrrp vrrp;
};

/* A statement begins at the present word: complain once when the one before
 * is on the same line. */
static void begin_statement(struct ka *k)
{
	if (k->keyword_line == k->words.word_line && !k->layout_said) {
		import_warn(k->im, k->file, k->words.word_line,
			"several statements on one line: keepalived reads one "
			"a line and would take the rest as parameters; each is "
			"read as meant");
		k->layout_said = true;
	}
	k->keyword_line = k->words.word_line;
}

/* ---- statements of a vrrp_instance ---- */

enum use {
	SKIP, /* nothing to do */
	WARN, /* skipped with a warning: `text` */
	STATE,
	INTERFACE,
	VRID,
	PRIORITY,
	INTERVAL,
	NOPREEMPT,
	PREEMPT_DELAY,
	VERSION,
	AUTH_TYPE,
	AUTH_PASS,
	SOURCE,
};

struct keyword {
	const char *name;
	enum use use;
	unsigned params;
	const char *text;
};

#define NO_SCRIPTS "no scripts are run: ignored; see `ispdns status`"

static const struct keyword instance_words[] = {
	{"state", STATE, 1, NULL},
	{"interface", INTERFACE, 1, NULL},
	{"virtual_router_id", VRID, 1, NULL},
	{"priority", PRIORITY, 1, NULL},
	{"advert_int", INTERVAL, 1, NULL},
	{"nopreempt", NOPREEMPT, 0, NULL},
	{"preempt", SKIP, 0, NULL},
	{"preempt_delay", PREEMPT_DELAY, 1, NULL},
	{"version", VERSION, 1, NULL},
	{"auth_type", AUTH_TYPE, 1, NULL},
	{"auth_pass", AUTH_PASS, 1, NULL},
	{"unicast_src_ip", SOURCE, 1, NULL},
	{"mcast_src_ip", SOURCE, 1, NULL},
	{"dont_track_primary", SKIP, 0, NULL},
	{"smtp_alert", WARN, 0, "alerts come from Prometheus rules instead"},
	{"use_vmac", WARN, 0,
		"no virtual MAC: gratuitous ARP and NA tell the LAN instead"},
	{"notify", WARN, 1, NO_SCRIPTS},
	{"notify_master", WARN, 1, NO_SCRIPTS},
	{"notify_backup", WARN, 1, NO_SCRIPTS},
	{"notify_fault", WARN, 1, NO_SCRIPTS},
};

static bool number(
	struct ka *k, const char *what, double min, double max, double *out)
{
	char *end;
	double n = strtod(k->words.text, &end);

	if (!k->words.text[0] || *end || !(n >= min && n <= max)) {
		import_error(k->im, k->file, k->words.word_line,
			"%s '%s': a number from %g to %g expected", what,
			k->words.text, min, max);
		return false;
	}
	*out = n;
	return true;
}

static void set_long(
	struct ka *k, const char *what, double min, double max, long *out)
{
	double n;

	if (number(k, what, min, max, &n))
		*out = (long)n;
}

static void set_auth(struct ka *k)
{
	if (strcasecmp(k->words.text, "PASS") == 0)
		snprintf(k->vrrp.auth, sizeof(k->vrrp.auth), "pass");
	else
		import_error(k->im, k->file, k->words.word_line,
			"auth_type %s: only PASS (or none) is known",
			k->words.text);
}

static void set_password(struct ka *k)
{
	if (strlen(k->words.text) > 8)
		import_warn(k->im, k->file, k->words.word_line,
			"auth_pass: only the first 8 octets count on the "
			"wire; those are taken");
	snprintf(k->vrrp.password, sizeof(k->vrrp.password), "%.8s",
		k->words.text);
}

static void instance_set(struct ka *k, const struct keyword *kw)
{
	struct vrrp *v = &k->vrrp;

	switch (kw->use) {
	case INTERFACE:
		snprintf(v->interface, sizeof(v->interface), "%s",
			k->words.text);
		break;
	case VRID:
		set_long(k, kw->name, 1, 255, &v->vrid);
		break;
	case PRIORITY:
		set_long(k, kw->name, 1, 255, &v->priority);
		break;
	case VERSION:
		set_long(k, kw->name, 2, 3, &v->version);
		break;
	case INTERVAL:
		number(k, kw->name, 0.01, 255, &v->interval_s);
		break;
	case PREEMPT_DELAY:
		number(k, kw->name, 0, 1000, &v->preempt_delay_s);
		break;
	case AUTH_TYPE:
		set_auth(k);
		break;
	case AUTH_PASS:
		set_password(k);
		break;
	case SOURCE:
		import_note(k->im, k->file, k->words.word_line,
			"%s: the node's own address is used", kw->name);
		break;
	default:
		break;
	}
}

static const struct keyword *find(
	const struct keyword *table, size_t count, const char *name)
{
	static const struct keyword garp = {"garp_", SKIP, 1, NULL};

	for (size_t i = 0; i < count; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	/* garp_master_delay and so on: announcements are our own */
	return strncmp(name, "garp_", 5) == 0 ? &garp : NULL;
}

/* Skip "{ ... }", the present word being "{" or the last one before it. */
static void skip_block(struct ka *k)
{
	unsigned depth = 0;

	do {
		if (ka_at(&k->words, "{"))
			depth++;
		if (ka_at(&k->words, "}"))
			depth--;
		ka_next(&k->words);
	} while (depth > 0 && !ka_end(&k->words));
}

/* On "{": step into the block. False (with an error) when there is none. */
static bool open_block(struct ka *k, const char *what)
{
	if (!ka_at(&k->words, "{")) {
		import_error(k->im, k->file, k->words.word_line,
			"%s: '{' expected, found '%s'", what, k->words.text);
		return false;
	}
	ka_next(&k->words);
	return true;
}

static void close_block(struct ka *k, const char *what)
{
	if (ka_at(&k->words, "}"))
		ka_next(&k->words);
	else
		import_error(k->im, k->file, k->words.line,
			"%s: '}' is missing", what);
}

/* Words up to "}" that are addresses; "dev X", "label X" and such behind an
 * address are skipped. `host`: without prefix length. */
static void address_block(
	struct ka *k, const char *what, bool host, json_t *out)
{
	char text[PREFIX_TEXT], ip[ADDR_TEXT];
	struct prefix prefix;
	union addr addr;
	char *slash;
	int len;

	if (!open_block(k, what))
		return;
	for (; !ka_end(&k->words) && !ka_at(&k->words, "}");
		ka_next(&k->words)) {
		if (find((const struct keyword[]){{"dev", SKIP, 1, NULL},
				 {"label", SKIP, 1, NULL},
				 {"scope", SKIP, 1, NULL},
				 {"brd", SKIP, 1, NULL}},
			    4, k->words.text)) {
			ka_next(&k->words);
			continue;
		}
		snprintf(text, sizeof(text), "%.63s", k->words.text);
		slash = strchr(text, '/');
		if (prefix_parse(k->words.text, &prefix) == -EINVAL ||
			(host && slash)) {
			import_error(k->im, k->file, k->words.word_line,
				"%s: '%s' is no address", what, k->words.text);
			continue;
		}
		len = prefix.len;
		if (slash)
			*slash = '\0';
		if (addr_parse(text, 0, &addr) < 0)
			continue;
		addr_print_ip(&addr, ip);
		json_array_append_new(
			out, host ? json_string(ip)
				  : json_sprintf("%s/%d", ip, len));
	}
	close_block(k, what);
}

static void track_block(struct ka *k, const char *what)
{
	unsigned line = k->words.word_line;

	if (!ka_at(&k->words, "{")) {
		open_block(k, what);
		return;
	}
	if (strcmp(what, "track_script") == 0) {
		k->vrrp.tracks = true;
		import_warn(k->im, k->file, line,
			"track_script: the frontend's heartbeat (every 50 ms) "
			"and a real DNS probe decide instead");
	} else {
		import_warn(k->im, k->file, line,
			"%s: the instance's own interface is tracked instead",
			what);
	}
	skip_block(k);
}

/* Blocks inside of an instance. False: not a block. */
static bool instance_block(struct ka *k)
{
	static const char *const tracks[] = {"track_script", "track_interface",
		"track_file", "track_process", "track_bfd"};
	struct vrrp *v = &k->vrrp;

	for (size_t i = 0; i < countof(tracks); i++)
		if (ka_at(&k->words, tracks[i])) {
			ka_next(&k->words);
			track_block(k, tracks[i]);
			return true;
		}
	if (ka_at(&k->words, "virtual_ipaddress") ||
		ka_at(&k->words, "virtual_ipaddress_excluded")) {
		ka_next(&k->words);
		address_block(k, "virtual_ipaddress", false, v->addresses);
	} else if (ka_at(&k->words, "unicast_peer")) {
		ka_next(&k->words);
		address_block(k, "unicast_peer", true, v->peers);
	} else if (ka_at(&k->words, "virtual_routes") ||
		   ka_at(&k->words, "virtual_rules")) {
		import_error(k->im, k->file, k->words.word_line,
			"%s: not supported", k->words.text);
		ka_next(&k->words);
		skip_block(k);
	} else {
		return false;
	}
	return true;
}

/* A statement by its table; the present word is the keyword. */
static void statement(struct ka *k, const struct keyword *table, size_t count,
	const char *where)
{
	const struct keyword *kw = find(table, count, k->words.text);

	if (!kw || k->words.quoted) {
		import_error(k->im, k->file, k->words.word_line,
			"%s: '%s': unknown statement", where, k->words.text);
		ka_next(&k->words);
		if (ka_at(&k->words, "{"))
			skip_block(k);
		return;
	}
	if (kw->use == WARN)
		import_warn(k->im, k->file, k->words.word_line, "%s: %s",
			kw->name, kw->text);
	if (kw->use == NOPREEMPT)
		k->vrrp.preempt = false;
	ka_next(&k->words);
	if (kw->params == 0)
		return;
	if (ka_end(&k->words) || ka_at(&k->words, "{") ||
		ka_at(&k->words, "}")) {
		import_error(k->im, k->file, k->words.word_line,
			"%s: a parameter is missing", kw->name);
		return;
	}
	instance_set(k, kw);
	ka_next(&k->words);
}

static void authentication(struct ka *k)
{
	ka_next(&k->words);
	if (!open_block(k, "authentication"))
		return;
	while (!ka_end(&k->words) && !ka_at(&k->words, "}")) {
		begin_statement(k);
		statement(k, instance_words, countof(instance_words),
			"authentication");
	}
	close_block(k, "authentication");
}

/* ---- the result of one instance ---- */

static bool complete(struct ka *k)
{
	const struct vrrp *v = &k->vrrp;

	if (v->vrid == 0)
		import_error(k->im, k->file, v->line,
			"%s: virtual_router_id is missing", v->name);
	if (!v->interface[0])
		import_error(k->im, k->file, v->line,
			"%s: interface is missing", v->name);
	if (json_array_size(v->addresses) == 0)
		import_error(k->im, k->file, v->line,
			"%s: virtual_ipaddress is missing", v->name);
	return k->im->errors == 0;
}

/* --node, or made from router_id: "LAB_DD1" -> "lab-dd1". */
static void node_name(struct ka *k, char *out, size_t size)
{
	size_t i;

	snprintf(out, size, "%s", k->im->node ? k->im->node : k->router_id);
	if (k->im->node)
		return;
	for (i = 0; out[i]; i++)
		out[i] = out[i] == '_' ? '-'
				       : (char)tolower((unsigned char)out[i]);
	if (i > 0)
		import_warn(k->im, k->file, k->vrrp.line,
			"no --node given: the node is taken to be '%s' (from "
			"router_id)",
			out);
	else
		import_error(k->im, k->file, k->vrrp.line,
			"whose file is this? neither --node nor router_id");
}

static void emit(struct ka *k)
{
	struct vrrp *v = &k->vrrp;
	char node[WORD_MAX];
	long priority = v->priority;

	if (!v->tracks)
		import_warn(k->im, k->file, v->line,
			"%s: nothing was tracked, so a dead frontend kept the "
			"address; the frontend is tracked instead",
			v->name);
	if (priority == 255) {
		import_warn(k->im, k->file, v->line,
			"%s: priority 255 is for the owner of the address; "
			"254 is taken instead",
			v->name);
		priority = 254;
	}
	if (v->version == 3 && v->auth[0])
		import_warn(k->im, k->file, v->line,
			"%s: VRRP version 3 has no authentication: left out",
			v->name);
	node_name(k, node, sizeof(node));
	import_call(k->im, "vip.create",
		json_pack("{s:s,s:i,s:i,s:i,s:s,s:s,s:O,s:O,s:b,s:i}", "vip",
			v->name, "vrid", (int)v->vrid, "version",
			(int)v->version, "interval_ms",
			(int)(v->interval_s * 1000 + 0.5), "auth",
			v->auth[0] && v->version == 2 ? v->auth : "none",
			"password", v->version == 2 ? v->password : "",
			"addresses", v->addresses, "peers", v->peers, "preempt",
			v->preempt, "preempt_delay_ms",
			(int)(v->preempt_delay_s * 1000)));
	import_call(k->im, "vip.node",
		json_pack("{s:s,s:s,s:i,s:s}", "vip", v->name, "node", node,
			"priority", (int)priority, "interface", v->interface));
}

static void instance(struct ka *k)
{
	struct vrrp *v = &k->vrrp;

	memset(v, 0, sizeof(*v));
	v->line = k->words.word_line;
	v->version = k->version;
	v->interval_s = 1;
	v->priority = 100;
	v->preempt = true;
	v->addresses = json_array();
	v->peers = json_array();
	ka_next(&k->words);
	snprintf(v->name, sizeof(v->name), "%s", k->words.text);
	ka_next(&k->words);
	if (open_block(k, "vrrp_instance")) {
		while (!ka_end(&k->words) && !ka_at(&k->words, "}")) {
			begin_statement(k);
			if (ka_at(&k->words, "authentication"))
				authentication(k);
			else if (!instance_block(k))
				statement(k, instance_words,
					countof(instance_words),
					"vrrp_instance");
		}
		close_block(k, "vrrp_instance");
		if (complete(k))
			emit(k);
	}
	json_decref(v->addresses);
	json_decref(v->peers);
}

/* ---- the other blocks ---- */

static void global_defs(struct ka *k)
{
	double n;

	ka_next(&k->words);
	if (!open_block(k, "global_defs"))
		return;
	while (!ka_end(&k->words) && !ka_at(&k->words, "}")) {
		begin_statement(k);
		if (ka_at(&k->words, "router_id")) {
			ka_next(&k->words);
			snprintf(k->router_id, sizeof(k->router_id), "%s",
				k->words.text);
		} else if (ka_at(&k->words, "vrrp_version")) {
			ka_next(&k->words);
			if (number(k, "vrrp_version", 2, 3, &n))
				k->version = (long)n;
		} else {
			import_note(k->im, k->file, k->words.word_line,
				"global_defs: %s: not needed", k->words.text);
			k->words.pos += strcspn(k->words.pos, "\n{}");
			ka_next(&k->words);
			if (ka_at(&k->words, "{"))
				skip_block(k);
			continue;
		}
		ka_next(&k->words);
	}
	close_block(k, "global_defs");
}

static void script(struct ka *k)
{
	const char *dash;

	ka_next(&k->words); /* its name */
	ka_next(&k->words);
	if (!ka_at(&k->words, "{")) {
		open_block(k, "vrrp_script");
		return;
	}
	ka_next(&k->words);
	while (!ka_end(&k->words) && !ka_at(&k->words, "}")) {
		begin_statement(k);
		if (ka_at(&k->words, "script")) {
			ka_next(&k->words);
			dash = strstr(k->words.text, "\xe2\x80\x93");
			import_warn(k->im, k->file, k->words.word_line,
				"script \"%s\" is not run%s: the frontend is "
				"watched directly instead, death and hang "
				"included",
				k->words.text,
				dash ? " (its option has a dash in place of "
				       "two hyphens, so it could only fail)"
				     : "");
		} else {
			ka_next(&k->words); /* interval, fall, rise, weight,
					       timeout ... */
		}
		ka_next(&k->words);
	}
	close_block(k, "vrrp_script");
}

static void top(struct ka *k)
{
	begin_statement(k);
	if (ka_at(&k->words, "global_defs"))
		global_defs(k);
	else if (ka_at(&k->words, "vrrp_script"))
		script(k);
	else if (ka_at(&k->words, "vrrp_instance"))
		instance(k);
	else {
		import_error(k->im, k->file, k->words.word_line,
			"'%s': unknown statement", k->words.text);
		ka_next(&k->words);
		while (!ka_end(&k->words) && !ka_at(&k->words, "{") &&
			k->words.word_line == k->keyword_line)
			ka_next(&k->words);
		if (ka_at(&k->words, "{"))
			skip_block(k);
	}
}

int import_keepalived(struct import *im, const char *path, struct err *err)
{
	struct ka *k = calloc(1, sizeof(*k));
	char *text = NULL;
	int rc = k ? import_text(im, path, 1U << 20, &text, err) : -ENOMEM;

	if (rc == 0) {
		*k = (struct ka){.im = im,
			.file = path,
			.words = {.im = im,
				.file = path,
				.pos = text,
				.line = 1},
			.version = 2};
		ka_next(&k->words);
		while (!ka_end(&k->words))
			top(k);
		import_sort_notes(im);
		if (im->failed)
			rc = -ENOMEM;
	}
	if (rc == -ENOMEM)
		err_set(err, "%s: out of memory", path);
	free(text);
	free(k);
	return rc;
}
