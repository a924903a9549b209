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
