# SPDX-License-Identifier: ISC
unit_tests += \
	tests/authority/check-t \
	tests/authority/config-t \
	tests/authority/nsd-t \
	tests/authority/nsdconf-t \
	tests/authority/probe-t \
	tests/authority/tree-t
AUTHORITY_TEST = authority/libauthority.a $(TEST_LIBS)
tests_authority_check_t_SOURCES = tests/authority/check-t.c
tests_authority_check_t_LDADD = $(AUTHORITY_TEST)
tests_authority_config_t_SOURCES = tests/authority/config-t.c
tests_authority_config_t_LDADD = $(AUTHORITY_TEST)
tests_authority_nsd_t_SOURCES = tests/authority/nsd-t.c
tests_authority_nsd_t_LDADD = $(AUTHORITY_TEST)
tests_authority_nsdconf_t_SOURCES = tests/authority/nsdconf-t.c
tests_authority_nsdconf_t_LDADD = $(AUTHORITY_TEST)
tests_authority_probe_t_SOURCES = tests/authority/probe-t.c
tests_authority_probe_t_LDADD = $(AUTHORITY_TEST)
tests_authority_tree_t_SOURCES = tests/authority/tree-t.c
tests_authority_tree_t_LDADD = $(AUTHORITY_TEST)

# The fuzz target of NSD's answers (see tests/fuzz).
unit_tests += tests/fuzz/fuzz-nsd-t
tests_fuzz_fuzz_nsd_t_SOURCES = tests/fuzz/fuzz-nsd.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_nsd_t_LDADD = $(AUTHORITY_TEST)
EXTRA_DIST += tests/fuzz/corpus/nsd
