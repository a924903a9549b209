# SPDX-License-Identifier: ISC
RESOLVER_TEST_LIBS = resolver/libresolver.a $(TEST_LIBS) $(UNBOUND_LIBS)
unit_tests += tests/resolver/answer-t tests/resolver/cache-t \
	tests/resolver/config-t tests/resolver/dump-t tests/resolver/engine-t \
	tests/resolver/memory-t tests/resolver/steer-t
tests_resolver_answer_t_SOURCES = tests/resolver/answer-t.c
tests_resolver_answer_t_LDADD = $(RESOLVER_TEST_LIBS)
tests_resolver_cache_t_SOURCES = tests/resolver/cache-t.c
tests_resolver_cache_t_LDADD = $(RESOLVER_TEST_LIBS)
tests_resolver_config_t_SOURCES = tests/resolver/config-t.c
tests_resolver_config_t_LDADD = $(RESOLVER_TEST_LIBS)
tests_resolver_engine_t_SOURCES = tests/resolver/engine-t.c
tests_resolver_engine_t_LDADD = $(RESOLVER_TEST_LIBS)
tests_resolver_steer_t_SOURCES = tests/resolver/steer-t.c
tests_resolver_steer_t_LDADD = $(RESOLVER_TEST_LIBS)
tests_resolver_memory_t_SOURCES = tests/resolver/memory-t.c
tests_resolver_memory_t_LDADD = $(RESOLVER_TEST_LIBS)
tests_resolver_memory_t_LDFLAGS = $(FAILMEM_LINK)
tests_resolver_dump_t_SOURCES = tests/resolver/dump-t.c
tests_resolver_dump_t_LDADD = $(RESOLVER_TEST_LIBS)
