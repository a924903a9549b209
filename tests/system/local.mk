# SPDX-License-Identifier: ISC
EXTRA_DIST += %D%/lib.sh $(system_tests)
system_tests += %D%/lab-t.sh
system_tests += %D%/proof-t.sh
system_tests += %D%/drill-t.sh
system_tests += %D%/authority-t.sh
system_tests += %D%/resolver-t.sh
system_tests += %D%/frontend-t.sh
