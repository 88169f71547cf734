// SPDX-License-Identifier: GPL-2.0-only
#include "digest.h"

/* Nothing up the sleeve: the first 64 bytes of the fraction of pi. */
static const u64 KEY[8] = {
	0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89,
	0x452821e638d01377, 0xbe5466cf34e90c6c, 0xc0ac29b7c97c50dd, 0x3f84d5b5b5470917,
};

static inline u64 word(const u8 *at)
{
	__le64 raw;

	memcpy(&raw, at, sizeof(raw));
	return le64_to_cpu(raw);
}

static inline u64 fold(u64 a, u64 b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (u64)product ^ (u64)(product >> 64);
}

void krg_ghost_digest_init(struct krg_ghost_digest *digest)
{
	memcpy(digest->lane, KEY + 4, sizeof(digest->lane));
}

void krg_ghost_digest_update(struct krg_ghost_digest *digest, const void *data, size_t len)
{
	u64 l0 = digest->lane[0], l1 = digest->lane[1];
	u64 l2 = digest->lane[2], l3 = digest->lane[3];
	u8 last[KRG_GHOST_DIGEST_BLOCK] = { 0 };
	const u8 *at = data;

	while (len) {
		if (len < sizeof(last)) {
			memcpy(last, at, len);
			at = last;
			len = sizeof(last);
		}
		l0 = fold(word(at) ^ KEY[0], word(at + 8) ^ l0);
		l1 = fold(word(at + 16) ^ KEY[1], word(at + 24) ^ l1);
		l2 = fold(word(at + 32) ^ KEY[2], word(at + 40) ^ l2);
		l3 = fold(word(at + 48) ^ KEY[3], word(at + 56) ^ l3);
		at += sizeof(last);
		len -= sizeof(last);
	}
	digest->lane[0] = l0;
	digest->lane[1] = l1;
	digest->lane[2] = l2;
	digest->lane[3] = l3;
}
