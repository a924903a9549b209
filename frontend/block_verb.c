/* SPDX-License-Identifier: ISC */
/*
 * Blocks on the main thread: what a person says, what sources did, and the
 * end of both. A list that workers no longer get is freed when the loop of
 * each has turned twice since: they hold it within one callback only.
 */

#include "frontend/frontend.h"

#include "common/base/log.h"
#include "frontend/blockfile.h"

#include <errno.h>

#define TICK_MS    100
#define DEFAULT_MS (10 * 60 * 1000LL)
#define SAVE_US    1000000 /* the file is not written more often */
#define OWN        "ispdns_frontend_"

struct retired {
	struct retired *next;
	struct block_list *list;
	uint64_t beats[CONFIG_WORKERS_MAX];
};

/* --- publishing -------------------------------------------------------- */

static int publish(struct frontend *fe)
{
	struct retired *r = calloc(1, sizeof(*r));

	if (!r || blocks_publish(fe->blocks, &r->list) < 0) {
		free(r);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < fe->worker_count; i++)
		r->beats[i] = worker_beats(fe->workers[i]);
	r->next = fe->retired;
	fe->retired = r;
	fe->blocks_unsaved = true;
	return 0;
}

static bool is_unread(const struct frontend *fe, const struct retired *r)
{
	for (unsigned i = 0; i < fe->worker_count; i++)
		if (worker_beats(fe->workers[i]) < r->beats[i] + 2)
			return false;
	return true;
}

static void free_retired(struct frontend *fe, bool all)
{
	struct retired **link = &fe->retired;

	while (*link) {
		struct retired *r = *link;

		if (!all && !is_unread(fe, r)) {
			link = &r->next;
			continue;
		}
		*link = r->next;
		block_list_free(r->list);
		free(r);
	}
}

/* --- the file ---------------------------------------------------------- */

void frontend_blocks_save(struct frontend *fe)
{
	struct err err = {.text = ""};

	fe->blocks_unsaved = false;
	fe->blocks_saved = mtime_now();
	if (fe->blocks_file[0] &&
		blockfile_save(fe->blocks, fe->blocks_file, &err) < 0)
		log_warn("block: not written: %s", err.text);
}

static void save_when_due(struct frontend *fe)
{
	if (fe->blocks_unsaved &&
		mtime_sub_us(mtime_now(), fe->blocks_saved) >= SAVE_US)
		frontend_blocks_save(fe);
}

/* Before there are workers. A file that cannot be read costs its blocks. */
static int load(struct frontend *fe)
{
	struct err err = {.text = ""};
	size_t count = 0;
	int rc;

	if (!fe->blocks_file[0])
		return 0;
	rc = blockfile_load(fe->blocks, fe->blocks_file, &count, &err);
	if (rc < 0 && rc != -ENOENT)
		log_warn("block: not read: %s", err.text);
	if (count == 0)
		return 0;
	log_info("block: read: file=%s blocks=%zu", fe->blocks_file, count);
	return publish(fe);
}

/* --- automatic --------------------------------------------------------- */

static void block_offender(struct frontend *fe, const struct offender *o)
{
	static const char *const reasons[] = {"rate", "nxdomain", "servfail"};
	const struct policy_dynamic *d = &fe->policy->dynamic;
	struct block block = {.automatic = true,
		.forgeable = !o->proven,
		.action = d->action,
		.prefix = o->source,
		.since_us = mtime_now().us,
		.until_us = mtime_now().us + d->duration_us};
	char text[PREFIX_TEXT];

	(void)snprintf(
		block.reason, sizeof(block.reason), "%s", reasons[o->offense]);
	if (blocks_count(fe->blocks, true) >= d->max ||
		blocks_add(fe->blocks, &block) == -ENOSPC) {
		fe->blocks_denied++;
		return;
	}
	fe->blocks_set++;
	log_info("block: set: source=%s reason=%s action=%s",
		prefix_print(&block.prefix, text), block.reason,
		block_action_name(block.action));
}

static void on_tick(void *arg)
{
	struct frontend *fe = arg;
	bool changed = blocks_expire(fe->blocks, mtime_now().us) > 0;
	struct offender o;

	while (offenders_next(fe->offenders, &o)) {
		block_offender(fe, &o);
		changed = true;
	}
	if (changed && publish(fe) < 0)
		log_warn("block: out of memory");
	free_retired(fe, false);
	save_when_due(fe);
	timer_set_ms(fe->block_timer, TICK_MS);
}

int frontend_blocks_start(struct frontend *fe)
{
	fe->block_timer = timer_new(fe->loop, on_tick, fe);
	if (!fe->block_timer || load(fe) < 0)
		return -ENOMEM;
	timer_set_ms(fe->block_timer, TICK_MS);
	return 0;
}

void frontend_blocks_stop(struct frontend *fe)
{
	timer_free(fe->block_timer);
	free_retired(fe, true);
	blocks_free(fe->blocks);
	offenders_free(fe->offenders);
}

/* --- the verb ---------------------------------------------------------- */

/* What was said: "add suffix a.test --for 10m", or "for=10m". */
struct order {
	const char *words[3];
	unsigned count;
	int64_t for_ms;
	enum block_action action;
};

/* False: said why. */
static bool take_option(struct control_call *call, struct order *order,
	const char *key, const char *value)
{
	key += strncmp(key, "--", 2) == 0 ? 2 : 0;
	if (strcmp(key, "for") == 0) {
		if (conf_parse_duration(value, &order->for_ms) &&
			order->for_ms >= 1000 &&
			order->for_ms <= BLOCK_LONGEST_S * 1000)
			return true;
		control_fail(call,
			"--for \"%s\": a time such as 30s, 10m or 1h is "
			"allowed, from 1s to 720h",
			value);
	} else if (strcmp(key, "action") == 0) {
		if (block_action_parse(value, &order->action))
			return true;
		control_fail(call,
			"--action \"%s\": drop, refuse, tc, nxdomain and log "
			"are allowed",
			value);
	} else {
		control_fail(call,
			"block: \"%s\" is not known: --for TIME and "
			"--action drop|refuse|tc|nxdomain|log are",
			key);
	}
	return false;
}

static bool take_words(
	struct control_call *call, struct order *order, const json_t *words)
{
	for (size_t i = 0; i < json_array_size(words); i++) {
		const char *word = json_string_value(json_array_get(words, i));
		const char *value =
			json_string_value(json_array_get(words, i + 1));

		if (word && strncmp(word, "--", 2) == 0) {
			if (!take_option(call, order, word, value ? value : ""))
				return false;
			i++;
		} else if (word && order->count < countof(order->words)) {
			order->words[order->count++] = word;
		} else {
			control_fail(call, "block: too many words");
			return false;
		}
	}
	return true;
}

static bool take_order(
	struct control_call *call, struct order *order, const json_t *args)
{
	static const char *const keys[] = {
		"for", "action", "--for", "--action"};
	size_t known = json_object_get(args, "words") != NULL;

	for (size_t i = 0; i < countof(keys); i++) {
		const json_t *value = json_object_get(args, keys[i]);
		const char *text = json_string_value(value);
		char number[24];

		if (!value)
			continue;
		known++;
		(void)snprintf(number, sizeof(number), "%lld",
			(long long)json_integer_value(value));
		if (!take_option(call, order, keys[i], text ? text : number))
			return false;
	}
	if (json_object_size(args) > known) {
		control_fail(call, "block: only for=TIME and action=drop|"
				   "refuse|tc|nxdomain|log are allowed");
		return false;
	}
	return take_words(call, order, json_object_get(args, "words"));
}

/* The source or suffix that is meant; false: said why. */
static bool take_target(struct control_call *call, const struct order *order,
	struct block *block)
{
	bool suffix =
		order->count > 1 && strcmp(order->words[1], "suffix") == 0;
	const char *text = order->words[order->count - 1];
	int rc;

	if (order->count != (suffix ? 3u : 2u)) {
		control_fail(call, "block %s PREFIX, or block %s suffix NAME",
			order->words[0], order->words[0]);
		return false;
	}
	block->suffix = suffix;
	if (suffix) {
		if (name_parse(text, &block->name) == 0)
			return true;
		control_fail(call, "\"%s\" is not a name", text);
		return false;
	}
	rc = prefix_parse(text, &block->prefix);
	if (rc < 0)
		control_fail(call,
			rc == -EDOM ? "%s has bits set behind its length"
				    : "\"%s\" is not an address or prefix",
			text);
	return rc == 0;
}

static const char *target_text(
	const struct block *block, char out[NAME_MAX_TEXT])
{
	return block->suffix ? name_print(&block->name, out)
			     : prefix_print(&block->prefix, out);
}

static void block_add(struct frontend *fe, struct control_call *call,
	const struct order *order)
{
	struct block block = {.reason = "manual", .action = order->action};
	char text[NAME_MAX_TEXT];

	if (!take_target(call, order, &block))
		return;
	block.since_us = mtime_now().us;
	block.until_us = block.since_us + order->for_ms * 1000;
	if (blocks_add(fe->blocks, &block) < 0) {
		control_fail(call,
			"there are %d blocks already, more are not "
			"allowed",
			BLOCKS_MAX);
		return;
	}
	if (publish(fe) < 0) {
		control_fail(call, "out of memory");
		return;
	}
	control_ok(call,
		json_pack("{s:s, s:s, s:I}", "block", target_text(&block, text),
			"action", block_action_name(block.action), "for_s",
			(json_int_t)(order->for_ms / 1000)));
}

static void block_remove(struct frontend *fe, struct control_call *call,
	const struct order *order)
{
	struct block block = {.reason = ""};
	char text[NAME_MAX_TEXT];

	if (!take_target(call, order, &block))
		return;
	if (!blocks_remove(fe->blocks, &block))
		control_fail(call, "there is no block of %s",
			target_text(&block, text));
	else if (publish(fe) < 0)
		control_fail(call, "out of memory");
	else
		control_ok(call, json_pack("{s:s}", "removed",
					 target_text(&block, text)));
}

static void block_list(struct frontend *fe, struct control_call *call)
{
	json_t *rows = json_array();
	int64_t now_us = mtime_now().us;
	char text[NAME_MAX_TEXT];
	struct block b;

	for (size_t i = 0; i < BLOCKS_MAX; i++) {
		if (!blocks_get(fe->blocks, i, &b) || b.until_us <= now_us)
			continue;
		json_array_append_new(rows,
			json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:b}",
				"kind", b.suffix ? "suffix" : "source",
				"target", target_text(&b, text), "action",
				block_action_name(b.action), "reason", b.reason,
				"left_s",
				(json_int_t)((b.until_us - now_us + 999999) /
					     1000000),
				"queries", (json_int_t)b.hits, "automatic",
				b.automatic, "spares_proven",
				b.forgeable || b.action == BLOCK_TC));
	}
	control_ok(call, json_pack("{s:o}", "blocks", rows));
}

void frontend_block_verb(
	void *arg, struct control_call *call, const json_t *args)
{
	struct order order = {.for_ms = DEFAULT_MS, .action = BLOCK_DROP};
	const char *what;

	if (!take_order(call, &order, args))
		return;
	what = order.count ? order.words[0] : "";
	if (strcmp(what, "list") == 0)
		block_list(arg, call);
	else if (strcmp(what, "add") == 0)
		block_add(arg, call, &order);
	else if (strcmp(what, "remove") == 0)
		block_remove(arg, call, &order);
	else
		control_fail(call, "block add PREFIX, block add suffix NAME, "
				   "block remove ..., or block list");
}

/* --- metrics ----------------------------------------------------------- */

static void print_one(struct text *out, const char *name, const char *type,
	const char *help, uint64_t value)
{
	metrics_family(out, name, type, help);
	text_add(out, "%s %llu\n", name, (unsigned long long)value);
}

/* dnsdist's name of the blocks of sources, or of suffixes. */
static void print_rates(
	const struct frontend *fe, struct text *out, bool suffix)
{
	const char *name =
		suffix ? "dnsdist_dynblocks_smt_top_offenders_hits_per_second"
		       : "dnsdist_dynblocks_nmg_top_offenders_hits_per_second";
	int64_t now_us = mtime_now().us;
	char target[NAME_MAX_TEXT];
	struct block b;

	metrics_family(out, name, "gauge",
		"Queries a second that met the block, since it was set.");
	for (size_t i = 0; i < BLOCKS_MAX; i++) {
		double s;

		if (!blocks_get(fe->blocks, i, &b) || b.suffix != suffix)
			continue;
		s = (double)(now_us - b.since_us) / 1e6;
		text_add(out, "%s{reason=\"%s\",%s=\"", name, b.reason,
			suffix ? "suffix" : "netmask");
		metrics_label(out, target_text(&b, target));
		text_add(out, "\"} %.3f\n", s > 0 ? (double)b.hits / s : 0);
	}
}

void frontend_block_metrics(const struct frontend *fe, struct text *out)
{
	const struct metrics *m = &fe->metrics;

	print_one(out, OWN "blocks", "gauge", "Blocks that are set now.",
		blocks_count(fe->blocks, false));
	print_one(out, OWN "blocks_automatic", "gauge",
		"Of these, set for what a source did.",
		blocks_count(fe->blocks, true));
	print_one(out, OWN "blocks_set_total", "counter",
		"Sources blocked for what they did.", fe->blocks_set);
	print_one(out, OWN "blocks_denied_total", "counter",
		"Sources not blocked since there are too many blocks.",
		fe->blocks_denied + offenders_lost(fe->offenders));
	print_one(out, "dnsdist_dyn_blocked", "untyped",
		"Queries that met a dynamic block.",
		metrics_read(m, STAT_DROP_BLOCK) +
			metrics_read(m, STAT_REFUSED_BLOCK) +
			metrics_read(m, STAT_NXDOMAIN_BLOCK) +
			metrics_read(m, STAT_TC_BLOCK));
	print_one(out, "dnsdist_dyn_block_nmg_size", "gauge",
		"Dynamic blocks that are set now.",
		blocks_count(fe->blocks, false));
	print_rates(fe, out, false);
	print_rates(fe, out, true);
}
