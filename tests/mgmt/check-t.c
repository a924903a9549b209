/* SPDX-License-Identifier: ISC */
/* Values, rows and the whole model: each rule has a case that breaks it. */

#include "mgmt/check.h"

#include <errno.h>

#include "common/base/base.h"
#include "tests/mgmt/site.h"
#include "tests/tap/tap.h"

#define LABEL     "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij."
#define LONG_NAME LABEL LABEL LABEL LABEL

/* ---- values ---- */

static const struct {
	const char *table, *column, *in;
	const char *out; /* canonical JSON; NULL: refused */
	const char *why;
} values[] = {
	{"route", "suffix", "\"WWW.Example.COM\"", "\"www.example.com.\"", ""},
	{"route", "suffix", "\"a..b\"", NULL, "not a domain name"},
	{"route", "suffix", "5", NULL, "not a text"},
	{"route", "allow_transfer", "[\"10.1.2.0/24\"]", "[\"10.1.2.0/24\"]",
		""},
	{"route", "allow_update", "[\"10.1.2.3/24\"]", NULL, ""},
	{"route", "suffix", "\"a\\u0000b\"", NULL, "has a NUL"},
	{"acl_entry", "prefix", "\"10.0.0.0/8\"", "\"10.0.0.0/8\"", ""},
	{"acl_entry", "prefix", "\"10.1.2.3\"", "\"10.1.2.3/32\"", ""},
	{"acl_entry", "prefix", "\"10.1.2.3/8\"", NULL, "did you mean 10.0.0."},
	{"acl_entry", "prefix", "\"10.0.0.0/33\"", NULL, "not a prefix"},
	{"acl_entry", "list", "\"a b\"", NULL, "letters, digits"},
	{"acl_entry", "list", "\"-a\"", NULL, "letters, digits"},
	{"acl_entry", "list", "\"\"", NULL, "letters, digits"},
	{"backend", "address", "\"192.0.2.1\"", "\"192.0.2.1:53\"", ""},
	{"backend", "address", "\"2001:DB8::1\"", "\"[2001:db8::1]:53\"", ""},
	{"backend", "address", "\"host\"", NULL, "not an address"},
	{"backend", "weight", "0", NULL, "must be 1 to 1000"},
	{"backend", "weight", "\"10\"", "10", ""},
	{"backend", "weight", "1.5", NULL, "not a number"},
	{"cache", "memory", "\"256M\"", "268435456", ""},
	{"cache", "memory", "\"1G\"", "1073741824", ""},
	{"cache", "memory", "\"1X\"", NULL, "not a number"},
	{"cache", "memory", "\"99999999999999999999G\"", NULL, "not a number"},
	{"pool", "cache", "\"yes\"", "true", ""},
	{"pool", "cache", "\"off\"", "false", ""},
	{"pool", "cache", "\"maybe\"", NULL, "must be true or false"},
	{"pool", "policy", "\"best\"", NULL, "must be one of leastOutst"},
	{"node", "address", "\"10.0.0.1:53\"", NULL, "without port"},
	{"node", "roles", "\"ha\"", "[\"ha\"]", ""},
	{"node", "roles", "[]", NULL, "is empty"},
	{"node", "roles", "[\"ha\",\"ha\"]", NULL, "is there twice"},
	{"vip", "addresses", "[\"10.0.0.9/24\"]", "[\"10.0.0.9/24\"]", ""},
	{"vip", "addresses", "\"10.0.0.9\"", "[\"10.0.0.9/32\"]", ""},
	{"vip", "addresses", "\"10.0.0.9/40\"", NULL, "not an address"},
	{"vip", "vrid", "256", NULL, "must be 1 to 255"},
	{"vip", "password", "\"123456789\"", NULL, "longer than 8"},
	{"vip", "password", "\"a\\nb\"", NULL, "control character"},
	{"vip_node", "interface", "\"abcdefghijklmnop\"", NULL, "at most 15"},
	{"vip", "hmac", "\"on\"", NULL, "must be one of off, receive-only"},
	{"vip", "hmac_key", "0", NULL, "must be 1 to 255"},
	{"vip", "startup_delay_ms", "600001", NULL, "must be 0 to 600000"},
	{"ha", "fencing", "[\"/a\",\"-v\",\"-v\"]", "[\"/a\",\"-v\",\"-v\"]",
		""},
	{"ha", "fencing", "[\"/a\\n\"]", NULL, "control character"},
	{"ha", "fencing", "[1,2,3,4,5,6,7,8,9]", NULL, "more than 8 values"},
	{"ha", "probe_fall", "4", NULL, "must be 1 to 3"},
	{"anycast", "addresses", "\"198.51.100.53\"", "[\"198.51.100.53/32\"]",
		""},
	{"anycast", "engine", "\"exabgp\"", NULL, "must be one of bird, frr"},
	{"limit_exempt", "prefix", "\"10.1.2.3/8\"", NULL, "did you mean 10."},
	{"limit_misses", "labels", "0", NULL, "must be 1 to 127"},
	{"limit_misses", "registries", "\"CO.uk\"", "[\"co.uk.\"]", ""},
	{"block_policy", "max", "513", NULL, "must be 1 to 512"},
	{"frontend", "udp_size", "511", NULL, "must be 512 to 4096"},
	{"frontend", "metrics_listen", "\"\"", "\"\"", ""},
	{"frontend", "metrics_listen", "\"10.0.0.1\"", "\"10.0.0.1:8083\"", ""},
	{"frontend", "metrics_listen", "\"x\"", NULL, "not an address"},
	{"pool", "no_server", "\"refuse\"", NULL, "one of servfail, drop"},
	{"pool", "ecs", "\"on\"", NULL, "one of strip, forward, add"},
	{"backend", "check_min_serial", "4294967296", NULL, "must be 0 to"},
	{"limit_override", "miss_qps", "-2", NULL, "must be -1 to"},
	{"block_policy", "window_ms", "99", NULL, "must be 100 to 3600000"},
	{"block_policy", "action", "\"cache-only\"", NULL,
		"must be one of drop"},
	{"block_policy", "action", "\"nxdomain\"", "\"nxdomain\"", ""},
	{"policy", "empty", "\"refuse\"", NULL,
		"must be one of formerr, notimp, drop"},
	{"frontend_tcp", "reads", "65536", NULL, "must be 0 to 65535"},
	{"frontend_tcp", "ban_s", "86401", NULL, "must be 0 to 86400"},
	{"rule", "suffix", "\"Malware.EXAMPLE\"", "[\"malware.example.\"]", ""},
	{"rule", "suffix", "[\"a.test\",\"A.test.\"]", NULL, "is there twice"},
	{"rule", "source", "[\"10.0.0.1/24\"]", NULL, "did you mean 10.0.0."},
	{"rule", "position", "-1", NULL, "must be 0 to 1000000"},
	{"rule", "transport", "\"sctp\"", NULL, "must be one of udp, tcp"},
	{"rule", "transport", "\"\"", "\"\"", ""},
	{"rule", "rd", "\"clear\"", "\"clear\"", ""},
	{"rule", "dnssec", "\"true\"", NULL, "must be one of set, clear"},
	{"rule", "addresses", "[\"10.0.0.1:53\"]", NULL, "without port"},
	{"resolver", "root_hints_text", "\"a\\nb\\n\"", "\"a\\nb\\n\"", ""},
};

static void test_values(void)
{
	for (size_t i = 0; i < countof(values); i++) {
		const struct model_column *c = model_column(
			model_table(values[i].table), values[i].column);
		json_t *in = json_loads(
			values[i].in, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		struct err err = {""};
		json_t *out = NULL;
		int rc = model_value(c, in, &out, &err);
		char *text = out ? json_canonical(out) : NULL;

		if (values[i].out)
			is_string(text ? text : err.text, values[i].out,
				"%s %s", values[i].column, values[i].in);
		else
			ok(rc == -EINVAL && strstr(err.text, values[i].why),
				"%s %s: %s (%s)", values[i].column,
				values[i].in, values[i].why, err.text);
		free(text);
		json_decref(out);
		json_decref(in);
	}
}

/* ---- the whole ---- */

static const struct {
	const char *table, *key; /* row to spoil; key NULL: add a row */
	const char *json;        /* columns, or the new row */
	const char *why;
} spoils[] = {
	{"backend", NULL,
		"{\"pool\":\"nope\",\"name\":\"x\",\"address\":\"10.0.0.1\"}",
		"backend nope/x: there is no pool nope"},
	{"pool", NULL, "{\"pool\":\"rec\"}", "pool rec: is there twice"},
	{"route", "zaibdns.lab.", "{\"pool\":\"nope\"}",
		"route zaibdns.lab.: there is no pool nope"},
	{"route", ".", "{\"allow_notify\":[\"10.0.0.1/32\"]}",
		"route .: the default pool gets queries only"},
	{"route", "zaibdns.lab.",
		"{\"pool\":\"rec\",\"allow_update\":[\"10.0.0.1/32\"]}",
		"route zaibdns.lab.: only a pool of kind auth gets transfers, "
		"NOTIFY or UPDATE: pool set rec --kind auth"},
	{"backend", "auth", "{\"check_type\":\"NOTYPE\"}",
		"backend auth/auth1: check type \"NOTYPE\" is unknown"},
	{"backend", "auth", "{\"check_timeout_ms\":2000}",
		"longer than its interval"},
	{"backend", "auth", "{\"weight\":5000}", "must be 1 to 1000"},
	{"backend", "auth", "{\"pool\":\"rec\"}", "pool auth has no backend"},
	{"rule", NULL, "{\"name\":\"r\",\"action\":\"pool\",\"pool\":\"no\"}",
		"rule r: there is no pool no"},
	{"rule", NULL, "{\"name\":\"r\",\"action\":\"pool\"}",
		"rule r: action pool needs pool"},
	{"rule", NULL, "{\"name\":\"r\",\"action\":\"set-pool\"}",
		"rule r: action set-pool needs pool"},
	{"rule", NULL, "{\"name\":\"r\",\"action\":\"spoof\"}",
		"rule r: action spoof needs addresses"},
	{"rule", NULL, "{\"name\":\"r\",\"action\":\"rate-limit\",\"burst\":5}",
		"rule r: action rate-limit needs qps"},
	{"rule", NULL, "{\"name\":\"r\",\"action\":\"tag\"}",
		"rule r: action tag needs tag"},
	{"rule", "walled", "{\"pool\":\"rec\"}",
		"rule walled: pool goes with action pool, not with nxdomain"},
	{"rule", "walled", "{\"addresses\":[\"10.0.0.1\"]}",
		"addresses goes with action spoof"},
	{"rule", "walled", "{\"ttl_s\":5}", "ttl_s goes with action spoof"},
	{"rule", "walled", "{\"qps\":5}", "qps goes with action rate-limit"},
	{"rule", "walled", "{\"burst\":5}", "burst goes with action rate"},
	{"rule", "walled", "{\"per\":\"rule\"}", "per goes with action rate"},
	{"rule", "walled", "{\"over\":\"tc\"}", "over goes with action rate"},
	{"rule", "walled", "{\"tag\":\"x\"}", "tag goes with action tag"},
	{"rule", "walled", "{\"qtype\":[\"NOTYPE\"]}",
		"qtype: \"NOTYPE\" is not a type such as A"},
	{"rule", "monitoring", "{\"qtype\":[\"AXFR\"]}",
		"rule monitoring: AXFR: no rule lets it pass"},
	{"rule", "intern", "{\"qtype\":[\"IXFR\"]}",
		"rule intern: IXFR: no rule lets it pass"},
	{"rule", "chaos", "{\"qclass\":\"XX\"}",
		"qclass: \"XX\" is not a class such as IN"},
	{"rule", "updates", "{\"action\":\"nxdomain\"}",
		"rule updates: opcode UPDATE goes with actions drop, refuse"},
	{"rule", "portal",
		"{\"addresses\":[\"10.0.0.1\",\"10.0.0.2\",\"10.0.0.3\","
		"\"10.0.0.4\",\"10.0.0.5\",\"10.0.0.6\",\"10.0.0.7\","
		"\"10.0.0.8\",\"10.0.0.9\",\"10.0.0.10\",\"10.0.0.11\","
		"\"10.0.0.12\",\"10.0.0.13\",\"10.0.0.14\",\"10.0.0.15\","
		"\"10.0.0.16\",\"10.0.0.17\"]}",
		"rule portal: more than 16 addresses of one family"},
	{"rule", NULL, "{\"name\":\"all\",\"action\":\"drop\"}",
		"rule all: is there twice"},
	{"vip", "VI_DNS", "{\"interval_ms\":1500}", "whole seconds"},
	{"vip", "VI_DNS", "{\"version\":3}", "a password needs version 2"},
	{"vip", "VI_DNS", "{\"password\":\"\"}", "the password is missing"},
	{"vip", "VI_DNS", "{\"addresses\":[\"2001:db8::1/64\"]}",
		"IPv6 addresses need version 3"},
	{"vip", "VI_DNS",
		"{\"addresses\":[\"10.0.0.1/24\",\"2001:db8::1/64\"]}",
		"need a vip each"},
	{"vip", NULL,
		"{\"vip\":\"B\",\"vrid\":9,\"addresses\":[\"10.10.2.160/24\"]}",
		"address 10.10.2.160/24 is that of vip VI_DNS"},
	{"vip_node", NULL,
		"{\"vip\":\"VI_DNS\",\"node\":\"rec1\",\"interface\":\"e\"}",
		"node rec1 has not the role ha"},
	{"vip_node", NULL,
		"{\"vip\":\"VI_DNS\",\"node\":\"xx\",\"interface\":\"e\"}",
		"there is no node xx"},
	{"vip", "VI_DNS", "{\"accept_interval_ms\":1500}",
		"accept_interval_ms must be whole seconds"},
	{"vip", "VI_DNS", "{\"hmac\":\"enforce\"}",
		"vip VI_DNS: hmac and a password exclude each other"},
	{"vip", "VI_DNS", "{\"sync_group\":\"\"}",
		"vip VI_DNS6: sync group dns has no other vip"},
	{"vip", "VI_DNS", "{\"peers\":[\"2001:db8::1\"]}",
		"peers must be of the addresses' family"},
	{"vip", "VI_DNS6", "{\"gateway\":\"10.10.2.1\"}",
		"gateway must be an IPv4 address, of a vip of IPv4"},
	{"vip", "VI_DNS6", "{\"interval_ms\":105}", "in steps of 10 ms"},
	{"vip", "VI_DNS6", "{\"accept_interval_ms\":1000}",
		"accept_interval_ms is for version 2"},
	{"vip", "VI_DNS6", "{\"hmac_also\":2}",
		"hmac_also must differ from hmac_key"},
	{"vip", "VI_DNS6", "{\"hmac_window_ms\":100}",
		"hmac_window_ms must be whole seconds"},
	{"vip_node", "VI_DNS6", "{\"node\":\"dd2\"}",
		"vip node VI_DNS6/dd2: is there twice"},
	{"vip_node", "VI_DNS6", "{\"priority\":1}",
		"vip VI_DNS6: prefers node dd2, but vip VI_DNS of the same "
		"sync group dd1"},
	{"node", "dd1", "{\"roles\":[\"frontend\"]}",
		"node dd1 has not the role ha"},
	{"ha", NULL, "{}", "ha: must be one row"},
	{"anycast", "any4", "{\"addresses\":[]}",
		"anycast any4: needs either addresses or vip"},
	{"anycast", "any4", "{\"vip\":\"VI_DNS\"}",
		"anycast any4: needs either addresses or vip"},
	{"anycast", "any4", "{\"addresses\":[\"198.51.100.0/24\"]}",
		"address 198.51.100.0/24: must be a single host"},
	{"anycast", "any4", "{\"addresses\":[\"127.0.0.1/32\"]}",
		"address 127.0.0.1/32: must be a single host"},
	{"anycast", "any4",
		"{\"addresses\":[\"10.1.1.1/32\",\"2001:db8::1/128\"]}",
		"anycast any4: IPv4 and IPv6 addresses need a service each"},
	{"anycast", "any4", "{\"addresses\":[\"10.10.2.160/32\"]}",
		"address 10.10.2.160/32 is that of vip VI_DNS"},
	{"anycast", NULL,
		"{\"anycast\":\"x\",\"addresses\":[\"198.51.100.54\"]}",
		"anycast x: address 198.51.100.54/32 is that of anycast any4"},
	{"anycast", NULL, "{\"anycast\":\"x\",\"vip\":\"VI_DNS6\"}",
		"anycast x: vip VI_DNS6 is routed by anycast by-vip"},
	{"anycast", "any4", "{\"track_frontend\":false,\"track_probe\":false}",
		"needs track_frontend or track_probe"},
	{"anycast", "any4", "{\"metric\":1000}",
		"drain_metric must be larger than metric"},
	{"anycast", "any4", "{\"table\":254}", "table: packets are forwarded"},
	{"anycast_node", "any4", "{\"metric\":1000}",
		"node dd1: metric must be less than drain_metric"},
	{"anycast_node", NULL, "{\"anycast\":\"any4\",\"node\":\"rec1\"}",
		"anycast any4: node rec1 has not the role ha"},
	{"node", "rec1", "{\"roles\":[\"resolver\",\"authority\"]}",
		"node rec1: two roles would listen on port 53"},
	{"node", "rec1", "{\"address\":\"10.10.2.163\"}",
		"node rec1: address 10.10.2.163 is that of node auth1"},
	{"node", "rec1", "{\"address\":\"010.10.2.1\"}", "not an address"},
	{"route", ".", "{\"suffix\":\"x.\"}",
		"a frontend needs a default pool"},
	{"limits", NULL, "{}", "limits: must be one row"},
	{"block_policy", NULL, "{}", "block_policy: must be one row"},
	{"frontend_tcp", NULL, "{}", "frontend_tcp: must be one row"},
	{"backend", "rec", "{\"check_rcode\":\"NOCODE\"}",
		"backend rec/rec1: the check's rcode is not one such as"},
	{"backend", "rec", "{\"check_min_serial\":1}",
		"backend rec/rec1: a check with a serial needs type SOA"},
	{"backend", "rec", "{\"check_min_serial\":1,\"check_type\":\"SOA\"}",
		"a check has a serial or a random label, not both"},
	{"backend", "rec", "{\"check_name\":\"" LONG_NAME "\"}",
		"the check's name is too long for a random label"},
	{"frontend_retry", "", "{\"timeout_ms\":2501}",
		"frontend retry: the timeout is longer than the deadline"},
	{"limit_misses", NULL, "{}", "limit_misses: must be one row"},
	{"limit_exempt", NULL, "{\"prefix\":\"10.10.2.166/32\"}",
		"limit exemption 10.10.2.166/32: is there twice"},
	{"acl", "clients", "{\"action\":\"allow\"}", "must be one of refuse"},
	{"acl", "clients", "{\"extra\":1}", "unknown argument \"extra\""},
};

static void test_spoil(size_t i)
{
	json_t *doc = site_doc();
	struct err err = {""};

	if (!spoils[i].key) {
		ok(site_add(doc, spoils[i].table, spoils[i].json), "a row");
	} else {
		json_t *row = site_row(doc, spoils[i].table, spoils[i].key);
		json_t *change = json_loads(spoils[i].json, 0, NULL);

		json_object_update(row, change);
		json_decref(change);
	}
	is_int(check_model(doc, &err), -EINVAL, "%s %s", spoils[i].table,
		spoils[i].json);
	ok(strstr(err.text, spoils[i].why) != NULL, "says: %s (%s)",
		spoils[i].why, err.text);
	ok(strchr(err.text, '\n') == NULL, "in one line");
	json_decref(doc);
}

/* Two instances may share an id where they share no interface. */
static void test_vrid(void)
{
	json_t *doc = site_doc();
	struct err err = {""};

	site_add(doc, "vip",
		"{\"vip\":\"B\",\"vrid\":51,\"addresses\":[\"10.9.9.9/24\"]}");
	is_int(check_model(doc, &err), 0, "same vrid, no node: fine");
	site_add(doc, "vip_node",
		"{\"vip\":\"B\",\"node\":\"dd1\",\"interface\":\"ens224\"}");
	is_int(check_model(doc, &err), 0, "another interface: fine");
	json_object_set_new(site_row(doc, "vip_node", "B"), "interface",
		json_string("ens160"));
	is_int(check_model(doc, &err), -EINVAL, "the same interface: not");
	ok(strstr(err.text, "vrid 51 is that of vip VI_DNS") != NULL, "%s",
		err.text);
	json_decref(doc);
}

/* Who carries all must bear all. */
static void test_load(void)
{
	json_t *doc = site_doc();
	struct err err = {""};

	json_object_set_new(
		site_row(doc, "vip", "VI_DNS"), "qps", json_integer(60000));
	json_object_set_new(
		site_row(doc, "vip", "VI_DNS6"), "qps", json_integer(50000));
	json_object_set_new(site_row(doc, "node", "dd2"), "capacity_qps",
		json_integer(110000));
	is_int(check_model(doc, &err), 0, "dd2 can serve both: %s", err.text);
	json_object_set_new(site_row(doc, "node", "dd2"), "capacity_qps",
		json_integer(100000));
	is_int(check_model(doc, &err), -EINVAL, "now it cannot");
	is_string(err.text,
		"node dd2: alone it must serve 110000 queries/s, the sum of "
		"its vips' qps, but its capacity_qps is 100000",
		"says why");
	json_decref(doc);
}

static void test_fencing(void)
{
	json_t *doc = site_doc();
	struct err err = {""};

	json_object_set_new(json_array_get(json_object_get(doc, "ha"), 0),
		"fencing", json_pack("[s]", "fence"));
	is_int(check_model(doc, &err), -EINVAL, "a program without its path");
	is_string(err.text,
		"ha: fencing: fence: must be the absolute path of a program",
		"says so");
	json_decref(doc);
}

/* A node that carries half of a group cannot lead it. */
static void test_group(void)
{
	json_t *doc = site_doc();
	json_t *rows = json_object_get(doc, "vip_node");
	struct err err = {""};

	json_array_remove(rows, json_array_size(rows) - 1);
	is_int(check_model(doc, &err), -EINVAL, "half a group on dd2");
	is_string(err.text,
		"vip VI_DNS6: node dd2 carries vip VI_DNS of the same sync "
		"group, but not this one",
		"says which");
	json_decref(doc);
}

/* As many as a frontend takes, and one more. */
static void test_rules(void)
{
	json_t *doc = site_doc(), *rows = json_object_get(doc, "rule");
	struct err err = {""};
	char json[80];

	for (size_t i = json_array_size(rows); i < 4096; i++) {
		snprintf(json, sizeof(json),
			"{\"name\":\"r%zu\",\"action\":\"allow\"}", i);
		site_add(doc, "rule", json);
	}
	is_int(check_model(doc, &err), 0, "4096 rules: %s", err.text);
	site_add(doc, "rule", "{\"name\":\"z\",\"action\":\"allow\"}");
	is_int(check_model(doc, &err), -EINVAL, "4097 are not");
	is_string(err.text, "more than 4096 rules", "says so");
	json_array_clear(rows);
	site_add(doc, "pool", "{\"pool\":\"none\"}");
	site_add(doc, "rule",
		"{\"name\":\"r\",\"action\":\"pool\",\"pool\":\"none\"}");
	is_int(check_model(doc, &err), -EINVAL, "a pool without backends");
	is_string(err.text, "rule r: pool none has no backend", "says which");
	json_decref(doc);
}

/* The longest list of names; its values are compared with each other. */
static void test_long_list(void)
{
	const struct model_column *c =
		model_column(model_table("rule"), "suffix");
	json_t *names = json_array(), *out = NULL;
	struct err err = {""};

	for (int i = 0; i < 10000; i++)
		json_array_append_new(names, json_sprintf("n%d.test", i));
	is_int(model_value(c, names, &out, &err), 0, "10000 names");
	json_decref(out);
	json_array_set_new(names, 9999, json_string("N0.TEST."));
	is_int(model_value(c, names, &out, &err), -EINVAL, "the first again");
	is_string(err.text, "suffix: n0.test. is there twice", "says so");
	json_array_append_new(names, json_string("more.test"));
	is_int(model_value(c, names, &out, &err), -EINVAL, "one more");
	is_string(err.text, "suffix: more than 10000 values", "says so");
	json_decref(names);
}

int main(void)
{
	json_t *doc = site_doc();
	struct err err = {""};

	is_int(check_model(doc, &err), 0, "the site is valid: %s", err.text);
	json_decref(doc);
	test_values();
	for (size_t i = 0; i < countof(spoils); i++)
		test_spoil(i);
	test_vrid();
	test_load();
	test_fencing();
	test_group();
	test_rules();
	test_long_list();
	return tap_done();
}
