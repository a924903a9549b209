/* SPDX-License-Identifier: ISC */

/* The anycast part of ha.yaml: defaults, values, one line per mistake. */

#include "ha/config.h"

#include "tests/tap/tap.h"

static struct config *build(const char *text, struct err *err)
{
	struct conf *conf =
		conf_parse(text, strlen(text), "ha.yaml", config_schema, err);
	struct config *c;

	if (!conf)
		return NULL;
	c = config_build(conf, err);
	conf_free(conf);
	return c;
}

static void test_good(void)
{
	struct err err = {.text = ""};
	struct config *c = build("anycast:\n"
				 "  dns: {addresses: [192.0.2.53/32]}\n"
				 "  dns6:\n"
				 "    addresses: [\"2001:db8::53/128\","
				 " \"2001:db8::54\"]\n"
				 "    table: 300\n"
				 "    metric: 50\n"
				 "    drain_metric: 60\n"
				 "    drain_time: 0s\n"
				 "    linger: 1m\n"
				 "    last_man: true\n"
				 "    track: {probe: false}\n",
		&err);
	const struct config_anycast *a;

	if (!c)
		tap_bail("%s", err.text);
	is_int((long long)c->anycast_count, 2, "two, and no virtual router");
	a = &c->anycast[0];
	is_string(a->name, "dns", "name");
	is_int(a->family, 4, "IPv4");
	is_int(a->addr_count, 1, "one address");
	is_int(a->table, 201, "table 201");
	is_int(a->metric, 100, "metric 100");
	is_int(a->drain_metric, 1000, "drain metric 1000");
	is_int(a->drain_us, 5000000, "5 s of drain");
	is_int(a->linger_us, 10000000, "10 s of linger");
	ok(a->track_frontend && a->track_probe && !a->last_man && !a->for_frr,
		"flags");
	a = &c->anycast[1];
	is_int(a->family, 6, "IPv6");
	is_int(a->addr_count, 2, "two addresses, one without a length");
	is_int(a->addrs[1][15], 0x54, "in their order");
	is_int(a->table, 300, "table");
	is_int(a->linger_us, 60000000, "linger");
	ok(a->track_frontend && !a->track_probe && a->last_man, "other flags");
	ok(config_same_anycast(a, a) && !config_same_anycast(a, a - 1),
		"which is the same");
	config_free(c);
}

static void test_instance(void)
{
	struct err err = {.text = ""};
	struct config *c = build("instances:\n"
				 "  V6: {interface: eth0, vrid: 5, addresses:\n"
				 "    [\"fe80::1/64\", \"2001:db8::1/64\"]}\n"
				 "anycast:\n"
				 "  x: {instance: V6}\n",
		&err);

	if (!c)
		tap_bail("%s", err.text);
	is_int(c->anycast[0].family, 6, "family of the virtual router");
	is_int(c->anycast[0].addr_count, 1, "its addresses but link-local");
	is_int(c->anycast[0].addrs[0][0], 0x20, "the public one");
	config_free(c);
}

static void test_bad(void)
{
	static const struct {
		const char *more, *want;
	} rows[] = {
		{"{}", "need either addresses or instance"},
		{"{addresses: [192.0.2.1/32], instance: VI}", "need either"},
		{"{instance: nobody}", "no such virtual router"},
		{"{addresses: [192.0.2.0/24]}", "single hosts"},
		{"{addresses: [127.0.0.1/32]}", "can be routed"},
		{"{addresses: [224.0.0.1/32]}", "can be routed"},
		{"{addresses: [\"fe80::1/128\"]}", "can be routed"},
		{"{addresses: [\"ff02::1/128\"]}", "can be routed"},
		{"{addresses: [\"::1/128\"]}", "can be routed"},
		{"{addresses: [everywhere]}", "ha.yaml:4: "},
		{"{addresses: [192.0.2.1/32, 192.0.2.1/32]}", "belongs to x"},
		{"{addresses: [10.1.2.3/32]}", "belongs to VI"},
		{"{addresses: [192.0.2.1/32, \"2001:db8::1/128\"]}",
			"an entry each"},
		{"{addresses: [\"2001:db8::1/128\"], engine: frr}",
			"table: 201: FRR takes IPv6 from table 254 (main)"},
		{"{addresses: [\"2001:db8::1/128\"], table: 254}",
			"table: 254: packets are forwarded by it"},
		{"{addresses: [192.0.2.1/32], engine: frr, table: 254}",
			"table: 254: packets are forwarded by it"},
		{"{addresses: [192.0.2.1/32], engine: quagga}", "ha.yaml:4: "},
		{"{addresses: [192.0.2.1/32], table: 254}", "private"},
		{"{addresses: [192.0.2.1/32], table: 0}", "ha.yaml:4: "},
		{"{addresses: [192.0.2.1/32], metric: 0}", "ha.yaml:4: "},
		{"{addresses: [192.0.2.1/32], metric: 1000}",
			"larger than metric"},
		{"{addresses: [192.0.2.1/32], nonsense: 1}", "ha.yaml:4: "},
		{"{addresses: [192.0.2.1/32],"
		 " track: {frontend: false, probe: false}}",
			"need frontend or probe"},
		{"{addresses: [192.0.2.1/32]}\n"
		 "  y: {addresses: [192.0.2.1/32]}",
			"belongs to x"},
		{"{instance: VI}\n  y: {instance: VI}", "by x already"},
	};

	for (size_t i = 0; i < countof(rows); i++) {
		struct err err = {.text = ""};
		struct config *c;
		char text[512];

		snprintf(text, sizeof(text),
			"instances:\n"
			"  VI: {interface: e, vrid: 1, addresses: "
			"[10.1.2.3/24]}\n"
			"anycast:\n  x: %s\n",
			rows[i].more);
		c = build(text, &err);
		ok(!c && strncmp(err.text, "ha.yaml:", 8) == 0 &&
				strstr(err.text, rows[i].want),
			"refused: %s", err.text);
		ok(!strchr(err.text, '\n'), "in one line");
		config_free(c);
	}
}

int main(void)
{
	test_good();
	test_instance();
	test_bad();
	return tap_done();
}
