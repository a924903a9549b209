/* SPDX-License-Identifier: ISC */
/* The schema of authority.yaml, its clashes, the flat view of its zones. */
#include "authority/config.h"

#include "tests/tap/tap.h"

#include <errno.h>

static struct conf *read_text(const char *text, struct err *err)
{
	struct conf *conf = conf_parse(
		text, strlen(text), "/etc/x/a.yaml", auth_schema, err);

	if (conf && auth_config_check(conf, err) < 0) {
		conf_free(conf);
		return NULL;
	}
	return conf;
}

static void refused(const char *text, const char *want)
{
	struct err err = {.text = ""};
	struct conf *conf = read_text(text, &err);

	ok(!conf, "refused: %s", want);
	is_string(err.text, want, "and says so");
	conf_free(conf);
}

static void test_bad(void)
{
	refused("zones: []\n", "/etc/x/a.yaml:1: listen: is required here");
	refused("listen: []\n", "/etc/x/a.yaml:1: listen: 0 entries: must have "
				"1 to 64");
	refused("listen: [192.0.2.1, \"192.0.2.1:53\"]\n",
		"/etc/x/a.yaml:1: listen: 192.0.2.1:53: twice");
	refused("listen: [\"192.0.2.1:0\"]\n",
		"/etc/x/a.yaml:1: listen: 192.0.2.1:0: no port");
	refused("listen: [192.0.2.1]\nzones:\n  - {name: a., file: x}\n"
		"  - {name: b., file: x}\n  - {name: A, file: y}\n",
		"/etc/x/a.yaml:5: zones: a.: twice, first in line 3");
	refused("listen: [192.0.2.1]\nhealth_zone: h.\nzones:\n"
		"  - {name: H, file: x}\n",
		"/etc/x/a.yaml:4: zones: h.: is the health zone");
	refused("listen: [192.0.2.1]\nstate: /var/%x\n",
		"/etc/x/a.yaml:2: state: at most 90 octets, without \" \\ and "
		"%");
}

static void test_sha(void)
{
	char text[200], sha[65];

	memset(sha, 'z', 64);
	sha[64] = '\0';
	snprintf(text, sizeof(text),
		"listen: [192.0.2.1]\nzones:\n"
		"  - {name: a., file: x, sha256: %s}\n",
		sha);
	refused(text, "/etc/x/a.yaml:3: zones.sha256: must be 64 hex digits");
}

static void probe_addr(const char *listen, const char *want)
{
	char text[128], buf[ADDR_TEXT];
	struct err err = {.text = ""};
	struct auth_config *config;
	struct conf *conf;
	union addr a;

	snprintf(text, sizeof(text), "listen: [%s]\n", listen);
	conf = read_text(text, &err);
	if (!conf)
		tap_bail("%s", err.text);
	config = auth_config_new(conf, 0);
	a = auth_config_probe_addr(config);
	is_string(addr_print(&a, buf), want, "%s is asked at %s", listen, want);
	auth_config_free(config);
	conf_free(conf);
}

static void test_view(void)
{
	struct err err = {.text = ""};
	struct conf *conf = read_text(
		"listen: [192.0.2.1]\nnsd: /opt/nsd/sbin/nsd\nzones:\n"
		"  - {name: B.test, file: zones/b, serial: 4294967295}\n"
		"  - {name: a.test, file: /z/a}\n",
		&err);
	struct auth_config *config;
	char tool[64];

	if (!conf)
		tap_bail("%s", err.text);
	config = auth_config_new(conf, 42);
	is_int(config->generation, 42, "generation");
	is_int(config->zone_count, 2, "zones");
	is_string(config->zones[0].file, "/etc/x/zones/b", "file");
	ok(config->zones[0].has_serial &&
			config->zones[0].serial == 4294967295U,
		"serial");
	ok(!config->zones[1].has_serial && !config->zones[1].sha256,
		"nothing told");
	is_string(auth_config_state(config), "/var/lib/ispdns/authority",
		"state");
	is_int(auth_config_tool(config, "nsd-checkzone", tool, sizeof(tool)), 0,
		"tool");
	is_string(tool, "/opt/nsd/sbin/nsd-checkzone", "beside nsd");
	is_int(auth_config_tool(config, "nsd-checkzone", tool, 10),
		-ENAMETOOLONG, "no room");
	auth_config_free(config);
	conf_free(conf);
}

int main(void)
{
	struct err err = {.text = ""};

	is_int(schema_check(auth_schema, &err), 0, "the schema is sound: %s",
		err.text);
	test_bad();
	test_sha();
	test_view();
	probe_addr("192.0.2.1", "192.0.2.1:53");
	probe_addr("192.0.2.1, \"127.0.0.1:54\"", "127.0.0.1:54");
	probe_addr("\"0.0.0.0:55\"", "127.0.0.1:55");
	probe_addr("\"[::]:56\"", "[::1]:56");
	return tap_done();
}
