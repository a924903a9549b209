/* SPDX-License-Identifier: ISC */
/*
 * Memory: none is needed to serve queries once all sockets are open, and when
 * it runs out while something is built, that fails whole.
 */

#include "tests/frontend/rig.h"

#include "common/dns/code.h"
#include "tests/tap/failmem.h"
#include "tests/tap/tap.h"

#include <unistd.h>

static struct rig rig;
static struct packet answer, second;
static const struct reply good = {.flags = MSG_RA, .answers = 1, .ttl_s = 60};
static const struct reply fail = {.flags = MSG_RA, .rcode = DNS_RCODE_SERVFAIL};

/* Unique questions; each third one fails at r1 first. How many were answered
 * well? */
static int serve(int fd, const char *what, int count)
{
	int right = 0;

	for (int i = 0; i < count; i++) {
		char name[64];
		struct ask ask = {.name = name};

		(void)snprintf(name, sizeof(name), "%s%d.example", what, i);
		ask_udp(fd, &ask);
		if (!take_udp(rig.udp[0], &second, RIG_SOON))
			break;
		reply_udp(rig.udp[0], &second, i % 12 ? &good : &fail);
		if (i % 12 == 0 && take_udp(rig.udp[1], &second, RIG_SOON))
			reply_udp(rig.udp[1], &second, &good);
		right += take_udp(fd, &answer, RIG_SOON) &&
			 msg_rcode(answer.data) == 0;
		right += !round_trip(&rig, fd, &ask, 0, &good, &answer) &&
			 msg_rcode(answer.data) == 0;
	}
	return right;
}

static void test_serving(void)
{
	int fd;

	rig_start(&rig,
		"acl: {allow: [127.0.0.0/8]}\n"
		"dynamic_blocks: {qps: 1, nxdomain_percent: 50}\n"
		"limit: {misses: {per_client: {qps: 10000},\n"
		"  per_suffix: {qps: 10000}}}\n"
		"rules: [{suffix: [example], action: tag, tag: t},\n"
		"  {qtype: [A], action: rate-limit, qps: 100000}]\n",
		"policy: firstAvailable, ecs: add,");
	fd = rig_udp_client(&rig);
	(void)serve(fd, "warm", 300); /* opens all sockets */
	failmem_after(0);
	is_int(serve(fd, "cold", 500), 1000,
		"500 misses, 500 hits, 42 retries without an allocation");
	failmem_off();
	close(fd);
	rig_stop(&rig);
}

static const char text[] =
	"listen: [127.0.0.1]\ndefault_pool: rec\n"
	"acl: {allow: [10.0.0.0/8, \"2001:db8::/32\"], deny: [10.1.0.0/16]}\n"
	"dynamic_blocks: {qps: 5, exempt: [10.4.0.0/16]}\n"
	"limit: {qps: 5, overrides: [{prefix: 10.2.0.0/16, qps: 50}],\n"
	"  exempt: [10.3.0.0/16], misses: {per_suffix: {qps: 5,\n"
	"    registries: [co.uk]}}}\n"
	"pools:\n"
	"  rec: {policy: chashed, backends: [{name: a, address: 192.0.2.1},\n"
	"    {name: b, address: 192.0.2.2}]}\n"
	"  auth: {backends: [{name: c, address: 192.0.2.3}]}\n"
	"routes: [{suffix: a.test, pool: auth}, {suffix: b.test, pool: "
	"auth}]\n"
	"rules: [{suffix: [a.test], source: [10.0.0.0/8], action: drop},\n"
	"  {exact: [b.test], qtype: [TYPE300], action: tag, tag: t},\n"
	"  {action: spoof, addresses: [192.0.2.1]}]\n";

static int count_servers(const struct registry *registry)
{
	int n = 0;

	for (int i = 0; i < SERVERS_MAX; i++)
		n += registry->servers[i] != NULL;
	return n;
}

static void test_building(void)
{
	static struct registry registry;
	struct err err;
	struct conf *conf =
		conf_parse(text, strlen(text), "m.yaml", config_schema(), &err);
	struct policy *policy = NULL;
	int n, rc, clean = 1;

	registry_init(&registry);
	for (n = 0; conf && !policy && n < 1000; n++) {
		failmem_after((unsigned)n);
		err.text[0] = '\0';
		rc = config_build(conf, &registry, &policy, &err);
		failmem_off();
		if (rc < 0)
			clean &= count_servers(&registry) == 0 && err.text[0];
	}
	ok(policy && n > 4, "a snapshot takes %d allocations", n - 1);
	ok(clean, "without any one of them it fails, says so, leaves nothing");
	config_release(policy, &registry);
	is_int(count_servers(&registry), 0, "nor does a release");
	registry_fini(&registry);
	conf_free(conf);
}

static void test_stores(void)
{
	struct cache *cache = NULL;
	struct limiter *limiter = NULL;
	int n;

	for (n = 0; !cache && n < 100; n++) {
		failmem_after((unsigned)n);
		cache = cache_new(1000, 1 << 20);
		failmem_off();
	}
	ok(cache, "a cache");
	for (n = 0; !limiter && n < 100; n++) {
		failmem_after((unsigned)n);
		limiter = limiter_new(1000);
		failmem_off();
	}
	ok(limiter, "a table of limits");
	cache_free(cache);
	limiter_free(limiter);
}

static void test_worker(void)
{
	static struct rig r;
	struct worker_config config = {.secret = &r.secret, .inflight = 100};
	union addr addrs[CONFIG_LISTEN_MAX];
	struct worker *w = NULL;
	struct err err;
	int n;

	rig_start(&r, "", "");
	config.policy = r.policy;
	config.row = r.worker->row;
	config_serve(r.conf, addrs, &config.serve);
	for (n = 0; !w && n < 1000; n++) {
		failmem_after((unsigned)n);
		w = worker_new(&config, &err);
		failmem_off();
	}
	ok(w && n > 10, "a worker takes %d allocations, or is not made", n - 1);
	worker_free(w);
	rig_stop(&r);
}

int main(void)
{
	test_serving();
	test_building();
	test_stores();
	test_worker();
	return tap_done();
}
