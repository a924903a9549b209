/* SPDX-License-Identifier: ISC */

/*
 * Requests to the kernel by a thread of their own, in a network namespace of
 * this test: their order, tickets, failures, chains and views.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include "ha/kernel.h"

#include "tests/tap/tap.h"

enum {
	LO = 1,
	NO_LINK = 9999,
	MANY = 20000, /* more than may wait */
	TABLE = 201,
	OWNER = 7,
	LIMIT_US = 20 * 1000 * 1000,
	LIMIT_MS = LIMIT_US / 1000
};

static struct kernel *k;
static struct iface *iface;

static struct kernel_op addr_op(enum kernel_op_kind kind, int index, int last)
{
	return (struct kernel_op){.kind = kind,
		.prefix = 32,
		.index = index,
		.owner = OWNER,
		.route = {.family = 4, .octets = {10, 77, 0, (uint8_t)last}}};
}

static struct kernel_op route_op(uint32_t metric, uint32_t chain)
{
	return (struct kernel_op){.kind = KERNEL_ROUTE_ADD,
		.owner = OWNER,
		.chain = chain,
		.route = {.table = TABLE,
			.metric = metric,
			.family = 4,
			.octets = {10, 78, 0, 1}}};
}

/* The next view that was taken after `ticket`. */
static const struct kernel_view *view_after(uint64_t ticket, unsigned parts)
{
	struct pollfd p = {.fd = kernel_fd(k), .events = POLLIN};

	/* Every sixteenth request rings the bell too. */
	for (int i = 0; i < MANY; i++) {
		const struct kernel_view *v = kernel_view(k);

		if (v && v->ticket >= ticket && (v->parts & parts) == parts)
			return v;
		if (v)
			kernel_seen(k);
		else if (poll(&p, 1, LIMIT_MS) <= 0)
			tap_bail("nothing comes");
		kernel_drain(k);
	}
	tap_bail("no view after the ticket");
}

static int addrs_in(const struct kernel_view *v, int last)
{
	int n = 0;

	for (size_t i = 0; i < v->addr_count; i++)
		n += v->addrs[i].tag == IFACE_TAG &&
		     v->addrs[i].octets[3] == last;
	return n;
}

static bool has_metric(const struct kernel_view *v, uint32_t metric)
{
	for (size_t i = 0; i < v->routes.count; i++)
		if (v->routes.list[i].metric == metric &&
			v->routes.list[i].table == TABLE)
			return true;
	return false;
}

static void test_inline(void)
{
	struct kernel_op op = addr_op(KERNEL_ADDR_ADD, LO, 1);
	const struct kernel_view *v;

	is_int(kernel_ask(k, &op), 1, "the first ticket is 1");
	is_int(kernel_done(k), 1, "before the start it is done at once");
	kernel_look(k);
	v = kernel_view(k);
	ok(v && addrs_in(v, 1) == 1, "so is a view, with the address");
	ok(v && v->link_count == 1 && strcmp(v->links[0].name, "lo") == 0,
		"and the link");
	kernel_seen(k);
	ok(!kernel_view(k), "a view is there until it was seen");
}

static void test_order(void)
{
	struct kernel_op op = addr_op(KERNEL_ADDR_ADD, LO, 2);
	const struct kernel_view *v;
	uint64_t ticket;

	(void)kernel_ask(k, &op);
	op.kind = KERNEL_ADDR_DEL;
	(void)kernel_ask(k, &op);
	op = addr_op(KERNEL_ADDR_ADD, LO, 3);
	ticket = kernel_ask(k, &op);
	v = view_after(ticket, KERNEL_SEES_LINKS);
	is_int(addrs_in(v, 2), 0, "put on and taken off again, in this order");
	is_int(addrs_in(v, 3), 1, "a change brings a view of its own accord");
	ok(kernel_done(k) >= ticket, "and was done");
	kernel_seen(k);
}

static void test_failure(void)
{
	struct kernel_op op = addr_op(KERNEL_ADDR_ADD, NO_LINK, 4);
	struct kernel_failure f = {0};
	uint64_t ticket = kernel_ask(k, &op);

	ok(kernel_wait(k, LIMIT_US), "a failure is an end too");
	ok(kernel_next_failure(k, &f), "and told");
	is_int(f.rc, -ENODEV, "why");
	is_int(f.owner, OWNER, "to whom");
	is_int((int64_t)f.ticket, (int64_t)ticket, "which");
	is_int(f.kind, KERNEL_ADDR_ADD, "what");
	ok(!kernel_next_failure(k, &f), "once");
	op.kind = KERNEL_ADDR_DEL;
	(void)kernel_ask(k, &op);
	ok(kernel_wait(k, LIMIT_US) && !kernel_next_failure(k, &f),
		"to take off what is not there is none");
	op = route_op(99, 0);
	op.kind = KERNEL_ROUTE_DEL;
	(void)kernel_ask(k, &op);
	ok(kernel_wait(k, LIMIT_US) && !kernel_next_failure(k, &f),
		"nor for a route");
}

static void test_chain(void)
{
	struct kernel_op op = addr_op(KERNEL_ADDR_ADD, NO_LINK, 5);
	struct kernel_failure f;
	const struct kernel_view *v;
	int failures = 0;

	op.chain = 1;
	(void)kernel_ask(k, &op);
	op = route_op(10, 1);
	(void)kernel_ask(k, &op);
	op = route_op(20, 2);
	(void)kernel_ask(k, &op);
	op = addr_op(KERNEL_ADDR_ADD, NO_LINK, 5);
	(void)kernel_ask(k, &op);
	op = route_op(30, 0);
	v = view_after(kernel_ask(k, &op), KERNEL_SEES_ROUTES);
	ok(!has_metric(v, 10), "nothing is done after a failure of its chain");
	ok(has_metric(v, 20), "another chain is");
	ok(has_metric(v, 30), "and what is in none");
	kernel_seen(k);
	while (kernel_next_failure(k, &f))
		failures++;
	is_int(failures, 2, "each failure is told, what was left out is not");
}

static void test_many(void)
{
	struct kernel_failure f;
	uint64_t ticket = 0, failures = 0;
	const struct kernel_view *v;

	for (int i = 0; i < MANY; i++) {
		struct kernel_op op = addr_op(
			i % 2 ? KERNEL_ADDR_DEL : KERNEL_ADDR_ADD, LO, 6);

		ticket = kernel_ask(k, &op);
	}
	v = view_after(ticket, KERNEL_SEES_LINKS);
	is_int(addrs_in(v, 6), 0, "%d requests, the last one took it off",
		MANY);
	kernel_seen(k);
	for (int i = 0; i < MANY; i++) {
		struct kernel_op op = addr_op(KERNEL_ADDR_ADD, NO_LINK, 7);

		ticket = kernel_ask(k, &op);
	}
	ok(kernel_wait(k, LIMIT_US), "as many failures, which nobody reads");
	v = view_after(ticket, KERNEL_SEES_LINKS | KERNEL_SEES_ROUTES);
	ok(v, "bring a view in place of those that do not fit");
	kernel_seen(k);
	while (kernel_next_failure(k, &f))
		failures++;
	ok(failures > 0 && failures < MANY, "the first ones are told");
}

static void test_stop(void)
{
	struct kernel_op op = addr_op(KERNEL_ADDR_ADD, LO, 8);
	uint64_t ticket = 0;

	for (int i = 0; i < 100; i++)
		ticket = kernel_ask(k, &op);
	kernel_stop(k);
	is_int((int64_t)kernel_done(k), (int64_t)ticket,
		"the end comes after all that was asked");
	op.kind = KERNEL_ADDR_DEL;
	ticket = kernel_ask(k, &op);
	is_int((int64_t)kernel_done(k), (int64_t)ticket,
		"and then it is done at once again");
}

static bool own_namespace(void)
{
	return unshare(geteuid() == 0 ? CLONE_NEWNET
				      : CLONE_NEWUSER | CLONE_NEWNET) == 0;
}

int main(void)
{
	struct err err = {""};

	if (!own_namespace()) {
		tap_skip(1, "no network namespaces here");
		return tap_done();
	}
	iface = iface_new(&err);
	k = iface ? kernel_new(iface, &err) : NULL;
	if (!k)
		tap_bail("%s", err.text);
	test_inline();
	if (kernel_start(k, &err) < 0)
		tap_bail("%s", err.text);
	test_order();
	test_failure();
	test_chain();
	test_many();
	test_stop();
	kernel_free(k);
	iface_free(iface);
	return tap_done();
}
