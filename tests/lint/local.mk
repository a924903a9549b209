# SPDX-License-Identifier: ISC
# Rules of the house as tests; each needs the source tree and a shell only.
lint_tests = tests/lint/layers-t.sh tests/lint/headers-t.sh \
	tests/lint/style-t.sh tests/lint/examples-t.sh \
	tests/lint/spdx-t.sh tests/lint/docs-t.sh
unit_scripts += $(lint_tests)
EXTRA_DIST += $(lint_tests) tests/lint/lib.sh

# The layout by .clang-format; version 14, as others lay out differently.
CLANG_FORMAT = clang-format
format:
	cd '$(top_srcdir)' && find common frontend resolver authority ha mgmt \
		deploy tests -name '*.[ch]' | xargs $(CLANG_FORMAT) -i
check-format:
	cd '$(top_srcdir)' && find common frontend resolver authority ha mgmt \
		deploy tests -name '*.[ch]' | \
		xargs $(CLANG_FORMAT) --dry-run -Werror
.PHONY: format check-format
