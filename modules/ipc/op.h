/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations: what changes the table of segments, in one order on all nodes, and how it
 * looks on the wire. Change log: 1, as below.
 */
#ifndef KRG_IPC_OP_H
#define KRG_IPC_OP_H

#include <linux/types.h>

/* On the wire: never changed. */
enum ipc_op_type {
	IPC_OP_CREATE	= 1,	/* @key @size @mode @uid @gid @pid @limit @number @born @now */
	IPC_OP_SET,		/* @mode @uid @gid @now of @id */
	IPC_OP_RMID,		/* @id goes, as soon as nobody is attached */
	IPC_OP_COUNT,		/* the sender is attached @count times to @id; @atime @dtime @pid */
	IPC_OPS,
};

/**
 * struct ipc_op - an operation
 * @type: enum ipc_op_type
 * @id: segment
 * @key: key, or IPC_PRIVATE
 * @mode: permissions
 * @uid: owner
 * @gid: group
 * @pid: who made it; who was attached or detached last
 * @limit: segments there may be
 * @born: of the set of pages
 * @count: times
 * @size: bytes
 * @number: of the set of pages
 * @now: the sender's clock, s
 * @atime: s
 * @dtime: s
 */
struct ipc_op {
	u32 type;
	s32 id;
	s32 key;
	u32 mode;
	u32 uid;
	u32 gid;
	s32 pid;
	u32 limit;
	u32 born;
	u32 count;
	u64 size;
	u64 number;
	s64 now;
	s64 atime;
	s64 dtime;
};

struct ipc_wire_op {
	__le32 type;
	__le32 id;
	__le32 key;
	__le32 mode;
	__le32 uid;
	__le32 gid;
	__le32 pid;
	__le32 limit;
	__le32 born;
	__le32 count;
	__le64 size;
	__le64 number;
	__le64 now;
	__le64 atime;
	__le64 dtime;
};

static_assert(sizeof(struct ipc_wire_op) == 80);

#endif
