/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CLI_MEND_H
#define MGMT_CLI_MEND_H

/* A zone file whose lines were lost, as when copied from a web page. */

#include "common/base/base.h"

/*
 * When the text begins with "$TTL n" and goes on with records on the same
 * line, the same zone with one record a line (malloc'ed); else NULL. Pure.
 */
char *zone_mend(const char *text) MUST_CHECK;

#endif
