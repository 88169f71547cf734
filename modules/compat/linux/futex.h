/* SPDX-License-Identifier: GPL-2.0-only */
/* What newer kernels have in kernel/futex/futex.h. Include as "../compat/linux/futex.h". */
#ifndef KRG_COMPAT_LINUX_FUTEX_H
#define KRG_COMPAT_LINUX_FUTEX_H

#include <linux/futex.h>

#if defined(FUTEX2_PRIVATE) && !defined(KRG_HAVE_FUTEX_FLAGS)
#error "the probe futex_flags does not build: it would be taken for an older kernel's answer"
#endif

#ifdef KRG_HAVE_FUTEX_FLAGS
#define FLAGS_SIZE_32	0x0002
#define FLAGS_SHARED	0x0010
#define FLAGS_STRICT	0x0100
typedef unsigned int futex_key_flags_t;
#else
#define FLAGS_SIZE_32	0x00
#define FLAGS_SHARED	0x01
#define FLAGS_STRICT	0x00
/* Whether FLAGS_SHARED is set. */
typedef bool futex_key_flags_t;
#endif

#endif
