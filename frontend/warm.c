/* SPDX-License-Identifier: ISC */
/*
 * One connected socket per peer. Its answers fill a receive buffer that is
 * made as small as the kernel allows, and are lost there.
 */

#include "frontend/warm.h"

#include "common/dns/msg.h"
#include "common/net/udp.h"

#include <unistd.h>

#define QUERY_SIZE (MSG_HEADER + NAME_MAX_WIRE + 4 + EDNS_OPT_SIZE)

struct warm {
	struct rng *rng;
	unsigned count;
	union addr peers[WARM_PEERS];
	int fds[WARM_PEERS];
	int64_t second; /* of the names counted */
	unsigned told;
};

struct warm *warm_new(struct rng *rng)
{
	struct warm *warm = calloc(1, sizeof(*warm));

	if (warm)
		warm->rng = rng;
	return warm;
}

static void close_all(struct warm *warm)
{
	for (unsigned i = 0; i < warm->count; i++)
		close(warm->fds[i]);
	warm->count = 0;
}

void warm_free(struct warm *warm)
{
	if (!warm)
		return;
	close_all(warm);
	free(warm);
}

static bool is_same(
	const struct warm *warm, const union addr *peers, unsigned count)
{
	if (warm->count != count)
		return false;
	for (unsigned i = 0; i < count; i++)
		if (!addr_equal(&warm->peers[i], &peers[i]))
			return false;
	return true;
}

void warm_update(struct warm *warm, const union addr *peers, unsigned count)
{
	const int least = 1;

	if (is_same(warm, peers, count))
		return;
	close_all(warm);
	for (unsigned i = 0; i < count && i < WARM_PEERS; i++) {
		int fd = udp_connect(NULL, &peers[i], NULL);

		if (fd < 0)
			continue;
		(void)setsockopt(
			fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least));
		warm->peers[warm->count] = peers[i];
		warm->fds[warm->count++] = fd;
	}
}

static bool is_peer(const struct warm *warm, const union addr *client)
{
	for (unsigned i = 0; i < warm->count; i++)
		if (addr_equal_ip(&warm->peers[i], client))
			return true;
	return false;
}

static bool is_too_much(struct warm *warm, struct mtime now)
{
	int64_t second = now.us / 1000000;

	if (warm->second != second) {
		warm->second = second;
		warm->told = 0;
	}
	return warm->told++ >= WARM_RATE;
}

bool warm_tell(struct warm *warm, const struct cache_key *key,
	const union addr *client, struct mtime now)
{
	uint8_t msg[QUERY_SIZE];
	unsigned flags = MSG_RD | (key->bits & CACHE_CD ? MSG_CD : 0u);
	size_t len;

	/* what is asked without RD is so by a rule for this client, and what
	 * is asked for a subnet is so for it alone */
	if (warm->count == 0 || (key->bits & (CACHE_NO_RD | CACHE_ECS)) ||
		is_peer(warm, client) || is_too_much(warm, now))
		return false;
	len = msg_make_query(msg, sizeof(msg), (uint16_t)rng_next(warm->rng),
		key->name, key->name_len, key->type, key->class,
		(uint16_t)flags, EDNS_OUR_PAYLOAD, key->bits & CACHE_DO);
	/* a refusal is of an earlier one; who is not there is not told */
	for (unsigned i = 0; i < warm->count; i++)
		if (send(warm->fds[i], msg, len, MSG_DONTWAIT | MSG_NOSIGNAL) <
			0)
			continue;
	return true;
}
