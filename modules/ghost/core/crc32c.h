/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CRC-32C (Castagnoli), a byte a step: it guards heads and small payloads only.
 * The kernel's own sits behind the crypto API, which a core/ can't use.
 */
#ifndef KRG_GHOST_CRC32C_H
#define KRG_GHOST_CRC32C_H

#include <krg/core.h>

/* The CRC of the bytes so far and len more. seed: 0, or the result for the bytes before. */
u32 krg_ghost_crc32c(u32 seed, const void *data, size_t len);

#endif
