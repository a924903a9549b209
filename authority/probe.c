/* SPDX-License-Identifier: ISC */
/*
 * The prober. Every zone climbs the steps UDP_A, UDP_B, TCP, DONE; at most
 * WINDOW questions are out at a time; the message id is the index of the
 * slot, with random high bits against late answers.
 */

#include "authority/probe.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/hash.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "common/net/stream.h"
#include "common/net/udp.h"

#define WINDOW   64
#define TICK_MS  10
#define LOST_MS  300 /* no answer: ask again */
#define AGAIN_MS 20  /* a bad answer: ask again */
#define NOBODY   SIZE_MAX

enum step {
	STEP_UDP_A,
	STEP_UDP_B,
	STEP_TCP,
	STEP_DONE
};

struct entry {
	struct probe_zone zone;
	enum step step;
	bool out;          /* a question is under way */
	struct mtime wait; /* not before */
	char why[96];      /* what was wrong at last */
};

struct slot {
	size_t entry; /* NOBODY: free */
	uint16_t id;
	struct mtime sent;
};

struct probe {
	struct loop *loop;
	union addr server;
	int fd[2]; /* UDP_A, UDP_B */
	struct watch *watch[2];
	struct stream *stream;
	struct timer *tick;
	struct mtime deadline;
	struct entry *entries;
	size_t count, done_count, cursor;
	struct slot slots[WINDOW];
	struct rng rng;
	struct histogram *rtt;
	probe_done done;
	void *arg;
	bool ending;
};

static bool soa_serial(const uint8_t *msg, size_t len, const struct record *r,
	uint32_t *serial)
{
	size_t at = r->rdata_offset, end = at + r->rdlen;

	for (int i = 0; i < 2; i++) {
		int n = name_read(msg, end, at, NULL);

		if (n < 0)
			return false;
		at += (size_t)n;
	}
	if (at + 20 != end || end > len)
		return false;
	*serial = get32(msg + at);
	return true;
}

/* The SOA of exactly this name in the answer section. */
static bool find_soa(const struct probe_zone *zone, const uint8_t *msg,
	size_t len, const struct question *q, uint32_t *serial)
{
	struct record_iter it;
	struct record r;
	struct name owner;

	record_iter_init(&it, msg, len, q->end);
	while (record_iter_next(&it, &r) && r.section == MSG_AN) {
		if (r.type == DNS_TYPE_SOA &&
			name_read(msg, len, r.offset, &owner) > 0 &&
			name_equal(owner.wire, zone->wire->wire))
			return soa_serial(msg, len, &r, serial);
	}
	return false;
}

static bool fail(struct err *err, const char *what)
{
	err_set(err, "%s", what);
	return false;
}

bool probe_judge(const struct probe_zone *zone, const uint8_t *msg, size_t len,
	struct err *err)
{
	struct question q;
	struct edns edns;
	uint32_t serial = 0;
	bool found;

	if (!msg_check_answer(msg, len, &q, &edns))
		return fail(err, "answer is malformed");
	if (!q.name || !name_equal(q.name, zone->wire->wire) ||
		q.type != DNS_TYPE_SOA)
		return fail(err, "answer to another question");
	found = find_soa(zone, msg, len, &q, &serial);
	if (zone->absent)
		return found ? fail(err, "is still served") : true;
	if (msg_rcode(msg) != 0) {
		err_set(err, "answer is rcode %u", msg_rcode(msg));
		return false;
	}
	if (!found || !(msg_flags(msg) & MSG_AA))
		return fail(err, "no SOA in the answer");
	if (serial != zone->serial) {
		err_set(err, "serial is %u, not %u", serial, zone->serial);
		return false;
	}
	return true;
}

void probe_cancel(struct probe *probe)
{
	if (!probe)
		return;
	for (int i = 0; i < 2; i++) {
		watch_close(probe->watch[i]);
		if (probe->fd[i] >= 0)
			close(probe->fd[i]);
	}
	stream_free(probe->stream);
	timer_free(probe->tick);
	free(probe->entries);
	free(probe);
}

/* The end, out of the tick only. */
static void finish(struct probe *probe, const struct err *err)
{
	probe_done done = probe->done;
	void *arg = probe->arg;

	probe_cancel(probe);
	done(arg, err);
}

static void tell_failure(struct probe *probe)
{
	struct err err = {.text = ""};
	char name[NAME_MAX_TEXT];
	size_t left = probe->count - probe->done_count;

	for (size_t i = 0; i < probe->count; i++) {
		const struct entry *e = &probe->entries[i];

		if (e->step == STEP_DONE)
			continue;
		err_set(&err, "%.300s: %s (%s)%s",
			name_print(e->zone.wire, name),
			e->why[0] ? e->why : "no answer",
			e->step == STEP_TCP ? "TCP" : "UDP",
			left > 1 ? ", and others" : "");
		break;
	}
	finish(probe, &err);
}

static void answer(struct probe *probe, const uint8_t *msg, size_t len)
{
	struct slot *slot;
	struct entry *e;
	struct err err;
	size_t index;

	if (len < MSG_HEADER)
		return;
	slot = &probe->slots[msg_id(msg) % WINDOW];
	if (slot->entry == NOBODY || slot->id != msg_id(msg))
		return;
	index = slot->entry;
	e = &probe->entries[index];
	if (probe->rtt && e->step != STEP_TCP)
		histogram_add(probe->rtt,
			(uint64_t)mtime_sub_us(mtime_now(), slot->sent));
	slot->entry = NOBODY;
	e->out = false;
	if (probe_judge(&e->zone, msg, len, &err)) {
		e->step++;
		probe->done_count += e->step == STEP_DONE;
		return;
	}
	snprintf(e->why, sizeof(e->why), "%.95s", err.text);
	e->step = STEP_UDP_A;
	e->wait = mtime_add_ms(mtime_now(), AGAIN_MS);
}

static void on_udp(void *arg, int fd, int events)
{
	struct probe *probe = arg;
	uint8_t msg[4096];
	ssize_t n;

	(void)events;
	for (int i = 0; i < WINDOW; i++) {
		n = recv(fd, msg, sizeof(msg), MSG_DONTWAIT);
		if (n < 0)
			break;
		answer(probe, msg, (size_t)n);
	}
	timer_set_us(probe->tick, 0);
}

static void on_tcp(void *arg, struct stream *s, uint8_t *msg, size_t len)
{
	struct probe *probe = arg;

	(void)s;
	answer(probe, msg, len);
	timer_set_us(probe->tick, 0);
}

/* NSD closes connections when it replaces its processes: ask again. */
static void on_tcp_closed(void *arg, struct stream *s, enum stream_end why)
{
	struct probe *probe = arg;

	(void)why;
	stream_free(s);
	probe->stream = NULL;
	for (size_t i = 0; i < WINDOW; i++) {
		struct slot *slot = &probe->slots[i];

		if (slot->entry == NOBODY ||
			probe->entries[slot->entry].step != STEP_TCP)
			continue;
		probe->entries[slot->entry].out = false;
		probe->entries[slot->entry].wait =
			mtime_add_ms(mtime_now(), AGAIN_MS);
		slot->entry = NOBODY;
	}
}

static bool send_tcp(struct probe *probe, const uint8_t *msg, size_t len)
{
	static const struct stream_limits limits = {
		.message_ms = 2000, .connect_ms = 1000, .queue_bytes = 65536};
	static const struct stream_events events = {
		.message = on_tcp, .closed = on_tcp_closed};

	if (!probe->stream)
		probe->stream = stream_connect(probe->loop, NULL,
			&probe->server, &limits, &events, probe);
	return probe->stream && stream_send(probe->stream, msg, len) == 0;
}

static void ask(struct probe *probe, size_t index, struct slot *slot)
{
	struct entry *e = &probe->entries[index];
	uint8_t msg[512];
	size_t len;

	slot->id =
		(uint16_t)((rng_next(&probe->rng) & 0xffff) / WINDOW * WINDOW +
			   (size_t)(slot - probe->slots));
	slot->sent = mtime_now();
	len = msg_make_query(msg, sizeof(msg), slot->id, e->zone.wire->wire,
		e->zone.wire->len, DNS_TYPE_SOA, DNS_CLASS_IN, 0, 0, false);
	if (e->step == STEP_TCP) {
		if (!send_tcp(probe, msg, len))
			return;
	} else if (send(probe->fd[e->step], msg, len,
			   MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		snprintf(e->why, sizeof(e->why), "%s", strerror(errno));
		e->wait = mtime_add_ms(slot->sent, AGAIN_MS);
		return;
	}
	slot->entry = index;
	e->out = true;
}

/* Questions without an answer: their zones start anew. */
static void expire(struct probe *probe, struct mtime now)
{
	for (size_t i = 0; i < WINDOW; i++) {
		struct slot *slot = &probe->slots[i];
		struct entry *e;

		if (slot->entry == NOBODY ||
			mtime_sub_us(now, slot->sent) < LOST_MS * 1000)
			continue;
		e = &probe->entries[slot->entry];
		slot->entry = NOBODY;
		e->out = false;
		e->step = STEP_UDP_A;
		snprintf(e->why, sizeof(e->why), "no answer");
	}
}

/* The next zone that may be asked, or NOBODY. One turn around at most. */
static size_t next_entry(struct probe *probe, struct mtime now, size_t *looked)
{
	for (; *looked < probe->count; ++*looked) {
		size_t i = probe->cursor;
		const struct entry *e = &probe->entries[i];

		probe->cursor = (i + 1) % probe->count;
		if (e->step != STEP_DONE && !e->out &&
			!mtime_before(now, e->wait)) {
			++*looked;
			return i;
		}
	}
	return NOBODY;
}

static void on_tick(void *arg)
{
	struct probe *probe = arg;
	struct mtime now = mtime_now();
	size_t looked = 0, index = 0;

	expire(probe, now);
	if (probe->done_count == probe->count) {
		finish(probe, NULL);
		return;
	}
	if (!mtime_before(now, probe->deadline)) {
		tell_failure(probe);
		return;
	}
	for (size_t i = 0; i < WINDOW && index != NOBODY; i++) {
		if (probe->slots[i].entry != NOBODY)
			continue;
		index = next_entry(probe, now, &looked);
		if (index != NOBODY)
			ask(probe, index, &probe->slots[i]);
	}
	timer_set_ms(probe->tick, TICK_MS);
}

static int open_sockets(struct probe *probe, struct err *err)
{
	for (int i = 0; i < 2; i++) {
		probe->fd[i] = udp_connect(NULL, &probe->server, err);
		if (probe->fd[i] < 0)
			return probe->fd[i];
		probe->watch[i] = watch_open(
			probe->loop, probe->fd[i], LOOP_READ, on_udp, probe);
		if (!probe->watch[i])
			return err_fail(err, -ENOMEM, "out of memory");
	}
	return 0;
}

struct probe *probe_start(struct loop *loop, const union addr *server,
	const struct probe_zone *zones, size_t count, int deadline_ms,
	struct histogram *rtt, probe_done done, void *arg, struct err *err)
{
	struct probe *probe = calloc(1, sizeof(*probe));

	if (!probe) {
		err_set(err, "out of memory");
		return NULL;
	}
	probe->loop = loop;
	probe->server = *server;
	probe->rtt = rtt;
	probe->done = done;
	probe->arg = arg;
	probe->fd[0] = probe->fd[1] = -1;
	probe->deadline = mtime_add_ms(mtime_now(), deadline_ms);
	rng_init(&probe->rng);
	for (size_t i = 0; i < WINDOW; i++)
		probe->slots[i].entry = NOBODY;
	probe->entries = calloc(count + 1, sizeof(struct entry));
	probe->tick = timer_new(loop, on_tick, probe);
	if (!probe->entries || !probe->tick || open_sockets(probe, err) < 0) {
		if (!probe->entries || !probe->tick)
			err_set(err, "out of memory");
		probe_cancel(probe);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		probe->entries[i].zone = zones[i];
	probe->count = count;
	timer_set_us(probe->tick, 0);
	return probe;
}
