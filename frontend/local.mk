# SPDX-License-Identifier: ISC
noinst_LIBRARIES += frontend/libfrontend.a
frontend_libfrontend_a_SOURCES = \
	frontend/answer.c frontend/answer.h \
	frontend/cache.c frontend/cache.h \
	frontend/limit.c frontend/limit.h \
	frontend/shard.c frontend/shard.h \
	frontend/stats.c frontend/stats.h
