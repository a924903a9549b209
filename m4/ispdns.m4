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

dnl ISPDNS_ADD_FLAGS(VARIABLE, FLAGS): those that the compiler takes. Most take
dnl all of them, and are asked once.
AC_DEFUN([ISPDNS_ADD_FLAGS], [
  AC_CACHE_CHECK([whether $CC accepts all of $1], [ispdns_cv_all_$1], [
    ispdns_saved="$CFLAGS"
    CFLAGS="$CFLAGS -Werror m4_normalize([$2])"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
      [ispdns_cv_all_$1=yes], [ispdns_cv_all_$1=no])
    CFLAGS="$ispdns_saved"
  ])
  AS_VAR_IF([ispdns_cv_all_$1], [yes], [$1="$$1 m4_normalize([$2])"],
    [m4_foreach_w([flag], [$2], [ISPDNS_ADD_FLAG([$1], flag)])])
])

AC_DEFUN([ISPDNS_WARNINGS], [
  $1=""
  ISPDNS_ADD_FLAGS([$1], [-Wall -Wextra -Wshadow -Wstrict-prototypes
    -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual
    -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough
    -Wnull-dereference -Wdouble-promotion -Wconversion -Wno-sign-conversion
    -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init
    -Wno-string-concatenation])
  ISPDNS_ADD_FLAG([$1], [-Wno-unknown-warning-option])
])

dnl The stricter union of the hardening flags in use for this class of daemon.
AC_DEFUN([ISPDNS_HARDENING], [
  $1="" $2="-pie -Wl,-z,relro,-z,now"
  ISPDNS_ADD_FLAGS([$1], [-fstack-protector-strong -fstack-clash-protection
    -fcf-protection -fPIE])
  AS_CASE([" $CFLAGS $CPPFLAGS "], [*_FORTIFY_SOURCE*], [],
    [$1="$$1 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3"])
])
