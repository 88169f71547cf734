/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the order says on the wire, and how its own state goes into snapshots.
 * All little endian.
 *
 * Change log: version 1, first.
 */
#ifndef KRG_CLUSTER_CORE_ORDER_WIRE_H
#define KRG_CLUSTER_CORE_ORDER_WIRE_H

#include "order.h"
#include "wire.h"

#define KRG_ORDER_WIRE_VERSION	1
#define KRG_ORDER_DATA_MAX	8192u	/* bytes of an operation */

/*
 * A message, and what follows:
 *
 *   REPORT	epoch number machines fresh newborn
 *   LEAD	epoch			a report of each member
 *   SNAPSHOT	epoch number offset total	the chunk
 *   GOT	epoch offset
 *   ENTRY	epoch number hint kind; operations: machine origin serial	the operation;
 *		views: a view
 *   ACK	epoch number
 *   STABLE	epoch number
 *   REQUEST	epoch machine serial	the operation
 *
 * What a type has no use for is 0.
 */
struct krg_wire_order {
	u8 version;
	u8 type;
	u8 kind;
	u8 machine;
	__le32 epoch;
	__le64 number;
	__le64 hint;
	__le32 serial;
	__le32 machines;
	__le32 offset;
	__le32 total;
	__le16 origin;
	u8 fresh;
	u8 newborn;
	u8 reserved[4];			/* 0 */
};

static_assert(sizeof(struct krg_wire_order) == 48, "wire format");

struct krg_wire_order_view {
	__le32 epoch;
	__le32 machines;
	struct krg_wire_mask members;
	struct krg_wire_mask dead;
};

static_assert(sizeof(struct krg_wire_order_view) == 72, "wire format");

struct krg_wire_order_report {
	__le64 last;
	__le32 machines;
	u8 node;
	u8 fresh;
	u8 newborn;
	u8 reserved;			/* 0 */
};

static_assert(sizeof(struct krg_wire_order_report) == 16, "wire format");

/* The first bytes of a snapshot. */
struct krg_wire_order_shared {
	struct krg_wire_mask members;
	__le32 machines;
	__le32 ordered[KRG_NODES];
	__le32 reserved;		/* 0 */
};

static_assert(sizeof(struct krg_wire_order_shared) == 1064, "wire format");

/* Then, for each machine in ascending order, this and its bytes, padded to 8. */
struct krg_wire_order_section {
	__le32 machine;
	__le32 bytes;
};

static_assert(sizeof(struct krg_wire_order_section) == 8, "wire format");

#define KRG_ORDER_BYTES_MAX	(sizeof(struct krg_wire_order) + KRG_ORDER_CHUNK_MAX)

/**
 * struct krg_order_scratch - where a message's parts are decoded to
 * @view: of an ENTRY
 * @report: of a LEAD
 */
struct krg_order_scratch {
	struct krg_order_view view;
	struct krg_order_report report[KRG_NODES];
};

int krg_order_encode(const struct krg_order_msg *msg, void *buf, u32 size);
int krg_order_decode(const void *buf, u32 len, struct krg_order_msg *msg,
		     struct krg_order_scratch *scratch);
void krg_order_shared_encode(const struct krg_order_shared *s, void *buf);
int krg_order_shared_decode(const void *buf, u32 len, struct krg_order_shared *s);

#endif
