/* SPDX-License-Identifier: ISC */
/*
 * The nsd.conf that we run NSD with. Every client is a frontend, so NSD's
 * own rate limiting must be off (it is on by default in Debian's build and
 * would count all subscribers as one), and nothing may depend on the client's
 * address. It never forks to another user: we run as the right one already.
 */

#include "authority/nsdconf.h"

static void print_listen(const struct conf_node *root, struct text *out)
{
	const struct conf_node *n;
	char ip[ADDR_TEXT];

	for (n = conf_first(conf_get(root, "listen")); n; n = conf_next(n))
		text_add(out, "\tip-address: %s@%u\n",
			addr_print_ip(conf_addr(n), ip),
			addr_port(conf_addr(n)));
}

static void print_files(const char *state, struct text *out)
{
	text_add(out,
		"\tzonesdir: \"%s\"\n"
		"\tdatabase: \"\"\n"
		"\tzonelistfile: \"%s/zone.list\"\n"
		"\txfrdfile: \"%s/xfrd.state\"\n"
		"\txfrdir: \"%s\"\n"
		"\tcookie-secret-file: \"%s/cookies\"\n",
		state, state, state, state, state);
}

void nsdconf_server(
	const struct auth_config *config, const char *control, struct text *out)
{
	const struct conf_node *root = conf_root(config->conf);
	const struct conf_node *tcp = conf_get(root, "tcp");
	long long servers = conf_get_int(root, "servers");

	text_add(out, "# written by ispdns-authority\nserver:\n");
	print_listen(root, out);
	text_add(out, "\tip-freebind: %s\n",
		conf_get_bool(root, "freebind") ? "yes" : "no");
	text_add(out, "\tserver-count: %lld\n\treuseport: %s\n", servers,
		servers > 1 ? "yes" : "no");
	text_add(out, "\tusername: \"\"\n\tchroot: \"\"\n\tpidfile: \"\"\n");
	print_files(auth_config_state(config), out);
	text_add(out, "\thide-version: yes\n"
		      "\thide-identity: yes\n"
		      "\tminimal-responses: yes\n"
		      "\trefuse-any: yes\n"
		      "\trrl-ratelimit: 0\n"
		      "\trrl-whitelist-ratelimit: 0\n"
		      "\tanswer-cookie: no\n"
		      "\tipv4-edns-size: 1232\n"
		      "\tipv6-edns-size: 1232\n"
		      "\tzonefiles-check: yes\n"
		      "\tzonefiles-write: 0\n"
		      "\tverbosity: 0\n");
	text_add(out,
		"\ttcp-count: %lld\n\ttcp-timeout: %lld\n"
		"\ttcp-query-count: 0\n",
		(long long)conf_get_int(tcp, "count"),
		(long long)conf_get_int(tcp, "timeout") / 1000);
	text_add(out,
		"remote-control:\n\tcontrol-enable: yes\n"
		"\tcontrol-interface: \"%s\"\n",
		control);
}

void nsdconf_zones(const struct auth_config *config, const struct tree *tree,
	struct text *out)
{
	const char *state = auth_config_state(config);

	text_add(out,
		"pattern:\n\tname: \"" NSDCONF_PATTERN "\"\n"
		"\tzonefile: \"%s/current/%%s.zone\"\n",
		state);
	for (size_t i = 0; i < tree->count; i++) {
		const struct tree_zone *z = &tree->zones[i];

		if (!z->plain)
			text_add(out,
				"zone:\n\tname: \"%s\"\n"
				"\tzonefile: \"%s/current/%s\"\n",
				z->name, state, z->file);
	}
}

void nsdconf_bulk_line(
	const struct tree_zone *zone, bool pattern, struct text *out)
{
	text_add(out, "%s%s\n", zone->nsd_name,
		pattern ? " " NSDCONF_PATTERN : "");
}

void nsdconf_zone_list(
	const struct tree *tree, const struct name *hidden, struct text *out)
{
	text_add(out, "# NSD zone list\n# name pattern\n");
	for (size_t i = 0; i < tree->count; i++) {
		const struct tree_zone *zone = &tree->zones[i];

		if (!zone->plain ||
			(hidden && name_equal(zone->wire->wire, hidden->wire)))
			continue;
		text_add(out, "add ");
		nsdconf_bulk_line(zone, true, out);
	}
}
