// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a frame's tag is made of, and crc32c.
 *
 * Tags are SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF",
 * 2012), fed in pieces because what it covers lies apart. Why not HMAC: a round
 * trip carries two frames, each hashed at both ends. HMAC-SHA256 costs four
 * compressions a frame, which is a fifth of a round trip on an emulated node;
 * SipHash costs a few hundred instructions. A 64-bit tag suffices where one
 * wrong guess ends the connection and its keys. HMAC-SHA256 guards the handshake
 * and makes the keys.
 *
 * Payloads are digested first, with NH (Black, Halevi, Krawczyk, Krovetz,
 * Rogaway: "UMAC: Fast and Secure Message Authentication", CRYPTO '99, on words
 * of 64 bits as in Krovetz, Dai: "VHASH Security", 2007): whoever does not know
 * its key finds two different blocks of one length with the same digest with
 * probability 2^-64, and a pseudo-random function of such digests is as hard to
 * foresee as one of the blocks. NH takes one multiplication for 16 bytes where
 * SipHash takes four rounds: hashing whole payloads with SipHash cost a bulk
 * stream a fifth of its rate.
 */
#include "frame.h"

static inline u64 mac_rol(u64 x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

static inline void mac_round(u64 v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = mac_rol(v[1], 13) ^ v[0];
	v[3] = mac_rol(v[3], 16) ^ v[2];
	v[0] = mac_rol(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = mac_rol(v[1], 17) ^ v[2];
	v[3] = mac_rol(v[3], 21) ^ v[0];
	v[2] = mac_rol(v[2], 32);
}

static inline void mac_word(u64 v[4], u64 word)
{
	v[3] ^= word;
	mac_round(v);
	mac_round(v);
	v[0] ^= word;
}

static inline u64 mac_load(const u8 *p)
{
	__le64 word;

	memcpy(&word, p, sizeof(word));
	return le64_to_cpu(word);
}

/**
 * krg_mac_init() - begin a tag
 * @mac: state
 * @key: 16 bytes
 */
void krg_mac_init(struct krg_mac *mac, const u8 key[KRG_MAC_KEY])
{
	u64 k0 = mac_load(key), k1 = mac_load(key + 8);

	mac->v[0] = 0x736f6d6570736575ull ^ k0;
	mac->v[1] = 0x646f72616e646f6dull ^ k1;
	mac->v[2] = 0x6c7967656e657261ull ^ k0;
	mac->v[3] = 0x7465646279746573ull ^ k1;
	mac->tail = 0;
	mac->total = 0;
}

/**
 * krg_mac_update() - add bytes
 * @mac: state
 * @data: bytes, may be NULL if @len is 0
 * @len: how many
 */
void krg_mac_update(struct krg_mac *mac, const void *data, size_t len)
{
	const u8 *p = data;
	u64 v[4];

	while (len && mac->total % 8) {
		mac->tail |= (u64)*p++ << mac->total % 8 * 8;
		len--;
		if (++mac->total % 8 == 0) {
			mac_word(mac->v, mac->tail);
			mac->tail = 0;
		}
	}
	mac->total += len;
	/* In registers while whole words last: this loop sees every byte sent. */
	memcpy(v, mac->v, sizeof(v));
	for (; len >= 8; len -= 8, p += 8)
		mac_word(v, mac_load(p));
	memcpy(mac->v, v, sizeof(v));
	for (size_t i = 0; i < len; i++)
		mac->tail |= (u64)p[i] << i * 8;
}

/**
 * krg_mac_final() - the tag
 * @mac: state, useless afterwards
 *
 * Return: 64 bits.
 */
u64 krg_mac_final(struct krg_mac *mac)
{
	u64 *v = mac->v;

	mac_word(v, mac->tail | mac->total << 56);
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		mac_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/**
 * krg_nh() - digest of a block
 * @key: secret words
 * @data: the block
 * @len: its length, 1 to KRG_NH_BLOCK; digests of other lengths may be the same
 * @digest: the result
 */
void krg_nh(const u64 key[KRG_NH_WORDS], const void *data, size_t len, u64 digest[2])
{
	unsigned __int128 sum = 0;
	const u8 *p = data;
	u8 rest[16] = { 0 };

	for (; len >= 16; len -= 16, p += 16, key += 2)
		sum += (unsigned __int128)(mac_load(p) + key[0]) * (mac_load(p + 8) + key[1]);
	if (len) {
		memcpy(rest, p, len);
		sum += (unsigned __int128)(mac_load(rest) + key[0]) *
		       (mac_load(rest + 8) + key[1]);
	}
	digest[0] = (u64)sum;
	digest[1] = (u64)(sum >> 64);
}

/* crc32c of every value of half a byte: headers are 36 bytes, more is not worth its cache lines. */
static const u32 crc_nibble[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
	0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
	0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

/**
 * krg_crc32c() - checksum of a header (Castagnoli's polynomial, reflected)
 * @data: bytes
 * @len: how many
 *
 * Return: the checksum.
 */
u32 krg_crc32c(const void *data, size_t len)
{
	const u8 *p = data;
	u32 crc = ~0u;

	while (len--) {
		crc ^= *p++;
		crc = crc >> 4 ^ crc_nibble[crc & 15];
		crc = crc >> 4 ^ crc_nibble[crc & 15];
	}
	return ~crc;
}
