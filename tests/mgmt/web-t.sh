#!/bin/bash
# SPDX-License-Identifier: ISC
# What the web page makes of the answers of the API.
src=${ISPDNS_SRCDIR:-.}
command -v node > /dev/null || { echo "1..0 # SKIP no node"; exit 0; }
node "$src/tests/mgmt/web-t.js" "$src/mgmt/web/app.js"
