# SPDX-License-Identifier: ISC
# Tests of common/net and common/serve.
unit_tests += \
	tests/common/addr-t \
	tests/common/flow-t \
	tests/common/http-t \
	tests/common/loop-t \
	tests/common/net-memory-t \
	tests/common/prefix-t \
	tests/common/ban-t \
	tests/common/serve-t \
	tests/common/serve-busy-t \
	tests/common/tls-t \
	tests/common/udp-t
tests_common_addr_t_SOURCES = tests/common/addr-t.c
tests_common_addr_t_LDADD = $(TEST_LIBS)
tests_common_flow_t_SOURCES = tests/common/flow-t.c
tests_common_flow_t_LDADD = $(TEST_LIBS)
tests_common_loop_t_SOURCES = tests/common/loop-t.c
tests_common_loop_t_LDADD = $(TEST_LIBS)
tests_common_prefix_t_SOURCES = tests/common/prefix-t.c
tests_common_prefix_t_LDADD = $(TEST_LIBS)
tests_common_udp_t_SOURCES = tests/common/udp-t.c
tests_common_udp_t_LDADD = $(TEST_LIBS)
tests_common_ban_t_SOURCES = tests/common/ban-t.c
tests_common_ban_t_LDADD = $(TEST_LIBS)
tests_common_serve_t_SOURCES = tests/common/serve-t.c
tests_common_serve_t_LDADD = $(TEST_LIBS)
tests_common_serve_busy_t_SOURCES = tests/common/serve-busy-t.c
tests_common_serve_busy_t_LDADD = $(TEST_LIBS)
tests_common_http_t_SOURCES = tests/common/http-t.c
tests_common_http_t_LDADD = $(TEST_LIBS)
tests_common_tls_t_SOURCES = tests/common/tls-t.c
tests_common_tls_t_LDADD = $(TEST_LIBS)
EXTRA_DIST += tests/common/make-certs
tests_common_net_memory_t_SOURCES = tests/common/net-memory-t.c
tests_common_net_memory_t_LDADD = $(TEST_LIBS)
tests_common_net_memory_t_LDFLAGS = $(FAILMEM_LINK)
