/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of krg_ghost share: a stream, and the media it may run on. */
#ifndef KRG_GHOST_STREAM_H
#define KRG_GHOST_STREAM_H

#include <linux/uio.h>
#include <krg/ghost.h>
#include "core/codec.h"

/* What lies under a stream. Calls continue where the last one ended; they may sleep. */
struct ghost_medium {
	/* Write all of @from. Return: 0 or -errno (-ENOSPC if there is no room). */
	int (*write)(struct krg_ghost_stream *stream, struct iov_iter *from);
	/* Read into all of @to, less only where the data end. Return: bytes, or -errno. */
	ssize_t (*read)(struct krg_ghost_stream *stream, struct iov_iter *to);
	void (*release)(struct krg_ghost_stream *stream);
};

enum ghost_mode {
	GHOST_WRITING,
	GHOST_FINISHED,
	GHOST_READING,
};

/*
 * Small records gather in buf, up to GHOST_BUF bytes, in both directions.
 * Reading, it is never filled beyond the next multiple of KRG_GHOST_ALIGN: so
 * it is empty where bulk data start, and those go straight where they belong.
 */
#define GHOST_BUF	(32u << 10)

struct krg_ghost_stream {
	const struct ghost_medium *medium;
	enum ghost_mode mode;
	int err;			/* sticky */
	struct krg_ghost_error why;

	u8 *buf;
	u32 start;			/* reading: first byte not yet taken */
	u32 fill;			/* bytes in buf */
	u64 taken;			/* reading: offset in the medium where buf ends */

	struct file *file;		/* file medium */
	loff_t pos;

	u8 *mem;			/* memory medium; survives rewinding */
	size_t mem_size;		/* allocated */
	size_t mem_len;			/* written */
	size_t mem_limit;

	u8 *payload;			/* reading: of the current record */
	u32 payload_size;
	struct krg_ghost_ident ident;

	union {
		struct krg_ghost_writer writer;
		struct krg_ghost_reader reader;
	};
};

extern const struct ghost_medium ghost_file_medium;
extern const struct ghost_medium ghost_mem_medium;

struct krg_ghost_stream *ghost_stream_alloc(const struct ghost_medium *medium);

/* Bytes of all segments. */
static inline u64 ghost_bvec_len(const struct bio_vec *bvec, unsigned int nr)
{
	u64 len = 0;

	while (nr--)
		len += bvec++->bv_len;
	return len;
}

static inline void *ghost_bvec_virt(const struct bio_vec *bvec)
{
	return page_address(bvec->bv_page) + bvec->bv_offset;
}

#endif
