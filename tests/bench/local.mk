# SPDX-License-Identifier: ISC
# The load generator and its peers. Its own test is part of `make check`, the
# bench is not: `make bench`, or tests/bench/run with the names of cases.
check_PROGRAMS += tests/bench/load tests/bench/peer
tests_bench_load_SOURCES = tests/bench/load.c tests/bench/load.h \
	tests/bench/load_tcp.c tests/bench/load_udp.c tests/bench/names.c \
	tests/bench/slot.c
tests_bench_load_LDADD = $(COMMON_LIBS)
tests_bench_peer_SOURCES = tests/bench/peer.c
tests_bench_peer_LDADD = $(COMMON_LIBS)
unit_tests += tests/bench/load-t
tests_bench_load_t_SOURCES = tests/bench/load-t.c tests/bench/load.h \
	tests/bench/load_tcp.c tests/bench/load_udp.c tests/bench/names.c \
	tests/bench/slot.c
tests_bench_load_t_LDADD = $(TEST_LIBS)
EXTRA_DIST += tests/bench/run tests/bench/run-ha

bench: ispdns-frontend tests/bench/load tests/bench/peer
	@cd '$(abs_top_builddir)' && $(TEST_ENV) \
		$(SHELL) '$(abs_top_srcdir)/tests/bench/run' $(BENCH_CASES)

# Failovers; needs root. RUNS=5 from the environment.
bench-ha: ispdns-ha ispdns-frontend ispdns-lab-client
	@cd '$(abs_top_builddir)' && $(TEST_ENV) \
		'$(abs_top_srcdir)/tests/bench/run-ha' $(BENCH_CASES)

.PHONY: bench bench-ha
