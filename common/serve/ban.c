/* SPDX-License-Identifier: ISC */
/* Sets of a few slots, as in the limiter's table. */

#include "common/serve/ban.h"

static unsigned set_of(uint64_t client)
{
	return (unsigned)(client >> 32) % (BANS / BAN_WAYS) * BAN_WAYS;
}

void bans_add(struct bans *b, uint64_t client, struct mtime until)
{
	unsigned first = set_of(client), at = first;

	client += client == 0;
	for (unsigned i = first; i < first + BAN_WAYS; i++) {
		if (b->slots[i].client == client) {
			at = i;
			break;
		}
		if (mtime_before(b->slots[i].until, b->slots[at].until))
			at = i;
	}
	b->slots[at].client = client;
	b->slots[at].until = until;
}

bool bans_hold(const struct bans *b, uint64_t client, struct mtime now)
{
	unsigned first = set_of(client);

	client += client == 0;
	for (unsigned i = first; i < first + BAN_WAYS; i++)
		if (b->slots[i].client == client)
			return mtime_before(now, b->slots[i].until);
	return false;
}
