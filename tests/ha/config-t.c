/* SPDX-License-Identifier: ISC */

/* ha.yaml: the shipped example, defaults, and one line for each mistake. */

#include "ha/config.h"

#include "tests/tap/tap.h"

#define KEY                                                                    \
	"000102030405060708090a0b0c0d0e0f"                                     \
	"101112131415161718191a1b1c1d1e1f"

/* One more than a packet takes. */
#define V6(n) "\"fd00::" n "\","
#define V6_10(n)                                                               \
	V6(n "0")                                                              \
	V6(n "1")                                                              \
	V6(n "2")                                                              \
	V6(n "3") V6(n "4") V6(n "5") V6(n "6") V6(n "7") V6(n "8") V6(n "9")
#define V6_90                                                                  \
	V6_10("1")                                                             \
	V6_10("2")                                                             \
	V6_10("3")                                                             \
	V6_10("4") V6_10("5") V6_10("6") V6_10("7") V6_10("8") V6_10("9")

/* A good instance; `more` is added to it, indented by four. */
static const char *with(const char *more)
{
	static char text[2048];

	snprintf(text, sizeof(text),
		"instances:\n"
		"  VI:\n"
		"    interface: eth0\n"
		"    vrid: 51\n"
		"    addresses: [10.1.2.3/24]\n"
		"%s",
		more);
	return text;
}

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

static void test_defaults(void)
{
	struct err err = {.text = ""};
	struct config *c = build(with(""), &err);
	const struct config_instance *in;

	if (!c)
		tap_bail("%s", err.text);
	in = &c->instances[0];
	is_string(in->name, "VI", "name");
	is_int(in->version, 3, "version 3");
	is_int(in->interval_us, 100000, "100 ms");
	is_int(in->priority, 254, "priority 254");
	is_int(in->family, 4, "family");
	is_int(in->vips[0].prefix, 24, "prefix length");
	is_int(in->wire_count, 1, "one address in adverts");
	ok(in->track_frontend && in->track_probe && in->preempt && in->rescue,
		"flags");
	is_int(c->linger_us, 2000000, "linger");
	is_int(c->handover_port, 7112, "handover port");
	is_string(c->health_path, "/run/ispdns/ha/health.sock", "socket");
	ok(c->has_metrics, "metrics page");
	config_free(c);
}

/* What a preset says, and what is given beside it. */
static void test_presets(void)
{
	static const struct {
		const char *text;
		int version, interval_us;
	} t[] = {
		{"    preset: default\n", 3, 100000},
		{"    preset: fast\n", 3, 20000},
		{"    preset: legacy\n", 2, 1000000},
		{"    preset: fast\n    interval: 10ms\n", 3, 10000},
		{"    preset: legacy\n    interval: 2s\n", 2, 2000000},
		{"    preset: legacy\n    version: 3\n", 3, 1000000},
		{"    version: 2\n    interval: 1s\n", 2, 1000000},
	};

	for (size_t i = 0; i < countof(t); i++) {
		struct err err = {.text = ""};
		struct config *c = build(with(t[i].text), &err);

		if (!c)
			tap_bail("%s", err.text);
		is_int(c->instances[0].version, t[i].version, "preset %zu", i);
		is_int(c->instances[0].interval_us, t[i].interval_us,
			"preset %zu: interval", i);
		config_free(c);
	}
}

static void test_values(void)
{
	struct err err = {.text = ""};
	struct config *c =
		build("instances:\n"
		      "  V6:\n"
		      "    interface: eth1\n"
		      "    vrid: 7\n"
		      "    interval: 1s\n"
		      "    priority: 100\n"
		      "    advertise: all\n"
		      "    addresses: [fe80::1/64, 2001:db8::1/64]\n"
		      "    peers: [fe80::2]\n"
		      "    sync_group: dns\n"
		      "    handover_peers: [10.0.0.2, \"[2001:db8::2]:99\"]\n"
		      "  V4:\n"
		      "    interface: eth1\n"
		      "    vrid: 7\n"
		      "    version: 2\n"
		      "    interval: 2s\n"
		      "    auth: pass\n"
		      "    password: lab1234567\n"
		      "    sync_group: dns\n"
		      "    addresses: [10.1.2.3, 10.1.2.4/24]\n"
		      "handover: {key: 000102030405060708090a0b0c0d0e0f}\n"
		      "fencing: {program: [/bin/fence, off, \"a b\"]}\n"
		      "metrics: {listen: \"\"}\n",
			&err);
	const struct config_instance *v6, *v4;

	if (!c)
		tap_bail("%s", err.text);
	v6 = &c->instances[0];
	v4 = &c->instances[1];
	is_int(v6->family, 6, "IPv6");
	is_int(v6->wire_count, 2, "all addresses in adverts");
	is_int(v6->wire[16], 0x20, "in their order");
	is_int(v6->peer_count, 1, "unicast peer");
	is_int(addr_port(&v6->handover[0]), 7112, "default port of a peer");
	is_int(addr_port(&v6->handover[1]), 99, "given port of a peer");
	is_int(v4->vips[0].prefix, 32, "no length: one host");
	is_int(memcmp(v4->auth, "lab12345", 8), 0,
		"case 23: 8 octets of the password count");
	ok(v4->password_cut && !v6->password_cut,
		"case 23: and there is something to warn of");
	is_int((long long)c->key_len, 16, "key");
	is_int((long long)c->fence_count, 3, "fencing: words");
	is_string(c->fence_args[2], "a b", "fencing: one with a blank");
	is_int(c->fence_timeout_ms, 10000, "fencing: time");
	ok(!c->has_metrics, "no metrics page");
	is_string(v6->group, "dns", "sync group");
	ok(!config_same_router(v4, v6), "a VRID per family");
	config_free(c);
}

static void test_hmac(void)
{
	struct err err = {.text = ""};
	struct config *c =
		build(with("    hmac: {mode: permissive, active: 9, keys: "
			   "{1: " KEY ", 9: " KEY KEY "}}\n"),
			&err);
	const struct hmac_conf *h;

	if (!c)
		tap_bail("%s", err.text);
	h = &c->instances[0].hmac;
	is_int(h->mode, HMAC_PERMISSIVE, "hmac: mode");
	is_int(h->key_count, 2, "hmac: keys");
	is_int(h->keys[h->active].id, 9, "hmac: the active one");
	is_int(h->keys[1].len, 64, "hmac: its length");
	is_int(h->keys[0].octets[31], 31, "hmac: an octet");
	is_int(h->window_s, 5, "hmac: window");
	config_free(c);
	c = build(with("    interval: 10s\n"), &err);
	is_int(c ? c->instances[0].hmac.window_s : 0, 30,
		"hmac: window of slow adverts");
	config_free(c);
}

static void test_bad(void)
{
	static const struct {
		const char *more, *want;
	} rows[] = {
		{"    version: 4\n", "ha.yaml:6: "},
		{"    vrid: 52\n", "ha.yaml:6: "}, /* twice */
		{"    priority: 255\n", "ha.yaml:6: "},
		{"    nonsense: 1\n", "ha.yaml:6: "},
		{"    interval: 5ms\n", "ha.yaml:6: "},
		{"    interval: 41s\n", "ha.yaml:6: "},
		{"    interval: 105ms\n", "ha.yaml:6: "},
		{"    version: 2\n    interval: 1500ms\n", "ha.yaml:7: "},
		{"    version: 2\n", "ha.yaml:3: interval: version 2 has "},
		{"    preset: legacy\n    interval: 100ms\n", "ha.yaml:7: "},
		{"    preset: slow\n", "ha.yaml:6: instances.VI.preset: "},
		{"    version: 2\n    interval: 1s\n    auth: pass\n",
			"ha.yaml:8: "},
		{"    auth: pass\n    password: x\n", "ha.yaml:6: "},
		{"    peers: [\"fe80::1\"]\n", "ha.yaml:6: "},
		{"    peers: [nobody]\n", "ha.yaml:6: "},
		{"    accept_interval: 2s\n", "ha.yaml:6: "},
		{"    track: {gateway: nowhere}\n", "ha.yaml:6: "},
		{"    track: {gateway: \"fe80::1\"}\n", "ha.yaml:6: "},
		{"  VJ:\n    interface: eth0\n    vrid: 51\n"
		 "    addresses: [10.9.9.9/24]\n",
			"ha.yaml:"},
		{"  VJ:\n    interface: eth0\n    vrid: 52\n"
		 "    addresses: [10.1.2.3/24]\n",
			"ha.yaml:"},
		{"  VJ:\n    interface: eth0\n    vrid: 53\n", "ha.yaml:"},
		{"  VJ:\n    vrid: 53\n    addresses: [10.9.9.9/24]\n",
			"ha.yaml:"},
		{"  VJ:\n    interface: eth0\n    vrid: 53\n"
		 "    addresses: [10.9.9.9/24, \"2001:db8::1/64\"]\n",
			"ha.yaml:9: "},
		{"  VJ:\n    interface: eth0\n    vrid: 53\n"
		 "    addresses: [10.9.9.9/33]\n",
			"ha.yaml:9: "},
		{"  VJ:\n    interface: eth0\n    vrid: 53\n"
		 "    addresses: [10.9.9.9/24, 10.9.9.9/32]\n",
			"ha.yaml:9: "},
		{"  VJ:\n    interface: eth0\n    vrid: 53\n    version: 2\n"
		 "    interval: 1s\n    addresses: [\"2001:db8::1/64\"]\n",
			"ha.yaml:"},
		{"  VJ:\n    interface: eth0\n    vrid: 53\n"
		 "    advertise: all\n    addresses: [" V6_90 "]\n",
			"ha.yaml:9: "},
		{"    sync_group: alone\n", "ha.yaml:6: "},
		{"    hmac: {mode: enforce}\n", "ha.yaml:6: "},
		{"    hmac: {mode: loud}\n", "ha.yaml:6: "},
		{"    hmac: {keys: {1: abcd}}\n", "ha.yaml:6: "},
		{"    hmac: {keys: {256: " KEY "}}\n", "ha.yaml:6: "},
		{"    hmac: {keys: {1: " KEY ", 01: " KEY "}}\n",
			"ha.yaml:6: "},
		{"    hmac: {mode: enforce, active: 2, keys: {1: " KEY "}}\n",
			"ha.yaml:6: "},
		{"    version: 2\n    interval: 1s\n    auth: pass\n"
		 "    password: x\n"
		 "    hmac: {mode: enforce, keys: {1: " KEY "}}\n",
			"ha.yaml:10: "},
		{"handover: {key: abc}\n", "ha.yaml:6: "},
		{"metrics: {listen: everywhere}\n", "ha.yaml:6: "},
		{"linger: 2h\n", "ha.yaml:6: "},
		{"fencing: {program: [fence]}\n", "ha.yaml:6: "},
		{"fencing: {program: [/a, b, b, b, b, b, b, b, b]}\n",
			"ha.yaml:6: "},
	};

	for (size_t i = 0; i < countof(rows); i++) {
		struct err err = {.text = ""};
		struct config *c = build(with(rows[i].more), &err);
		char *newline;

		ok(!c && strncmp(err.text, rows[i].want,
				 strlen(rows[i].want)) == 0,
			"case 80: refused with its line: %.40s", err.text);
		newline = strchr(err.text, '\n');
		if (c || newline)
			tap_diag("%s", rows[i].more);
		ok(!newline, "in one line");
		config_free(c);
	}
}

/* What a person is shown has no key in it; what a program reads has all. */
static void test_secrets(void)
{
	static const char text[] =
		"instances:\n  VI: {interface: e, vrid: 1, version: 2, "
		"interval: 1s, auth: pass, password: hush-hsh, addresses: "
		"[10.0.0.1/24]}\n"
		"  VJ: {interface: e, vrid: 2, addresses: [10.0.0.2/24], "
		"hmac: {mode: enforce, keys: {\"1\": " KEY "}}}\n"
		"handover: {key: " KEY "}\n";
	struct err err = {.text = ""};
	struct conf *conf =
		conf_parse(text, strlen(text), "ha.yaml", config_schema, &err);
	struct text shown, printed;

	if (!conf)
		tap_bail("%s", err.text);
	text_init(&shown);
	text_init(&printed);
	conf_show(conf, &shown);
	conf_print(conf, &printed);
	ok(!strstr(shown.data, "hush-hsh") && !strstr(shown.data, KEY),
		"shown: no secret");
	ok(strstr(shown.data, "password: \"***\"") != NULL &&
			strstr(shown.data, "password: \"\"") != NULL,
		"shown: but whether there is one");
	ok(strstr(printed.data, "hush-hsh") && strstr(printed.data, KEY),
		"printed: whole");
	text_fini(&shown);
	text_fini(&printed);
	conf_free(conf);
}

/* What would work at first and fail when it matters, each with its reason. */
static void test_unsafe(void)
{
	static const struct {
		const char *more, *why;
	} rows[] = {
		/* two owners */
		{"    priority: 255\n", "1..254"},
		{"    vrid: 51\n  VJ:\n    interface: eth0\n    vrid: 51\n"
		 "    addresses: [10.9.9.9/24]\n",
			"duplicate key"},
		{"  VJ:\n    interface: eth0\n    vrid: 51\n"
		 "    addresses: [10.9.9.9/24]\n",
			"vrid: 51 on eth0 is VI already"},
		{"  VJ:\n    interface: eth1\n    vrid: 52\n"
		 "    addresses: [10.1.2.3/24]\n",
			"one of them belongs to VI already"},
		/* a threshold that is not reached */
		{"health: {probe: {fall: 4}}\n", "1..3"},
		{"health: {probe: {timeout: 2s}}\n",
			"timeout: longer than the interval"},
		{"    hmac: {window: 1h}\n", "window"},
		/* an interval that is not safe */
		{"    interval: 5ms\n", "10ms"},
		{"    interval: 20ms\nrealtime: false\n",
			"below 50ms needs realtime: true"},
		{"    version: 2\n    interval: 100ms\n",
			"version 2 has whole seconds"},
	};

	for (size_t i = 0; i < countof(rows); i++) {
		struct err err = {.text = ""};
		struct config *c = build(with(rows[i].more), &err);

		ok(!c && strstr(err.text, rows[i].why),
			"unsafe, refused: %s: %s", rows[i].why, err.text);
		config_free(c);
	}
}

static void test_example(void)
{
	const char *source = getenv("ISPDNS_SRCDIR");
	char path[4096];
	struct err err = {.text = ""};
	struct conf *conf;
	struct config *c;

	snprintf(path, sizeof(path), "%s/deploy/examples/ha.yaml",
		source ? source : ".");
	conf = conf_read(path, config_schema, &err);
	c = conf ? config_build(conf, &err) : NULL;
	if (!c)
		tap_bail("%s", err.text);
	is_int(c->instances[0].version, 2, "example: version 2");
	is_int(memcmp(c->instances[0].auth, "lab123\0", 8), 0,
		"example: password");
	config_free(c);
	conf_free(conf);
}

int main(void)
{
	test_defaults();
	test_presets();
	test_values();
	test_hmac();
	test_bad();
	test_secrets();
	test_unsafe();
	test_example();
	return tap_done();
}
