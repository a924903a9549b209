/* SPDX-License-Identifier: ISC */
/*
 * The settings that the library has to know, as a configuration text in its
 * own language. Every name and path passes one quoting function.
 */

#include "resolver/libconf.h"

#include <errno.h>

static void add_bool(struct text *t, const char *key, bool value)
{
	text_add(t, "  %s: %s\n", key, value ? "yes" : "no");
}

/* A quoted word: the library's parser has no escapes, so neither quotes nor
 * line ends may occur. */
static int add_quoted(
	struct text *t, const char *key, const char *value, struct err *err)
{
	for (const char *p = value; *p; p++)
		if (*p == '"' || (unsigned char)*p < ' ')
			return err_fail(err, -EINVAL,
				"%s: quotes and control characters are not "
				"possible here",
				key);
	text_add(t, "  %s: \"%s\"\n", key, value);
	return 0;
}

static int add_name(struct text *t, const char *key, const struct name *name,
	const char *rest, struct err *err)
{
	char print[NAME_MAX_TEXT];

	name_print(name, print);
	if (strpbrk(print, "\"\\"))
		return err_fail(err, -EINVAL, "%s: %s is not possible here",
			key, print);
	text_add(t, "  %s: \"%s\"%s\n", key, print, rest);
	return 0;
}

static int add_names(struct text *t, const char *key,
	const struct conf_node *list, const char *rest, struct err *err)
{
	const struct conf_node *n;
	int rc = 0;

	for (n = conf_first(list); n && rc == 0; n = conf_next(n))
		rc = add_name(t, key, conf_name(n), rest, err);
	return rc;
}

static void add_caches(struct text *t, const struct conf_node *cache)
{
	long long memory = conf_get_int(cache, "library_memory");
	long long negative = conf_get_int(cache, "max_negative_ttl") / 1000;

	text_add(t, "  msg-cache-size: %lld\n", memory / 5);
	text_add(t, "  rrset-cache-size: %lld\n", memory / 5 * 3);
	text_add(t, "  key-cache-size: %lld\n", memory / 10);
	text_add(t, "  neg-cache-size: %lld\n", memory / 10);
	text_add(t, "  msg-cache-slabs: 1\n  rrset-cache-slabs: 1\n"
		    "  key-cache-slabs: 1\n  infra-cache-slabs: 1\n"
		    "  infra-cache-numhosts: 100000\n");
	text_add(t, "  cache-max-ttl: %lld\n",
		(long long)conf_get_int(cache, "max_ttl") / 1000);
	text_add(t, "  cache-max-negative-ttl: %lld\n", negative);
	text_add(t, "  val-bogus-ttl: %lld\n",
		(long long)conf_get_int(cache, "bogus_ttl") / 1000);
}

static void add_outgoing(struct text *t, const struct conf_node *out)
{
	const struct conf_node *n;
	char ip[ADDR_TEXT];

	text_add(t, "  outgoing-range: %lld\n",
		(long long)conf_get_int(out, "range"));
	text_add(t, "  outgoing-num-tcp: %lld\n",
		(long long)conf_get_int(out, "tcp"));
	/* Above this many the library works less hard for each question; our
	 * own bound is always lower. */
	text_add(t, "  num-queries-per-thread: 262144\n");
	text_add(t, "  infra-cache-max-rtt: %lld\n",
		(long long)conf_get_int(out, "max_rtt"));
	text_add(t, "  ratelimit: %lld\n",
		(long long)conf_get_int(out, "ratelimit"));
	add_bool(t, "do-ip4", conf_get_bool(out, "ipv4"));
	add_bool(t, "do-ip6", conf_get_bool(out, "ipv6"));
	add_bool(t, "do-not-query-localhost", !conf_get_bool(out, "localhost"));
	add_bool(t, "use-caps-for-id", conf_get_bool(out, "caps_for_id"));
	n = conf_first(conf_get(out, "interfaces"));
	for (; n; n = conf_next(n))
		text_add(t, "  outgoing-interface: %s\n",
			addr_print_ip(conf_addr(n), ip));
}

/* From https://data.iana.org/root-anchors/root-anchors.xml */
static const char root_anchors[] = "  trust-anchor: \". DS 20326 8 2 "
				   "E06D44B80B8F1D39A95C0B0D7C65D084"
				   "58E880409BBC683457104237C7F8EC8D\"\n"
				   "  trust-anchor: \". DS 38696 8 2 "
				   "683D2D0ACB8C9B712A1948B27F741219"
				   "298D0A450D612C483AF444A4C0FB2B16\"\n";

static int add_dnssec(struct text *t, const struct conf_node *root,
	const struct libconf_files *files, struct err *err)
{
	int rc = 0;

	if (!conf_get_bool(root, "dnssec")) {
		text_add(t, "  module-config: \"iterator\"\n");
		return 0;
	}
	text_add(t, "  module-config: \"validator iterator\"\n"
		    "  val-log-level: 2\n"
		    "  aggressive-nsec: yes\n"
		    "  harden-dnssec-stripped: yes\n");
	if (files->anchor)
		rc = add_quoted(t, "trust-anchor-file", files->anchor, err);
	else
		text_add(t, "%s", root_anchors);
	if (rc == 0)
		rc = add_names(t, "domain-insecure", conf_get(root, "insecure"),
			"", err);
	return rc;
}

static int add_route(struct text *t, const char *kind,
	const struct conf_node *route, struct err *err)
{
	const struct conf_node *n;
	char ip[ADDR_TEXT], key[32];

	text_add(t, "%s-zone:\n", kind);
	if (add_name(t, "name", conf_name(conf_get(route, "zone")), "", err) <
		0)
		return -EINVAL;
	snprintf(key, sizeof(key), "%s-addr", kind);
	n = conf_first(conf_get(route, "to"));
	for (; n; n = conf_next(n)) {
		const union addr *a = conf_addr(n);

		text_add(t, "  %s: %s@%u\n", key, addr_print_ip(a, ip),
			addr_port(a));
	}
	snprintf(key, sizeof(key), "%s-first", kind);
	add_bool(t, key, conf_get_bool(route, "first"));
	return 0;
}

static int add_routes(struct text *t, const char *kind,
	const struct conf_node *list, struct err *err)
{
	const struct conf_node *n;
	int rc = 0;

	for (n = conf_first(list); n && rc == 0; n = conf_next(n))
		rc = add_route(t, kind, n, err);
	return rc;
}

/* The library answers some private names itself, unless told not to. */
static int add_nodefaults(
	struct text *t, const struct conf_node *list, struct err *err)
{
	const struct conf_node *n;
	int rc = 0;

	for (n = conf_first(list); n && rc == 0; n = conf_next(n))
		rc = add_name(t, "local-zone", conf_name(conf_get(n, "zone")),
			" nodefault", err);
	return rc;
}

static int add_server(struct text *t, const struct conf_node *root,
	const struct libconf_files *files, struct err *err)
{
	const struct conf_node *n;
	char prefix[PREFIX_TEXT];
	int rc = 0;

	/* Never unwanted-reply-threshold: the library aborts when it is
	 * reached (CVE-2026-44621). */
	text_add(t, "server:\n  verbosity: 0\n  use-syslog: no\n"
		    "  logfile: \"\"\n  do-daemonize: no\n  chroot: \"\"\n"
		    "  harden-glue: yes\n  harden-below-nxdomain: yes\n"
		    "  minimal-responses: yes\n  prefetch-key: yes\n");
	text_add(t, "  edns-buffer-size: %lld\n",
		(long long)conf_get_int(root, "edns_payload"));
	add_bool(t, "qname-minimisation",
		conf_get_bool(root, "qname_minimisation"));
	add_caches(t, conf_get(root, "cache"));
	add_outgoing(t, conf_get(root, "outgoing"));
	if (files->hints)
		rc = add_quoted(t, "root-hints", files->hints, err);
	if (rc == 0)
		rc = add_dnssec(t, root, files, err);
	n = conf_first(conf_get(root, "private_addresses"));
	for (; n; n = conf_next(n))
		text_add(t, "  private-address: %s\n",
			prefix_print(conf_prefix(n), prefix));
	if (rc == 0)
		rc = add_names(t, "local-zone", conf_get(root, "local_zones"),
			" nodefault", err);
	if (rc == 0)
		rc = add_nodefaults(t, conf_get(root, "forward"), err);
	if (rc == 0)
		rc = add_nodefaults(t, conf_get(root, "stub"), err);
	return rc;
}

const char *libconf_text(struct arena *arena, const struct conf_node *root,
	const struct libconf_files *files, struct err *err)
{
	struct text t;
	const char *out = NULL;
	int rc;

	text_init(&t);
	rc = add_server(&t, root, files, err);
	if (rc == 0)
		rc = add_routes(&t, "forward", conf_get(root, "forward"), err);
	if (rc == 0)
		rc = add_routes(&t, "stub", conf_get(root, "stub"), err);
	if (rc == 0) {
		out = t.failed ? NULL : arena_strdup(arena, t.data);
		if (!out)
			err_set(err, "out of memory");
	}
	text_fini(&t);
	return out;
}
