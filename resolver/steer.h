/* SPDX-License-Identifier: ISC */
#ifndef RESOLVER_STEER_H
#define RESOLVER_STEER_H

/*
 * Which worker gets a UDP query: the kernel chooses by a hash of the question
 * name, so that each name is cached in one worker only.
 */

#include "common/base/err.h"

#include <stdint.h>

/* Attach the program to the group of sockets that share this one's address
 * (SO_REUSEPORT); `count`: how many there are. Needs no privilege. */
int steer_attach(int fd, unsigned count, struct err *err) MUST_CHECK;
/* What the program gives for this name: the index of a socket, in the order
 * in which they were bound. */
unsigned steer_index(const uint8_t *name, unsigned count);
/* Back to the kernel's hash of addresses and ports. */
void steer_detach(int fd);

#endif
