/* SPDX-License-Identifier: ISC */
/*
 * Every key of frontend.yaml can be had by the management, or is here with
 * the reason why not: the file that it makes of a site which uses all that
 * its database has is held against the schema.
 */

#include "frontend/config.h"
#include "tests/tap/tap.h"

#define ENTRIES 64

/* Not in the file; with what is below them. */
static const char *const apart[] = {
	"blocks",              /* the state directory of the service is right */
	"cookies.enabled",     /* said only when it is off: revision-t */
	"cookies.secret_file", /* the secret is made from the site's */
};

static bool is_apart(const char *path)
{
	for (size_t i = 0; i < countof(apart); i++)
		if (strcmp(apart[i], path) == 0)
			return true;
	return false;
}

/* The nodes of one key, of all entries of a list. */
struct nodes {
	size_t count;
	const struct conf_node *at[ENTRIES];
};

static void add(struct nodes *nodes, const struct conf_node *n)
{
	if (n && conf_line(n) != 0 && nodes->count < ENTRIES)
		nodes->at[nodes->count++] = n;
}

static void entries_of(const struct nodes *lists, struct nodes *out)
{
	const struct conf_node *n;

	out->count = 0;
	for (size_t i = 0; i < lists->count; i++)
		for (n = conf_first(lists->at[i]); n; n = conf_next(n))
			add(out, n);
}

static unsigned missing(const struct schema_item *items,
	const struct nodes *maps, const char *prefix);

static unsigned missing_key(const struct schema_item *item,
	const struct nodes *maps, const char *path)
{
	struct nodes here = {.count = 0}, entries;

	if (is_apart(path))
		return 0;
	for (size_t i = 0; i < maps->count; i++)
		if (conf_has(maps->at[i], item->name))
			add(&here, conf_get(maps->at[i], item->name));
	if (here.count == 0) {
		tap_diag("%s is not to be had", path);
		return 1;
	}
	if (item->type == SCHEMA_MAP)
		return missing(item->children, &here, path);
	if ((item->type != SCHEMA_LIST && item->type != SCHEMA_DICT) ||
		item->children->type != SCHEMA_MAP)
		return 0;
	entries_of(&here, &entries);
	return missing(item->children->children, &entries, path);
}

/* How many of these keys are in none of the maps. */
static unsigned missing(const struct schema_item *items,
	const struct nodes *maps, const char *prefix)
{
	char path[128];
	unsigned n = 0;

	for (; items->type != SCHEMA_END; items++) {
		(void)snprintf(path, sizeof(path), "%s%s%s", prefix,
			*prefix ? "." : "", items->name);
		n += missing_key(items, maps, path);
	}
	return n;
}

int main(void)
{
	const char *dir = getenv("ISPDNS_SRCDIR");
	struct nodes root = {.count = 1};
	struct err err = {.text = ""};
	struct conf *conf;
	char path[512];

	(void)snprintf(path, sizeof(path),
		"%s/tests/data/mgmt/dd1-frontend.yaml", dir ? dir : ".");
	conf = conf_read(path, config_schema(), &err);
	if (!conf)
		tap_bail("%s", err.text);
	root.at[0] = conf_root(conf);
	is_int(missing(config_schema(), &root, ""), 0,
		"the management sets every key, but those named here");
	conf_free(conf);
	return tap_done();
}
