/* SPDX-License-Identifier: GPL-2.0-only */
/* Transports use parts of core/; in user space there is nothing to export to. */
#ifndef KRG_RPC_CORE_EXPORT_H
#define KRG_RPC_CORE_EXPORT_H

#ifdef __KERNEL__
#include <linux/export.h>
#else
#define EXPORT_SYMBOL_GPL(symbol) static_assert(1, "")
#endif

#endif
