dnl SPDX-License-Identifier: ISC
dnl ISPDNS_ADD_FLAG(VARIABLE, FLAG): append FLAG when the compiler takes it.
AC_DEFUN([ISPDNS_ADD_FLAG], [
  AS_VAR_PUSHDEF([cache], [ispdns_cv_cflag_$2])
  AC_CACHE_CHECK([whether $CC accepts $2], [cache], [
    ispdns_saved="$CFLAGS"
    CFLAGS="$CFLAGS -Werror $2"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
      [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
    CFLAGS="$ispdns_saved"
  ])
  AS_VAR_IF([cache], [yes], [$1="$$1 $2"])
  AS_VAR_POPDEF([cache])
])

AC_DEFUN([ISPDNS_WARNINGS], [
  $1=""
  m4_foreach_w([flag], [-Wall -Wextra -Wshadow -Wstrict-prototypes
    -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual
    -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough
    -Wnull-dereference -Wdouble-promotion -Wconversion -Wno-sign-conversion
    -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init
    -Wno-string-concatenation -Wno-unknown-warning-option],
    [ISPDNS_ADD_FLAG([$1], flag)])
])

dnl The stricter union of the hardening flags in use for this class of daemon.
AC_DEFUN([ISPDNS_HARDENING], [
  $1="" $2="-pie -Wl,-z,relro,-z,now"
  ISPDNS_ADD_FLAG([$1], [-fstack-protector-strong])
  ISPDNS_ADD_FLAG([$1], [-fstack-clash-protection])
  ISPDNS_ADD_FLAG([$1], [-fcf-protection])
  ISPDNS_ADD_FLAG([$1], [-fPIE])
  AS_CASE([" $CFLAGS $CPPFLAGS "], [*_FORTIFY_SOURCE*], [],
    [$1="$$1 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3"])
])
