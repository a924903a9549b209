# SPDX-License-Identifier: ISC
# A fuzz target tests/fuzz/fuzz-NAME.c with its corpus tests/fuzz/corpus/NAME/
# is replayed by `make check` as fuzz-NAME-t; `make fuzz-NAME` (clang)
# explores from there, FUZZ_FLAGS goes to libFuzzer.
FUZZ_REPLAY = tests/fuzz/replay.c tests/fuzz/fuzz.h
FUZZ_CC = clang
FUZZ_FLAGS = -max_total_time=60
FUZZ_BUILD = $(FUZZ_CC) -g -O1 -fsanitize=fuzzer,address,undefined -std=gnu11 \
	-I$(top_srcdir) -I. $(JANSSON_CFLAGS) $(SSL_CFLAGS) $(EVENT_CFLAGS)
CLEANFILES += tests/fuzz/explore-*

unit_tests += tests/fuzz/fuzz-vrrp-t
tests_fuzz_fuzz_vrrp_t_SOURCES = tests/fuzz/fuzz-vrrp.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_vrrp_t_LDADD = ha/libha.a $(TEST_LIBS)
EXTRA_DIST += \
	tests/fuzz/corpus/vrrp/count-255 \
	tests/fuzz/corpus/vrrp/empty \
	tests/fuzz/corpus/vrrp/header-only \
	tests/fuzz/corpus/vrrp/ip-options \
	tests/fuzz/corpus/vrrp/v2-pass \
	tests/fuzz/corpus/vrrp/v3-ip4 \
	tests/fuzz/corpus/vrrp/v3-ip4-padded \
	tests/fuzz/corpus/vrrp/v3-ip4-plain \
	tests/fuzz/corpus/vrrp/v3-ip6 \
	tests/fuzz/corpus/vrrp/v3-migrating

fuzz-vrrp:
	@mkdir -p tests/fuzz/found-vrrp
	$(FUZZ_BUILD) -o tests/fuzz/explore-vrrp \
		$(top_srcdir)/tests/fuzz/fuzz-vrrp.c $(top_srcdir)/ha/packet.c
	tests/fuzz/explore-vrrp $(FUZZ_FLAGS) tests/fuzz/found-vrrp \
		$(top_srcdir)/tests/fuzz/corpus/vrrp
.PHONY: fuzz-vrrp
