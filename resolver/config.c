/* SPDX-License-Identifier: ISC */
/*
 * From the configuration tree to settings. The library's part becomes a text
 * in its own language: whatever changes that text needs a new library
 * context, whatever does not is live.
 */

#include "resolver/config.h"

#include <errno.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/digest.h"
#include "common/ctl/file.h"
#include "resolver/libconf.h"

#define FILE_MAX (1 << 20)

static int add_prefixes(struct prefix_map *map, const struct conf *conf,
	const struct conf_node *list, uint32_t value, struct err *err)
{
	const struct conf_node *n;

	for (n = conf_first(list); n; n = conf_next(n)) {
		int rc = prefix_map_add(map, conf_prefix(n), value);

		if (rc == -EEXIST &&
			prefix_map_find(map, &conf_prefix(n)->addr) == value)
			continue; /* twice the same */
		if (rc == -EEXIST)
			return conf_error(
				conf, n, err, "acl: both allowed and denied");
		if (rc < 0)
			return err_fail(err, rc, "out of memory");
	}
	return 0;
}

static int set_acl(struct settings *s, const struct conf *conf, struct err *err)
{
	const struct conf_node *acl = conf_get(conf_root(conf), "acl");
	struct prefix_map *map = prefix_map_new(&s->arena);
	int rc;

	if (!map)
		return err_fail(err, -ENOMEM, "out of memory");
	s->acl = map;
	s->acl_action = (enum acl_action)conf_get_int(acl, "action");
	s->acl_refuse_per_s = (uint32_t)conf_get_int(acl, "refuse_rate");
	rc = add_prefixes(map, conf, conf_get(acl, "allow"), 1, err);
	if (rc == 0)
		rc = add_prefixes(map, conf, conf_get(acl, "deny"), 0, err);
	return rc;
}

static int set_listen(
	struct settings *s, const struct conf *conf, struct err *err)
{
	const struct conf_node *list = conf_get(conf_root(conf), "listen"), *n;
	union addr *out =
		arena_array(&s->arena, conf_count(list), sizeof(union addr));

	if (!out)
		return err_fail(err, -ENOMEM, "out of memory");
	for (n = conf_first(list); n; n = conf_next(n)) {
		for (size_t i = 0; i < s->listen_count; i++)
			if (addr_equal(&out[i], conf_addr(n)))
				return conf_error(conf, n, err,
					"listen: this address is there twice");
		out[s->listen_count++] = *conf_addr(n);
	}
	s->listen = out;
	return 0;
}

static uint32_t get_s(const struct conf_node *node, const char *key)
{
	return (uint32_t)(conf_get_int(node, key) / 1000);
}

static uint32_t get_u32(const struct conf_node *node, const char *key)
{
	return (uint32_t)conf_get_int(node, key);
}

static void set_cache(struct settings *s, const struct conf_node *cache)
{
	s->cache.entries = get_u32(cache, "entries");
	s->cache.bytes = (size_t)conf_get_int(cache, "memory");
	s->cache.stale_ms = conf_get_int(cache, "stale");
	s->max_ttl_s = get_s(cache, "max_ttl");
	s->max_negative_ttl_s = get_s(cache, "max_negative_ttl");
	s->failure_ttl_s = get_s(cache, "failure_ttl");
	s->bogus_ttl_s = get_s(cache, "bogus_ttl");
	s->stale_ttl_s = get_s(cache, "stale_ttl");
	s->stale_wait_ms = get_u32(cache, "stale_wait");
	s->stale_retry_ms = get_u32(cache, "stale_retry");
}

static void set_limits(struct settings *s, const struct conf_node *root)
{
	const struct conf_node *limits = conf_get(root, "limits");
	const struct conf_node *tcp = conf_get(root, "tcp");

	s->inflight = get_u32(limits, "inflight");
	s->per_client = get_u32(limits, "per_client");
	s->per_zone = get_u32(limits, "per_zone");
	s->deadline_ms = get_u32(limits, "deadline");
	s->tcp_max = get_u32(tcp, "connections");
	s->tcp_per_client = get_u32(tcp, "per_client");
	s->tcp_idle_ms = get_u32(tcp, "idle");
	s->tcp_message_ms = get_u32(tcp, "message");
}

static void set_policy(struct settings *s, const struct conf_node *root)
{
	const struct conf_node *metrics = conf_get(root, "metrics");
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	s->workers = (unsigned)conf_get_int(root, "workers");
	if (s->workers == 0)
		s->workers = cores > 0 && cores <= 256 ? (unsigned)cores : 1;
	s->any = (enum any_action)conf_get_int(root, "any");
	s->rd0_cache = conf_get_int(root, "rd0") == 1;
	s->payload = (uint16_t)conf_get_int(root, "edns_payload");
	s->metrics = metrics != NULL;
	if (metrics)
		s->metrics_addr = *conf_addr(conf_get(metrics, "listen"));
}

static int set_save(struct settings *s, const char *folder)
{
	if (!folder)
		return 0;
	s->save = arena_strdup(&s->arena, folder);
	return s->save ? 0 : -ENOMEM;
}

/* Digest of the file's content; NULL for no file. One that cannot be read is
 * as good as an empty one here: starting tells. */
static const char *content(const char *path, char out[DIGEST_HEX])
{
	char *data = NULL;
	size_t len = 0;

	if (!path)
		return NULL;
	if (file_read(path, FILE_MAX, &data, &len, NULL) < 0)
		len = 0;
	digest_hex(data ? data : "", len, out);
	free(data);
	return out;
}

static int set_library(
	struct settings *s, const struct conf_node *root, struct err *err)
{
	struct libconf_files files = {conf_get_str(root, "root_hints"),
		conf_get_str(root, "trust_anchor")};
	char hints[DIGEST_HEX], anchor[DIGEST_HEX];

	s->library = libconf_text(&s->arena, root, &files, err);
	if (!s->library)
		return -EINVAL;
	files.hints = content(files.hints, hints);
	files.anchor = content(files.anchor, anchor);
	s->library_key = libconf_text(&s->arena, root, &files, err);
	return s->library_key ? 0 : -EINVAL;
}

static int check_file(const struct conf *conf, const char *key, struct err *err)
{
	const char *path = conf_get_str(conf_root(conf), key);

	if (path && access(path, R_OK) < 0)
		return conf_error(conf, conf_get(conf_root(conf), key), err,
			"%s: %s: %s", key, path, strerror(errno));
	return 0;
}

/* Does the line have the word DS or DNSKEY, before any comment? */
static bool has_anchor(char *line)
{
	char *save = NULL, *word;

	line[strcspn(line, ";")] = '\0';
	word = strtok_r(line, " \t\r", &save);
	for (; word; word = strtok_r(NULL, " \t\r", &save))
		if (strcasecmp(word, "DS") == 0 ||
			strcasecmp(word, "DNSKEY") == 0)
			return true;
	return false;
}

/* The library takes a file without any anchor in silence and then validates
 * nothing. */
static int check_anchor(const struct conf *conf, struct err *err)
{
	const struct conf_node *node =
		conf_get(conf_root(conf), "trust_anchor");
	char *data, *line, *next;
	bool found = false;
	size_t len;

	if (!node || !conf_get_bool(conf_root(conf), "dnssec"))
		return 0;
	if (check_file(conf, "trust_anchor", err) < 0 ||
		file_read(conf_str(node), FILE_MAX, &data, &len, err) < 0)
		return -EINVAL;
	for (line = data; line && !found; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		found = has_anchor(line);
	}
	free(data);
	if (found)
		return 0;
	return conf_error(conf, node, err,
		"trust_anchor: %s holds neither DS nor DNSKEY", conf_str(node));
}

static int check_files(const struct conf *conf, struct err *err)
{
	if (check_file(conf, "root_hints", err) < 0)
		return -EINVAL;
	return check_anchor(conf, err);
}

struct settings *settings_new(const struct conf *conf, struct err *err)
{
	const struct conf_node *root = conf_root(conf);
	struct settings *s = calloc(1, sizeof(*s));

	if (!s) {
		err_set(err, "out of memory");
		return NULL;
	}
	arena_init(&s->arena, 0, 0);
	set_policy(s, root);
	set_cache(s, conf_get(root, "cache"));
	set_limits(s, root);
	if (set_acl(s, conf, err) < 0 || set_listen(s, conf, err) < 0)
		goto fail;
	if (set_save(s, conf_get_str(conf_get(root, "cache"), "save")) < 0) {
		err_set(err, "out of memory");
		goto fail;
	}
	if (set_library(s, root, err) < 0)
		goto fail;
	return s;
fail:
	settings_free(s);
	return NULL;
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	arena_fini(&settings->arena);
	free(settings);
}

int settings_check(const struct conf *conf, struct err *err)
{
	struct settings *s;

	if (check_files(conf, err) < 0)
		return -EINVAL;
	s = settings_new(conf, err);
	if (!s)
		return -EINVAL;
	settings_free(s);
	return 0;
}

bool settings_need_roll(const struct settings *a, const struct settings *b)
{
	if (a->workers != b->workers || a->listen_count != b->listen_count)
		return true;
	for (size_t i = 0; i < a->listen_count; i++)
		if (!addr_equal(&a->listen[i], &b->listen[i]))
			return true;
	return strcmp(a->library_key, b->library_key) != 0;
}

bool settings_allow(const struct settings *s, const union addr *client)
{
	return prefix_map_find(s->acl, client) == 1;
}
