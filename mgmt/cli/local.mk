# SPDX-License-Identifier: ISC
noinst_LIBRARIES += mgmt/cli/libcli.a
mgmt_cli_libcli_a_CPPFLAGS = $(AM_CPPFLAGS) \
	-DISPDNS_PKGDATA_DIR='"$(pkgdatadir)"'
mgmt_cli_libcli_a_SOURCES = \
	mgmt/cli/args.c mgmt/cli/args.h \
	mgmt/cli/call.c mgmt/cli/cli.h \
	mgmt/cli/change.c mgmt/cli/command.c mgmt/cli/complete.c mgmt/cli/file.c \
	mgmt/cli/fleet.c \
	mgmt/cli/join.c mgmt/cli/noun.c mgmt/cli/query.c \
	mgmt/cli/show.c mgmt/cli/table.c mgmt/cli/table.h \
	mgmt/cli/table_frontend.c mgmt/cli/table_ha.c \
	mgmt/cli/import.c mgmt/cli/import.h \
	mgmt/cli/import_bind.c \
	mgmt/cli/import_dnsdist.c mgmt/cli/import_dnsdist.h \
	mgmt/cli/import_dnsdist_action.c mgmt/cli/import_dnsdist_block.c \
	mgmt/cli/import_dnsdist_cache.c mgmt/cli/import_dnsdist_chain.c \
	mgmt/cli/import_dnsdist_chain.h mgmt/cli/import_dnsdist_emit.c \
	mgmt/cli/import_dnsdist_entry.h \
	mgmt/cli/import_dnsdist_match.c mgmt/cli/import_dnsdist_name.c \
	mgmt/cli/import_dnsdist_plain.c mgmt/cli/import_dnsdist_relay.c \
	mgmt/cli/import_dnsdist_rule.c \
	mgmt/cli/import_dnsdist_say.c mgmt/cli/import_dnsdist_select.c \
	mgmt/cli/import_dnsdist_server.c mgmt/cli/import_dnsdist_set.c \
	mgmt/cli/import_dnsdist_set.h mgmt/cli/import_dnsdist_value.c \
	mgmt/cli/import_keepalived.c \
	mgmt/cli/ka_words.c mgmt/cli/ka_words.h \
	mgmt/cli/lua.c mgmt/cli/lua.h mgmt/cli/lua_impl.h mgmt/cli/lua_scan.c \
	mgmt/cli/mend.c mgmt/cli/mend.h \
	mgmt/cli/named.c mgmt/cli/named.h

bin_PROGRAMS += ispdns
ispdns_SOURCES = mgmt/cli/main.c
ispdns_LDADD = mgmt/cli/libcli.a $(COMMON_LIBS)
