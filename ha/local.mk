# SPDX-License-Identifier: ISC
noinst_LIBRARIES += ha/libha.a
EXTRA_DIST += ha/VRRP.md
ha_libha_a_SOURCES = \
	ha/announce.c ha/announce.h \
	ha/anycast.c ha/anycast.h \
	ha/aside.c ha/aside.h \
	ha/ask.c ha/ask.h \
	ha/config.c ha/config.h ha/config_anycast.c ha/config_schema.c \
	ha/engine.c ha/engine.h \
	ha/fence.c ha/fence.h \
	ha/ha.h \
	ha/handover.c ha/handover.h \
	ha/health.c ha/health.h \
	ha/hmac.c ha/hmac.h \
	ha/iface.c ha/iface.h ha/iface_impl.h ha/iface_route.c \
	ha/instance.c ha/instance.h ha/instance_env.h ha/instance_event.h \
	ha/instance_impl.h \
	ha/instance_group.c ha/instance_link.c \
	ha/instance_peer.c ha/instance_rescue.c ha/instance_send.c \
	ha/instance_sock.c \
	ha/keep.c ha/keep.h \
	ha/kernel.c ha/kernel.h \
	ha/neighbour.c ha/neighbour.h \
	ha/opener.c ha/opener.h \
	ha/pace.c ha/pace.h \
	ha/packet.c ha/packet.h \
	ha/poll.h \
	ha/probe.c ha/probe.h \
	ha/rescue.c ha/rescue.h \
	ha/route.c ha/route.h \
	ha/show.c ha/show_anycast.c \
	ha/sock.c ha/sock.h \
	ha/state.c ha/state.h \
	ha/stats.c \
	ha/track.c ha/track.h \
	ha/verbs.c \
	ha/vip.c ha/vip.h \
	ha/worker.c ha/worker.h ha/worker_impl.h ha/worker_anycast.c \
	ha/worker_call.c ha/worker_change.c ha/worker_watch.c
ha_libha_a_CFLAGS = $(AM_CFLAGS) $(MNL_CFLAGS)

sbin_PROGRAMS += ispdns-ha
ispdns_ha_SOURCES = ha/main.c
ispdns_ha_LDADD = ha/libha.a $(COMMON_LIBS) $(MNL_LIBS)
