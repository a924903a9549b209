# SPDX-License-Identifier: ISC
# The server: everything but main.c is a library, so that tests link it.
noinst_LIBRARIES += mgmt/libmgmt.a
MGMT_EMBEDDED = mgmt/migrations/001.sql mgmt/migrations/002.sql \
	mgmt/migrations/003.sql mgmt/migrations/004.sql \
	mgmt/migrations/005.sql mgmt/migrations/006.sql \
	mgmt/migrations/007.sql mgmt/migrations/008.sql mgmt/migrations/009.sql \
	mgmt/migrations/010.sql \
	mgmt/migrations/011.sql \
	mgmt/migrations/012.sql \
	mgmt/web/index.html mgmt/web/app.js mgmt/web/style.css
mgmt_libmgmt_a_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
mgmt_libmgmt_a_SOURCES = \
	mgmt/api.c mgmt/api.h mgmt/api_http.c mgmt/api_impl.h \
	mgmt/api_change.c mgmt/api_ha.c mgmt/api_model.c mgmt/api_node.c \
	mgmt/api_front.c mgmt/api_policy.c mgmt/api_rule.c mgmt/api_zone.c \
	mgmt/audit.c mgmt/audit.h \
	mgmt/change.c mgmt/change.h \
	mgmt/check.c mgmt/check.h mgmt/check_anycast.c mgmt/check_ha.c \
	mgmt/check_impl.h mgmt/check_rule.c \
	mgmt/command.c mgmt/command.h \
	mgmt/diff.c mgmt/diff.h \
	mgmt/embed.c mgmt/embed.h \
	mgmt/fleet.c mgmt/fleet.h \
	mgmt/guard.c mgmt/guard.h \
	mgmt/metrics.c \
	mgmt/model.c mgmt/model.h mgmt/model_table.c \
	mgmt/node_api.c mgmt/node_api.h \
	mgmt/partner.c mgmt/partner.h \
	mgmt/pki.c mgmt/pki.h \
	mgmt/push.c mgmt/push.h mgmt/push_impl.h mgmt/push_view.c \
	mgmt/push_step.c mgmt/push_wait.c \
	mgmt/render.c mgmt/render.h mgmt/render_frontend.c mgmt/render_ha.c \
	mgmt/render_pool.c \
	mgmt/render_impl.h \
	mgmt/revision.c mgmt/revision.h \
	mgmt/server.c mgmt/server.h \
	mgmt/step.c mgmt/step.h \
	mgmt/store.c mgmt/store.h mgmt/store_sql.c mgmt/store_sql.h \
	mgmt/store_cred.c mgmt/store_gen.c mgmt/store_model.c \
	mgmt/store_zone.c \
	mgmt/vrrp.c mgmt/vrrp.h \
	mgmt/wave.c mgmt/wave.h \
	mgmt/zone.c mgmt/zone.h
mgmt/libmgmt_a-embed.$(OBJEXT): $(MGMT_EMBEDDED)
EXTRA_DIST += $(MGMT_EMBEDDED) mgmt/API.md

sbin_PROGRAMS += ispdns-mgmt
ispdns_mgmt_SOURCES = mgmt/main.c
ispdns_mgmt_LDADD = mgmt/libmgmt.a $(COMMON_LIBS) $(SQLITE_LIBS)
