/* SPDX-License-Identifier: ISC */
#ifndef AUTHORITY_CONFINE_H
#define AUTHORITY_CONFINE_H

/* What the process that reads foreign zone text gives up, for itself and
 * NSD's checkers that it starts. */

#include "authority/config.h"

/*
 * No new privileges; and by Landlock, where the kernel has it (5.19): files
 * are written below the state folder only, nothing but NSD's two checkers is
 * executed, no TCP. 1: confined; 0: the kernel cannot; -errno with err.
 */
int confine(const struct auth_config *config, struct err *err) MUST_CHECK;

#endif
