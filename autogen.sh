#!/bin/sh
# SPDX-License-Identifier: ISC
# Make ./configure from configure.ac (needs autoconf, automake, pkg-config).
set -eu
cd "$(dirname "$0")"
exec autoreconf --install --force "$@"
