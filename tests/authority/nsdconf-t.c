/* SPDX-License-Identifier: ISC */
/* Golden texts of nsd.conf and zone.list. */
#include "authority/nsdconf.h"

#include "tests/tap/tap.h"

static const char yaml[] =
	"listen: [\"192.0.2.1:53\", \"[2001:db8::1]:5353\"]\n"
	"servers: 2\n"
	"state: /var/lib/x\n"
	"tcp: {count: 77, timeout: 12s}\n"
	"freebind: true\n";

static const char golden[] = "# written by ispdns-authority\n"
			     "server:\n"
			     "\tip-address: 192.0.2.1@53\n"
			     "\tip-address: 2001:db8::1@5353\n"
			     "\tip-freebind: yes\n"
			     "\tserver-count: 2\n"
			     "\treuseport: yes\n"
			     "\tusername: \"\"\n"
			     "\tchroot: \"\"\n"
			     "\tpidfile: \"\"\n"
			     "\tzonesdir: \"/var/lib/x\"\n"
			     "\tdatabase: \"\"\n"
			     "\tzonelistfile: \"/var/lib/x/zone.list\"\n"
			     "\txfrdfile: \"/var/lib/x/xfrd.state\"\n"
			     "\txfrdir: \"/var/lib/x\"\n"
			     "\tcookie-secret-file: \"/var/lib/x/cookies\"\n"
			     "\thide-version: yes\n"
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
			     "\tverbosity: 0\n"
			     "\ttcp-count: 77\n"
			     "\ttcp-timeout: 12\n"
			     "\ttcp-query-count: 0\n"
			     "remote-control:\n"
			     "\tcontrol-enable: yes\n"
			     "\tcontrol-interface: \"/var/lib/x/nsd.sock\"\n";

static const struct name plain = {7, "\5plain"};
static const struct name odd = {5, "\3a b"};
static const struct name health = {8, "\6health"};

static struct tree_zone zones[] = {
	{.wire = &plain,
		.name = "plain.",
		.nsd_name = "plain",
		.file = "plain.zone",
		.plain = true},
	{.wire = &odd,
		.name = "a\\032b.",
		.nsd_name = "a\\032b",
		.file = "0123.zone",
		.plain = false},
	{.wire = &health,
		.name = "health.",
		.nsd_name = "health",
		.file = "health.zone",
		.plain = true},
};

int main(void)
{
	struct tree tree = {.zones = zones, .count = countof(zones)};
	struct err err = {.text = ""};
	struct conf *conf = conf_parse(
		yaml, strlen(yaml), "/etc/a.yaml", auth_schema, &err);
	struct auth_config *config;
	struct text t;

	if (!conf)
		tap_bail("%s", err.text);
	config = auth_config_new(conf, 0);
	text_init(&t);
	nsdconf_server(config, "/var/lib/x/nsd.sock", &t);
	is_string(t.data, golden, "nsd.conf");
	text_fini(&t);
	nsdconf_zones(config, &tree, &t);
	is_string(t.data,
		"pattern:\n\tname: \"static\"\n"
		"\tzonefile: \"/var/lib/x/current/%s.zone\"\n"
		"zone:\n\tname: \"a\\032b.\"\n"
		"\tzonefile: \"/var/lib/x/current/0123.zone\"\n",
		"a clause for the odd name only");
	text_fini(&t);
	nsdconf_zone_list(&tree, NULL, &t);
	is_string(t.data,
		"# NSD zone list\n# name pattern\nadd plain static\n"
		"add health static\n",
		"zone.list");
	text_fini(&t);
	nsdconf_zone_list(&tree, &health, &t);
	is_string(t.data, "# NSD zone list\n# name pattern\nadd plain static\n",
		"zone.list without the hidden one");
	text_fini(&t);
	nsdconf_bulk_line(&zones[0], true, &t);
	nsdconf_bulk_line(&zones[0], false, &t);
	is_string(t.data, "plain static\nplain\n", "bulk lines");
	text_fini(&t);
	auth_config_free(config);
	conf_free(conf);
	return tap_done();
}
