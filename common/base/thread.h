/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BASE_THREAD_H
#define COMMON_BASE_THREAD_H

#include <pthread.h>

#include "common/base/base.h"

/*
 * Threads without signals: these are the main thread's, which takes them in its
 * event loop.
 */

/* 0 or -errno. Any thread. */
int thread_start(pthread_t *out, void *(*run)(void *arg), void *arg) MUST_CHECK;

#endif
