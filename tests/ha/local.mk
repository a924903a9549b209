# SPDX-License-Identifier: ISC
HA_LIBS = ha/libha.a $(TEST_LIBS) $(MNL_LIBS)

unit_scripts += tests/ha/conformance-t.sh tests/ha/hmac-golden-t.sh
unit_tests += tests/ha/announce-t \
	tests/ha/ask-t \
	tests/ha/config-t \
	tests/ha/config_anycast-t \
	tests/ha/conformance-t \
	tests/ha/engine-t \
	tests/ha/group-t \
	tests/ha/handover-t \
	tests/ha/health-t \
	tests/ha/hmac-t \
	tests/ha/keep-t \
	tests/ha/kernel-t \
	tests/ha/neighbour-t \
	tests/ha/opener-t \
	tests/ha/pace-t \
	tests/ha/packet-t \
	tests/ha/probe-t \
	tests/ha/rescue-t \
	tests/ha/route-t \
	tests/ha/state-t \
	tests/ha/track-t
tests_ha_announce_t_SOURCES = tests/ha/announce-t.c
tests_ha_announce_t_LDADD = $(HA_LIBS)
tests_ha_ask_t_SOURCES = tests/ha/ask-t.c
tests_ha_ask_t_LDADD = $(HA_LIBS)
tests_ha_config_t_SOURCES = tests/ha/config-t.c
tests_ha_config_t_LDADD = $(HA_LIBS)
tests_ha_config_anycast_t_SOURCES = tests/ha/config_anycast-t.c
tests_ha_config_anycast_t_LDADD = $(HA_LIBS)
tests_ha_conformance_t_SOURCES = tests/ha/conformance-t.c tests/ha/frame.h
tests_ha_conformance_t_LDADD = $(HA_LIBS)
tests_ha_engine_t_SOURCES = tests/ha/engine-t.c
tests_ha_engine_t_LDADD = $(HA_LIBS)
tests_ha_group_t_SOURCES = tests/ha/group-t.c
tests_ha_group_t_LDADD = $(HA_LIBS)
tests_ha_handover_t_SOURCES = tests/ha/handover-t.c
tests_ha_handover_t_LDADD = $(HA_LIBS)
tests_ha_health_t_SOURCES = tests/ha/health-t.c
tests_ha_health_t_LDADD = $(HA_LIBS)
tests_ha_hmac_t_SOURCES = tests/ha/hmac-t.c
tests_ha_hmac_t_LDADD = $(HA_LIBS)
tests_ha_keep_t_SOURCES = tests/ha/keep-t.c
tests_ha_keep_t_LDADD = $(HA_LIBS)
tests_ha_kernel_t_SOURCES = tests/ha/kernel-t.c
tests_ha_kernel_t_LDADD = $(HA_LIBS)
tests_ha_neighbour_t_SOURCES = tests/ha/neighbour-t.c
tests_ha_neighbour_t_LDADD = $(HA_LIBS)
tests_ha_opener_t_SOURCES = tests/ha/opener-t.c
tests_ha_opener_t_LDADD = $(HA_LIBS)
tests_ha_pace_t_SOURCES = tests/ha/pace-t.c
tests_ha_pace_t_LDADD = $(HA_LIBS)
tests_ha_packet_t_SOURCES = tests/ha/packet-t.c tests/ha/frame.h
tests_ha_packet_t_LDADD = $(HA_LIBS)
tests_ha_probe_t_SOURCES = tests/ha/probe-t.c
tests_ha_probe_t_LDADD = $(HA_LIBS)
tests_ha_rescue_t_SOURCES = tests/ha/rescue-t.c
tests_ha_rescue_t_LDADD = $(HA_LIBS)
tests_ha_route_t_SOURCES = tests/ha/route-t.c
tests_ha_route_t_LDADD = $(HA_LIBS)
tests_ha_state_t_SOURCES = tests/ha/state-t.c
tests_ha_state_t_LDADD = $(HA_LIBS)
tests_ha_track_t_SOURCES = tests/ha/track-t.c
tests_ha_track_t_LDADD = $(HA_LIBS)

# For tests/system/ha*-t.sh: stand in for frontend and clients, send bad adverts.
noinst_PROGRAMS += tests/ha/fake-frontend tests/ha/send-vrrp \
	tests/ha/flood-vrrp tests/ha/reconf tests/ha/flow-client
tests_ha_flow_client_SOURCES = tests/ha/flow-client.c
tests_ha_flow_client_LDADD = $(COMMON_LIBS)
tests_ha_flood_vrrp_SOURCES = tests/ha/flood-vrrp.c
tests_ha_flood_vrrp_LDADD = $(COMMON_LIBS)
tests_ha_reconf_SOURCES = tests/ha/reconf.c
tests_ha_reconf_LDADD = $(COMMON_LIBS)
tests_ha_fake_frontend_SOURCES = tests/ha/fake-frontend.c
tests_ha_fake_frontend_LDADD = $(COMMON_LIBS)
tests_ha_send_vrrp_SOURCES = tests/ha/send-vrrp.c
tests_ha_send_vrrp_LDADD = $(COMMON_LIBS)

# These need root: ha-t.sh is ours with ours, ha-keepalived-t.sh with Debian's,
# ha-frr-t.sh with FRR's, ha-bgp-t.sh and ha-ecmp-t.sh anycast with Debian's
# BIRD and FRR.
system_tests += tests/system/ha-t.sh tests/system/ha-keepalived-t.sh \
	tests/system/ha-frr-t.sh tests/system/ha-flood-t.sh \
	tests/system/ha-bgp-t.sh tests/system/ha-ecmp-t.sh \
	tests/system/ha-group-t.sh
EXTRA_DIST += tests/system/ha.sh tests/system/bgp.sh tests/ha/CONFORMANCE.md tests/ha/conformance-t.sh \
	tests/ha/hmac-golden-t.sh
