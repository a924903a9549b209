# SPDX-License-Identifier: ISC
unit_tests += \
	tests/common/arena-t \
	tests/common/buf-t \
	tests/common/clock-t \
	tests/common/code-t \
	tests/common/cookie-t \
	tests/common/digest-t \
	tests/common/ecs-t \
	tests/common/edns-t \
	tests/common/err-t \
	tests/common/hash-t \
	tests/common/log-t \
	tests/common/metrics-t \
	tests/common/msg-t \
	tests/common/name-t \
	tests/common/slots-t \
	tests/common/suffix-t \
	tests/common/ttl-t
tests_common_arena_t_SOURCES = tests/common/arena-t.c
tests_common_arena_t_LDADD = $(TEST_LIBS)
tests_common_arena_t_LDFLAGS = $(FAILMEM_LINK)
tests_common_buf_t_SOURCES = tests/common/buf-t.c
tests_common_buf_t_LDADD = $(TEST_LIBS)
tests_common_buf_t_LDFLAGS = $(FAILMEM_LINK)
tests_common_clock_t_SOURCES = tests/common/clock-t.c
tests_common_clock_t_LDADD = $(TEST_LIBS)
tests_common_code_t_SOURCES = tests/common/code-t.c
tests_common_code_t_LDADD = $(TEST_LIBS)
tests_common_cookie_t_SOURCES = tests/common/cookie-t.c
tests_common_cookie_t_LDADD = $(TEST_LIBS)
tests_common_digest_t_SOURCES = tests/common/digest-t.c
tests_common_digest_t_LDADD = $(TEST_LIBS)
tests_common_ecs_t_SOURCES = tests/common/ecs-t.c
tests_common_ecs_t_LDADD = $(TEST_LIBS)
tests_common_edns_t_SOURCES = tests/common/edns-t.c
tests_common_edns_t_LDADD = $(TEST_LIBS)
tests_common_err_t_SOURCES = tests/common/err-t.c
tests_common_err_t_LDADD = $(TEST_LIBS)
tests_common_hash_t_SOURCES = tests/common/hash-t.c
tests_common_hash_t_LDADD = $(TEST_LIBS)
tests_common_log_t_SOURCES = tests/common/log-t.c
tests_common_log_t_LDADD = $(TEST_LIBS)
tests_common_metrics_t_SOURCES = tests/common/metrics-t.c
tests_common_metrics_t_LDADD = $(TEST_LIBS)
tests_common_metrics_t_LDFLAGS = $(FAILMEM_LINK)
tests_common_msg_t_SOURCES = tests/common/msg-t.c
tests_common_msg_t_LDADD = $(TEST_LIBS)
tests_common_name_t_SOURCES = tests/common/name-t.c
tests_common_name_t_LDADD = $(TEST_LIBS)
tests_common_slots_t_SOURCES = tests/common/slots-t.c
tests_common_slots_t_LDADD = $(TEST_LIBS)
tests_common_slots_t_LDFLAGS = $(FAILMEM_LINK)
tests_common_suffix_t_SOURCES = tests/common/suffix-t.c
tests_common_suffix_t_LDADD = $(TEST_LIBS)
tests_common_suffix_t_LDFLAGS = $(FAILMEM_LINK)
tests_common_ttl_t_SOURCES = tests/common/ttl-t.c
tests_common_ttl_t_LDADD = $(TEST_LIBS)
include tests/common/net.mk

# zone
unit_tests += tests/common/zone-t tests/common/zone-read-t
tests_common_zone_t_SOURCES = tests/common/zone-t.c
tests_common_zone_t_LDADD = $(TEST_LIBS)
tests_common_zone_t_LDFLAGS = $(FAILMEM_LINK)
tests_common_zone_read_t_SOURCES = tests/common/zone-read-t.c
tests_common_zone_read_t_LDADD = $(TEST_LIBS)
tests_common_zone_read_t_LDFLAGS = $(FAILMEM_LINK)
include tests/common/ctl.mk
unit_tests += tests/common/zone-peer-t
tests_common_zone_peer_t_SOURCES = tests/common/zone-peer-t.c
tests_common_zone_peer_t_LDADD = $(TEST_LIBS)
