# SPDX-License-Identifier: ISC
noinst_LIBRARIES += mgmt/agent/libagent.a
mgmt_agent_libagent_a_SOURCES = \
	mgmt/agent/agent.c mgmt/agent/agent.h \
	mgmt/agent/config.c \
	mgmt/agent/link.c \
	mgmt/agent/local.c \
	mgmt/agent/manifest.c mgmt/agent/manifest.h \
	mgmt/agent/remote.c \
	mgmt/agent/report.c \
	mgmt/agent/rollout.c mgmt/agent/rollout.h \
	mgmt/agent/tree.c mgmt/agent/tree.h

sbin_PROGRAMS += ispdns-agent
ispdns_agent_SOURCES = mgmt/agent/main.c
ispdns_agent_LDADD = mgmt/agent/libagent.a $(COMMON_LIBS)
