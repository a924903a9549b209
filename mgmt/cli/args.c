/* SPDX-License-Identifier: ISC */
/* One argument of a command: its text -> JSON by its type; usage and help. */
#include "mgmt/cli/args.h"

#include <errno.h>
#include <strings.h>
#include <unistd.h>

#include "common/ctl/file.h"

static void usage(const struct command *c, struct text *out)
{
	const struct param *p;

	text_add(out, "ispdns %s", c->words);
	for (size_t i = 0; i < c->count; i++) {
		p = &c->params[i];
		if (p->flags & PARAM_OPTION)
			continue;
		text_add(out, p->flags & PARAM_REQUIRED ? " %s%s" : " [%s%s]",
			p->word, p->type == PARAM_REST ? " ..." : "");
	}
	for (size_t i = 0; i < c->count; i++) {
		p = &c->params[i];
		if (!(p->flags & PARAM_OPTION))
			continue;
		text_add(out,
			p->flags & PARAM_REQUIRED ? " --%s%s" : " [--%s%s]",
			p->word, p->type == PARAM_BOOL ? "" : " X");
	}
}

int args_error(const struct command *c, struct err *err, const char *what,
	const char *word)
{
	struct text text;

	text_init(&text);
	usage(c, &text);
	err_set(err, "%s: %s%s; usage: %s", c->words, what, word, text.data);
	text_fini(&text);
	return CLI_USAGE;
}

/* Seconds and octets may be written with a unit. */
static long long unit(const char *key, const char *text)
{
	static const struct {
		const char *text;
		long long factor;
	} time[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400},
		{"w", 604800}},
	  size[] = {{"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}};
	size_t len = strlen(key);
	bool seconds = strcmp(key, "ttl") == 0 ||
		       (len > 2 && strcmp(key + len - 2, "_s") == 0);

	for (size_t i = 0; seconds && i < countof(time); i++)
		if (strcmp(text, time[i].text) == 0)
			return time[i].factor;
	for (size_t i = 0; strstr(key, "memory") && i < countof(size); i++)
		if (strcmp(text, size[i].text) == 0)
			return size[i].factor;
	return strcmp(text, "ms") == 0 && strstr(key, "_ms") ? 1 : 0;
}

static json_t *number_value(const struct param *p, const char *text)
{
	char *end;
	long long n, factor = 1;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno || end == text)
		return NULL;
	if (*end)
		factor = unit(p->key, end);
	if (factor == 0 || __builtin_mul_overflow(n, factor, &n))
		return NULL;
	return json_integer(n);
}

/* 1 yes, 0 no, -1 neither. */
int args_truth(const char *text)
{
	static const char *const yes[] = {"yes", "true", "on", "1"};
	static const char *const no[] = {"no", "false", "off", "0"};

	for (size_t i = 0; i < countof(yes); i++) {
		if (strcasecmp(text, yes[i]) == 0)
			return 1;
		if (strcasecmp(text, no[i]) == 0)
			return 0;
	}
	return -1;
}

static json_t *list_value(json_t *old, const char *text)
{
	json_t *list = old ? json_incref(old) : json_array();
	const char *end;

	for (; list && *text; text = *end ? end + 1 : end) {
		end = text + strcspn(text, ",");
		if (end > text)
			json_array_append_new(
				list, json_stringn(text, (size_t)(end - text)));
	}
	return list;
}

static json_t *file_value(const char *path, struct err *err)
{
	struct text text;
	char chunk[4096], *data = NULL;
	json_t *value = NULL;
	size_t len;
	ssize_t n;

	if (strcmp(path, "-") != 0) {
		if (file_read(path, CLI_BODY_MAX, &data, &len, err) == 0)
			value = json_stringn(data, len);
		free(data);
	} else {
		text_init(&text);
		while ((n = read(0, chunk, sizeof(chunk))) > 0)
			text_add_bytes(&text, chunk, (size_t)n);
		value = json_stringn(text.data, text.len);
		text_fini(&text);
	}
	if (!value && !err->text[0])
		err_set(err, "%s: no UTF-8 text", path);
	return value;
}

/* Put `value` at key "a" or "a.b" of args. */
static void put(json_t *args, const char *key, json_t *value)
{
	const char *dot = strchr(key, '.');
	char outer[64];
	json_t *object;

	if (!dot) {
		json_object_set_new(args, key, value);
		return;
	}
	snprintf(outer, sizeof(outer), "%.*s", (int)(dot - key), key);
	object = json_object_get(args, outer);
	if (!object) {
		object = json_object();
		json_object_set_new(args, outer, object);
	}
	json_object_set_new(object, dot + 1, value);
}

int args_set(const struct command *c, const struct param *p, const char *text,
	json_t *args, struct err *err)
{
	json_t *value = NULL;
	char what[128];

	snprintf(what, sizeof(what), "%s: a %s expected, not ", p->word,
		p->type == PARAM_INT ? "number" : "yes or no");
	switch (p->type) {
	case PARAM_INT:
		value = number_value(p, text);
		break;
	case PARAM_BOOL:
		value = args_truth(text) < 0 ? NULL
					     : json_boolean(args_truth(text));
		break;
	case PARAM_LIST:
		value = list_value(json_object_get(args, p->key), text);
		break;
	case PARAM_REST:
		value = json_object_get(args, p->key);
		value = value ? json_incref(value) : json_array();
		json_array_append_new(value, json_string(text));
		break;
	case PARAM_FILE:
		value = file_value(text, err);
		if (!value)
			return CLI_INVALID;
		break;
	case PARAM_TEXT:
	case PARAM_PATH:
		value = json_string(text);
		snprintf(what, sizeof(what), "%s: no UTF-8 text: ", p->word);
	}
	if (!value)
		return args_error(c, err, what, text);
	put(args, p->key, value);
	return CLI_OK;
}

void args_help(const struct command *c, struct text *out)
{
	const struct param *p;

	usage(c, out);
	text_add(out, "\n    %s\n", c->help);
	for (size_t i = 0; i < c->count; i++) {
		p = &c->params[i];
		if (p->flags & PARAM_OPTION && p->help)
			text_add(out, "    --%-20s %s\n", p->word, p->help);
	}
}
