/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What membership says on the wire. All little endian; addresses as in IP.
 *
 * Change log: version 1, first; 2, beacons veiled.
 */
#ifndef KRG_CLUSTER_WIRE_H
#define KRG_CLUSTER_WIRE_H

#include "membership.h"

#define KRG_WIRE_VERSION	2
#define KRG_BEACON_MAGIC	0x4247724bu	/* "KrGB" */
#define KRG_BEACON_MAC		32

struct krg_wire_mask {
	u8 byte[KRG_NODES / 8];		/* node n: bit n % 8 of byte n / 8 */
};

/*
 * A UDP datagram: this, max_nodes echoes of 4 bytes, the MAC of all before it. On the wire
 * all but the first KRG_BEACON_CLEAR bytes and the MAC is veiled: krg_rpc_veil().
 */
struct krg_wire_beacon {
	__le32 magic;
	u8 version;
	u8 session;
	u8 node;
	u8 state;
	u8 quorate;
	u8 reserved;			/* 0 */
	__le16 max_nodes;
	__le32 lease_ms;
	__le64 incarnation;
	u32 ip;
	__le16 port;
	__le16 reserved2;		/* 0 */
	__le32 stamp;
	__le32 epoch;
	struct krg_wire_mask members;
	struct krg_wire_mask suspects;
	struct krg_wire_mask leased;
	__le32 echo[];
};

static_assert(sizeof(struct krg_wire_beacon) == 136, "wire format");

#define KRG_BEACON_CLEAR	offsetof(struct krg_wire_beacon, node)

#define KRG_BEACON_BYTES(max_nodes) \
	(sizeof(struct krg_wire_beacon) + 4 * (max_nodes) + KRG_BEACON_MAC)
#define KRG_BEACON_BYTES_MAX	KRG_BEACON_BYTES(KRG_NODES)

/* A message; PREPARE and COMMIT are followed by a view. */
struct krg_wire_msg {
	__le64 from_incarnation;
	__le64 to_incarnation;
	u8 version;
	u8 type;
	u8 op;
	u8 flags;
	__le32 error;
	__le32 epoch;
	__le32 base;
	__le16 node;
	u8 reserved[6];			/* 0 */
	struct krg_wire_mask mask;
};

static_assert(sizeof(struct krg_wire_msg) == 72, "wire format");

/* A view, and its @count entries. */
struct krg_wire_view {
	__le32 epoch;
	__le16 count;
	u8 quorate;
	u8 flags;
	struct krg_wire_mask voters;
};

static_assert(sizeof(struct krg_wire_view) == 40, "wire format");

struct krg_wire_entry {
	__le64 incarnation;
	u32 ip;
	__le16 port;
	u8 node;
	u8 state;
};

static_assert(sizeof(struct krg_wire_entry) == 16, "wire format");

#define KRG_MSG_BYTES_MAX \
	(sizeof(struct krg_wire_msg) + sizeof(struct krg_wire_view) + \
	 KRG_NODES * sizeof(struct krg_wire_entry))

void krg_mask_encode(struct krg_wire_mask *w, const struct krg_mask *s);
void krg_mask_decode(struct krg_mask *s, const struct krg_wire_mask *w);
int krg_beacon_encode(const struct krg_beacon *b, void *buf, u32 size);
int krg_beacon_session(const void *buf, u32 len);
int krg_beacon_decode(const void *buf, u32 len, struct krg_beacon *b);
int krg_msg_encode(const struct krg_msg *msg, void *buf, u32 size);
int krg_msg_decode(const void *buf, u32 len, struct krg_msg *msg, struct krg_view *view);

#endif
