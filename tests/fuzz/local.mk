# SPDX-License-Identifier: ISC
# A fuzz target tests/fuzz/fuzz-NAME.c with its corpus tests/fuzz/corpus/NAME/
# is replayed by `make check` as fuzz-NAME-t, with cuts and changes of each
# input (replay.c); `make fuzz-NAME` (clang) explores from there, FUZZ_FLAGS
# goes to libFuzzer. NAME has no dash. To add one: three lines for
# fuzz-NAME-t, its corpus folder in EXTRA_DIST, and NAME beside fuzz-msg below
# when it needs common/ only (else a rule as fuzz-vrrp's). An input that
# crashed goes into the corpus, named after the bug.
FUZZ_REPLAY = tests/fuzz/replay.c tests/fuzz/fuzz.h
FUZZ_CC = clang
FUZZ_FLAGS = -max_total_time=60
FUZZ_BUILD = $(FUZZ_CC) -g -O1 -fsanitize=fuzzer,address,undefined -std=gnu11 \
	-I$(top_srcdir) -I. $(JANSSON_CFLAGS) $(SSL_CFLAGS) $(EVENT_CFLAGS)
CLEANFILES += tests/fuzz/explore-*

unit_tests += tests/fuzz/fuzz-vrrp-t
tests_fuzz_fuzz_vrrp_t_SOURCES = tests/fuzz/fuzz-vrrp.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_vrrp_t_LDADD = ha/libha.a $(TEST_LIBS)
EXTRA_DIST += \
	tests/fuzz/corpus/vrrp/count-255 \
	tests/fuzz/corpus/vrrp/empty \
	tests/fuzz/corpus/vrrp/header-only \
	tests/fuzz/corpus/vrrp/ip-options \
	tests/fuzz/corpus/vrrp/hmac-ip4 \
	tests/fuzz/corpus/vrrp/hmac-ip6 \
	tests/fuzz/corpus/vrrp/v2-pass \
	tests/fuzz/corpus/vrrp/v3-ip4 \
	tests/fuzz/corpus/vrrp/v3-ip4-padded \
	tests/fuzz/corpus/vrrp/v3-ip4-plain \
	tests/fuzz/corpus/vrrp/v3-ip6 \
	tests/fuzz/corpus/vrrp/v3-migrating

fuzz-vrrp:
	@mkdir -p tests/fuzz/found-vrrp
	$(FUZZ_BUILD) -o tests/fuzz/explore-vrrp \
		$(top_srcdir)/tests/fuzz/fuzz-vrrp.c $(top_srcdir)/ha/packet.c \
		$(top_srcdir)/ha/hmac.c $(top_srcdir)/common/base/digest.c \
		$(SSL_LIBS)
	tests/fuzz/explore-vrrp $(FUZZ_FLAGS) tests/fuzz/found-vrrp \
		$(top_srcdir)/tests/fuzz/corpus/vrrp
.PHONY: fuzz-vrrp

unit_tests += tests/fuzz/fuzz-node-t
tests_fuzz_fuzz_node_t_SOURCES = tests/fuzz/fuzz-node.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_node_t_LDADD = ha/libha.a $(TEST_LIBS)
EXTRA_DIST += tests/fuzz/corpus/node

unit_tests += tests/fuzz/fuzz-haconf-t
tests_fuzz_fuzz_haconf_t_SOURCES = tests/fuzz/fuzz-haconf.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_haconf_t_LDADD = ha/libha.a $(TEST_LIBS)
EXTRA_DIST += tests/fuzz/corpus/haconf

fuzz-node fuzz-haconf:
	@mkdir -p tests/fuzz/found-$(@:fuzz-%=%)
	$(FUZZ_BUILD) $(AM_CPPFLAGS) -o tests/fuzz/explore-$(@:fuzz-%=%) \
		$(top_srcdir)/tests/fuzz/$@.c $(top_srcdir)/common/*/*.c \
		$(top_srcdir)/ha/config*.c $(top_srcdir)/ha/handover.c \
		$(top_srcdir)/ha/hmac.c $(top_srcdir)/ha/neighbour.c \
		$(top_srcdir)/ha/packet.c $(top_srcdir)/ha/track.c \
		$(EVENT_SSL_LIBS) $(EVENT_LIBS) $(SSL_LIBS) $(YAML_LIBS) \
		$(JANSSON_LIBS) $(LDNS_LIBS)
	tests/fuzz/explore-$(@:fuzz-%=%) $(FUZZ_FLAGS) \
		tests/fuzz/found-$(@:fuzz-%=%) \
		$(top_srcdir)/tests/fuzz/corpus/$(@:fuzz-%=%)
.PHONY: fuzz-node fuzz-haconf

unit_tests += tests/fuzz/fuzz-mgmt-t
tests_fuzz_fuzz_mgmt_t_SOURCES = tests/fuzz/fuzz-mgmt.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_mgmt_t_LDADD = mgmt/libmgmt.a $(TEST_LIBS) $(SQLITE_LIBS)
EXTRA_DIST += tests/fuzz/corpus/mgmt

# Targets that need common/ only.
unit_tests += tests/fuzz/fuzz-msg-t
tests_fuzz_fuzz_msg_t_SOURCES = tests/fuzz/fuzz-msg.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_msg_t_LDADD = $(TEST_LIBS)
EXTRA_DIST += tests/fuzz/corpus/msg
unit_tests += tests/fuzz/fuzz-name-t
tests_fuzz_fuzz_name_t_SOURCES = tests/fuzz/fuzz-name.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_name_t_LDADD = $(TEST_LIBS)
EXTRA_DIST += tests/fuzz/corpus/name
unit_tests += tests/fuzz/fuzz-edns-t
tests_fuzz_fuzz_edns_t_SOURCES = tests/fuzz/fuzz-edns.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_edns_t_LDADD = $(TEST_LIBS)
EXTRA_DIST += tests/fuzz/corpus/edns
unit_tests += tests/fuzz/fuzz-ttl-t
tests_fuzz_fuzz_ttl_t_SOURCES = tests/fuzz/fuzz-ttl.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_ttl_t_LDADD = $(TEST_LIBS)
EXTRA_DIST += tests/fuzz/corpus/ttl
unit_tests += tests/fuzz/fuzz-zone-t
tests_fuzz_fuzz_zone_t_SOURCES = tests/fuzz/fuzz-zone.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_zone_t_LDADD = $(TEST_LIBS)
EXTRA_DIST += tests/fuzz/corpus/zone
unit_tests += tests/fuzz/fuzz-conf-t
tests_fuzz_fuzz_conf_t_SOURCES = tests/fuzz/fuzz-conf.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_conf_t_LDADD = $(TEST_LIBS)
EXTRA_DIST += tests/fuzz/corpus/conf
unit_tests += tests/fuzz/fuzz-http-t
tests_fuzz_fuzz_http_t_SOURCES = tests/fuzz/fuzz-http.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_http_t_LDADD = $(TEST_LIBS)
EXTRA_DIST += tests/fuzz/corpus/http
unit_tests += tests/fuzz/fuzz-text-t
tests_fuzz_fuzz_text_t_SOURCES = tests/fuzz/fuzz-text.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_text_t_LDADD = $(TEST_LIBS)
EXTRA_DIST += tests/fuzz/corpus/text
unit_tests += tests/fuzz/fuzz-stream-t
tests_fuzz_fuzz_stream_t_SOURCES = tests/fuzz/fuzz-stream.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_stream_t_LDADD = $(TEST_LIBS)
EXTRA_DIST += tests/fuzz/corpus/stream

fuzz-msg fuzz-name fuzz-edns fuzz-ttl fuzz-zone fuzz-conf fuzz-http fuzz-text \
fuzz-stream:
	@mkdir -p tests/fuzz/found-$(@:fuzz-%=%)
	$(FUZZ_BUILD) $(AM_CPPFLAGS) -o tests/fuzz/explore-$(@:fuzz-%=%) \
		$(top_srcdir)/tests/fuzz/$@.c $(top_srcdir)/common/*/*.c \
		$(EVENT_SSL_LIBS) $(EVENT_LIBS) $(SSL_LIBS) $(YAML_LIBS) \
		$(JANSSON_LIBS) $(LDNS_LIBS)
	tests/fuzz/explore-$(@:fuzz-%=%) $(FUZZ_FLAGS) \
		tests/fuzz/found-$(@:fuzz-%=%) \
		$(top_srcdir)/tests/fuzz/corpus/$(@:fuzz-%=%)
.PHONY: fuzz-msg fuzz-name fuzz-edns fuzz-ttl fuzz-zone fuzz-conf fuzz-http \
	fuzz-text fuzz-stream

unit_tests += tests/fuzz/fuzz-answer-t
tests_fuzz_fuzz_answer_t_SOURCES = tests/fuzz/fuzz-answer.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_answer_t_LDADD = frontend/libfrontend.a $(TEST_LIBS)
EXTRA_DIST += tests/fuzz/corpus/answer
unit_tests += tests/fuzz/fuzz-blockfile-t
tests_fuzz_fuzz_blockfile_t_SOURCES = tests/fuzz/fuzz-blockfile.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_blockfile_t_LDADD = frontend/libfrontend.a $(TEST_LIBS)
EXTRA_DIST += tests/fuzz/corpus/blockfile
unit_tests += tests/fuzz/fuzz-policy-t
tests_fuzz_fuzz_policy_t_SOURCES = tests/fuzz/fuzz-policy.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_policy_t_LDADD = frontend/libfrontend.a $(TEST_LIBS)
EXTRA_DIST += tests/fuzz/corpus/policy
unit_tests += tests/fuzz/fuzz-dump-t
tests_fuzz_fuzz_dump_t_SOURCES = tests/fuzz/fuzz-dump.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_dump_t_LDADD = frontend/libfrontend.a $(TEST_LIBS)
EXTRA_DIST += tests/fuzz/corpus/dump
unit_tests += tests/fuzz/fuzz-xfr-t
tests_fuzz_fuzz_xfr_t_SOURCES = tests/fuzz/fuzz-xfr.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_xfr_t_LDADD = frontend/libfrontend.a $(TEST_LIBS)
EXTRA_DIST += tests/fuzz/corpus/xfr

fuzz-answer fuzz-blockfile fuzz-dump fuzz-policy fuzz-xfr:
	@mkdir -p tests/fuzz/found-$(@:fuzz-%=%)
	$(FUZZ_BUILD) $(AM_CPPFLAGS) -o tests/fuzz/explore-$(@:fuzz-%=%) \
		$(top_srcdir)/tests/fuzz/$@.c $(top_srcdir)/common/*/*.c \
		$$(ls $(top_srcdir)/frontend/*.c | grep -v /main.c) \
		$(EVENT_SSL_LIBS) $(EVENT_LIBS) $(SSL_LIBS) $(YAML_LIBS) \
		$(JANSSON_LIBS) $(LDNS_LIBS)
	tests/fuzz/explore-$(@:fuzz-%=%) $(FUZZ_FLAGS) \
		tests/fuzz/found-$(@:fuzz-%=%) \
		$(top_srcdir)/tests/fuzz/corpus/$(@:fuzz-%=%)
.PHONY: fuzz-answer fuzz-blockfile fuzz-dump fuzz-policy fuzz-xfr

# Manifests as the agent reads them, foreign configuration as the CLI does.
unit_tests += tests/fuzz/fuzz-manifest-t tests/fuzz/fuzz-import-t
tests_fuzz_fuzz_manifest_t_SOURCES = tests/fuzz/fuzz-manifest.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_manifest_t_LDADD = mgmt/agent/libagent.a $(TEST_LIBS)
tests_fuzz_fuzz_import_t_SOURCES = tests/fuzz/fuzz-import.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_import_t_LDADD = mgmt/cli/libcli.a $(TEST_LIBS)
EXTRA_DIST += tests/fuzz/corpus/manifest tests/fuzz/corpus/import

fuzz-manifest fuzz-import:
	@mkdir -p tests/fuzz/found-$(@:fuzz-%=%)
	$(FUZZ_BUILD) $(AM_CPPFLAGS) -o tests/fuzz/explore-$(@:fuzz-%=%) \
		$(top_srcdir)/tests/fuzz/$@.c $(top_srcdir)/common/*/*.c \
		$(top_srcdir)/mgmt/agent/manifest.c \
		$(top_srcdir)/mgmt/cli/import*.c $(top_srcdir)/mgmt/cli/lua*.c \
		$(top_srcdir)/mgmt/cli/ka_words.c $(top_srcdir)/mgmt/cli/mend.c \
		$(top_srcdir)/mgmt/cli/named.c \
		$(EVENT_SSL_LIBS) $(EVENT_LIBS) $(SSL_LIBS) $(YAML_LIBS) \
		$(JANSSON_LIBS) $(LDNS_LIBS)
	tests/fuzz/explore-$(@:fuzz-%=%) $(FUZZ_FLAGS) \
		tests/fuzz/found-$(@:fuzz-%=%) \
		$(top_srcdir)/tests/fuzz/corpus/$(@:fuzz-%=%)
.PHONY: fuzz-manifest fuzz-import

# Answers of libunbound on their way to a client.
unit_tests += tests/fuzz/fuzz-strip-t
tests_fuzz_fuzz_strip_t_SOURCES = tests/fuzz/fuzz-strip.c $(FUZZ_REPLAY)
tests_fuzz_fuzz_strip_t_LDADD = resolver/libresolver.a $(TEST_LIBS)
EXTRA_DIST += tests/fuzz/corpus/strip

fuzz-strip:
	@mkdir -p tests/fuzz/found-strip
	$(FUZZ_BUILD) $(AM_CPPFLAGS) -o tests/fuzz/explore-strip \
		$(top_srcdir)/tests/fuzz/fuzz-strip.c \
		$(top_srcdir)/resolver/answer.c \
		$(top_srcdir)/resolver/strip.c \
		$(top_srcdir)/common/base/*.c $(top_srcdir)/common/dns/*.c \
		$(SSL_LIBS)
	tests/fuzz/explore-strip $(FUZZ_FLAGS) tests/fuzz/found-strip \
		$(top_srcdir)/tests/fuzz/corpus/strip
.PHONY: fuzz-strip
