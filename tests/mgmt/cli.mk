# SPDX-License-Identifier: ISC
# CLI, importers and agent.
unit_tests += tests/mgmt/cli-t
tests_mgmt_cli_t_SOURCES = tests/mgmt/cli-t.c
tests_mgmt_cli_t_LDADD = mgmt/cli/libcli.a $(TEST_LIBS)

unit_tests += tests/mgmt/agent-t
tests_mgmt_agent_t_SOURCES = tests/mgmt/agent-t.c
tests_mgmt_agent_t_LDADD = mgmt/agent/libagent.a $(TEST_LIBS)

unit_scripts += tests/mgmt/import-t.sh tests/mgmt/e2e-t.sh \
	tests/mgmt/cli-bin-t.sh
EXTRA_DIST += tests/mgmt/import-t.sh tests/mgmt/e2e-t.sh \
	tests/mgmt/cli-bin-t.sh
EXTRA_DIST += \
	tests/data/blueprint/auth1/db.zaibdns.lab \
	tests/data/blueprint/auth1/named.conf \
	tests/data/blueprint/auth1/named.conf.local \
	tests/data/blueprint/auth1/named.conf.options \
	tests/data/blueprint/dd1/dnsdist-production.conf \
	tests/data/blueprint/dd1/dnsdist.conf \
	tests/data/blueprint/dd1/keepalived.conf \
	tests/data/blueprint/dd2/dnsdist-production.conf \
	tests/data/blueprint/dd2/dnsdist.conf \
	tests/data/blueprint/dd2/keepalived.conf \
	tests/data/blueprint/expected/bind-auth1-named.conf.json \
	tests/data/blueprint/expected/bind-rec1-named.conf.json \
	tests/data/blueprint/expected/bind-rec2-named.conf.json \
	tests/data/blueprint/expected/dnsdist-dd1-dnsdist-production.conf.json \
	tests/data/blueprint/expected/dnsdist-dd1-dnsdist.conf.json \
	tests/data/blueprint/expected/dnsdist-dd2-dnsdist-production.conf.json \
	tests/data/blueprint/expected/dnsdist-dd2-dnsdist.conf.json \
	tests/data/blueprint/expected/keepalived-dd1-keepalived.conf.json \
	tests/data/blueprint/expected/keepalived-dd2-keepalived.conf.json \
	tests/data/blueprint/rec1/named.conf \
	tests/data/blueprint/rec1/named.conf.local \
	tests/data/blueprint/rec1/named.conf.options \
	tests/data/blueprint/rec2/named.conf \
	tests/data/blueprint/rec2/named.conf.local \
	tests/data/blueprint/rec2/named.conf.options \
	tests/data/dnsdist/leave.conf \
	tests/data/dnsdist/rules.conf \
	tests/data/dnsdist/expected/dnsdist-rules.conf.json
