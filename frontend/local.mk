# SPDX-License-Identifier: ISC
noinst_LIBRARIES += frontend/libfrontend.a
frontend_libfrontend_a_SOURCES = \
	frontend/answer.c frontend/answer.h \
	frontend/average.c frontend/average.h \
	frontend/backend.c frontend/backend.h \
	frontend/backend_impl.h frontend/backend_reply.c \
	frontend/backend_tcp.c frontend/backend_udp.c \
	frontend/beat.c frontend/beat.h \
	frontend/block.c frontend/block.h \
	frontend/block_verb.c \
	frontend/budget.c frontend/budget.h \
	frontend/cache.c frontend/cache.h \
	frontend/change.c \
	frontend/config.c frontend/config.h \
	frontend/config_impl.h frontend/config_limits.c \
	frontend/config_rules.c \
	frontend/config_cookies.c \
	frontend/config_transfer.c \
	frontend/droplog.c frontend/droplog.h \
	frontend/dump.c frontend/dump.h \
	frontend/exchange.c frontend/exchange.h \
	frontend/flight.c frontend/flight.h \
	frontend/front.c frontend/front.h \
	frontend/frontend.c frontend/frontend.h \
	frontend/health.c frontend/health.h \
	frontend/hop.c frontend/hop.h \
	frontend/kernel.c frontend/kernel.h \
	frontend/limit.c frontend/limit.h \
	frontend/miss.c frontend/miss.h \
	frontend/offender.c frontend/offender.h \
	frontend/permit.c frontend/permit.h \
	frontend/page.c \
	frontend/page.c frontend/page.h \
	frontend/page_front.c \
	frontend/page_process.c \
	frontend/page_server.c \
	frontend/policy.c frontend/policy.h \
	frontend/pool.c frontend/pool.h \
	frontend/lazy.c frontend/lazy.h \
	frontend/probe.c frontend/probe.h \
	frontend/probe_check.c frontend/probe_check.h \
	frontend/query.c frontend/query.h frontend/query_impl.h \
	frontend/arrival.c \
	frontend/blockfile.c frontend/blockfile.h \
	frontend/rate.c frontend/rate.h \
	frontend/registry.c frontend/registry.h \
	frontend/rule.c frontend/rule.h \
	frontend/rule_build.c frontend/rule_impl.h \
	frontend/render.c \
	frontend/schema.c frontend/schema.h \
	frontend/schema_ops.c \
	frontend/schema_policy.c \
	frontend/schema_route.c \
	frontend/schema_rule.c \
	frontend/server.h \
	frontend/shard.c frontend/shard.h \
	frontend/show.c \
	frontend/show_policy.c \
	frontend/spoof.c frontend/spoof.h \
	frontend/show_top.c \
	frontend/show_transfer.c \
	frontend/stats.c frontend/stats.h \
	frontend/stats_table.h \
	frontend/subnet.c frontend/subnet.h \
	frontend/top.c frontend/top.h \
	frontend/transfer.c frontend/transfer.h \
	frontend/transfer_impl.h \
	frontend/transfer_tcp.c \
	frontend/transfer_udp.c \
	frontend/upstream.c frontend/upstream.h \
	frontend/warm.c frontend/warm.h \
	frontend/wheel.c frontend/wheel.h \
	frontend/worker.c frontend/worker.h \
	frontend/xfr.c frontend/xfr.h

sbin_PROGRAMS += ispdns-frontend
ispdns_frontend_SOURCES = frontend/main.c
ispdns_frontend_LDADD = frontend/libfrontend.a $(COMMON_LIBS)
