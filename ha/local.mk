# SPDX-License-Identifier: ISC
noinst_LIBRARIES += ha/libha.a
ha_libha_a_SOURCES = \
	ha/packet.c ha/packet.h \
	ha/state.c ha/state.h \
	ha/track.c ha/track.h
