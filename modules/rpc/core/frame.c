// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frame headers: to the wire and back. krg_frame_decode() is the one place
 * where a header from the network is checked; past it every field is in range.
 */
#include "export.h"
#include "frame.h"

struct frame_wire {
	__le32 magic;
	u8 version;
	u8 type;
	u8 lane;
	u8 flags;
	__le16 service;
	__le16 reserved;
	__le32 epoch;
	__le64 call;
	__le32 length;
	__le32 arg;
	__le32 credit;
	__le32 crc;
	__le64 tag;
};

static_assert(sizeof(struct frame_wire) == KRG_FRAME_HEADER, "frame header has 48 bytes");

#define FRAME_CRC_BYTES	offsetof(struct frame_wire, crc)
#define FRAME_TAG_BYTES	offsetof(struct frame_wire, tag)
#define FRAME_KEY_LABEL	0x79656b656d617266ull	/* "framekey" */

/* What each type of frame may carry. */
struct frame_rule {
	u8 flags;		/* may be set */
	bool service;		/* must be there, else must be 0 */
	bool call;
	bool payload;		/* may be there, else must be empty */
	bool status;		/* arg is 0 or a negative error number */
	bool arg;		/* arg may be anything, else 0 */
};

static const struct frame_rule frame_rules[KRG_FRAME_TYPE_END] = {
	[KRG_FRAME_REQUEST] = {
		.flags = KRG_FRAME_CHARGED, .service = true, .call = true,
		.payload = true, .arg = true,
	},
	[KRG_FRAME_REPLY] = {
		.flags = KRG_FRAME_REFUSED, .call = true, .payload = true,
		.status = true,
	},
	[KRG_FRAME_ONEWAY] = {
		.flags = KRG_FRAME_CHARGED, .service = true, .payload = true,
	},
	[KRG_FRAME_CANCEL] = { .call = true },
	[KRG_FRAME_CREDIT] = { .flags = 0 },
	[KRG_FRAME_POST] = {
		.flags = KRG_FRAME_PAGE, .service = true, .call = true,
		.payload = true,
	},
	[KRG_FRAME_ACK] = { .call = true },
};

static const char * const frame_errors[KRG_FRAME_ERROR_END] = {
	[KRG_FRAME_OK] = "no error",
	[KRG_FRAME_BAD_MAGIC] = "not a krg frame",
	[KRG_FRAME_BAD_VERSION] = "another wire version",
	[KRG_FRAME_BAD_CRC] = "wrong header checksum",
	[KRG_FRAME_BAD_TYPE] = "unknown frame type",
	[KRG_FRAME_BAD_LANE] = "wrong lane",
	[KRG_FRAME_BAD_FLAGS] = "flags the type may not have",
	[KRG_FRAME_BAD_RESERVED] = "reserved bits set",
	[KRG_FRAME_BAD_SERVICE] = "wrong service number",
	[KRG_FRAME_BAD_CALL] = "wrong call number",
	[KRG_FRAME_BAD_LENGTH] = "too long",
	[KRG_FRAME_BAD_STATUS] = "status out of range",
	[KRG_FRAME_BAD_PAGE] = "too short for its page",
	[KRG_FRAME_BAD_TAG] = "wrong authentication tag",
};

/**
 * krg_frame_strerror() - what is wrong with a frame, for a log line
 * @error: result of a frame function
 *
 * Return: a string, never NULL.
 */
const char *krg_frame_strerror(enum krg_frame_error error)
{
	if ((u32)error >= KRG_FRAME_ERROR_END)
		return "unknown error";
	return frame_errors[error];
}
EXPORT_SYMBOL_GPL(krg_frame_strerror);

/**
 * krg_frame_encode() - write a header, without its tag
 * @frame: the header; the tag is ignored
 * @out: 48 bytes
 */
void krg_frame_encode(const struct krg_frame *frame, u8 out[KRG_FRAME_HEADER])
{
	struct frame_wire wire = {
		.magic = cpu_to_le32(KRG_FRAME_MAGIC),
		.version = KRG_FRAME_VERSION,
		.type = frame->type,
		.lane = frame->lane,
		.flags = frame->flags,
		.service = cpu_to_le16(frame->service),
		.epoch = cpu_to_le32(frame->epoch),
		.call = cpu_to_le64(frame->call),
		.length = cpu_to_le32(frame->length),
		.arg = cpu_to_le32(frame->arg),
		.credit = cpu_to_le32(frame->credit),
	};

	wire.crc = cpu_to_le32(krg_crc32c(&wire, FRAME_CRC_BYTES));
	memcpy(out, &wire, sizeof(wire));
}

static enum krg_frame_error frame_check_rule(const struct frame_wire *wire,
					     const struct frame_rule *rule,
					     u32 max_payload)
{
	u32 arg = le32_to_cpu(wire->arg);
	u32 len = le32_to_cpu(wire->length);

	if (wire->flags & ~rule->flags)
		return KRG_FRAME_BAD_FLAGS;
	if (wire->reserved)
		return KRG_FRAME_BAD_RESERVED;
	if (!wire->service == rule->service)
		return KRG_FRAME_BAD_SERVICE;
	if (!wire->call == rule->call)
		return KRG_FRAME_BAD_CALL;
	if (len > (rule->payload ? max_payload : 0))
		return KRG_FRAME_BAD_LENGTH;
	if (wire->flags & KRG_FRAME_PAGE && len < KRG_FRAME_PAGE_BYTES)
		return KRG_FRAME_BAD_PAGE;
	if (rule->status && 0 - arg > KRG_FRAME_MAX_STATUS)
		return KRG_FRAME_BAD_STATUS;
	if (!rule->status && !rule->arg && arg)
		return KRG_FRAME_BAD_RESERVED;
	return KRG_FRAME_OK;
}

/**
 * krg_frame_decode() - check a header from the wire and take it apart
 * @in: 48 bytes
 * @lane: the connection's lane
 * @max_payload: longest payload this lane carries
 * @frame: the result, filled only on success
 *
 * The tag is not checked here, it needs the payload: krg_frame_verify_page().
 *
 * Return: KRG_FRAME_OK or what is wrong.
 */
enum krg_frame_error krg_frame_decode(const u8 in[KRG_FRAME_HEADER], u8 lane,
				      u32 max_payload, struct krg_frame *frame)
{
	enum krg_frame_error error;
	struct frame_wire wire;

	memcpy(&wire, in, sizeof(wire));
	if (le32_to_cpu(wire.magic) != KRG_FRAME_MAGIC)
		return KRG_FRAME_BAD_MAGIC;
	if (wire.version != KRG_FRAME_VERSION)
		return KRG_FRAME_BAD_VERSION;
	if (le32_to_cpu(wire.crc) != krg_crc32c(in, FRAME_CRC_BYTES))
		return KRG_FRAME_BAD_CRC;
	if (wire.type < KRG_FRAME_REQUEST || wire.type >= KRG_FRAME_TYPE_END)
		return KRG_FRAME_BAD_TYPE;
	if (wire.lane != lane)
		return KRG_FRAME_BAD_LANE;
	error = frame_check_rule(&wire, &frame_rules[wire.type], max_payload);
	if (error)
		return error;

	frame->type = wire.type;
	frame->lane = wire.lane;
	frame->flags = wire.flags;
	frame->service = le16_to_cpu(wire.service);
	frame->epoch = le32_to_cpu(wire.epoch);
	frame->call = le64_to_cpu(wire.call);
	frame->length = le32_to_cpu(wire.length);
	frame->arg = le32_to_cpu(wire.arg);
	frame->credit = le32_to_cpu(wire.credit);
	frame->tag = le64_to_cpu(wire.tag);
	return KRG_FRAME_OK;
}

/**
 * krg_frame_key_init() - what frames are sealed with, from a handshake's secret
 * @key: the result, 1 KiB and more: not on a kernel stack
 * @secret: 16 bytes that only the two ends of the connection know
 *
 * The digest's key words are tags of their numbers: 16 bytes each, which no
 * frame's tag is made of.
 */
void krg_frame_key_init(struct krg_frame_key *key, const u8 secret[KRG_MAC_KEY])
{
	struct krg_mac mac;
	__le64 input[2];

	memcpy(key->mac, secret, KRG_MAC_KEY);
	input[0] = cpu_to_le64(FRAME_KEY_LABEL);
	for (u64 i = 0; i < KRG_NH_WORDS; i++) {
		input[1] = cpu_to_le64(i);
		krg_mac_init(&mac, secret);
		krg_mac_update(&mac, input, sizeof(input));
		key->nh[i] = krg_mac_final(&mac);
	}
}
EXPORT_SYMBOL_GPL(krg_frame_key_init);

static void frame_digest(struct krg_mac *mac, const u8 *data, u32 len,
			 const struct krg_frame_key *key)
{
	u64 digest[2];
	__le64 wire[2];

	while (len) {
		u32 n = len < KRG_NH_BLOCK ? len : KRG_NH_BLOCK;

		krg_nh(key->nh, data, n, digest);
		wire[0] = cpu_to_le64(digest[0]);
		wire[1] = cpu_to_le64(digest[1]);
		krg_mac_update(mac, wire, sizeof(wire));
		data += n;
		len -= n;
	}
}

/*
 * Lengths of the payload's parts are in the header (length, KRG_FRAME_PAGE), so digests
 * of blocks of other lengths never meet.
 */
static u64 frame_tag(const u8 *header, const void *data, u32 len, const void *page,
		     const struct krg_frame_key *key, u64 seq)
{
	__le64 wire_seq = cpu_to_le64(seq);
	struct krg_mac mac;

	krg_mac_init(&mac, key->mac);
	krg_mac_update(&mac, &wire_seq, sizeof(wire_seq));
	krg_mac_update(&mac, header, FRAME_TAG_BYTES);
	frame_digest(&mac, data, len, key);
	if (page)
		frame_digest(&mac, page, KRG_FRAME_PAGE_BYTES, key);
	return krg_mac_final(&mac);
}

/**
 * krg_frame_seal_page() - put the tag into an encoded header
 * @header: from krg_frame_encode()
 * @data: the payload before the page, may be NULL if @len is 0
 * @len: its length
 * @page: the page at the payload's end; NULL: none
 * @key: the key of this direction of the connection
 * @seq: how many frames went this way before
 */
void krg_frame_seal_page(u8 header[KRG_FRAME_HEADER], const void *data, u32 len,
			 const void *page, const struct krg_frame_key *key, u64 seq)
{
	__le64 tag = cpu_to_le64(frame_tag(header, data, len, page, key, seq));

	memcpy(header + FRAME_TAG_BYTES, &tag, sizeof(tag));
}
EXPORT_SYMBOL_GPL(krg_frame_seal_page);

/**
 * krg_frame_verify_page() - was this frame sent by who holds the key, at this place
 * @header: the header as received
 * @data: the payload before the page, as received
 * @len: its length
 * @page: the page at the payload's end; NULL: none
 * @key: the key of this direction of the connection
 * @seq: how many frames came this way before
 *
 * Return: KRG_FRAME_OK or KRG_FRAME_BAD_TAG.
 */
enum krg_frame_error krg_frame_verify_page(const u8 header[KRG_FRAME_HEADER],
					   const void *data, u32 len, const void *page,
					   const struct krg_frame_key *key, u64 seq)
{
	__le64 tag;

	memcpy(&tag, header + FRAME_TAG_BYTES, sizeof(tag));
	if (le64_to_cpu(tag) != frame_tag(header, data, len, page, key, seq))
		return KRG_FRAME_BAD_TAG;
	return KRG_FRAME_OK;
}
EXPORT_SYMBOL_GPL(krg_frame_verify_page);
