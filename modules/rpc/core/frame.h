/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frames of krg's rpc on a stream (wire version 2).
 *
 * Everything is little endian. A frame is a header of 48 bytes followed by
 * `length` bytes of payload:
 *
 *    0  magic    le32    KRG_FRAME_MAGIC
 *    4  version  u8      KRG_FRAME_VERSION
 *    5  type     u8      enum krg_frame_type
 *    6  lane     u8      the lane of the connection, or the frame is refused
 *    7  flags    u8      KRG_FRAME_CHARGED, KRG_FRAME_REFUSED, KRG_FRAME_PAGE
 *    8  service  le16    requests, one-ways and posts; else 0
 *   10  reserved le16    0
 *   12  epoch    le32    sender's membership epoch (a reply: its request's)
 *   16  call     le64    sender's call id; a reply or cancel names its request's;
 *                        post: sender's stream << 32 | number in it, from 0;
 *                        ack: receiver's stream << 32 | number of the first post
 *                        that has not arrived
 *   24  length   le32    bytes of payload
 *   28  arg      le32    request: time left in ms, 0 = for ever; reply: status
 *   32  credit   le32    charged bytes this side has dealt with, modulo 2^32
 *   36  crc      le32    crc32c of bytes 0..35
 *   40  tag      le64    SipHash-2-4 of sequence number, bytes 0..39, digests of
 *                        the payload (mac.c)
 *
 * The sequence number (le64, from 0 for each direction of a connection) is
 * never sent: a frame that was dropped, repeated or moved has a wrong tag. The
 * keys come from the handshake (handshake.h), so frames of another connection
 * have wrong tags too. Both lanes are covered, payload included.
 *
 * Change log: version 1, first; 2, the payload is digested before it is tagged,
 * posts, acks and pages.
 */
#ifndef KRG_RPC_CORE_FRAME_H
#define KRG_RPC_CORE_FRAME_H

#include <krg/core.h>

#define KRG_FRAME_MAGIC		0x5247724bu	/* "KrGR" */
#define KRG_FRAME_VERSION	2
#define KRG_FRAME_HEADER	48
#define KRG_FRAME_MAX_STATUS	4095
#define KRG_FRAME_LANES		2

enum krg_frame_type {
	KRG_FRAME_REQUEST = 1,
	KRG_FRAME_REPLY,
	KRG_FRAME_ONEWAY,
	KRG_FRAME_CANCEL,
	KRG_FRAME_CREDIT,
	KRG_FRAME_POST,
	KRG_FRAME_ACK,
	KRG_FRAME_TYPE_END,
};

#define KRG_FRAME_CHARGED	0x01	/* counts against the window until dealt with */
#define KRG_FRAME_REFUSED	0x02	/* reply: no handler ran, arg says why */
#define KRG_FRAME_PAGE		0x04	/* post: the payload's last bytes are a page */

#define KRG_FRAME_PAGE_BYTES	4096u

enum krg_frame_error {
	KRG_FRAME_OK,
	KRG_FRAME_BAD_MAGIC,
	KRG_FRAME_BAD_VERSION,
	KRG_FRAME_BAD_CRC,
	KRG_FRAME_BAD_TYPE,
	KRG_FRAME_BAD_LANE,
	KRG_FRAME_BAD_FLAGS,
	KRG_FRAME_BAD_RESERVED,
	KRG_FRAME_BAD_SERVICE,
	KRG_FRAME_BAD_CALL,
	KRG_FRAME_BAD_LENGTH,
	KRG_FRAME_BAD_STATUS,
	KRG_FRAME_BAD_PAGE,
	KRG_FRAME_BAD_TAG,
	KRG_FRAME_ERROR_END,
};

/* A header in host order. */
struct krg_frame {
	u8 type;
	u8 lane;
	u8 flags;
	u16 service;
	u32 epoch;
	u64 call;
	u32 length;
	u32 arg;
	u32 credit;
	u64 tag;
};

/* SipHash-2-4, fed in pieces. */
struct krg_mac {
	u64 v[4];
	u64 tail;
	u64 total;
};

#define KRG_MAC_KEY	16
#define KRG_NH_BLOCK	1024		/* bytes that become one digest */
#define KRG_NH_WORDS	(KRG_NH_BLOCK / 8)

/* What seals the frames of one direction of a connection. Secret. */
struct krg_frame_key {
	u8 mac[KRG_MAC_KEY];
	u64 nh[KRG_NH_WORDS];
};

u32 krg_crc32c(const void *data, size_t len);

void krg_mac_init(struct krg_mac *mac, const u8 key[KRG_MAC_KEY]);
void krg_mac_update(struct krg_mac *mac, const void *data, size_t len);
u64 krg_mac_final(struct krg_mac *mac);
void krg_nh(const u64 key[KRG_NH_WORDS], const void *data, size_t len, u64 digest[2]);

void krg_frame_key_init(struct krg_frame_key *key, const u8 secret[KRG_MAC_KEY]);

/* Bytes of payload before the page, if there is one. */
static inline u32 krg_frame_data_length(const struct krg_frame *frame)
{
	return frame->length - (frame->flags & KRG_FRAME_PAGE ? KRG_FRAME_PAGE_BYTES : 0);
}

void krg_frame_encode(const struct krg_frame *frame, u8 out[KRG_FRAME_HEADER]);
void krg_frame_seal_page(u8 header[KRG_FRAME_HEADER], const void *data, u32 len,
			 const void *page, const struct krg_frame_key *key, u64 seq);
enum krg_frame_error krg_frame_decode(const u8 in[KRG_FRAME_HEADER], u8 lane,
				      u32 max_payload, struct krg_frame *frame);
enum krg_frame_error krg_frame_verify_page(const u8 header[KRG_FRAME_HEADER],
					   const void *data, u32 len, const void *page,
					   const struct krg_frame_key *key, u64 seq);
const char *krg_frame_strerror(enum krg_frame_error error);

/* The same of frames without a page. */
static inline void krg_frame_seal(u8 header[KRG_FRAME_HEADER], const void *payload, u32 len,
				  const struct krg_frame_key *key, u64 seq)
{
	krg_frame_seal_page(header, payload, len, NULL, key, seq);
}

static inline enum krg_frame_error krg_frame_verify(const u8 header[KRG_FRAME_HEADER],
						    const void *payload, u32 len,
						    const struct krg_frame_key *key, u64 seq)
{
	return krg_frame_verify_page(header, payload, len, NULL, key, seq);
}

#endif
