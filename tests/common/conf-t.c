/* SPDX-License-Identifier: ISC */
/* Configuration text against a schema: values, defaults, errors with lines. */

#include "common/ctl/conf.h"

#include "tests/common/conf-schema.h"
#include "tests/tap/failmem.h"
#include "tests/tap/tap.h"

#include <errno.h>
#include <math.h>

static struct conf *parse(const char *text, struct err *err)
{
	return conf_parse(
		text, strlen(text), "/etc/x/t.yaml", test_schema, err);
}

/* `text` is refused with exactly this line. */
static void refused(const char *text, const char *want)
{
	struct err err = {.text = ""};
	struct conf *conf = parse(text, &err);

	ok(!conf, "refused: %s", want);
	is_string(err.text, want, "with its line");
	conf_free(conf);
}

/* `text` is refused with a line that starts so. */
static void refused_at(const char *text, const char *want)
{
	struct err err = {.text = ""};
	struct conf *conf = parse(text, &err);

	if (!ok(!conf && strncmp(err.text, want, strlen(want)) == 0,
		    "refused: %s...", want))
		tap_diag("got \"%s\"", err.text);
	conf_free(conf);
}

static struct conf *accepted(const char *text)
{
	struct err err = {.text = ""};
	struct conf *conf = parse(text, &err);

	if (!conf)
		tap_bail("refused: %s", err.text);
	return conf;
}

/* What is printed parses again and prints the same. */
static void round_trip(const struct conf *conf, const char *what)
{
	struct text first, second;
	struct err err = {.text = ""};
	struct conf *again;

	text_init(&first);
	text_init(&second);
	conf_print(conf, &first);
	again = parse(first.data, &err);
	ok(again != NULL, "%s: printed text parses (%s)", what, err.text);
	if (again) {
		conf_print(again, &second);
		is_string(second.data, first.data, "%s: round trip", what);
		ok(!conf_restart_key(conf, again), "%s: no difference", what);
	}
	conf_free(again);
	text_fini(&first);
	text_fini(&second);
}

static void test_defaults(void)
{
	struct conf *conf = accepted("# nothing\n");
	const struct conf_node *r = conf_root(conf), *n;

	is_int(conf_get_int(r, "workers"), 1, "int");
	is_int(conf_count(conf_get(r, "listen")), 2, "list");
	n = conf_first(conf_get(r, "listen"));
	is_string(conf_str(n), "127.0.0.1:53", "address");
	is_string(conf_str(conf_next(n)), "[::1]:53", "default port");
	is_int(conf_get_int(r, "colour"), 0, "enum");
	ok(fabs(conf_real(conf_get(r, "ratio")) - 0.5) < 1e-9, "real");
	is_int(conf_get_int(r, "memory"), 64 << 20, "size");
	ok(!conf_get(r, "source") && !conf_has(r, "source"), "absent");
	ok(!conf_get(r, "extra"), "a map without default is absent");
	is_int(conf_int(conf_path(r, "limit.window")), 1000, "path into a map");
	ok(!conf_path(r, "extra.qps"), "path through what is absent");
	is_string(conf_get_str(r, "cert"), "", "empty path by default");
	ok(!conf_get_str(r, "key"), "no path");
	is_int(conf_count(conf_get(r, "pools")), 0, "empty dict");
	is_int(conf_line(conf_get(r, "workers")), 0, "a default has no line");
	round_trip(conf, "defaults");
	conf_free(conf);
}

static const char everything[] =
	"workers: 8\n"
	"listen: [192.0.2.1, \"[2001:db8::1]:5353\"]\n"
	"colour: off\n"
	"ratio: 0.1\n"
	"memory: 1536K\n"
	"source: 2001:db8::2\n"
	"acl:\n"
	"  - 10.0.0.0/8\n"
	"  - 192.0.2.7\n"
	"zone: Example.NET\n"
	"key: keys/a.pem\n"
	"cert: /etc/ssl/a.pem\n"
	"words: [\"null\", \"~\", \"\", \"a b: c\", "
	"\"x\\ty\\x07\\u2028\\ufeff\","
	" \"caf\\u00e9 \\U0001F600\", '\"\\\\', yes, \"- a\", \"#\"]\n"
	"note: |\n"
	"  two\n"
	"  lines\n"
	"limit: {qps: 0, window: 1.5s}\n"
	"extra: {}\n"
	"pools:\n"
	"  \"a b\": {cache: no}\n"
	"  rec:\n"
	"    backends:\n"
	"      - {name: r1, address: 192.0.2.9}\n"
	"      - name: r2\n"
	"        address: 192.0.2.10:54\n"
	"        weight: -3\n";

static void test_everything(void)
{
	struct conf *conf = accepted(everything);
	const struct conf_node *r = conf_root(conf), *n;
	char name[NAME_MAX_TEXT];

	is_int(conf_get_int(r, "workers"), 8, "int");
	is_int(conf_line(conf_get(r, "workers")), 1, "line");
	is_int(addr_port(
		       conf_addr(conf_next(conf_first(conf_get(r, "listen"))))),
		5353, "port of an IPv6 address");
	is_int(conf_get_int(r, "colour"), 2, "enum index");
	is_string(conf_get_str(r, "colour"), "off", "enum text");
	is_int(conf_get_int(r, "memory"), 1536 << 10, "size");
	is_string(conf_get_str(r, "source"), "2001:db8::2", "IP");
	n = conf_next(conf_first(conf_get(r, "acl")));
	is_int(conf_prefix(n)->len, 32, "an address is a prefix");
	is_string(name_print(conf_name(conf_get(r, "zone")), name),
		conf_get_str(r, "zone"), "name and its text");
	is_string(name, "example.net.", "in lower case, with its dot");
	is_string(conf_get_str(r, "key"), "/etc/x/keys/a.pem",
		"relative to the file's folder");
	is_string(conf_get_str(r, "cert"), "/etc/ssl/a.pem", "absolute path");
	is_string(conf_get_str(r, "note"), "two\nlines\n", "block text");
	is_int(conf_int(conf_path(r, "limit.window")), 1500, "1.5s");
	is_int(conf_int(conf_path(r, "extra.qps")), 200,
		"defaults of a given map");
	n = conf_path(r, "pools.rec.backends");
	is_int(conf_count(n), 2, "list of maps");
	is_int(conf_get_int(conf_next(conf_first(n)), "weight"), -3, "deep");
	is_int(conf_line(conf_next(conf_first(n))), 24, "line of a list item");
	ok(!conf_bool(conf_get(conf_get(conf_get(r, "pools"), "a b"), "cache")),
		"dict key with a blank");
	is_string(conf_key(conf_first(conf_get(r, "pools"))), "a b",
		"order of a dict");
	ok(!conf_get(conf_get(r, "pools"), "none"), "no such dict key");
	round_trip(conf, "everything");
	conf_free(conf);
}

static void test_structure(void)
{
	refused_at("worker: 1\n",
		"/etc/x/t.yaml:1: worker: unknown key: known here: workers,");
	refused("limit:\n  qps: 1\n  qsp: 2\n",
		"/etc/x/t.yaml:3: limit.qsp: unknown key: known here: qps, "
		"window");
	refused("colour: red\n\ncolour: green\n",
		"/etc/x/t.yaml:3: colour: duplicate key: first in line 1");
	refused("pools: {a: {}, b: {}, a: {}}\n",
		"/etc/x/t.yaml:1: pools.a: duplicate key: first in line 1");
	refused("pools:\n  a: {backends: [{name: x}]}\n",
		"/etc/x/t.yaml:2: pools.a.backends: address: is required here");
	refused("limit: 5\n", "/etc/x/t.yaml:1: limit: must be a map");
	refused("limit: [1]\n", "/etc/x/t.yaml:1: limit: must be a map");
	refused("listen: 1.2.3.4\n", "/etc/x/t.yaml:1: listen: must be a list");
	refused("workers: {}\n",
		"/etc/x/t.yaml:1: workers: must be an integer, 1..64");
	refused("workers:\n", "/etc/x/t.yaml:1: workers: no value");
	refused("note: ~\n", "/etc/x/t.yaml:1: note: no value");
	refused("pools:\n", "/etc/x/t.yaml:1: pools: must be a map of names");
	refused("- a\n", "/etc/x/t.yaml:1: must be a map");
	refused("a\n", "/etc/x/t.yaml:1: must be a map");
	refused("workers: 1\n---\nworkers: 2\n",
		"/etc/x/t.yaml:2: a second document is not allowed");
	refused("[a]: 1\n", "/etc/x/t.yaml:1: a key must be a plain word");
	refused("\"\": 1\n",
		"/etc/x/t.yaml:1: a key must have 1 to 255 octets");
	refused("pools: {a: {backends: [{name: a, address: 1.2.3.4},"
		" {name: b, address: 1.2.3.4},{name: c, address: 1.2.3.4},"
		" {name: d, address: 1.2.3.4}]}}\n",
		"/etc/x/t.yaml:1: pools.a.backends: 4 entries: must have 0 to "
		"3");
}

static void test_yaml(void)
{
	static const char anchors[] = "anchors (&) and aliases (*) are not "
				      "allowed here";
	char want[256];

	snprintf(want, sizeof(want), "/etc/x/t.yaml:1: workers: %s", anchors);
	refused("workers: &a 1\n", want);
	refused("workers: *a\n", want);
	snprintf(want, sizeof(want), "/etc/x/t.yaml:1: limit: %s", anchors);
	refused("limit: &l {qps: 1}\n", want);
	refused("workers: !!int 1\n",
		"/etc/x/t.yaml:1: workers: tags (!) are not allowed here");
	refused("!x note: a\n",
		"/etc/x/t.yaml:1: tags (!) are not allowed here");
	refused_at("limit: {<<: {qps: 1}}\n",
		"/etc/x/t.yaml:1: limit.<<: unknown key");
	refused_at(
		"workers: 1\n\tcolour: red\n", "/etc/x/t.yaml:2: not YAML: ");
	refused_at("listen: [1.2.3.4\n", "/etc/x/t.yaml:2: not YAML: ");
	refused_at("note: \"\xff\"\n", "/etc/x/t.yaml: octet 7: not YAML: ");
	refused("note: \"a\\0b\"\n",
		"/etc/x/t.yaml:1: note: a NUL octet is not allowed");
	refused_at("a: {a: {a: [[[[[[{b: {}}]]]]]]}}\n",
		"/etc/x/t.yaml:1: a: unknown key");
}

static void test_values(void)
{
	static const char *const bad[] = {
		"workers: 0",
		"workers: 65",
		"workers: 1.0",
		"workers: 0x10",
		"workers: +1",
		"workers: 99999999999999999999",
		"workers: ''",
		"colour: Red",
		"colour: blue",
		"ratio: 1.1",
		"ratio: nan",
		"ratio: 0x1p-1",
		"ratio: -0.1",
		"memory: -1",
		"memory: 1X",
		"memory: 9999999999G",
		"memory: 0.3",
		"source: 1.2.3.4:53",
		"source: \"[::1]:53\"",
		"source: host",
		"listen: [host]",
		"listen: [\"1.2.3.4:99999\"]",
		"acl: [10.0.0.1/8]",
		"acl: [10.0.0.0/33]",
		"zone: a..b",
		"zone: ''",
		"key: ''",
		"limit: {window: 5ms}",
		"limit: {window: 61s}",
		"limit: {window: 1.0001s}",
		"limit: {window: 1 s}",
		"limit: {window: -1s}",
		"pools: {a: {cache: maybe}}",
		"pools: {a: {cache: 1}}",
		"pools: {a: {backends: [{name: '', address: 1.2.3.4}]}}",
		"pools: {a: {backends: [{name: ninechars, address: 1.2.3.4}]}}",
	};
	struct err err;

	for (size_t i = 0; i < countof(bad); i++) {
		struct conf *conf = parse(bad[i], &err);

		ok(!conf && strstr(err.text, "must be"), "refused: %s (%s)",
			bad[i], conf ? "accepted" : err.text);
		conf_free(conf);
	}
	refused("limit:\n  qps: 70000000\n",
		"/etc/x/t.yaml:2: limit.qps: \"70000000\": must be an integer, "
		"0..1000000");
	refused("limit: {window: 2h}\n",
		"/etc/x/t.yaml:1: limit.window: \"2h\": must be a time such as "
		"300ms, 5s, 2m, 1h, 10ms..1m");
	refused("colour: blue\n",
		"/etc/x/t.yaml:1: colour: \"blue\": must be red | green | off");
}

static void duration(const char *text, int64_t want_ms, const char *printed)
{
	char line[64];
	struct conf *conf;
	const struct conf_node *n;

	snprintf(line, sizeof(line), "limit: {window: %s}", text);
	conf = accepted(line);
	n = conf_path(conf_root(conf), "limit.window");
	is_int(conf_int(n), want_ms, "%s", text);
	is_string(conf_str(n), printed, "%s prints as %s", text, printed);
	conf_free(conf);
}

static void test_durations(void)
{
	int64_t ms;

	duration("300ms", 300, "300ms");
	duration("5s", 5000, "5s");
	duration("5", 5000, "5s");
	duration("0.25", 250, "250ms");
	duration("1m", 60000, "1m");
	ok(conf_parse_duration("10m", &ms) && ms == 600000, "a time of a verb");
	ok(!conf_parse_duration("10q", &ms) && !conf_parse_duration("", &ms) &&
			!conf_parse_duration("-1s", &ms),
		"what is none");
}

static void test_restart(void)
{
	static const struct {
		const char *a, *b, *key;
	} cases[] = {
		{"workers: 1", "workers: 2", "workers"},
		{"", "workers: 1", NULL},
		{"colour: red", "colour: green", NULL},
		{"listen: [1.2.3.4]", "listen: [1.2.3.4, 1.2.3.5]", "listen.-"},
		{"listen: [1.2.3.4, 1.2.3.5]", "listen: [1.2.3.4]", "listen.-"},
		{"pools: {a: {}}", "", NULL},
		{"extra: {}", "", NULL},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct conf *a = accepted(cases[i].a);
		struct conf *b = accepted(cases[i].b);
		const char *key = conf_restart_key(a, b);

		is_string(key ? key : "(none)",
			cases[i].key ? cases[i].key : "(none)",
			"\"%s\" -> \"%s\"", cases[i].a, cases[i].b);
		conf_free(a);
		conf_free(b);
	}
}

static void test_error(void)
{
	struct conf *conf = accepted("\nworkers: 2\n");
	const struct conf_node *r = conf_root(conf);
	struct err err;

	is_int(conf_error(conf, conf_get(r, "workers"), &err, "too %s", "many"),
		-EINVAL, "conf_error");
	is_string(err.text, "/etc/x/t.yaml:2: too many", "with the line");
	(void)conf_error(conf, conf_get(r, "colour"), &err, "bad");
	is_string(err.text, "/etc/x/t.yaml: bad", "a default has none");
	conf_free(conf);
}

static void test_big(void)
{
	struct text t;
	struct conf *conf;
	struct err err = {.text = ""};
	const struct conf_node *n;

	text_init(&t);
	text_add(&t, "pools:\n");
	for (int i = 0; i < 20000; i++)
		text_add(&t, "  p%d: {backends: []}\n", i);
	conf = parse(t.data, &err);
	ok(conf != NULL, "20000 names parse (%s)", err.text);
	n = conf ? conf_path(conf_root(conf), "pools.p19999") : NULL;
	is_int(n ? conf_line(n) : 0, 20001, "the last is found");
	conf_free(conf);
	text_add(&t, "  p77: {}\n");
	conf = parse(t.data, &err);
	ok(!conf, "and a duplicate among them is refused");
	is_string(err.text,
		"/etc/x/t.yaml:20002: pools.p77: duplicate key: first in line "
		"79",
		"with both lines");
	conf_free(conf);
	text_fini(&t);
}

static void test_reference(void)
{
	struct text t;

	text_init(&t);
	schema_print_reference(test_schema, "t.yaml", &t);
	ok(strstr(t.data, "| `workers` | an integer, 1..64 | `1` | restart | "
			  "Threads. |\n") != NULL,
		"a row");
	ok(strstr(t.data, "| `pools.NAME.backends[].address` |") != NULL,
		"a row below list and dict");
	ok(strstr(t.data, "| `colour` | red , green , off | `red` |") != NULL,
		"no bar inside a cell");
	ok(strstr(t.data, "| `memory` | a size such as 512K, 64M, 1G, in "
			  "octets | `64M` | live |") != NULL,
		"unit");
	text_fini(&t);
}

static void test_read(void)
{
	struct err err = {.text = ""};

	ok(!conf_read("/nonexistent/x.yaml", test_schema, &err) &&
			strstr(err.text, "/nonexistent/x.yaml: cannot open"),
		"a missing file: %s", err.text);
	ok(!conf_read("/", test_schema, &err), "a folder: %s", err.text);
}

/* Memory that runs out anywhere gives an error, never half a tree. */
static void test_no_memory(void)
{
	struct conf *conf = NULL;
	struct err err;
	unsigned n;

	for (n = 0; n < 10000; n++) {
		err.text[0] = '\0';
		failmem_after(n);
		conf = parse(everything, &err);
		failmem_off();
		if (conf || !err.text[0])
			break;
	}
	ok(conf != NULL, "without memory at each of %u places: refused", n);
	ok(n > 0, "some of them in our own code");
	conf_free(conf);
}

int main(void)
{
	struct err err = {.text = ""};

	is_int(schema_check(test_schema, &err), 0, "the schema is sound (%s)",
		err.text);
	test_defaults();
	test_everything();
	test_structure();
	test_yaml();
	test_values();
	test_durations();
	test_restart();
	test_error();
	test_big();
	test_reference();
	test_read();
	test_no_memory();
	return tap_done();
}
