# SPDX-License-Identifier: ISC
FRONTEND_TEST_LIBS = frontend/libfrontend.a $(TEST_LIBS)
unit_tests += \
	tests/frontend/budget-t \
	tests/frontend/cache-t \
	tests/frontend/health-t \
	tests/frontend/limit-t \
	tests/frontend/pool-t
tests_frontend_budget_t_SOURCES = tests/frontend/budget-t.c
tests_frontend_budget_t_LDADD = $(FRONTEND_TEST_LIBS)
tests_frontend_cache_t_SOURCES = tests/frontend/cache-t.c
tests_frontend_cache_t_LDADD = $(FRONTEND_TEST_LIBS)
tests_frontend_health_t_SOURCES = tests/frontend/health-t.c
tests_frontend_health_t_LDADD = $(FRONTEND_TEST_LIBS)
tests_frontend_limit_t_SOURCES = tests/frontend/limit-t.c
tests_frontend_limit_t_LDADD = $(FRONTEND_TEST_LIBS)
tests_frontend_pool_t_SOURCES = tests/frontend/pool-t.c
tests_frontend_pool_t_LDADD = $(FRONTEND_TEST_LIBS)
check_LIBRARIES += tests/frontend/librig.a
tests_frontend_librig_a_SOURCES = tests/frontend/rig.c tests/frontend/rig.h \
	tests/frontend/talk.c tests/frontend/talk.h
FRONTEND_RIG_LIBS = tests/frontend/librig.a $(FRONTEND_TEST_LIBS)
unit_tests += \
	tests/frontend/query-t
tests_frontend_query_t_SOURCES = tests/frontend/query-t.c
tests_frontend_query_t_LDADD = $(FRONTEND_RIG_LIBS)
unit_tests += \
	tests/frontend/backend-t \
	tests/frontend/policy-t \
	tests/frontend/stream-t
tests_frontend_backend_t_SOURCES = tests/frontend/backend-t.c
tests_frontend_backend_t_LDADD = $(FRONTEND_RIG_LIBS)
tests_frontend_policy_t_SOURCES = tests/frontend/policy-t.c
tests_frontend_policy_t_LDADD = $(FRONTEND_RIG_LIBS)
tests_frontend_stream_t_SOURCES = tests/frontend/stream-t.c
tests_frontend_stream_t_LDADD = $(FRONTEND_RIG_LIBS)
# A backend for the system test.
check_PROGRAMS += tests/frontend/stub
tests_frontend_stub_SOURCES = tests/frontend/stub.c
tests_frontend_stub_LDADD = $(COMMON_LIBS)
unit_tests += \
	tests/frontend/beat-t \
	tests/frontend/config-t \
	tests/frontend/probe-t
tests_frontend_beat_t_SOURCES = tests/frontend/beat-t.c
tests_frontend_beat_t_LDADD = $(FRONTEND_TEST_LIBS)
tests_frontend_config_t_SOURCES = tests/frontend/config-t.c
tests_frontend_config_t_LDADD = $(FRONTEND_TEST_LIBS)
tests_frontend_probe_t_SOURCES = tests/frontend/probe-t.c
tests_frontend_probe_t_LDADD = $(FRONTEND_TEST_LIBS)
unit_scripts += tests/frontend/daemon-t.sh
EXTRA_DIST += tests/frontend/daemon-t.sh tests/frontend/lib.sh
unit_tests += tests/frontend/memory-t
tests_frontend_memory_t_SOURCES = tests/frontend/memory-t.c
tests_frontend_memory_t_LDADD = $(FRONTEND_RIG_LIBS)
tests_frontend_memory_t_LDFLAGS = $(FAILMEM_LINK)
unit_tests += tests/frontend/dump-t
tests_frontend_dump_t_SOURCES = tests/frontend/dump-t.c
tests_frontend_dump_t_LDADD = $(FRONTEND_TEST_LIBS)
unit_tests += tests/frontend/rule-t
tests_frontend_rule_t_SOURCES = tests/frontend/rule-t.c
tests_frontend_rule_t_LDADD = $(FRONTEND_TEST_LIBS)
unit_tests += tests/frontend/rules-t
tests_frontend_rules_t_SOURCES = tests/frontend/rules-t.c
tests_frontend_rules_t_LDADD = $(FRONTEND_RIG_LIBS)
unit_scripts += tests/frontend/policy-t.sh
EXTRA_DIST += tests/frontend/policy-t.sh
unit_tests += tests/frontend/miss-t tests/frontend/misses-t
tests_frontend_miss_t_SOURCES = tests/frontend/miss-t.c
tests_frontend_miss_t_LDADD = $(FRONTEND_TEST_LIBS)
tests_frontend_misses_t_SOURCES = tests/frontend/misses-t.c
tests_frontend_misses_t_LDADD = $(FRONTEND_RIG_LIBS)
unit_tests += tests/frontend/blockfile-t tests/frontend/managed-t
tests_frontend_managed_t_SOURCES = tests/frontend/managed-t.c
tests_frontend_managed_t_LDADD = $(FRONTEND_TEST_LIBS)
tests_frontend_blockfile_t_SOURCES = tests/frontend/blockfile-t.c
tests_frontend_blockfile_t_LDADD = $(FRONTEND_TEST_LIBS)
unit_tests += tests/frontend/block-t tests/frontend/offender-t
tests_frontend_block_t_SOURCES = tests/frontend/block-t.c
tests_frontend_block_t_LDADD = $(FRONTEND_TEST_LIBS)
tests_frontend_block_t_LDFLAGS = $(FAILMEM_LINK)
tests_frontend_offender_t_SOURCES = tests/frontend/offender-t.c
tests_frontend_offender_t_LDADD = $(FRONTEND_TEST_LIBS)
unit_tests += tests/frontend/blocks-t
tests_frontend_blocks_t_SOURCES = tests/frontend/blocks-t.c
tests_frontend_blocks_t_LDADD = $(FRONTEND_RIG_LIBS)
unit_tests += tests/frontend/hop-t
tests_frontend_hop_t_SOURCES = tests/frontend/hop-t.c
tests_frontend_hop_t_LDADD = $(FRONTEND_RIG_LIBS)
unit_tests += tests/frontend/hygiene-t
tests_frontend_hygiene_t_SOURCES = tests/frontend/hygiene-t.c
tests_frontend_hygiene_t_LDADD = $(FRONTEND_RIG_LIBS)
unit_tests += tests/frontend/top-t
tests_frontend_top_t_SOURCES = tests/frontend/top-t.c
tests_frontend_top_t_LDADD = $(FRONTEND_TEST_LIBS)
unit_tests += tests/frontend/rate-t
tests_frontend_rate_t_SOURCES = tests/frontend/rate-t.c
tests_frontend_rate_t_LDADD = $(FRONTEND_TEST_LIBS)
unit_tests += tests/frontend/droplog-t
tests_frontend_droplog_t_SOURCES = tests/frontend/droplog-t.c
tests_frontend_droplog_t_LDADD = $(FRONTEND_TEST_LIBS)
unit_scripts += tests/frontend/metrics-t.sh tests/frontend/scenarios-t.sh
EXTRA_DIST += tests/frontend/scenarios-t.sh tests/frontend/SCENARIOS.md
EXTRA_DIST += tests/frontend/metrics-t.sh
unit_tests += tests/frontend/lazy-t
tests_frontend_lazy_t_SOURCES = tests/frontend/lazy-t.c
tests_frontend_lazy_t_LDADD = $(FRONTEND_TEST_LIBS)
unit_tests += tests/frontend/average-t tests/frontend/kernel-t
tests_frontend_average_t_SOURCES = tests/frontend/average-t.c
tests_frontend_average_t_LDADD = $(FRONTEND_TEST_LIBS)
tests_frontend_kernel_t_SOURCES = tests/frontend/kernel-t.c
tests_frontend_kernel_t_LDADD = $(FRONTEND_TEST_LIBS)
unit_tests += tests/frontend/reload-t
tests_frontend_reload_t_SOURCES = tests/frontend/reload-t.c
tests_frontend_reload_t_LDADD = $(TEST_LIBS)
# The real program between scripted clients and backends.
check_LIBRARIES += tests/frontend/libscene.a
tests_frontend_libscene_a_SOURCES = \
	tests/frontend/scene.c tests/frontend/scene.h \
	tests/frontend/scene_stub.c tests/frontend/scene_stub.h \
	tests/frontend/talk.c tests/frontend/talk.h
SCENE_LIBS = tests/frontend/libscene.a $(TEST_LIBS)
unit_tests += \
	tests/frontend/scenario-basics-t
tests_frontend_scenario_basics_t_SOURCES = tests/frontend/scenario-basics-t.c
tests_frontend_scenario_basics_t_LDADD = $(SCENE_LIBS)
unit_tests += tests/frontend/scenario-rules-t
tests_frontend_scenario_rules_t_SOURCES = tests/frontend/scenario-rules-t.c
tests_frontend_scenario_rules_t_LDADD = $(SCENE_LIBS)
unit_tests += tests/frontend/scenario-answers-t
tests_frontend_scenario_answers_t_SOURCES = tests/frontend/scenario-answers-t.c
tests_frontend_scenario_answers_t_LDADD = $(SCENE_LIBS)
unit_tests += tests/frontend/scenario-cache-t
tests_frontend_scenario_cache_t_SOURCES = tests/frontend/scenario-cache-t.c
tests_frontend_scenario_cache_t_LDADD = $(SCENE_LIBS)
unit_tests += tests/frontend/scenario-ecs-t
tests_frontend_scenario_ecs_t_SOURCES = tests/frontend/scenario-ecs-t.c
tests_frontend_scenario_ecs_t_LDADD = $(SCENE_LIBS)
unit_tests += tests/frontend/scenario-age-t
tests_frontend_scenario_age_t_SOURCES = tests/frontend/scenario-age-t.c
tests_frontend_scenario_age_t_LDADD = $(SCENE_LIBS)
unit_tests += tests/frontend/scenario-stale-t
tests_frontend_scenario_stale_t_SOURCES = tests/frontend/scenario-stale-t.c
tests_frontend_scenario_stale_t_LDADD = $(SCENE_LIBS)
unit_tests += tests/frontend/scenario-backends-t
tests_frontend_scenario_backends_t_SOURCES = \
	tests/frontend/scenario-backends-t.c
tests_frontend_scenario_backends_t_LDADD = $(SCENE_LIBS)
unit_tests += tests/frontend/scenario-fault-t
tests_frontend_scenario_fault_t_SOURCES = tests/frontend/scenario-fault-t.c
tests_frontend_scenario_fault_t_LDADD = $(SCENE_LIBS)
unit_tests += tests/frontend/scenario-tcp-t
tests_frontend_scenario_tcp_t_SOURCES = tests/frontend/scenario-tcp-t.c
tests_frontend_scenario_tcp_t_LDADD = $(SCENE_LIBS)
unit_tests += tests/frontend/scenario-idle-t
tests_frontend_scenario_idle_t_SOURCES = tests/frontend/scenario-idle-t.c
tests_frontend_scenario_idle_t_LDADD = $(SCENE_LIBS)
unit_tests += tests/frontend/scenario-blocks-t
tests_frontend_scenario_blocks_t_SOURCES = tests/frontend/scenario-blocks-t.c
tests_frontend_scenario_blocks_t_LDADD = $(SCENE_LIBS)
unit_tests += tests/frontend/scenario-ops-t
tests_frontend_scenario_ops_t_SOURCES = tests/frontend/scenario-ops-t.c
tests_frontend_scenario_ops_t_LDADD = $(SCENE_LIBS)
unit_tests += tests/frontend/warm-t
tests_frontend_warm_t_SOURCES = tests/frontend/warm-t.c
tests_frontend_warm_t_LDADD = $(SCENE_LIBS)
unit_tests += tests/frontend/xfr-t
tests_frontend_xfr_t_SOURCES = tests/frontend/xfr-t.c
tests_frontend_xfr_t_LDADD = $(FRONTEND_TEST_LIBS)
unit_tests += tests/frontend/scenario-transfer-t
tests_frontend_scenario_transfer_t_SOURCES = \
	tests/frontend/scenario-transfer-t.c
tests_frontend_scenario_transfer_t_LDADD = $(SCENE_LIBS)
unit_tests += tests/frontend/scenario-relay-t
tests_frontend_scenario_relay_t_SOURCES = tests/frontend/scenario-relay-t.c
tests_frontend_scenario_relay_t_LDADD = $(SCENE_LIBS)
