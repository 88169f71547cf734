/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The digest of bulk data. It guards against damage, not against forgers.
 *
 * Page data make up nearly all of an image, and their check must cost little
 * beside one copy, on real processors and on emulated ones. CRC-32C is cheap
 * on the former and ruinous on the latter (QEMU computes the crc32 instruction
 * bit by bit). A 64 x 64 -> 128 bit multiplication is cheap on both, needs no
 * vector registers, and folding its halves together mixes 16 bytes at a time:
 * the construction of wyhash (Wang Yi, 2019). Four independent lanes, so that
 * the multiplications overlap; each lane is the 64 bit check of a quarter of
 * the data.
 *
 * With block k of 64 bytes seen as eight little endian words w[0..7]:
 *
 *	lane[i] = fold(w[2i] ^ KEY[i], w[2i + 1] ^ lane[i])	i = 0..3
 *	fold(a, b) = low64(a * b) ^ high64(a * b)
 *
 * starting from lane[i] = KEY[i + 4]; a last short block is filled up with
 * zeroes (the length is guarded by the record's CRC).
 */
#ifndef KRG_GHOST_DIGEST_H
#define KRG_GHOST_DIGEST_H

#include <krg/core.h>

#define KRG_GHOST_DIGEST_BLOCK	64

struct krg_ghost_digest {
	u64 lane[4];
};

void krg_ghost_digest_init(struct krg_ghost_digest *digest);

/* More data. Only the last call may have a length that is no multiple of the block. */
void krg_ghost_digest_update(struct krg_ghost_digest *digest, const void *data, size_t len);

#endif
