# SPDX-License-Identifier: ISC
noinst_LIBRARIES += frontend/libfrontend.a
frontend_libfrontend_a_SOURCES = \
	frontend/answer.c frontend/answer.h \
	frontend/backend.c frontend/backend.h \
	frontend/budget.c frontend/budget.h \
	frontend/cache.c frontend/cache.h \
	frontend/config.c frontend/config.h \
	frontend/flight.c frontend/flight.h \
	frontend/health.c frontend/health.h \
	frontend/limit.c frontend/limit.h \
	frontend/policy.c frontend/policy.h \
	frontend/pool.c frontend/pool.h \
	frontend/query.c frontend/query.h \
	frontend/registry.c frontend/registry.h \
	frontend/schema.c \
	frontend/server.h \
	frontend/shard.c frontend/shard.h \
	frontend/stats.c frontend/stats.h \
	frontend/upstream.c frontend/upstream.h \
	frontend/worker.c frontend/worker.h
