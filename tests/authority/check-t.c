/* SPDX-License-Identifier: ISC */
/* Making trees, with the installed nsd-checkzone and nsd-checkconf. */

#include "authority/check.h"

#include "common/ctl/file.h"
#include "tests/tap/tap.h"

#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/ispdns-check-t.XXXXXX";

static void put(const char *name, const char *text)
{
	char path[256];
	struct err err;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	if (file_write(path, text, strlen(text), 0600, &err) < 0)
		tap_bail("%s", err.text);
}

static struct conf *read_conf(const char *zones, const char *extra)
{
	char path[256], text[4096];
	struct err err = {.text = ""};
	struct conf *conf;

	snprintf(path, sizeof(path), "%s/a.yaml", root);
	snprintf(text, sizeof(text),
		"listen: [192.0.2.1]\nstate: %s/state\n%szones: [%s]\n", root,
		extra, zones);
	conf = conf_parse(text, strlen(text), path, auth_schema, &err);
	if (!conf)
		tap_bail("%s", err.text);
	return conf;
}

static struct tree *make_extra(long long number, const struct tree *base,
	const char *zones, const char *extra, struct err *err)
{
	struct conf *conf = read_conf(zones, extra);
	struct auth_config *config = auth_config_new(conf, 0);
	struct check_job job = {.config = config,
		.base = base,
		.served = base,
		.number = number,
		.verify = true};
	struct tree *tree;

	err->text[0] = '\0';
	tree = check_now(&job, err);
	auth_config_free(config);
	conf_free(conf);
	return tree;
}

static struct tree *make(long long number, const struct tree *base,
	const char *zones, struct err *err)
{
	return make_extra(number, base, zones, "", err);
}

static ino_t inode(long long number, const char *file)
{
	char path[256];
	struct stat st;

	snprintf(
		path, sizeof(path), "%s/state/gen/%lld/%s", root, number, file);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

#define GOOD(serial)                                                           \
	"$TTL 60\n@ SOA ns h " serial " 1 1 1 1\n@ NS ns\nns A 192.0.2.1\n"

static void test_good(void)
{
	struct err err;
	struct tree *one, *two, *three;
	char path[256];

	put("a.zone", GOOD("5") "www A 192.0.2.2\n");
	put("b.zone", GOOD("6") "$INCLUDE inc\n");
	put("inc", "inc A 192.0.2.3\n");
	one = make(1, NULL,
		"{name: a.test, file: a.zone}, {name: b.test, file: b.zone}",
		&err);
	ok(one != NULL, "a tree: %s", err.text);
	if (!one)
		return;
	is_int(one->count, 3, "two zones and the health zone");
	is_int(one->zones[1].serial, 5, "serial");
	put("a.zone", "; other text, same records\n" GOOD(
			      "5") "WWW.a.test. A 192.0.2.2\n");
	put("inc", "inc A 192.0.2.4\n");
	two = make(2, one,
		"{name: a.test, file: a.zone}, {name: b.test, file: b.zone}",
		&err);
	ok(two && inode(1, "a.test.zone") == inode(2, "a.test.zone"),
		"same records: a link (%s)", err.text);
	ok(inode(1, "b.test.zone") != inode(2, "b.test.zone"),
		"a changed include is seen");
	tree_free(two);
	snprintf(path, sizeof(path), "%s/state/gen/1/a.test.zone", root);
	if (truncate(path, 10) < 0)
		tap_bail("truncate");
	three = make(3, one, "{name: a.test, file: a.zone}", &err);
	ok(three && inode(1, "a.test.zone") != inode(3, "a.test.zone"),
		"a damaged file is not linked (%s)", err.text);
	tree_free(three);
	tree_free(one);
}

/* `text` as the zone a.test is refused with words that hold `want`. */
static void refused(const char *what, const char *text, const char *want)
{
	struct err err;
	struct tree *tree;

	put("bad.zone", text);
	tree = make(9, NULL, "{name: a.test, file: bad.zone}", &err);
	if (!ok(!tree && strstr(err.text, want) != NULL, "refused: %s", what))
		tap_diag("got \"%s\"", err.text);
	ok(inode(9, "manifest") == 0, "no tree is left");
	tree_free(tree);
}

static void test_bad(void)
{
	refused("empty", "", "a.test.: ");
	refused("no SOA", "@ 60 NS ns\nns 60 A 192.0.2.1\n", "SOA");
	refused("two SOAs", GOOD("1") "@ SOA ns h 2 1 1 1 1\n", "SOA");
	refused("bad rdata", GOOD("1") "x A 192.0.2.300\n", "bad.zone:5: ");
	refused("CNAME and other data", GOOD("1") "x CNAME ns\nx A 192.0.2.1\n",
		"CNAME");
	refused("CNAME at the apex", GOOD("1") "@ CNAME ns\n", "CNAME");
	refused("out of the zone", GOOD("1") "x.other. A 192.0.2.1\n",
		"x.other.");
	refused("below a DNAME", GOOD("1") "d DNAME ns\nx.d A 192.0.2.1\n",
		"DNAME");
	refused("a broken include", GOOD("1") "$INCLUDE nothing\n", "nothing");
	refused("an include outside", GOOD("1") "$INCLUDE /etc/hostname\n",
		"a.test.: ");
	refused("a $GENERATE bomb",
		GOOD("1") "$GENERATE 0-2147483647 h$ A 192.0.2.1\n",
		"a.test.: ");
}

static void test_others(void)
{
	struct err err;
	struct tree *tree;

	put("good.zone", GOOD("7"));
	put("bad.zone", "x\n");
	tree = make(9, NULL,
		"{name: g.test, file: good.zone}, {name: b1.test, file: "
		"bad.zone}, {name: b2.test, file: bad.zone}",
		&err);
	ok(!tree && strstr(err.text, "b1.test.: ") == err.text &&
			strstr(err.text, "(and 1 more zones)"),
		"two bad ones: \"%s\"", err.text);
	tree = make(9, NULL, "{name: g.test, file: none.zone}", &err);
	ok(!tree && strstr(err.text, "none.zone: cannot open"), "%s", err.text);
	tree = make(
		9, NULL, "{name: g.test, file: good.zone, serial: 8}", &err);
	ok(!tree && strstr(err.text, "serial is 7, not 8"), "%s", err.text);
	tree = make_extra(9, NULL, "{name: g.test, file: big.zone}",
		"check: {max_zone: 1K}\n", &err);
	ok(!tree, "%s", err.text);
	tree = make_extra(9, NULL, "{name: g.test, file: good.zone}",
		"nsd: /nonexistent/nsd\n", &err);
	ok(!tree && strstr(err.text, "/nonexistent/nsd-checkzone"), "%s",
		err.text);
}

static void test_names(void)
{
	static const char *const names[] = {"a\\\\032b.test", "*.test",
		"0/25.2.0.192.in-addr.arpa", "..\\\\/x.test", "A_b-C.test",
		"\\\\000\\\\255.test", "xn--bcher-kva.test", "a\\\\;b.test",
		"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
		"01234567890.test"};
	struct err err;

	put("good.zone", GOOD("7"));
	for (size_t i = 0; i < countof(names); i++) {
		char zones[200];
		struct tree *tree;

		snprintf(zones, sizeof(zones),
			"{name: \"%s\", file: good.zone}", names[i]);
		if (strstr(names[i], ".."))
			continue; /* not a name: refused by the schema */
		tree = make(20 + (long long)i, NULL, zones, &err);
		ok(tree != NULL, "a zone named %s (%s)", names[i], err.text);
		tree_free(tree);
	}
}

/* touch(1) in nsd-checkzone's place: it makes the files that it is told, the
 * first of them in the current folder, which is not the state. */
static void test_confined(void)
{
	char extra[300], from[] = "/usr/bin/touch";
	struct err err = {.text = ""};
	struct tree *tree;
	char path[256], *data;
	size_t len;

	if (file_read(from, 1 << 24, &data, &len, &err) < 0)
		tap_bail("%s", err.text);
	snprintf(path, sizeof(path), "%s/nsd-checkzone", root);
	if (file_write(path, data, len, 0755, &err) < 0)
		tap_bail("%s", err.text);
	snprintf(path, sizeof(path), "%s/nsd-checkconf", root);
	if (file_write(path, data, len, 0755, &err) < 0 || chdir(root) < 0)
		tap_bail("%s", err.text);
	free(data);
	put("good.zone", GOOD("7"));
	snprintf(extra, sizeof(extra), "nsd: %s/nsd\n", root);
	tree = make_extra(
		9, NULL, "{name: g.test, file: good.zone}", extra, &err);
	if (tree)
		tap_skip(1, "no Landlock in this kernel");
	else
		ok(access("g.test.", F_OK) < 0 &&
				strstr(err.text, "Permission denied"),
			"writes outside of the state folder are stopped: %s",
			err.text);
	tree_free(tree);
}

int main(void)
{
	struct err err = {.text = ""};
	char path[256];

	if (access("/usr/sbin/nsd-checkzone", X_OK) < 0) {
		tap_skip(1, "no nsd-checkzone here");
		return tap_done();
	}
	if (!mkdtemp(root))
		tap_bail("mkdtemp");
	snprintf(path, sizeof(path), "%s/state/gen", root);
	if (dir_make(path, 0700, &err) < 0)
		tap_bail("%s", err.text);
	test_good();
	test_bad();
	test_others();
	test_names();
	test_confined();
	is_int(dir_remove(root, &err), 0, "clean up");
	return tap_done();
}
