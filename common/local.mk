# SPDX-License-Identifier: ISC
# One static library; a program links $(COMMON_LIBS) behind its own library:
#	frontend_ispdns_frontend_LDADD = frontend/libfrontend.a $(COMMON_LIBS)
# --as-needed (AM_LDFLAGS) drops the foreign libraries it does not use.
noinst_LIBRARIES += common/libcommon.a
COMMON_LIBS = common/libcommon.a $(EVENT_SSL_LIBS) $(EVENT_LIBS) \
	$(SSL_LIBS) $(YAML_LIBS) $(JANSSON_LIBS) $(LDNS_LIBS)

common_libcommon_a_SOURCES =

# base: no I/O but the log
common_libcommon_a_SOURCES += \
	common/base/arena.c common/base/arena.h \
	common/base/base.h \
	common/base/buf.c common/base/buf.h \
	common/base/clock.c common/base/clock.h \
	common/base/digest.c common/base/digest.h \
	common/base/err.c common/base/err.h \
	common/base/hash.c common/base/hash.h \
	common/base/list.h \
	common/base/log.c common/base/log.h \
	common/base/metrics.c common/base/metrics.h \
	common/base/slots.c common/base/slots.h \
	common/base/text.c \
	common/base/thread.c common/base/thread.h

# zone: zone text (ldns)
common_libcommon_a_SOURCES += \
	common/zone/change.c \
	common/zone/check.c \
	common/zone/file.c \
	common/zone/generate.c \
	common/zone/lex.c \
	common/zone/print.c common/zone/private.h \
	common/zone/read.c \
	common/zone/record.c \
	common/zone/report.c \
	common/zone/serial.c \
	common/zone/simple.c \
	common/zone/zone.c common/zone/zone.h

# dns: pure (no socket, clock, log; memory from the caller's arena only)
common_libcommon_a_SOURCES += \
	common/dns/code.c common/dns/code.h \
	common/dns/cookie.c common/dns/cookie.h \
	common/dns/ecs.c common/dns/ecs.h \
	common/dns/edns.c common/dns/edns.h \
	common/dns/msg.c common/dns/msg.h \
	common/dns/name.c common/dns/name.h \
	common/dns/rdata.c common/dns/rdata.h \
	common/dns/suffix.c common/dns/suffix.h \
	common/dns/ttl.c common/dns/ttl.h

# ctl: the shape that every daemon shares
common_libcommon_a_SOURCES += \
	common/ctl/child.c common/ctl/child.h common/ctl/child_impl.h \
	common/ctl/child_run.c common/ctl/process.c \
	common/ctl/control.c common/ctl/control.h \
	common/ctl/control_client.c common/ctl/control_impl.h \
	common/ctl/conf.c common/ctl/conf.h common/ctl/conf_tree.h \
	common/ctl/conf_print.c common/ctl/conf_tree.c \
	common/ctl/conf_value.c \
	common/ctl/daemon.c common/ctl/daemon.h common/ctl/daemon_impl.h \
	common/ctl/daemon_change.c common/ctl/daemon_client.c \
	common/ctl/daemon_verbs.c common/ctl/notify.c \
	common/ctl/file.c common/ctl/file.h \
	common/ctl/heartbeat.c common/ctl/heartbeat.h \
	common/ctl/schema.c common/ctl/schema.h

# net: sockets and the event loop
common_libcommon_a_SOURCES += \
	common/net/addr.c common/net/addr.h \
	common/net/csr.c common/net/csr.h \
	common/net/resolve.c common/net/resolve.h \
	common/net/http.c common/net/http.h \
	common/net/http_client.c \
	common/net/http_head.c common/net/http_head.h \
	common/net/loop.c common/net/loop.h \
	common/net/prefix.c common/net/prefix.h \
	common/net/stream.c common/net/stream.h \
	common/net/stream_impl.h common/net/stream_open.c \
	common/net/tls.c common/net/tls.h \
	common/net/udp.c common/net/udp.h

# serve: DNS listeners
common_libcommon_a_SOURCES += \
	common/serve/ask.c common/serve/ask.h \
	common/serve/serve.c common/serve/serve.h \
	common/serve/ban.c common/serve/ban.h \
	common/serve/tcp.c common/serve/tcp.h \
	common/serve/tcp_answer.c common/serve/tcp_impl.h \
	common/serve/udp.c common/serve/udp.h
