// SPDX-License-Identifier: GPL-2.0-only
/* Lies that are one field of the header: checksum and tag are right for it. */
#include "liar.h"

#define ANY_LANE_MAX	0xfffffffeu	/* stands for: the lane's, and one more */
#define OTHER_LANE	0xfffffffdu
#define CRC_AT		36

const struct lie fields[] = {
	{ "another magic", "not a krg frame", NULL, KRG_FRAME_REQUEST, 0, 4, 0x5247724c },
	{ "version 0", "another wire version", NULL, KRG_FRAME_REQUEST, 4, 1, 0 },
	{ "version 255", "another wire version", NULL, KRG_FRAME_REQUEST, 4, 1, 255 },
	{ "wrong checksum", "wrong header checksum", NULL, KRG_FRAME_REQUEST, CRC_AT, 4, 1 },
	{ "type 0", "unknown frame type", NULL, KRG_FRAME_REQUEST, 5, 1, 0 },
	{ "first unknown type", "unknown frame type", NULL, KRG_FRAME_REQUEST, 5, 1,
	  KRG_FRAME_TYPE_END },
	{ "type 255", "unknown frame type", NULL, KRG_FRAME_REQUEST, 5, 1, 255 },
	{ "the other lane", "wrong lane", NULL, KRG_FRAME_REQUEST, 6, 1, OTHER_LANE },
	{ "lane 2", "wrong lane", NULL, KRG_FRAME_REQUEST, 6, 1, 2 },
	{ "lane 255", "wrong lane", NULL, KRG_FRAME_REQUEST, 6, 1, 255 },
	{ "refused request", "flags the type may not have", NULL, KRG_FRAME_REQUEST, 7, 1,
	  KRG_FRAME_REFUSED },
	{ "unknown flag", "flags the type may not have", NULL, KRG_FRAME_REQUEST, 7, 1, 0x80 },
	{ "charged reply", "flags the type may not have", NULL, KRG_FRAME_REPLY, 7, 1,
	  KRG_FRAME_CHARGED },
	{ "refused one-way", "flags the type may not have", NULL, KRG_FRAME_ONEWAY, 7, 1,
	  KRG_FRAME_REFUSED },
	{ "charged cancel", "flags the type may not have", NULL, KRG_FRAME_CANCEL, 7, 1,
	  KRG_FRAME_CHARGED },
	{ "charged credit", "flags the type may not have", NULL, KRG_FRAME_CREDIT, 7, 1,
	  KRG_FRAME_CHARGED },
	{ "request without service", "wrong service number", NULL, KRG_FRAME_REQUEST, 8, 2, 0 },
	{ "one-way without service", "wrong service number", NULL, KRG_FRAME_ONEWAY, 8, 2, 0 },
	{ "reply with service", "wrong service number", NULL, KRG_FRAME_REPLY, 8, 2, ECHO },
	{ "cancel with service", "wrong service number", NULL, KRG_FRAME_CANCEL, 8, 2, ECHO },
	{ "credit with service", "wrong service number", NULL, KRG_FRAME_CREDIT, 8, 2, ECHO },
	{ "reserved bits", "reserved bits set", NULL, KRG_FRAME_REQUEST, 10, 2, 0x8000 },
	{ "one-way with argument", "reserved bits set", NULL, KRG_FRAME_ONEWAY, 28, 4, 1 },
	{ "cancel with argument", "reserved bits set", NULL, KRG_FRAME_CANCEL, 28, 4, 1 },
	{ "credit with argument", "reserved bits set", NULL, KRG_FRAME_CREDIT, 28, 4, 1 },
	{ "request without call", "wrong call number", NULL, KRG_FRAME_REQUEST, 16, 4, 0 },
	{ "reply without call", "wrong call number", NULL, KRG_FRAME_REPLY, 16, 4, 0 },
	{ "cancel without call", "wrong call number", NULL, KRG_FRAME_CANCEL, 16, 4, 0 },
	{ "one-way with call", "wrong call number", NULL, KRG_FRAME_ONEWAY, 16, 4, 9 },
	{ "credit with call", "wrong call number", NULL, KRG_FRAME_CREDIT, 16, 4, 9 },
	{ "longer than the lane takes", "too long", NULL, KRG_FRAME_REQUEST, 24, 4, ANY_LANE_MAX },
	{ "reply longer than the lane takes", "too long", NULL, KRG_FRAME_REPLY, 24, 4,
	  ANY_LANE_MAX },
	{ "4 GiB", "too long", NULL, KRG_FRAME_ONEWAY, 24, 4, 0xffffffff },
	{ "cancel with payload", "too long", NULL, KRG_FRAME_CANCEL, 24, 4, 1 },
	{ "credit with payload", "too long", NULL, KRG_FRAME_CREDIT, 24, 4, 1 },
	{ "positive status", "status out of range", NULL, KRG_FRAME_REPLY, 28, 4, 1 },
	{ "status -4096", "status out of range", NULL, KRG_FRAME_REPLY, 28, 4, -4096u },
	{ "most negative status", "status out of range", NULL, KRG_FRAME_REPLY, 28, 4, 1u << 31 },
	{ "credit for nothing", "credit for more than was sent", NULL, KRG_FRAME_CREDIT, 32, 4, 1 },
	{ "credit on a request", "credit for more than was sent", NULL, KRG_FRAME_REQUEST, 32, 4,
	  0x80000000u },
	{ "post without service", "wrong service number", NULL, KRG_FRAME_POST, 8, 2, 0 },
	{ "post with argument", "reserved bits set", NULL, KRG_FRAME_POST, 28, 4, 1 },
	{ "charged post", "flags the type may not have", NULL, KRG_FRAME_POST, 7, 1,
	  KRG_FRAME_CHARGED },
	{ "post shorter than its page", "too short for its page", NULL, KRG_FRAME_POST, 7, 1,
	  KRG_FRAME_PAGE },
	{ "request with a page", "flags the type may not have", NULL, KRG_FRAME_REQUEST, 7, 1,
	  KRG_FRAME_PAGE },
	{ "post to who takes none", "a post to a service that takes none", NULL, KRG_FRAME_POST,
	  8, 2, ECHO },
	{ "ack with payload", "too long", NULL, KRG_FRAME_ACK, 24, 4, 1 },
	{ "ack with service", "wrong service number", NULL, KRG_FRAME_ACK, 8, 2, ECHO },
	{ NULL, NULL, NULL, 0, 0, 0, 0 },
};

static u32 field_value(const struct lie *lie, const struct wire *w)
{
	if (lie->value == OTHER_LANE)
		return !w->lane;
	return lie->value == ANY_LANE_MAX ? lane_max[w->lane] + 1 : lie->value;
}

void tell_field(struct wire *w, const struct lie *lie)
{
	struct krg_frame f = honest(w, lie->type);
	__le32 value = cpu_to_le32(field_value(lie, w));
	u8 header[KRG_FRAME_HEADER];

	krg_frame_encode(&f, header);
	memcpy(header + lie->at, &value, lie->size);
	if (lie->at != CRC_AT)
		wire_fix_crc(header);
	wire_seal(w, header, "truth", f.length);
	wire_write(w, header, sizeof(header));
	wire_write(w, "truth", f.length);
}
