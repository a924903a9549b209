/* SPDX-License-Identifier: ISC */
#ifndef MGMT_WAVE_H
#define MGMT_WAVE_H

/* In which wave of a roll-out does a node switch? Main thread. */

#include "mgmt/fleet.h"

/* 0: authority nodes; 1: canaries, and nodes whose content stays the same;
 * 2: the rest; from 3 on: nodes whose VRRP settings change, one each, BACKUP
 * first. `before`: the generation served now (0: none). */
int wave_of(struct store *store, struct fleet *fleet, const struct link *link,
	long long generation, long long before) MUST_CHECK;

#endif
