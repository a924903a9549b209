# SPDX-License-Identifier: ISC
EXTRA_DIST += %D%/lib.sh $(system_tests)
system_tests += %D%/lab-t.sh
system_tests += %D%/proof-t.sh
system_tests += %D%/drill-t.sh
system_tests += %D%/change-t.sh
system_tests += %D%/authority-t.sh
system_tests += %D%/resolver-t.sh
system_tests += %D%/frontend-t.sh
system_tests += %D%/transfer-t.sh
EXTRA_DIST += tests/system/deb-t.sh tests/system/deb/inside.sh \
	tests/system/deb/ispdns-inside.service \
	tests/system/deb/example.test.zone tests/system/deb/frontend.yaml \
	tests/system/deb/resolver.yaml tests/system/deb/authority.yaml
system_tests += %D%/deb-t.sh
system_tests += %D%/dnsdist-t.sh
