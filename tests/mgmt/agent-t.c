/* SPDX-License-Identifier: ISC */
/*
 * The agent: manifests, the tree on disk, roll-outs against daemons and a
 * management that are played here, proofs against a DNS server on loopback.
 */
#include "mgmt/agent/agent.h"

#include "common/base/buf.h"
#include "common/ctl/file.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "common/net/csr.h"

#include "tests/tap/tap.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[256];

/* ---- manifests ---- */

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void refuse(const char *text, const char *message)
{
	struct manifest m;
	struct err err = {""};

	is_int(manifest_parse(text, strlen(text), &m, &err), -EINVAL,
		"manifest refused: %s", message);
	ok(strstr(err.text, message) != NULL, "says '%s' (%s)", message,
		err.text);
}

#define HEAD                                                                   \
	"{\"epoch\":1,\"generation\":7,\"parent\":6,\"min_proto\":1,"          \
	"\"node\":\"n1\","
#define ITEM(key, sha, size)                                                   \
	"{\"key\":\"" key "\",\"kind\":\"config\",\"sha256\":\"" sha           \
	"\",\"size\":" size "}"

static void test_manifest(void)
{
	static const char good[] = HEAD "\"items\":[" ITEM("frontend.yaml",
		SHA_A, "3") "," ITEM("zones/a.example.zone", SHA_A,
		"3") "],"
		     "\"prove\":[{\"kind\":\"soa\",\"name\":\"a.example.\","
		     "\"serial\":5,\"at\":\"127.0.0.1:53\"},{\"kind\":"
		     "\"answer\","
		     "\"name\":\"b.\",\"type\":\"A\",\"at\":\"[::1]:53\"}]}";
	struct manifest m;
	struct err err = {""};

	is_int(manifest_parse(good, strlen(good), &m, &err), 0, "manifest: %s",
		err.text);
	is_int(m.generation, 7, "its generation");
	is_int((long long)m.count, 2, "its items");
	is_int((long long)m.proof_count, 2, "its proofs");
	ok(m.proofs[0].soa && m.proofs[0].serial == 5, "SOA with serial");
	ok(!m.proofs[1].soa && m.proofs[1].type == DNS_TYPE_A, "answer");
	ok(manifest_find(&m, "zones/a.example.zone") != NULL, "found by key");
	ok(manifest_find(&m, "zones/b.zone") == NULL, "not found");
	ok(manifest_find_sha(&m, SHA_A) != NULL, "found by digest");
	manifest_fini(&m);

	refuse("", "malformed");
	refuse("{\"epoch\":1}", "malformed");
	refuse(HEAD "\"items\":[" ITEM("../x", SHA_A, "1") "],\"prove\":[]}",
		"bad name");
	refuse(HEAD "\"items\":[" ITEM("/x", SHA_A, "1") "],\"prove\":[]}",
		"bad name");
	refuse(HEAD "\"items\":[" ITEM("a/b/c", SHA_A, "1") "],\"prove\":[]}",
		"bad name");
	refuse(HEAD
		"\"items\":[" ITEM("zones/.x", SHA_A, "1") "],\"prove\":[]}",
		"bad name");
	refuse(HEAD "\"items\":[" ITEM(
		       "manifest.json", SHA_A, "1") "],\"prove\":[]}",
		"bad name");
	refuse(HEAD "\"items\":[" ITEM("a.yaml", "zz", "1") "],\"prove\":[]}",
		"bad digest");
	refuse(HEAD "\"items\":[" ITEM("a.yaml", SHA_A, "-1") "],\"prove\":[]}",
		"bad digest");
	refuse(HEAD "\"items\":[" ITEM("a.yaml", SHA_A, "1") "," ITEM(
		       "a.yaml", SHA_A, "1") "],\"prove\":[]}",
		"twice");
	refuse(HEAD "\"items\":[{}],\"prove\":[]}", "item malformed");
	refuse(HEAD "\"items\":[],\"prove\":[{\"kind\":\"guess\",\"name\":"
		    "\"a.\",\"at\":\"127.0.0.1\"}]}",
		"unknown kind");
	refuse(HEAD "\"items\":[],\"prove\":[{\"kind\":\"soa\",\"name\":"
		    "\"a.\",\"at\":\"127.0.0.1\"}]}",
		"without serial");
	refuse(HEAD "\"items\":[],\"prove\":[{\"kind\":\"soa\",\"name\":"
		    "\"a..b\",\"serial\":1,\"at\":\"127.0.0.1\"}]}",
		"bad name");
	refuse("{\"epoch\":1,\"generation\":7,\"parent\":6,\"min_proto\":99,"
	       "\"node\":\"n1\",\"items\":[],\"prove\":[]}",
		"update it");
}

/* ---- management and daemons as played here ---- */

struct blob {
	const char *key, *kind, *text;
};

static struct play {
	long long generation, epoch;
	struct blob blobs[8];
	char manifest[4096], sha[DIGEST_HEX];
	const char *spoil; /* key whose octets come wrong */
	bool cut;          /* ... or too short */
	int manifests, fetched;
	bool down[ROLLOUT_PARTS]; /* daemon not running */
	const char *check_error;  /* of --check */
	const char *prepare_error[ROLLOUT_PARTS];
	const char *commit_error[ROLLOUT_PARTS];
	const char *prove_error;
	long long runs[ROLLOUT_PARTS];     /* committed generation */
	long long prepared[ROLLOUT_PARTS]; /* 0: none */
	int discards, checks, proofs;
	long long current_at_commit; /* what `current` said then */
	struct rollout *r;
} play;

static int play_manifest(void *arg, long long generation, char **text,
	size_t *len, struct err *err)
{
	struct play *p = arg;

	if (generation != p->generation)
		return err_fail(err, -ENOENT, "HTTP 404");
	p->manifests++;
	*text = strdup(p->manifest);
	*len = strlen(p->manifest);
	return 0;
}

static int play_blob(void *arg, const struct manifest_item *item, char **data,
	size_t *len, struct err *err)
{
	struct play *p = arg;

	p->fetched++;
	for (size_t i = 0; i < countof(p->blobs) && p->blobs[i].key; i++) {
		if (strcmp(p->blobs[i].key, item->key) != 0)
			continue;
		*data = strdup(p->blobs[i].text);
		*len = strlen(*data);
		if (p->spoil && strcmp(p->spoil, item->key) == 0) {
			if (p->cut)
				--*len;
			else
				(*data)[0] ^= 1;
		}
		return 0;
	}
	return err_fail(err, -ENOENT, "no such blob");
}

static int play_control(void *arg, enum part part, const char *verb,
	const json_t *args, json_t **result, struct err *err)
{
	struct play *p = arg;
	long long n = json_integer_value(json_object_get(args, "generation"));

	if (p->down[part])
		return err_fail(err, -ECONNREFUSED, "refused");
	if (strcmp(verb, "prepare") == 0) {
		if (p->prepare_error[part])
			return err_fail(
				err, -EREMOTEIO, "%s", p->prepare_error[part]);
		p->prepared[part] = n;
	} else if (strcmp(verb, "commit") == 0) {
		p->current_at_commit = tree_link(&p->r->tree, "current");
		if (p->commit_error[part] && n == p->generation)
			return err_fail(
				err, -EREMOTEIO, "%s", p->commit_error[part]);
		p->runs[part] = p->prepared[part] == n ? n : -1;
		p->prepared[part] = 0;
	} else if (strcmp(verb, "discard") == 0) {
		p->prepared[part] = 0;
		p->discards++;
	} else if (strcmp(verb, "status") == 0) {
		*result = json_pack(
			"{s:I}", "generation", (json_int_t)p->runs[part]);
	}
	return 0;
}

static int play_check(
	void *arg, enum part part, const char *file, struct err *err)
{
	struct play *p = arg;

	(void)part;
	p->checks++;
	if (access(file, R_OK) < 0)
		return err_fail(err, -ENOENT, "%s is not there", file);
	return p->check_error ? err_fail(err, -EINVAL, "%s", p->check_error)
			      : 0;
}

static int play_prove(
	void *arg, const struct manifest *m, int ms, struct err *err)
{
	struct play *p = arg;

	(void)ms;
	p->proofs++;
	if (m->generation != p->generation)
		return err_fail(err, -EINVAL, "wrong manifest is proven");
	return p->prove_error ? err_fail(err, -ETIMEDOUT, "%s", p->prove_error)
			      : 0;
}

static const struct rollout_ops ops = {
	play_manifest, play_blob, play_control, play_check, play_prove};

/* Make the manifest of generation `n` from the blobs. */
static void publish(long long n)
{
	char hex[DIGEST_HEX];
	struct text t;

	play.generation = n;
	text_init(&t);
	text_add(&t,
		"{\"epoch\":%lld,\"generation\":%lld,\"parent\":%lld,"
		"\"min_proto\":1,\"node\":\"n1\",\"items\":[",
		play.epoch, n, n - 1);
	for (size_t i = 0; i < countof(play.blobs) && play.blobs[i].key; i++)
		text_add(&t,
			"%s{\"key\":\"%s\",\"kind\":\"%s\",\"sha256\":\"%s\","
			"\"size\":%zu}",
			i ? "," : "", play.blobs[i].key, play.blobs[i].kind,
			digest_hex(play.blobs[i].text,
				strlen(play.blobs[i].text), hex),
			strlen(play.blobs[i].text));
	text_add(&t, "],\"prove\":[]}");
	snprintf(play.manifest, sizeof(play.manifest), "%s", t.data);
	digest_hex(t.data, t.len, play.sha);
	text_fini(&t);
}

static void reset(struct rollout *r)
{
	struct err err = {""};
	long long undone;

	memset(&play, 0, sizeof(play));
	play.epoch = 1;
	play.r = r;
	play.blobs[0] = (struct blob){"authority.yaml", "config", "auth 1"};
	play.blobs[1] = (struct blob){"frontend.yaml", "config", "front 1"};
	play.blobs[2] = (struct blob){"zones/a.zone", "zone", "zone 1"};
	if (dir_remove(root, &err) < 0 || dir_make(root, 0755, &err) < 0 ||
		rollout_open(r, root, "n1", &ops, &play, &undone, &err) < 0)
		tap_bail("%s", err.text);
}

static bool content(long long n, const char *file, const char *want)
{
	char path[512], *text = NULL;
	size_t len;
	bool same;

	snprintf(path, sizeof(path), "%s/gen/%lld/%s", root, n, file);
	if (file_read(path, 1000, &text, &len, NULL) < 0)
		return false;
	same = strcmp(text, want) == 0;
	free(text);
	return same;
}

static ino_t inode(long long n, const char *file)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/gen/%lld/%s", root, n, file);
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

static enum rollout_result stage(struct rollout *r, struct err *err)
{
	err->text[0] = '\0';
	return rollout_stage(r, play.generation, play.sha, err);
}

static enum rollout_result apply(struct rollout *r, struct err *err)
{
	err->text[0] = '\0';
	return rollout_apply(r, play.generation, play.sha, err);
}

/* ---- roll-outs ---- */

static void test_good(void)
{
	struct rollout r;
	struct err err;

	reset(&r);
	publish(3);
	is_int(stage(&r, &err), ROLLOUT_OK, "stage: %s", err.text);
	ok(content(3, "zones/a.zone", "zone 1"), "files are there");
	is_int(play.prepared[PART_FRONTEND], 3, "frontend is prepared");
	is_int(play.prepared[PART_AUTHORITY], 3, "authority is prepared");
	is_int(play.prepared[PART_RESOLVER], 0, "resolver has no part in it");
	is_int(tree_link(&r.tree, "current"), 0, "nothing is switched yet");
	is_int(stage(&r, &err), ROLLOUT_OK, "stage again");
	is_int(play.manifests, 1, "needs no second fetch");
	is_int(apply(&r, &err), ROLLOUT_OK, "apply: %s", err.text);
	is_int(r.have, 3, "it runs");
	is_int(tree_link(&r.tree, "current"), 3, "current points to it");
	is_int(play.runs[PART_FRONTEND], 3, "frontend has committed");
	is_int(play.current_at_commit, 3, "current is switched before commit");
	is_int(play.proofs, 1, "it was proven");
	ok(!tree_unsettled(&r.tree, &(long long){0}, &(long long){0}),
		"no switch is open");

	play.blobs[2].text = "zone 2";
	publish(4);
	play.fetched = 0;
	is_int(apply(&r, &err), ROLLOUT_OK, "apply without stage: %s",
		err.text);
	is_int(play.fetched, 1, "only what differs is fetched");
	ok(inode(4, "frontend.yaml") == inode(3, "frontend.yaml") &&
			inode(4, "frontend.yaml") != 0,
		"the rest is hard-linked");
	is_int(play.runs[PART_FRONTEND], 3, "the frontend was left alone");
	is_int(play.runs[PART_AUTHORITY], 4, "the authority has the new zone");
	is_int(tree_link(&r.tree, "previous"), 3, "previous points back");
	rollout_close(&r);
}

static void test_refusals(void)
{
	struct rollout r;
	struct err err;

	reset(&r);
	publish(5);
	is_int(apply(&r, &err), ROLLOUT_OK, "generation 5 runs");
	publish(4);
	is_int(stage(&r, &err), ROLLOUT_FAILED, "a lower one is refused");
	ok(strstr(err.text, "not above 5") != NULL, "%s", err.text);

	publish(6);
	play.blobs[2].text = "zone 2";
	publish(6);
	play.spoil = "zones/a.zone";
	is_int(stage(&r, &err), ROLLOUT_FAILED, "a wrong octet is refused");
	ok(strstr(err.text, "sha256") != NULL, "%s", err.text);
	ok(inode(6, "frontend.yaml") == 0, "nothing of it stays");
	play.cut = true;
	is_int(stage(&r, &err), ROLLOUT_FAILED, "a truncated blob is refused");
	ok(strstr(err.text, "5 octets came, 6 are announced") != NULL, "%s",
		err.text);
	play.spoil = NULL;
	is_int(rollout_stage(&r, 6, SHA_A, &err), ROLLOUT_FAILED,
		"another manifest than announced is refused");
	ok(strstr(err.text, "not the announced one") != NULL, "%s", err.text);
	play.epoch = 9;
	publish(6);
	is_int(apply(&r, &err), ROLLOUT_OK, "a higher epoch is taken");
	play.epoch = 8;
	play.blobs[2].text = "zone 3";
	publish(7);
	is_int(stage(&r, &err), ROLLOUT_FAILED, "a lower epoch is refused");
	ok(strstr(err.text, "below 9") != NULL, "%s", err.text);
	snprintf(r.node, sizeof(r.node), "n2");
	play.epoch = 9;
	publish(7);
	is_int(stage(&r, &err), ROLLOUT_FAILED,
		"another node's manifest is refused");
	is_int(r.have, 6, "through all of it the last good one runs");
	is_int(tree_link(&r.tree, "current"), 6, "and is current");
	rollout_close(&r);
}

static void test_prepare_fails(void)
{
	struct rollout r;
	struct err err;

	reset(&r);
	publish(1);
	play.prepare_error[PART_FRONTEND] = "frontend.yaml:3: bad";
	is_int(stage(&r, &err), ROLLOUT_FAILED, "a prepare fails");
	ok(strstr(err.text, "frontend: prepare: frontend.yaml:3: bad") != NULL,
		"%s", err.text);
	is_int(play.prepared[PART_AUTHORITY], 0, "the others are discarded");
	ok(inode(1, "frontend.yaml") == 0, "the files are gone");
	play.prepare_error[PART_FRONTEND] = NULL;
	play.down[PART_FRONTEND] = true;
	is_int(stage(&r, &err), ROLLOUT_OK, "a daemon that is down: %s",
		err.text);
	is_int(play.checks, 1, "its --check was asked");
	rollout_abort(&r, 1);
	is_int(r.staged, 0, "abort");
	is_int(play.prepared[PART_AUTHORITY], 0, "discards");
	play.check_error = "frontend.yaml:9: worse";
	is_int(stage(&r, &err), ROLLOUT_FAILED, "and its --check may refuse");
	ok(strstr(err.text, "worse") != NULL, "%s", err.text);
	rollout_close(&r);
}

static void test_roll_back(void)
{
	struct rollout r;
	struct err err;

	reset(&r);
	publish(1);
	is_int(apply(&r, &err), ROLLOUT_OK, "generation 1 runs");
	play.blobs[0].text = "auth 2";
	play.blobs[1].text = "front 2";
	publish(2);
	play.commit_error[PART_FRONTEND] = "no";
	is_int(apply(&r, &err), ROLLOUT_ROLLED_BACK, "a commit fails");
	ok(strstr(err.text, "frontend: commit: no") != NULL, "%s", err.text);
	is_int(tree_link(&r.tree, "current"), 1, "current is back");
	is_int(play.runs[PART_AUTHORITY], 1, "authority is back");
	is_int(play.runs[PART_FRONTEND], 1, "frontend is back");
	is_int(r.have, 1, "generation 1 runs");
	play.commit_error[PART_FRONTEND] = NULL;
	play.prove_error = "not proven: a. at 127.0.0.1:53: rcode SERVFAIL";
	publish(3);
	is_int(apply(&r, &err), ROLLOUT_ROLLED_BACK, "a proof fails");
	ok(strstr(err.text, "SERVFAIL") != NULL, "%s", err.text);
	is_int(play.runs[PART_AUTHORITY], 1, "authority is back");
	is_int(tree_link(&r.tree, "previous"), 0, "previous is as it was");
	ok(inode(3, "frontend.yaml") == 0, "the refused files are gone");
	ok(!tree_unsettled(&r.tree, &(long long){0}, &(long long){0}),
		"no switch is open");
	play.prove_error = NULL;
	publish(4);
	is_int(apply(&r, &err), ROLLOUT_OK, "a later one is taken: %s",
		err.text);
	rollout_close(&r);
}

/* A first generation that is not proven leaves no `current`. */
static void test_first_fails(void)
{
	struct rollout r;
	struct err err;

	reset(&r);
	publish(1);
	play.prove_error = "silence";
	is_int(apply(&r, &err), ROLLOUT_ROLLED_BACK, "the very first fails");
	is_int(tree_link(&r.tree, "current"), 0, "no current");
	is_int(r.have, 0, "nothing runs");
	rollout_close(&r);
}

/* Crash between switch and proof: at the next start the old one is back. */
static void test_crash(void)
{
	struct rollout r, again;
	struct err err = {""};
	long long undone = 0;

	reset(&r);
	publish(1);
	is_int(apply(&r, &err), ROLLOUT_OK, "generation 1 runs");
	play.blobs[1].text = "front 2";
	publish(2);
	is_int(stage(&r, &err), ROLLOUT_OK, "generation 2 is staged");
	is_int(tree_switch(&r.tree, 2, 1, &err), 0, "switched, then killed");
	play.r = &again;
	is_int(rollout_open(&again, root, "n1", &ops, &play, &undone, &err), 0,
		"the next start");
	is_int(undone, 2, "knows the open switch");
	is_int(again.have, 1, "the proven one runs");
	is_int(tree_link(&again.tree, "current"), 1, "and is current");
	is_int(play.runs[PART_FRONTEND], 1, "daemons are told");
	is_int(rollout_open(&again, root, "n1", &ops, &play, &undone, &err), 0,
		"one more start");
	is_int(undone, 0, "finds all in order");
	is_int(again.have, 1, "generation 1");
	rollout_close(&again);
}

static void test_prune(void)
{
	struct rollout r;
	struct err err;
	char text[16];

	reset(&r);
	for (int i = 1; i <= 9; i++) {
		snprintf(text, sizeof(text), "zone %d", i);
		play.blobs[2].text = text;
		publish(i);
		if (apply(&r, &err) != ROLLOUT_OK)
			tap_diag("%s", err.text);
	}
	is_int(r.have, 9, "nine generations");
	ok(inode(5, "frontend.yaml") != 0, "the five newest are kept");
	ok(inode(4, "frontend.yaml") == 0, "older ones go");
	ok(inode(1, "frontend.yaml") != 0,
		"but the one that a daemon still runs stays");
	rollout_close(&r);
}

/* A changed octet on the disk is found when the file is to be shared. */
static void test_disk_rot(void)
{
	struct rollout r;
	struct err err;
	char path[512];

	reset(&r);
	publish(1);
	is_int(apply(&r, &err), ROLLOUT_OK, "generation 1 runs");
	snprintf(path, sizeof(path), "%s/gen/1/frontend.yaml", root);
	is_int(file_write(path, "frQnt 1", 7, 0640, &err), 0, "rot");
	play.blobs[2].text = "zone 2";
	publish(2);
	play.fetched = 0;
	is_int(apply(&r, &err), ROLLOUT_OK, "generation 2: %s", err.text);
	is_int(play.fetched, 2, "the spoilt file is fetched anew");
	ok(content(2, "frontend.yaml", "front 1"), "and is right");
	rollout_close(&r);
}

/* ---- proofs ---- */

struct server {
	int fd;
	union addr addr;
	_Atomic unsigned
		bad_left; /* answers with the old serial before the new */
	uint32_t serial;
	_Atomic unsigned rcode;
	_Atomic bool aa;
	pthread_t thread;
};

static size_t soa_answer(const struct server *s, const uint8_t *query,
	size_t len, uint8_t *out, uint32_t serial)
{
	struct query_view v;
	size_t n;

	if (msg_parse_query(query, len, &v) != MSG_OK)
		return 0;
	n = msg_make_reply(out, 512, query, &v.q, NULL, s->rcode, false, -1);
	msg_set_flags(out, (uint16_t)(msg_flags(out) | (s->aa ? MSG_AA : 0)));
	if (s->rcode)
		return n;
	msg_set_count(out, MSG_AN, 1);
	/* owner pointer, SOA, IN, ttl 60, rdlen 22: two root names, numbers */
	memcpy(out + n, "\xc0\x0c\0\x06\0\x01\0\0\0\x3c\0\x16\0\0", 14);
	put32(out + n + 14, serial);
	memset(out + n + 18, 0, 16);
	return n + 34;
}

static void *serve(void *arg)
{
	struct server *s = arg;
	uint8_t query[600], out[600];
	struct sockaddr_storage from;
	socklen_t size;
	ssize_t n;
	size_t len;

	for (;;) {
		size = sizeof(from);
		n = recvfrom(s->fd, query, sizeof(query), 0,
			(struct sockaddr *)&from, &size);
		if (n <= 1)
			return NULL;
		len = soa_answer(s, query, (size_t)n, out,
			s->bad_left > 0 ? s->serial - 1 : s->serial);
		if (s->bad_left > 0)
			s->bad_left--;
		if (len > 0)
			(void)!sendto(s->fd, out, len, 0,
				(struct sockaddr *)&from, size);
	}
}

static void server_start(struct server *s)
{
	socklen_t len = sizeof(s->addr);

	if (addr_parse("127.0.0.1:0", 0, &s->addr) < 0)
		tap_bail("addr");
	s->fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (s->fd < 0 || bind(s->fd, &s->addr.sa, addr_len(&s->addr)) < 0 ||
		getsockname(s->fd, &s->addr.sa, &len) < 0 ||
		pthread_create(&s->thread, NULL, serve, s) != 0)
		tap_bail("no server");
}

static void server_stop(struct server *s)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)!sendto(fd, "x", 1, 0, &s->addr.sa, addr_len(&s->addr));
	close(fd);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

static int prove_serial(struct agent *agent, const struct server *s,
	uint32_t serial, struct err *err)
{
	struct manifest_proof proof = {.soa = true,
		.type = DNS_TYPE_SOA,
		.serial = serial,
		.at = s->addr};
	struct manifest m = {.proofs = &proof, .proof_count = 1};

	if (name_parse("a.example.", &proof.name) < 0)
		tap_bail("name");
	err->text[0] = '\0';
	return local_prove(agent, &m, 300, err);
}

static void test_prove(void)
{
	struct agent agent = {.stop = false};
	struct server s = {.serial = 7, .bad_left = 2, .aa = true};
	struct err err;

	pthread_mutex_init(&agent.lock, NULL);
	pthread_cond_init(&agent.wake, NULL);
	server_start(&s);
	is_int(prove_serial(&agent, &s, 7, &err), 0,
		"proven after the old serial is gone: %s", err.text);
	is_int(prove_serial(&agent, &s, 8, &err), -ETIMEDOUT,
		"another serial is not proven");
	ok(strstr(err.text, "serial 7, 8 is expected") != NULL, "%s", err.text);
	s.aa = false;
	is_int(prove_serial(&agent, &s, 7, &err), -ETIMEDOUT,
		"an answer without AA is none");
	s.aa = true;
	s.rcode = DNS_RCODE_SERVFAIL;
	is_int(prove_serial(&agent, &s, 7, &err), -ETIMEDOUT, "SERVFAIL");
	ok(strstr(err.text, "SERVFAIL") != NULL, "%s", err.text);
	agent.stop = true;
	is_int(prove_serial(&agent, &s, 7, &err), -EINTR,
		"a stopping agent does not wait");
	server_stop(&s);
	agent.stop = false;
	is_int(prove_serial(&agent, &s, 7, &err), -ETIMEDOUT, "no server");
	pthread_cond_destroy(&agent.wake);
	pthread_mutex_destroy(&agent.lock);
}

/* ---- small things ---- */

static void test_backoff(void)
{
	bool inside = true;
	int low, high;

	for (unsigned i = 0; i < 40; i++) {
		low = link_backoff_ms(i, 0);
		high = link_backoff_ms(i, UINT32_MAX);
		inside &= low == 200 && high > low && high <= 15200;
	}
	ok(inside, "backoff stays between 0.2 s and 15.2 s");
	ok(link_backoff_ms(0, UINT32_MAX) < 500, "is short at first");
	ok(link_backoff_ms(9, UINT32_MAX) > 10000, "and long later");
}

static void check_config(const char *text, const char *message)
{
	struct agent_settings set;
	struct err err = {""};
	struct conf *conf = conf_parse(
		text, strlen(text), "node.yaml", agent_schema(), &err);
	int rc = conf ? agent_settings_read(conf, &set, &err) : -EINVAL;

	if (message) {
		ok(rc < 0 && strstr(err.text, message), "node.yaml: %s (%s)",
			message, err.text);
	} else {
		is_int(rc, 0, "node.yaml is good: %s", err.text);
		is_string(set.name, "dd1", "its name");
		ok(set.programs[0] == '/', "programs beside the agent");
	}
	conf_free(conf);
}

static void test_config(void)
{
#define FILES "ca: /a\ncert: /b\nkey: /c\n"
	check_config("name: dd1\nmgmt: [\"192.0.2.1:8443\"]\n" FILES, NULL);
	check_config("mgmt: [\"192.0.2.1\"]\n" FILES, "name");
	check_config("name: \"a b\"\nmgmt: [\"192.0.2.1\"]\n" FILES,
		"node.yaml:1: name: letters");
	check_config("name: dd1\n" FILES, "mgmt");
	check_config("name: dd1\nmgmt: []\n" FILES, "node.yaml:2");
	check_config("name: dd1\nmgmt: [x]\nca: /a\ncert: /b\n", "key");
	check_config("name: dd1\nmgmt: [x]\ncolour: red\n" FILES, "colour");
}

/* The key stays here, readable by its owner alone; the request is for us. */
static void test_csr(void)
{
	char path[300], *pem = NULL, *key = NULL;
	struct err err = {""};
	struct stat st;
	long left, life;
	size_t len;

	if (dir_make(root, 0755, &err) < 0)
		tap_bail("%s", err.text);
	snprintf(path, sizeof(path), "%s/node.key", root);
	is_int(csr_make(path, "dd1", &pem, &err), 0, "a key and its request");
	ok(pem && strstr(pem, "BEGIN CERTIFICATE REQUEST") != NULL,
		"the request is PEM");
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600,
		"the key is 0600");
	is_int(file_read(path, 10000, &key, &len, &err), 0, "it is there");
	ok(key && strstr(key, "PRIVATE KEY") && pem && !strstr(pem, "PRIVATE"),
		"and not in the request");
	is_int(csr_cert_life(path, &left, &life), -EINVAL,
		"a key is no certificate");
	snprintf(path, sizeof(path), "%s/absent/node.key", root);
	free(pem);
	ok(csr_make(path, "dd1", &pem, &err) < 0 && pem == NULL,
		"no folder, no key: %s", err.text);
	is_int(csr_cert_life(path, &left, &life), -EINVAL, "an absent file");
	free(key);
}

int main(void)
{
	snprintf(root, sizeof(root), "/tmp/ispdns-agent-t.%d", (int)getpid());
	test_manifest();
	test_good();
	test_refusals();
	test_prepare_fails();
	test_roll_back();
	test_first_fails();
	test_crash();
	test_prune();
	test_disk_rot();
	test_prove();
	test_backoff();
	test_csr();
	test_config();
	(void)!dir_remove(root, NULL);
	return tap_done();
}
