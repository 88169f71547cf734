/* SPDX-License-Identifier: GPL-2.0-only */
/* What the codec, its kernel streams and the user-space reader say to their callers. */
#ifndef KRG_GHOST_TYPES_H
#define KRG_GHOST_TYPES_H

#include <krg/core.h>

/* Which file of which checkpoint: goes into the FILE record, is compared on reading. */
struct krg_ghost_ident {
	u32 kind;		/* enum krg_ghost_kind */
	u32 object;		/* node id or pid of the file's name */
	u64 appid;
	u32 version;
	u32 node;		/* writing: this node. Reading: set from the file, not compared */
	u8 checkpoint[16];	/* reading: all zero = any, and set from the file */
};

/* What was wrong with a stream that was refused (-EBADMSG, -EPROTO). */
struct krg_ghost_error {
	u32 record;		/* number of the record, from 0 */
	u64 offset;		/* of its first byte in the stream */
	const char *text;	/* NULL: nothing is wrong */
};

#endif
