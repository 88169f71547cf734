/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations: what changes the table of files, in one order on all nodes, and how it
 * looks on the wire. Change log: 1, as below.
 */
#ifndef KRG_MM_OP_H
#define KRG_MM_OP_H

#include <linux/types.h>

/* On the wire: never changed. */
enum shmfs_op_type {
	SHMFS_OP_CREATE	= 1,	/* @mode @uid @gid @number @born as @name in @dir; @name2: target */
	SHMFS_OP_LINK,		/* @ino gets @name in @dir */
	SHMFS_OP_UNLINK,	/* @name in @dir, which is @ino, goes */
	SHMFS_OP_RENAME,	/* @name in @dir, which is @ino, becomes @name2 in @dir2 */
	SHMFS_OP_SETATTR,	/* those of @valid of @ino */
	SHMFS_OP_ALLOC,		/* pages @a to @b of @ino are there */
	SHMFS_OP_GROW,		/* @ino is at least @a bytes */
	SHMFS_OP_APPEND,	/* @ino gets @a bytes more; where is the result */
	SHMFS_OP_SIZE,		/* @ino has @a bytes */
	SHMFS_OP_PUNCH,		/* bytes @a to @b of @ino become a hole */
	SHMFS_OP_TAKE,		/* the sender removes what the remover of @ino left */
	SHMFS_OP_REMOVED,	/* the remover of @ino has done it */
	SHMFS_OP_HOLD,		/* the sender opens @ino */
	SHMFS_OP_RELEASE,	/* and has it open no more */
	SHMFS_OP_LIMIT,		/* the sender would have @a pages at most */
	SHMFS_OPS,
};

/* Flags of CREATE, UNLINK and LIMIT; RENAME has those of renameat2(). */
#define SHMFS_OP_UNNAMED	0x1	/* CREATE: no name */
#define SHMFS_OP_DIR		0x2	/* UNLINK: a directory */
#define SHMFS_OP_FIXED		0x4	/* LIMIT: somebody asked for it */

/* @valid of SETATTR */
#define SHMFS_SET_MODE		0x01
#define SHMFS_SET_UID		0x02
#define SHMFS_SET_GID		0x04
#define SHMFS_SET_ATIME		0x08
#define SHMFS_SET_MTIME		0x10
#define SHMFS_SET_WRITTEN	0x20	/* at @mtime, unless more was done to it since */
#define SHMFS_SET_ALL		0x3f

/**
 * struct shmfs_op - an operation
 * @type: enum shmfs_op_type
 * @flags: SHMFS_OP_*
 * @mode: type and permissions
 * @uid: owner
 * @gid: group
 * @valid: SHMFS_SET_*
 * @born: of the set
 * @len: bytes of @name
 * @len2: bytes of @name2
 * @dir: directory
 * @ino: inode
 * @dir2: directory
 * @a: see the types
 * @b: see the types
 * @number: of the set
 * @now: the sender's clock, ns
 * @atime: ns
 * @mtime: ns
 * @name: not terminated
 * @name2: not terminated
 */
struct shmfs_op {
	u32 type;
	u32 flags;
	u32 mode;
	u32 uid;
	u32 gid;
	u32 valid;
	u32 born;
	u32 len;
	u32 len2;
	u64 dir;
	u64 ino;
	u64 dir2;
	u64 a;
	u64 b;
	u64 number;
	s64 now;
	s64 atime;
	s64 mtime;
	const char *name;
	const char *name2;
};

struct shmfs_wire_op {
	__le32 type;
	__le32 flags;
	__le32 mode;
	__le32 uid;
	__le32 gid;
	__le32 valid;
	__le32 born;
	__le16 len;
	__le16 len2;
	__le64 dir;
	__le64 ino;
	__le64 dir2;
	__le64 a;
	__le64 b;
	__le64 number;
	__le64 now;
	__le64 atime;
	__le64 mtime;
	char names[];
};

static_assert(sizeof(struct shmfs_wire_op) == 104);

#define SHMFS_NAME_MAX		255
#define SHMFS_TARGET_MAX	4095
#define SHMFS_OP_MAX		(sizeof(struct shmfs_wire_op) + SHMFS_NAME_MAX + SHMFS_TARGET_MAX)

#endif
