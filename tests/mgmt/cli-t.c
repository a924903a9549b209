/* SPDX-License-Identifier: ISC */
/* Command line: every command parses, every wrong word gives one line and its
 * exit code; answers of the API; tables. */
#include "mgmt/cli/cli.h"
#include "mgmt/cli/mend.h"

#include "tests/tap/tap.h"

#include <sys/stat.h>
#include <unistd.h>

/* Split by blanks ('_' in a word stands for a blank) and parse. */
static int parse(
	const char *line, struct cli *cli, json_t **args, struct err *err)
{
	static char copy[512];
	static char *argv[32];
	char *save, *word;
	int argc = 0;

	memset(cli, 0, sizeof(*cli));
	cli->wait_s = 60;
	err->text[0] = '\0';
	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok_r(copy, " ", &save); word && argc < 31;
		word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	return command_parse(cli, argc, argv, args, err);
}

static void good(const char *line, const char *words, const char *want)
{
	struct cli cli;
	struct err err;
	json_t *args = NULL;
	char *text;
	int rc = parse(line, &cli, &args, &err);

	is_int(rc, CLI_OK, "%s: parses (%s)", line, err.text);
	is_string(cli.command ? cli.command->words : "", words, "%s: is %s",
		line, words);
	text = json_dumps(args, JSON_COMPACT | JSON_SORT_KEYS);
	is_string(text, want, "%s: arguments", line);
	free(text);
	json_decref(args);
}

static void bad(const char *line, const char *message)
{
	struct cli cli;
	struct err err;
	json_t *args = NULL;
	int rc = parse(line, &cli, &args, &err);

	is_int(rc, CLI_USAGE, "%s: usage error", line);
	ok(strstr(err.text, message) != NULL, "%s: says %s (%s)", line, message,
		err.text);
	ok(strchr(err.text, '\n') == NULL, "%s: in one line", line);
	json_decref(args);
}

static void test_good(void)
{
	good("zone list", "zone list", "{}");
	good("zones list", "zone list", "{}");
	good("zone create a.example --ns ns1.a.example,ns2.a.example --ttl 1h",
		"zone create",
		"{\"ns\":[\"ns1.a.example\",\"ns2.a.example\"],\"ttl\":3600,"
		"\"zone\":\"a.example\"}");
	good("record add a.example www A 192.0.2.1 192.0.2.2", "record add",
		"{\"data\":[\"192.0.2.1\",\"192.0.2.2\"],\"name\":\"www\","
		"\"type\":\"A\",\"zone\":\"a.example\"}");
	good("record set a.example @ TXT a=b --ttl=60", "record set",
		"{\"data\":[\"a=b\"],\"name\":\"@\",\"ttl\":60,"
		"\"type\":\"TXT\",\"zone\":\"a.example\"}");
	good("record rm a.example www A", "record del",
		"{\"name\":\"www\",\"type\":\"A\",\"zone\":\"a.example\"}");
	good("acl add 10.0.0.0/8 --deny", "acl add",
		"{\"deny\":true,\"prefix\":\"10.0.0.0/8\"}");
	good("limit set qps=200 burst=400 action=drop", "limit set",
		"{\"action\":\"drop\",\"burst\":400,\"qps\":200}");
	good("route set a.test --allow-transfer 10.0.0.1,10.0.0.2 "
	     "allow-update=",
		"route set",
		"{\"allow_transfer\":[\"10.0.0.1\",\"10.0.0.2\"],"
		"\"allow_update\":[],\"suffix\":\"a.test\"}");
	good("pool create rec --cache no", "pool create",
		"{\"cache\":false,\"pool\":\"rec\"}");
	good("pool set rec --no-cache", "pool set",
		"{\"cache\":false,\"pool\":\"rec\"}");
	good("backend add rec r1 192.0.2.1 --check-name . --check-type NS",
		"backend add",
		"{\"address\":\"192.0.2.1\",\"check\":{\"name\":\".\","
		"\"type\":\"NS\"},\"name\":\"r1\",\"pool\":\"rec\"}");
	good("backend set rec r1 qps=500 order=2 --check-min-serial 7 "
	     "--no-check-enabled --check-rcode NOERROR",
		"backend set",
		"{\"check\":{\"enabled\":false,\"min_serial\":7,"
		"\"rcode\":\"NOERROR\"},\"name\":\"r1\",\"order\":2,"
		"\"pool\":\"rec\",\"qps\":500}");
	good("pool set rec --tiers --no-server drop --ecs add", "pool set",
		"{\"ecs\":\"add\",\"no_server\":\"drop\",\"pool\":\"rec\","
		"\"tiers\":true}");
	good("frontend tcp set --lifetime 1h --per-client 50",
		"frontend tcp set", "{\"lifetime_s\":3600,\"per_client\":50}");
	good("frontend tcp set --reads 0 --ban 10m", "frontend tcp set",
		"{\"ban_s\":600,\"reads\":0}");
	good("policy set --empty drop", "policy set", "{\"empty\":\"drop\"}");
	good("backend set rec r1 --check-lazy --check-rcode ANY", "backend set",
		"{\"check\":{\"lazy\":true,\"rcode\":\"ANY\"},"
		"\"name\":\"r1\",\"pool\":\"rec\"}");
	good("frontend transfers set --max 3", "frontend transfers set",
		"{\"max\":3}");
	good("frontend set metrics-listen=", "frontend set",
		"{\"metrics_listen\":\"\"}");
	good("limit exempt add 10.0.0.0/8", "limit exempt add",
		"{\"prefix\":\"10.0.0.0/8\"}");
	good("limits exempt rm 10.0.0.0/8", "limit exempt del",
		"{\"prefix\":\"10.0.0.0/8\"}");
	good("limit exempt new 10.0.0.0/8", "limit exempt add",
		"{\"prefix\":\"10.0.0.0/8\"}");
	good("limit misses set --client-qps 100 registries=co.uk",
		"limit misses set",
		"{\"client_qps\":100,\"registries\":[\"co.uk\"]}");
	good("block policy set --qps 2000 --duration 5m --exempt 10.0.0.0/8",
		"block policy set",
		"{\"duration_s\":300,\"exempt\":[\"10.0.0.0/8\"],"
		"\"qps\":2000}");
	good("block policy show", "block policy show", "{}");
	good("block add 192.0.2.0/24 --for 1h --action refuse", "block add",
		"{\"action\":\"refuse\",\"for_s\":3600,"
		"\"target\":\"192.0.2.0/24\"}");
	good("block rm evil.test --suffix", "block remove",
		"{\"suffix\":true,\"target\":\"evil.test\"}");
	good("rule add walled --suffix a.example,b.example --qtype A "
	     "--action nxdomain --position 5",
		"rule add",
		"{\"action\":\"nxdomain\",\"name\":\"walled\",\"position\":5,"
		"\"qtype\":[\"A\"],\"suffix\":[\"a.example\",\"b.example\"]}");
	good("rule set portal --action spoof --addresses 192.0.2.1 --ttl 1m",
		"rule set",
		"{\"action\":\"spoof\",\"addresses\":[\"192.0.2.1\"],"
		"\"name\":\"portal\",\"ttl_s\":60}");
	good("rules ls", "rule list", "{}");
	good("rule rm walled", "rule del", "{\"name\":\"walled\"}");
	good("cache set --memory 256M --max-ttl 5m max_negative_ttl_s=60",
		"cache set",
		"{\"max_negative_ttl_s\":60,\"max_ttl_s\":300,"
		"\"memory\":268435456}");
	good("vip create V --vrid 51 --addresses 192.0.2.1/24", "vip create",
		"{\"addresses\":[\"192.0.2.1/24\"],\"vip\":\"V\","
		"\"vrid\":51}");
	good("vip set V --preset fast --sync-group dns --preempt no", "vip set",
		"{\"preempt\":false,\"preset\":\"fast\","
		"\"sync_group\":\"dns\",\"vip\":\"V\"}");
	good("vip hmac V rotate", "vip hmac",
		"{\"vip\":\"V\",\"what\":\"rotate\"}");
	good("ha set --fencing /usr/bin/fence,-v --linger-ms 3000", "ha set",
		"{\"fencing\":[\"/usr/bin/fence\",\"-v\"],"
		"\"linger_ms\":3000}");
	good("anycast create any --addresses 198.51.100.53", "anycast create",
		"{\"addresses\":[\"198.51.100.53\"],\"anycast\":\"any\"}");
	good("anycast node any dd1 --metric 200", "anycast node",
		"{\"anycast\":\"any\",\"metric\":200,\"node\":\"dd1\"}");
	good("node add dd1 --address 192.0.2.1 --roles frontend,ha", "node add",
		"{\"address\":\"192.0.2.1\",\"node\":\"dd1\","
		"\"roles\":[\"frontend\",\"ha\"]}");
	good("rollback 7", "rollback", "{\"generation\":7}");
	good("record add a.example x TXT -- -dash", "record add",
		"{\"data\":[\"-dash\"],\"name\":\"x\",\"type\":\"TXT\","
		"\"zone\":\"a.example\"}");
	good("drill run all --json", "drill", "{}");
}

static void test_globals(void)
{
	struct cli cli;
	struct err err;
	json_t *args;

	is_int(parse("--json zone list --dry-run -m why --socket=/x", &cli,
		       &args, &err),
		CLI_OK, "global options stand anywhere");
	ok(cli.json && cli.dry_run, "--json, --dry-run");
	is_string(cli.message, "why", "-m");
	is_string(cli.socket, "/x", "--socket=");
	json_decref(args);
	is_int(parse("apply --no-wait", &cli, &args, &err), CLI_OK, "apply");
	is_int(cli.wait_s, 0, "--no-wait");
	json_decref(args);
	is_int(parse("", &cli, &args, &err), CLI_OK, "no words");
	ok(cli.help, "no words: help");
	json_decref(args);
	is_int(parse("zone create --help", &cli, &args, &err), CLI_OK,
		"--help needs no arguments");
	ok(cli.help, "--help is seen");
	json_decref(args);
}

static void test_bad(void)
{
	bad("zoen list", "'zoen' is no command; allowed: status, zone, record");
	bad("zone", "zone: a verb is missing; allowed: list, show, create");
	bad("zone lits", "zone: 'lits' is unknown; allowed: list, show");
	bad("zone create", "missing: ZONE; usage: ispdns zone create ZONE");
	bad("zone list extra", "too many words at extra");
	bad("zone create a --colour red", "unknown option --colour");
	bad("zone create a --ttl", "a value is missing for --ttl");
	bad("zone create a --ttl soon", "ttl: a number expected, not soon");
	bad("zone create a --ttl 99999999999999999999", "a number expected");
	bad("zone create a -x", "unknown option -x");
	bad("record add a.example www A", "missing: DATA");
	bad("record add a.example www", "missing: TYPE");
	bad("vip create V --vrid 51", "missing: --addresses");
	bad("vip create V --vrid x --addresses 192.0.2.1",
		"vrid: a number expected, not x");
	bad("pool set rec --cache=maybe", "cache: a yes or no expected");
	bad("node add dd1 --roles frontend", "missing: --address");
	bad("limit", "limit: a verb is missing; allowed: stats, list, set, "
		     "override, del, exempt, misses");
	bad("limit exempt", "limit exempt: a verb is missing; allowed: list, "
			    "add, del");
	bad("limits exempt --json",
		"limits exempt: a verb is missing; allowed: list, add, del");
	bad("limit exempt dell", "limit exempt: 'dell' is unknown; allowed: ");
	bad("limit exempts add", "limit: 'exempts' is unknown; allowed: ");
	bad("limit exempt add", "limit exempt add: missing: PREFIX");
	bad("block",
		"block: a verb is missing; allowed: list, add, remove, policy");
	bad("block policy", "block policy: a verb is missing; allowed: show, "
			    "set");
	bad("rule add", "missing: NAME");
	bad("rule add walled --suffix a", "missing: --action");
	bad("rule add r --action pool --weight 5", "unknown option --weight");
	bad("rule add r --action rate-limit --qps few",
		"qps: a number expected, not few");
	bad("rollback seven", "GENERATION: a number expected, not seven");
	bad("import", "import: a verb is missing; allowed: dnsdist, bind");
	bad("import unbound x", "import: 'unbound' is unknown");
	bad("--jsn zone list", "'--jsn' is no option");
	bad("zone list --json=yes", "--json takes no value");
	bad("apply --wait long", "--wait: seconds expected, not 'long'");
	bad("apply --wait", "--wait: SECONDS is missing");
	bad("cache set --memory 5X", "memory: a number expected");
}

/* Each command has a help text, and its usage names all that it needs. */
static void test_help(void)
{
	const struct command *c;
	struct text text;
	bool all = true, json = true;

	for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
		if (c->words[0] == '_')
			continue; /* for the shell, not for people */
		text_init(&text);
		all &= command_help(c->words, &text);
		all &= strstr(text.data, c->help) != NULL;
		json &= c->verb || c->run || strcmp(c->words, "help") == 0;
		if (!all)
			tap_diag("%s", c->words);
		text_fini(&text);
	}
	ok(all, "every command has its help");
	ok(json, "every command does something");
	text_init(&text);
	ok(command_help("", &text), "the list of all");
	ok(strstr(text.data, "zone import") && strstr(text.data, "--dry-run"),
		"names commands and options");
	text_fini(&text);
	text_init(&text);
	ok(command_help("vip", &text), "help of a noun");
	ok(strstr(text.data, "ispdns vip move VIP [--to X]") != NULL,
		"with usage lines");
	ok(strstr(text.data, "zone") == NULL, "of that noun alone");
	text_fini(&text);
	text_init(&text);
	ok(command_help("limit exempt", &text), "help of two words");
	ok(strstr(text.data, "ispdns limit exempt del PREFIX") &&
			!strstr(text.data, "limit set"),
		"with their commands alone");
	text_fini(&text);
	text_init(&text);
	ok(!command_help("nothing", &text), "no help for nothing");
	ok(!command_help("zo", &text), "no help for half a word");
	text_fini(&text);
}

static void decode(int status, const char *body, int want, const char *text)
{
	struct err err = {""};
	json_t *result = NULL;
	long long changes = 0;

	is_int(call_decode(status, body, strlen(body), &result, &changes, &err),
		want, "answer %s", body);
	is_string(err.text, text, "says '%s'", text);
	json_decref(result);
}

static void test_decode(void)
{
	json_t *result = NULL;
	struct err err = {""};
	long long changes = 0;
	const char *body = "{\"ok\":true,\"result\":[1],\"changes\":3}";

	is_int(call_decode(200, body, strlen(body), &result, &changes, &err),
		CLI_OK, "a good answer");
	is_int((long long)json_array_size(result), 1, "its result");
	is_int(changes, 3, "its changes");
	json_decref(result);
	decode(404, "{\"ok\":false,\"code\":\"not_found\",\"error\":\"no z\"}",
		CLI_NOT_FOUND, "no z");
	decode(409, "{\"ok\":false,\"code\":\"conflict\",\"error\":\"is\"}",
		CLI_CONFLICT, "is");
	decode(400, "{\"ok\":false,\"code\":\"invalid\",\"error\":\"bad\"}",
		CLI_INVALID, "bad");
	decode(403, "{\"ok\":false,\"code\":\"denied\",\"error\":\"no\"}",
		CLI_DENIED, "no");
	decode(400, "{\"ok\":false,\"code\":\"usage\",\"error\":\"u\"}",
		CLI_USAGE, "u");
	decode(503, "{\"ok\":false,\"code\":\"unavailable\",\"error\":\"a\"}",
		CLI_UNREACHABLE, "a");
	decode(500, "{\"ok\":false,\"code\":\"internal\",\"error\":\"i\"}",
		CLI_FAIL, "i");
	decode(401, "<html>", CLI_DENIED,
		"management says: not allowed (HTTP 401)");
	decode(200, "{\"ok\":true,\"ok\":true}", CLI_FAIL,
		"management's answer is not understood (HTTP 200)");
	decode(200, "", CLI_FAIL,
		"management's answer is not understood (HTTP 200)");
	decode(200, "[]", CLI_FAIL,
		"management's answer is not understood (HTTP 200)");
}

static void test_table(void)
{
	json_t *rows = json_pack("[{s:s,s:i,s:[s,s]},{s:s,s:b}]", "name", "a",
		"ttl", 300, "data", "x", "y", "name", "longer", "ttl", 1);
	struct text out;

	text_init(&out);
	show_table(rows, "NAME:name TTL:ttl DATA:data", &out);
	is_string(out.data,
		"NAME    TTL  DATA\n"
		"a       300  x,y\n"
		"longer  yes  -\n",
		"a table with lists, booleans and holes");
	text_fini(&out);
	json_decref(rows);
	rows = json_pack("[{s:i,s:i},{s:i,s:i}]", "ts", 0, "last_seen_s", -1,
		"ts", 1770000000, "last_seen_s", 3);
	text_init(&out);
	show_table(rows, "TIME:ts SEEN:last_seen_s", &out);
	is_string(out.data,
		"TIME                       SEEN\n"
		"0                          never\n"
		"2026-02-02T02:40:00+00:00  3\n",
		"times as dates, a node that never came");
	text_fini(&out);
	json_decref(rows);
}

/* Rows inside of a row are told by their names. */
static void test_rows_in_cell(void)
{
	json_t *rows = json_pack("[{s:[{s:s,s:i},{s:s}],s:[]}]", "o", "prefix",
		"10.0.0.0/8", "qps", 5, "node", "dd1", "e");
	struct text out;

	text_init(&out);
	show_table(rows, "O:o E:e", &out);
	is_string(out.data,
		"O               E\n"
		"10.0.0.0/8,dd1  -\n",
		"prefix and node stand for their rows");
	text_fini(&out);
	json_decref(rows);
}

static void mend(const char *in, const char *want, const char *what)
{
	char *out = zone_mend(in);

	is_string(out ? out : "(none)", want, "%s", what);
	free(out);
}

static void test_mend(void)
{
	mend("$TTL 60 @ IN SOA a. b. ( 1 2 3 4 5 ) IN NS ns ns IN A 192.0.2.1 "
	     "@ MX 10 m t TXT \"a b\" \"c\" 300 IN AAAA 2001:db8::1\nx A "
	     "1.2.3.4\n",
		"$TTL 60\n"
		"@ IN SOA a. b. ( 1 2 3 4 5 )\n"
		" IN NS ns\n"
		"ns IN A 192.0.2.1\n"
		"@ MX 10 m\n"
		"t TXT \"a b\" \"c\"\n"
		"300 IN AAAA 2001:db8::1\n"
		"\nx A 1.2.3.4\n",
		"one line becomes many");
	mend("$TTL 60\n@ SOA a b 1 2 3 4 5\n", "(none)",
		"a zone in good form is left alone");
	mend("$TTL 60 ; comment\n", "(none)", "a comment is no record");
	mend("@ SOA a b 1 2 3 4 5\n", "(none)", "no $TTL, nothing to mend");
	mend("", "(none)", "an empty file");
}

static void test_context(void)
{
	char path[] = "/tmp/ispdns-cli-XXXXXX";
	struct cli cli = {.context = path};
	struct err err = {""};
	int fd = mkstemp(path);
	const char *text = "server: mgmt.example:8444\ntoken: t\nca_pin: ab\n";

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		tap_bail("no temporary file");
	close(fd);
	is_int(context_load(&cli, &err), CLI_OK, "context: %s", err.text);
	is_string(cli.server, "mgmt.example:8444", "context: server");
	is_string(cli.token, "t", "context: token");
	for (size_t i = 0; i < countof(cli.owned); i++)
		free(cli.owned[i]);
	memset(&cli, 0, sizeof(cli));
	cli.context = path;
	if (chmod(path, 0644) < 0)
		tap_bail("chmod");
	is_int(context_load(&cli, &err), CLI_DENIED,
		"context: refused when others can read it");
	unlink(path);
	cli.context = path;
	is_int(context_load(&cli, &err), CLI_INVALID, "context: absent file");
}

int main(void)
{
	test_good();
	test_globals();
	test_bad();
	test_help();
	test_decode();
	test_table();
	test_rows_in_cell();
	test_mend();
	test_context();
	return tap_done();
}
