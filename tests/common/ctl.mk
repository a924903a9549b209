# SPDX-License-Identifier: ISC
# Tests of common/ctl.
unit_tests += \
	tests/common/child-t \
	tests/common/conf-t \
	tests/common/control-t \
	tests/common/file-t \
	tests/common/heartbeat-t \
	tests/common/schema-t
tests_common_child_t_SOURCES = tests/common/child-t.c
tests_common_child_t_LDADD = $(TEST_LIBS)
tests_common_conf_t_SOURCES = tests/common/conf-t.c \
	tests/common/conf-schema.h
tests_common_conf_t_LDADD = $(TEST_LIBS)
tests_common_conf_t_LDFLAGS = $(FAILMEM_LINK)
tests_common_control_t_SOURCES = tests/common/control-t.c
tests_common_control_t_LDADD = $(TEST_LIBS)
tests_common_file_t_SOURCES = tests/common/file-t.c
tests_common_file_t_LDADD = $(TEST_LIBS)
tests_common_heartbeat_t_SOURCES = tests/common/heartbeat-t.c
tests_common_heartbeat_t_LDADD = $(TEST_LIBS)
tests_common_schema_t_SOURCES = tests/common/schema-t.c
tests_common_schema_t_LDADD = $(TEST_LIBS)

# A daemon that does nothing, for the tests of the frame.
check_PROGRAMS += tests/common/tiny-daemon
tests_common_tiny_daemon_SOURCES = tests/common/tiny-daemon.c
tests_common_tiny_daemon_LDADD = $(COMMON_LIBS)
unit_scripts += tests/common/daemon-t.sh
EXTRA_DIST += tests/common/daemon-t.sh
