/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The protocol's messages as bytes: one post of krg_rpc is one packet.
 *
 * Everything is little endian. A packet is a head of 16 bytes:
 *
 *    0  kind      u8      enum krg_kddm_packet_kind
 *    1  version   u8      KRG_KDDM_WIRE_VERSION
 *    2  count     le16    records that follow
 *    4  epoch     le32    the sender's view
 *    8  arg       le32    VIEW: enum krg_kddm_view_type; PING, PONG: which; else 0
 *   12  gaps      le32    VIEW END: gaps behind the record; else 0
 *
 * then @count records. OBJECTS, 40 bytes each, in order:
 *
 *    0  type      u8      enum krg_kddm_event_type below KRG_KDDM_MESSAGES
 *    1  content   u8      enum krg_kddm_content
 *    2  op        u8
 *    3  flags     u8
 *    4  node      le16
 *    6  acks      le16
 *    8  status    le16    two's complement
 *   10  reserved  le16    0
 *   12  born      le32    the set's
 *   16  set       le64
 *   24  index     le64    of the first object
 *   32  more      le64    bit i: the same for object index + 1 + i
 *
 * Only DATA and OWN have content: BLANK, or RAW, which is the only record of its packet
 * and for one object. The bytes follow it: the post's page, or for objects smaller than
 * a page the rest of the packet.
 *
 * VIEW: END has one record of 184 bytes, struct krg_kddm_view_past with 0 in what isn't
 * used, and then the gaps, 72 bytes each; others have none.
 *
 * DESTROY: 16 bytes each: set le64, born le32, reserved le32.
 *
 * Change log: version 1, first.
 */
#ifndef KRG_KDDM_CORE_WIRE_H
#define KRG_KDDM_CORE_WIRE_H

#include "kddm.h"
#include "view.h"

#define KRG_KDDM_WIRE_VERSION	1
#define KRG_KDDM_WIRE_HEAD	16
#define KRG_KDDM_WIRE_OBJECT	40
#define KRG_KDDM_WIRE_PAST	(8 + 4 * KRG_KDDM_PAST_VIEWS + 32 * KRG_KDDM_PAST_VIEWS + 32)
#define KRG_KDDM_WIRE_GAP	72
#define KRG_KDDM_WIRE_DEAD	16

enum krg_kddm_packet_kind {
	KRG_KDDM_PACKET_OBJECTS = 1,
	KRG_KDDM_PACKET_VIEW,
	KRG_KDDM_PACKET_PING,		/* behind it nothing of what was before is on its way */
	KRG_KDDM_PACKET_PONG,
	KRG_KDDM_PACKET_DESTROY,	/* these sets are no more */
	KRG_KDDM_PACKET_KINDS,
};

/**
 * struct krg_kddm_packet - a packet's head
 * @kind: enum krg_kddm_packet_kind
 * @count: records
 * @gaps: VIEW END: gaps behind the record
 * @epoch: the sender's
 * @arg: VIEW: enum krg_kddm_view_type; PING, PONG: which
 */
struct krg_kddm_packet {
	u8 kind;
	u16 count;
	u32 gaps;
	u32 epoch;
	u32 arg;
};

/**
 * struct krg_kddm_record - one record of OBJECTS, or of DESTROY (@set, @born)
 * @msg: the message; from is not on the wire
 * @born: the set's
 * @set: the set's number
 * @index: the object
 * @more: bit i: the same for object @index + 1 + i
 */
struct krg_kddm_record {
	struct krg_kddm_msg msg;
	u32 born;
	u64 set;
	u64 index;
	u64 more;
};

/* Deaths that sets have lived through, see krg_kddm_presumed_lost(). */
struct krg_kddm_dated_gap {
	u32 epoch;	/* of the view that noticed */
	struct krg_kddm_gap gap;
};

u32 krg_kddm_packet_encode(const struct krg_kddm_packet *p, u8 *out);
int krg_kddm_packet_decode(const u8 *in, u32 len, bool page, struct krg_kddm_packet *p);
void krg_kddm_record_encode(const struct krg_kddm_record *r, u8 *out);
int krg_kddm_record_decode(const u8 *in, const struct krg_kddm_packet *p,
			   struct krg_kddm_record *r);
void krg_kddm_past_encode(const struct krg_kddm_view_past *past, u8 *out);
int krg_kddm_past_decode(const u8 *in, struct krg_kddm_view_past *past);
void krg_kddm_gap_encode(const struct krg_kddm_dated_gap *gap, u8 *out);
int krg_kddm_gap_decode(const u8 *in, struct krg_kddm_dated_gap *gap);
void krg_kddm_dead_encode(u64 set, u32 born, u8 *out);
int krg_kddm_dead_decode(const u8 *in, u64 *set, u32 *born);

#endif
