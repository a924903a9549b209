/* SPDX-License-Identifier: ISC */
/*
 * The secrets of DNS cookies: from the configuration, from a file of their
 * own (the configuration may be shown to more people), or random. No message
 * repeats them.
 */

#include "frontend/config.h"

#include "common/ctl/file.h"

#include <errno.h>

#define FILE_MAX 256

static int take(const struct conf *conf, const struct conf_node *node,
	struct hash_key *out, struct err *err)
{
	if (cookie_secret_parse(conf_str(node), out))
		return 0;
	return conf_error(conf, node, err, "%s: 32 hex digits are wanted",
		conf_key(node));
}

/* One or two lines. False: something else. */
static bool parse_file(char *text, struct cookie_secrets *out)
{
	char *save, *now = strtok_r(text, "\n", &save);
	char *other = strtok_r(NULL, "\n", &save);

	if (!now || !cookie_secret_parse(now, &out->now) ||
		strtok_r(NULL, "\n", &save))
		return false;
	out->has_other = other != NULL;
	return !other || cookie_secret_parse(other, &out->other);
}

static int read_file(const struct conf *conf, const struct conf_node *node,
	struct cookie_secrets *out, struct err *err)
{
	struct err why = {.text = ""};
	char *text;
	size_t len;
	bool good;

	if (file_read(conf_str(node), FILE_MAX, &text, &len, &why) < 0)
		return conf_error(conf, node, err, "%s", why.text);
	good = parse_file(text, out);
	explicit_bzero(text, len);
	free(text);
	if (good)
		return 0;
	return conf_error(conf, node, err,
		"%s: one or two lines of 32 hex digits are wanted",
		conf_str(node));
}

static int read_secrets(const struct conf *conf, const struct conf_node *n,
	struct cookie_secrets *out, struct err *err)
{
	const struct conf_node *secret = conf_get(n, "secret");
	const struct conf_node *previous = conf_get(n, "previous");
	const struct conf_node *file = conf_get(n, "secret_file");
	int rc;

	if (file && (secret || previous))
		return conf_error(conf, file, err,
			"secret_file stands instead of secret and previous");
	if (file)
		return read_file(conf, file, out, err);
	if (previous && !secret)
		return conf_error(
			conf, previous, err, "previous without secret");
	rc = secret ? take(conf, secret, &out->now, err) : 0;
	if (rc < 0 || !previous)
		return rc;
	out->has_other = true;
	return take(conf, previous, &out->other, err);
}

int config_cookies(const struct conf *conf, const struct registry *registry,
	struct hop_rules *out, struct err *err)
{
	const struct conf_node *n = conf_get(conf_root(conf), "cookies");

	out->cookies = conf_get_bool(n, "enabled");
	out->secrets.now = registry->cookie_secret;
	return read_secrets(conf, n, &out->secrets, err);
}
