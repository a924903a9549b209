# SPDX-License-Identifier: ISC
noinst_LIBRARIES += resolver/libresolver.a
resolver_libresolver_a_SOURCES = \
	resolver/answer.c resolver/answer.h \
	resolver/cache.c resolver/cache.h \
	resolver/channel.c resolver/channel.h \
	resolver/config.c resolver/config.h \
	resolver/dump.c resolver/dump.h \
	resolver/engine.c resolver/engine.h \
	resolver/engines.c resolver/engines.h \
	resolver/inflight.c resolver/query_impl.h \
	resolver/libconf.c resolver/libconf.h \
	resolver/master.c resolver/master.h resolver/master_impl.h \
	resolver/policy.c resolver/policy.h \
	resolver/process.c resolver/roll.c \
	resolver/query.c resolver/query.h \
	resolver/sandbox.c resolver/sandbox.h \
	resolver/schema.c \
	resolver/stats.c resolver/stats.h \
	resolver/steer.c resolver/steer.h \
	resolver/strip.c resolver/strip.h \
	resolver/worker.c resolver/worker.h
resolver_libresolver_a_CFLAGS = $(AM_CFLAGS) $(UNBOUND_CFLAGS)

sbin_PROGRAMS += ispdns-resolver
ispdns_resolver_SOURCES = resolver/main.c
RESOLVER_LIBS = resolver/libresolver.a $(COMMON_LIBS) $(UNBOUND_LIBS)
ispdns_resolver_LDADD = $(RESOLVER_LIBS)
