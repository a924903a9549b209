/* SPDX-License-Identifier: ISC */

/*
 * Adverts that must not be obeyed, as one virtual router meets them, backup
 * and master: role and timer stay, one counter counts, one line is told for
 * any number of them. The decoder alone is in packet-t.
 */

#include "ha/instance_impl.h"

#include "common/base/clock.h"
#include "tests/ha/frame.h"
#include "tests/tap/tap.h"

enum {
	VRID = 51,
	OWN = 100,
	SEC = 1000000,
	TIMES = 3
};

static const uint8_t self4[16] = {10, 98, 0, 11};
static const uint8_t peer4[16] = {10, 98, 0, 12};
static const uint8_t self6[16] = {0xfe, 0x80, [15] = 11};
static const uint8_t peer6[16] = {0xfe, 0x80, [15] = 12};
static const uint8_t global6[16] = {0xfd, 0x98, [15] = 12};

static const int64_t now = 1000 * (int64_t)SEC;
static struct instance_event told;
static int told_count[INSTANCE_EVENTS];

static void on_emit(void *arg, const struct instance_event *ev)
{
	(void)arg;
	told = *ev;
	told_count[ev->kind]++;
}

static bool nobody_else(void *arg, int index, uint8_t family, uint8_t vrid)
{
	(void)arg;
	(void)index;
	(void)family;
	(void)vrid;
	return false;
}

/* How the receiver is set and what is sent to it. */
struct row {
	const char *name;
	uint8_t version, family;
	int at, value; /* octet to set; -1: none */
	int length;    /* added to the length */
	enum packet_verdict want;
	uint8_t ttl;
	const uint8_t *src, *dst; /* NULL: a peer; the group */
	bool keep_sum;
	bool unicast;      /* the receiver speaks unicast with peer4 only */
	bool strict_addrs; /* the receiver wants the same list */
	bool broken;       /* its IP header does not fit */
};

static bool judged[PACKET_VERDICTS]; /* which a test came across */

static const uint8_t stranger[16] = {10, 98, 0, 99};

/* clang-format off */
static const struct row rows[] = {
	{"case 7: TTL 254", 3, 4, -1, 0, 0, PACKET_TTL,
		.ttl = 254},
	{"case 7: hop limit 254", 3, 6, -1, 0, 0, PACKET_TTL,
		.ttl = 254},
	{"case 9: checksum v2", 2, 4, 7, 0, 0, PACKET_CHECKSUM,
		.ttl = 255, .keep_sum = true},
	{"case 9: checksum v3", 3, 4, 7, 1, 0, PACKET_CHECKSUM,
		.ttl = 255, .keep_sum = true},
	{"case 9: checksum v6", 3, 6, 7, 0, 0, PACKET_CHECKSUM,
		.ttl = 255, .keep_sum = true},
	{"case 11: VRID 52", 3, 4, 1, 52, 0, PACKET_VRID,
		.ttl = 255},
	{"case 13: type 2", 2, 4, 0, 0x22, 0, PACKET_TYPE,
		.ttl = 255},
	{"case 14: v3 on v2", 2, 4, 0, 0x31, 0, PACKET_VERSION,
		.ttl = 255},
	{"case 14: v2 on v3", 3, 4, 0, 0x21, 0, PACKET_VERSION,
		.ttl = 255},
	{"case 16: count 2, one address", 3, 4, 3, 2, 0, PACKET_LEN,
		.ttl = 255},
	{"case 17: truncated by 4", 2, 4, -1, 0, -4, PACKET_LEN,
		.ttl = 255},
	{"case 17: 4 octets only", 3, 4, -1, 0, -8, PACKET_LEN,
		.ttl = 255},
	{"case 18: 8 octets too many", 2, 4, -1, 0, 8, PACKET_LEN,
		.ttl = 255},
	{"case 20: longer than what came", 3, 4, -1, 0, 0, PACKET_LEN,
		.ttl = 255, .broken = true},
	{"case 21: count 0", 3, 4, 3, 0, -4, PACKET_COUNT,
		.ttl = 255},
	{"case 22: wrong password", 2, 4, 12, 'x', 0, PACKET_AUTH_FAIL,
		.ttl = 255},
	{"case 22: type 0", 2, 4, 4, 0, 0, PACKET_AUTH_MISMATCH,
		.ttl = 255},
	{"case 22: type 2", 2, 4, 4, 2, 0, PACKET_AUTH_MISMATCH,
		.ttl = 255},
	{"case 22: type 9", 2, 4, 4, 9, 0, PACKET_AUTH_TYPE,
		.ttl = 255},
	{"case 24: v2 interval 2", 2, 4, 5, 2, 0, PACKET_INTERVAL,
		.ttl = 255},
	{"case 27: v3 interval 0", 3, 4, 5, 0, 0, PACKET_INTERVAL,
		.ttl = 255},
	{"case 30: other address, strict", 3, 4, 11, 99, 0, PACKET_ADDR_LIST,
		.ttl = 255, .strict_addrs = true},
	{"case 31: own source address", 3, 4, -1, 0, 0, PACKET_LOOP,
		.ttl = 255, .src = self4},
	{"case 32: unicast in multicast mode", 3, 4, -1, 0, 0, PACKET_CAST,
		.ttl = 255, .dst = self4},
	{"case 32: multicast in unicast mode", 3, 4, -1, 0, 0, PACKET_CAST,
		.ttl = 255, .unicast = true},
	{"case 33: unicast from no peer", 3, 4, -1, 0, 0, PACKET_PEER,
		.ttl = 255, .src = stranger, .dst = self4, .unicast = true},
	{"case 34: source not link-local", 3, 6, -1, 0, 0, PACKET_SOURCE,
		.ttl = 255, .src = global6},
};
/* clang-format on */

static void set_conf(const struct row *r, struct config_instance *c)
{
	memset(c, 0, sizeof(*c));
	snprintf(c->name, sizeof(c->name), "VI");
	c->vrid = VRID;
	c->version = r->version;
	c->family = r->family;
	c->priority = OWN;
	c->preempt = true;
	c->strict_addrs = r->strict_addrs;
	c->interval_us = r->version == 2 ? SEC : SEC / 10;
	if (r->version == 2) {
		c->auth_type = PACKET_AUTH_PASS;
		memcpy(c->auth, "lab123\0", 8);
	}
	c->wire[0] = r->family == 6 ? 0xfe : 10;
	c->wire[1] = 0x80;
	c->wire_count = c->vip_count = 1;
	if (r->unicast) {
		memcpy(c->peers[0], peer4, 16);
		c->peer_count = 1;
	}
}

/* A good advert of `priority`, spoilt by the row, into in->packet. */
static void spoil(struct instance *in, const struct row *r, uint8_t priority)
{
	struct sock_packet *p = &in->packet;
	struct packet_advert adv = {
		.version = r->version,
		.family = r->family,
		.vrid = VRID,
		.priority = priority,
		.interval_cs = in->rules.interval_cs,
		.auth_type = in->conf.auth_type,
		.count = 1,
		.addrs = in->conf.wire,
	};
	int len;

	memset(p, 0, sizeof(*p));
	memcpy(adv.auth, in->conf.auth, sizeof(adv.auth));
	p->meta.family = r->family;
	p->meta.ttl = r->ttl;
	memcpy(p->meta.src,
		r->src           ? r->src
		: r->family == 6 ? peer6
				 : peer4,
		16);
	packet_group(r->family, p->meta.dst);
	if (r->dst)
		memcpy(p->meta.dst, r->dst, 16);
	len = packet_encode(&adv, PACKET_SUM_PSEUDO, p->meta.src, p->meta.dst,
		p->buf, sizeof(p->buf));
	if (len < 0)
		tap_bail("%s: cannot encode", r->name);
	if (r->at >= 0)
		p->buf[r->at] = (uint8_t)r->value;
	p->pdu = p->buf;
	p->len = (size_t)(len + r->length);
	if (!r->keep_sum && p->len >= 8)
		frame_fix_sum(&p->meta, p->buf, p->len);
	p->broken = r->broken;
	p->at_us = now;
	judged[r->want] = true;
}

static struct instance *make(
	const struct row *r, struct instance_env *env, enum state_role role)
{
	struct config_instance conf;
	struct instance *in;
	struct state_event ev = {.kind = STATE_EV_START};

	set_conf(r, &conf);
	in = instance_new(&conf, env, NULL);
	if (!in)
		tap_bail("no memory");
	memcpy(in->source, r->family == 6 ? self6 : self4, 16);
	memcpy(in->rules.self, in->source, 16);
	memcpy(in->sc.self, in->source, 16);
	state_step(&in->st, &in->sc, &ev, now - 10 * SEC);
	if (role == STATE_MASTER) {
		ev.kind = STATE_EV_TAKE;
		state_step(&in->st, &in->sc, &ev, now - SEC / 20);
	}
	memset(told_count, 0, sizeof(told_count));
	return in;
}

static struct poll no_poll = {.epfd = -1};
static const struct config no_config;
static struct announce_links announced;
static struct instance_env env = {
	.announced = &announced,
	.poll = &no_poll,
	.config = &no_config,
	.packet_fd = -1,
	.emit = on_emit,
	.known = nobody_else,
};

/* Even a higher priority, which a master would obey at once. */
static void test_row(const struct row *r, enum state_role role)
{
	struct instance *in = make(r, &env, role);
	struct state before = in->st;
	bool quiet = r->want == PACKET_LOOP || r->want == PACKET_VRID;

	for (int i = 0; i < TIMES; i++) {
		spoil(in, r, 200);
		in_take_packet(in, now);
	}
	ok(memcmp(&before, &in->st, sizeof(before)) == 0 && in->st.role == role,
		"%s, %s: role and timer stay", r->name, state_role_name(role));
	is_int((long long)in->counters.discard[r->want], TIMES,
		"%s, %s: counted as %s", r->name, state_role_name(role),
		packet_verdict_name(r->want));
	ok(told_count[INSTANCE_DISCARD] == !quiet &&
			(quiet || told.reason == r->want),
		"%s, %s: told %s", r->name, state_role_name(role),
		quiet ? "to nobody" : "once");
	instance_free(in);
}

static void take(struct instance *in, const struct row *r, int64_t at_us)
{
	spoil(in, r, 200);
	in->packet.at_us = at_us;
	in_take_packet(in, at_us);
}

/* A reason is told again only after an advert was good in between and some
 * time has passed: one who forges cannot make the log grow, nor hide behind
 * what was told before. */
static void test_told_again(void)
{
	static const struct row bad = {"", 3, 4, 7, 1, 0, PACKET_CHECKSUM,
		.ttl = 255, .keep_sum = true};
	static const struct row good = {
		"", 3, 4, -1, 0, 0, PACKET_OK, .ttl = 255};
	struct instance *in = make(&good, &env, STATE_BACKUP);

	for (int i = 0; i < 100; i++) {
		take(in, &bad, now + i * SEC / 20);
		take(in, &good, now + i * SEC / 20);
	}
	is_int(told_count[INSTANCE_DISCARD], 1,
		"forged ones between good ones are told once");
	is_int((long long)in->counters.received, 100, "the good ones count");
	is_int(in->advert_us, now + 99 * SEC / 20, "with their time");
	take(in, &bad, now + 10 * (int64_t)SEC);
	ok(told_count[INSTANCE_DISCARD] == 2 && told.value == 100,
		"after 10 s they are told again, with their number");
	take(in, &bad, now + 30 * (int64_t)SEC);
	is_int(told_count[INSTANCE_DISCARD], 2,
		"but not while nothing good was heard in between");
	instance_free(in);
}

static void test_other_list(enum state_role role)
{
	static const struct row other = {
		"", 3, 4, 11, 99, 0, PACKET_OK, .ttl = 255};
	struct instance *in = make(&other, &env, role);

	for (int i = 0; i < TIMES; i++) {
		spoil(in, &other, role == STATE_MASTER ? 50 : 200);
		in_take_packet(in, now);
	}
	ok(in->counters.addr_list_diff == TIMES &&
			in->counters.received == TIMES,
		"case 29: other addresses, %s: accepted and counted",
		state_role_name(role));
	is_int(told_count[INSTANCE_ADDRS], 1, "case 29: and told once");
	instance_free(in);
}

/* --- signed adverts ---------------------------------------------------- */

static void set_hmac(struct instance *in, enum hmac_mode mode)
{
	struct hmac_conf *h = &in->conf.hmac;

	h->mode = mode;
	h->window_s = 5;
	h->key_count = 1;
	h->keys[0].id = 1;
	h->keys[0].len = HMAC_KEY_MIN;
	in->rules.trailer = true;
}

/* A good advert, signed `age_s` ago; `seq` keeps it growing. */
static void sign(struct instance *in, const struct row *r, uint8_t priority,
	int64_t age_s, uint64_t seq)
{
	uint64_t time = (uint64_t)(wall_now_s() - age_s) << 32;

	spoil(in, r, priority);
	hmac_sign(&in->conf.hmac, time + seq, &in->packet.meta, in->packet.buf,
		in->packet.len);
	in->packet.len += PACKET_TRAILER;
}

static void discarded(struct instance *in, enum packet_verdict want,
	const char *name, enum state_role role)
{
	struct state before = in->st;
	uint64_t count = in->counters.discard[want];

	judged[want] = true;
	in_take_packet(in, now);
	ok(in->counters.discard[want] == count + 1 &&
			memcmp(&before, &in->st, sizeof(before)) == 0,
		"case 81: %s, %s: discarded as %s", name, state_role_name(role),
		packet_verdict_name(want));
}

static void test_hmac(const struct row *r, enum state_role role)
{
	struct instance *in = make(r, &env, role);
	uint8_t q = role == STATE_MASTER ? 50 : 150;
	uint64_t received;

	set_hmac(in, HMAC_ENFORCE);
	sign(in, r, q, 0, 1);
	in_take_packet(in, now);
	is_int((long long)in->counters.received, 1, "case 81: %s: good: taken",
		state_role_name(role));
	sign(in, r, 200, 0, 1);
	discarded(in, PACKET_HMAC_REPLAY, "the same number", role);
	sign(in, r, 200, 60, 2);
	discarded(in, PACKET_HMAC_STALE, "a minute old", role);
	sign(in, r, 200, -60, 2);
	discarded(in, PACKET_HMAC_STALE, "of the future", role);
	sign(in, r, 200, 0, 3);
	in->packet.buf[in->packet.len - 1] ^= 1;
	if (r->family == 6)
		packet_sum6(&in->packet.meta, in->packet.buf, in->packet.len);
	discarded(in, PACKET_HMAC_FAIL, "another signature", role);
	in->conf.hmac.keys[0].id = 2;
	sign(in, r, 200, 0, 4);
	in->conf.hmac.keys[0].id = 1;
	discarded(in, PACKET_HMAC_KEY, "another key", role);
	spoil(in, r, 200);
	discarded(in, PACKET_HMAC_MISSING, "unsigned", role);
	/* A change a moment ago does not let unsigned ones in. */
	in->old_conf = in->conf;
	in->old_conf.hmac.mode = HMAC_OFF;
	in->old_rules = in->rules;
	in->old_until_us = now + SEC;
	spoil(in, r, 200);
	discarded(in, PACKET_HMAC_MISSING, "unsigned after a change", role);
	sign(in, r, 200, 0, 5);
	in->packet.buf[in->packet.len - PACKET_TRAILER] = 2;
	if (r->family == 6)
		packet_sum6(&in->packet.meta, in->packet.buf, in->packet.len);
	discarded(in, PACKET_HMAC_FORM, "another kind of trailer", role);
	is_int(told_count[INSTANCE_DISCARD], 6,
		"case 81: %s: each of six reasons was told once",
		state_role_name(role));
	in->conf.hmac.mode = HMAC_PERMISSIVE;
	received = in->counters.received;
	spoil(in, r, q);
	in_take_packet(in, now);
	is_int((long long)in->counters.received, (long long)received + 1,
		"case 81: permissive, %s: unsigned: taken",
		state_role_name(role));
	instance_free(in);
}

int main(void)
{
	static const struct row v3 = {
		"", 3, 4, -1, 0, 0, PACKET_OK, .ttl = 255};
	static const struct row v6 = {
		"", 3, 6, -1, 0, 0, PACKET_OK, .ttl = 255};

	for (size_t i = 0; i < countof(rows); i++) {
		test_row(&rows[i], STATE_BACKUP);
		test_row(&rows[i], STATE_MASTER);
	}
	test_told_again();
	test_other_list(STATE_BACKUP);
	test_other_list(STATE_MASTER);
	test_hmac(&v3, STATE_BACKUP);
	test_hmac(&v3, STATE_MASTER);
	test_hmac(&v6, STATE_BACKUP);
	test_hmac(&v6, STATE_MASTER);
	for (int v = PACKET_OK + 1; v < PACKET_VERDICTS; v++)
		ok(judged[v], "%s: met as backup and as master",
			packet_verdict_name((enum packet_verdict)v));
	return tap_done();
}
