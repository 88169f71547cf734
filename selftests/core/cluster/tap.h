/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KRG_SELFTEST_CLUSTER_TAP_H
#define KRG_SELFTEST_CLUSTER_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3))) static inline bool ok(bool good, const char *name, ...)
{
	va_list ap;

	tap_count++;
	tap_failed += !good;
	printf("%sok %d - ", good ? "" : "not ", tap_count);
	va_start(ap, name);
	vprintf(name, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	return good;
}

static inline int tap_end(int planned)
{
	return tap_failed || tap_count != planned;
}

#endif
