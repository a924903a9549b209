/* SPDX-License-Identifier: ISC */
#ifndef DEPLOY_LAB_LAB_MOUNT_H
#define DEPLOY_LAB_LAB_MOUNT_H

/*
 * The file system of one lab host: the machine's own, except that /etc,
 * /var/lib and /run are the host's. Nothing is written to the machine's.
 */

#include "common/base/base.h"

#define LAB_PROGRAMS "/run/lab/bin"

/*
 * Give the calling process (in a fresh mount and pid namespace) the host's
 * view. `dir` is the host's directory on the machine, whose `lib`,
 * `lib-mgmt` and `etc` appear as /var/lib/ispdns, /var/lib/ispdns-mgmt and
 * /etc/ispdns, and whose `hosts`,
 * `resolv.conf`, `passwd` and so on appear in /etc. /run is
 * an empty tmpfs, in which `programs` appears as LAB_PROGRAMS. 0, or -errno
 * with the failed step named on stderr.
 */
MUST_CHECK int lab_mount(const char *dir, const char *programs);

#endif
