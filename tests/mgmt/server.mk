# SPDX-License-Identifier: ISC
# ispdns-mgmt.
unit_scripts += tests/mgmt/api-t.sh tests/mgmt/web-t.sh
EXTRA_DIST += tests/mgmt/api-t.sh tests/mgmt/web-t.sh tests/mgmt/web-t.js

MGMT_TEST_LIBS = mgmt/libmgmt.a $(TEST_LIBS) $(SQLITE_LIBS)

unit_tests += tests/mgmt/check-t
tests_mgmt_check_t_SOURCES = tests/mgmt/check-t.c \
	tests/mgmt/site.c tests/mgmt/site.h
tests_mgmt_check_t_LDADD = $(MGMT_TEST_LIBS)

unit_tests += tests/mgmt/revision-t
tests_mgmt_revision_t_SOURCES = tests/mgmt/revision-t.c \
	tests/mgmt/site.c tests/mgmt/site.h
tests_mgmt_revision_t_LDADD = $(MGMT_TEST_LIBS)
EXTRA_DIST += \
	tests/data/mgmt/auth1-authority.yaml \
	tests/data/mgmt/dd1-frontend.yaml \
	tests/data/mgmt/dd1-ha.yaml \
	tests/data/mgmt/dd2-frontend.yaml \
	tests/data/mgmt/dd2-ha.yaml \
	tests/data/mgmt/rec1-resolver.yaml \
	tests/data/mgmt/rec1-root.hints

unit_tests += tests/mgmt/step-t
tests_mgmt_step_t_SOURCES = tests/mgmt/step-t.c \
	tests/mgmt/site.c tests/mgmt/site.h
tests_mgmt_step_t_LDADD = $(MGMT_TEST_LIBS)

unit_tests += tests/mgmt/store-t
tests_mgmt_store_t_SOURCES = tests/mgmt/store-t.c
tests_mgmt_store_t_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
tests_mgmt_store_t_LDADD = $(MGMT_TEST_LIBS)

unit_tests += tests/mgmt/pki-t
tests_mgmt_pki_t_SOURCES = tests/mgmt/pki-t.c
tests_mgmt_pki_t_LDADD = $(MGMT_TEST_LIBS)

unit_tests += tests/mgmt/push-t
tests_mgmt_push_t_SOURCES = tests/mgmt/push-t.c
tests_mgmt_push_t_LDADD = $(MGMT_TEST_LIBS)

unit_tests += tests/mgmt/command-t
tests_mgmt_command_t_SOURCES = tests/mgmt/command-t.c
tests_mgmt_command_t_LDADD = $(MGMT_TEST_LIBS)
