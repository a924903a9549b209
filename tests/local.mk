# SPDX-License-Identifier: ISC
# A compiled unit test tests/x/y-t:
#	unit_tests += tests/x/y-t
#	tests_x_y_t_SOURCES = tests/x/y-t.c
#	tests_x_y_t_LDADD = x/libx.a $(TEST_LIBS)
# One that lets memory run out (tests/tap/failmem.h) also has
#	tests_x_y_t_LDFLAGS = $(FAILMEM_LINK)
# A script that prints TAP: unit_scripts += tests/x/y-t.sh (and EXTRA_DIST).
check_LIBRARIES += tests/tap/libtap.a
tests_tap_libtap_a_SOURCES = tests/tap/tap.c tests/tap/tap.h \
	tests/tap/wire.c tests/tap/wire.h \
	tests/tap/failmem.c tests/tap/failmem.h

TEST_LIBS = tests/tap/libtap.a $(COMMON_LIBS)
FAILMEM_LINK = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc \
	-Wl,--wrap=realloc,--wrap=reallocarray,--wrap=aligned_alloc \
	-Wl,--wrap=strdup

include tests/authority/local.mk
include tests/bench/local.mk
include tests/common/local.mk
include tests/frontend/local.mk
include tests/ha/local.mk
include tests/mgmt/cli.mk
include tests/resolver/local.mk
include tests/mgmt/server.mk
include tests/fuzz/local.mk
include tests/lint/local.mk
include tests/system/local.mk
