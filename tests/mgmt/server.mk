# SPDX-License-Identifier: ISC
# ispdns-mgmt.
unit_scripts += tests/mgmt/api-t.sh
EXTRA_DIST += tests/mgmt/api-t.sh
