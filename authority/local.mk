# SPDX-License-Identifier: ISC
noinst_LIBRARIES += authority/libauthority.a
authority_libauthority_a_SOURCES = \
	authority/apply.c authority/apply.h \
	authority/authority.c authority/authority.h authority/authority_impl.h \
	authority/check.c authority/check.h \
	authority/confine.c authority/confine.h \
	authority/config.c authority/config.h \
	authority/monitor.c \
	authority/nsd.c authority/nsd.h \
	authority/nsdconf.c authority/nsdconf.h \
	authority/probe.c authority/probe.h \
	authority/server.c authority/server.h \
	authority/stage.c authority/stage.h \
	authority/stats.c authority/stats.h \
	authority/tree.c authority/tree.h \
	authority/verbs.c

sbin_PROGRAMS += ispdns-authority
ispdns_authority_SOURCES = authority/main.c
ispdns_authority_LDADD = authority/libauthority.a $(COMMON_LIBS)
