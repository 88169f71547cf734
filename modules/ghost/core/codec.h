/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ghost codec: frames records, and judges records read. State and bytes
 * in, verdict out; whose bytes they are (file, memory, socket) and where they
 * are kept is the caller's affair. Start reading here, then schema.c.
 *
 * Writing, for each record:	krg_ghost_frame() → head, pad; the caller writes
 *				head, payload, pad zeroes, bulk data.
 *
 * Reading is a machine that says what it wants next:
 *
 *	      +-----------------------------------------------+
 *	      v                                               | next record
 *	    HEAD --> PAYLOAD --+----------------> (no bulk) --+
 *	                       +--> [PAD] --> BULK -----------+
 *	                       +--> DONE (after END)
 *
 * and BAD from anywhere, with record number, offset and reason in `error`.
 */
#ifndef KRG_GHOST_CODEC_H
#define KRG_GHOST_CODEC_H

#include <krg/core.h>
#include <krg/ghost_format.h>
#include <krg/ghost_types.h>
#include "digest.h"
#include "schema.h"

/* The index as it grows, on both sides. */
struct krg_ghost_toc {
	u32 nr;
	struct krg_ghost_index_entry entry[KRG_GHOST_MAX_INDEX];
};

/* What both sides know of the records so far. */
struct krg_ghost_progress {
	u32 kind;		/* enum krg_ghost_kind */
	u32 seq;		/* of the next record */
	u64 offset;		/* of the next record */
	u32 seed;		/* CRC of the FILE record */
	int row;		/* in the schema, of the last known record */
	u64 rows_seen;		/* bit n: row n has occurred */
	struct krg_ghost_context context;
	struct krg_ghost_toc toc;
};

static_assert(KRG_GHOST_NR_ROWS <= 64);

struct krg_ghost_writer {
	struct krg_ghost_progress at;
	const char *text;	/* why the last call gave -EINVAL */
};

/* Fills in the FILE record's payload but for release and xfeatures, which the caller sets. */
void krg_ghost_describe(struct krg_ghost_file *file, const struct krg_ghost_ident *ident,
			u64 created);

void krg_ghost_writer_init(struct krg_ghost_writer *writer, u32 kind);

/*
 * Frames the next record. The payload is checked as a reader would; of a record
 * with bulk data its struct krg_ghost_bulk must be filled in. *pad: zero bytes
 * between payload and bulk data. Returns 0, or -EINVAL and writer->text.
 */
int krg_ghost_frame(struct krg_ghost_writer *writer, u16 type, u16 flags, const void *payload,
		    u32 len, struct krg_ghost_record *head, u32 *pad);

/*
 * Frames the two last records into buf, ready to be written; *len says how many bytes.
 * Returns 0, or -EINVAL: a record that must be there is missing.
 */
#define KRG_GHOST_TAIL_MAX \
	(2 * sizeof(struct krg_ghost_record) + sizeof(struct krg_ghost_end) + \
	 KRG_GHOST_MAX_INDEX * sizeof(struct krg_ghost_index_entry))

int krg_ghost_frame_tail(struct krg_ghost_writer *writer, u8 buf[KRG_GHOST_TAIL_MAX], u32 *len);

enum krg_ghost_phase {
	KRG_GHOST_WANT_HEAD,	/* sizeof(struct krg_ghost_record) bytes */
	KRG_GHOST_WANT_PAYLOAD,	/* `want` bytes, at once */
	KRG_GHOST_WANT_PAD,	/* `want` bytes, at once, less than KRG_GHOST_ALIGN */
	KRG_GHOST_WANT_BULK,	/* up to `want`; multiples of KRG_GHOST_DIGEST_BLOCK but the last */
	KRG_GHOST_DONE,		/* nothing; anything more is wrong */
	KRG_GHOST_BAD,
};

struct krg_ghost_reader {
	struct krg_ghost_progress at;
	enum krg_ghost_phase phase;
	u64 want;
	struct krg_ghost_record head;	/* of the current record */
	int row;			/* its row, or KRG_GHOST_NO_ROW: may be skipped */
	u64 start;			/* offset of the record being read */
	u64 item_start;			/* of the last whose head has been read */
	u64 index_offset;		/* 0: INDEX not seen yet */
	u64 bulk_length;
	__le64 bulk_digest[4];
	struct krg_ghost_digest digest;
	struct krg_ghost_file file;	/* the first record's payload */
	struct krg_ghost_error error;
};

void krg_ghost_reader_init(struct krg_ghost_reader *reader);

/*
 * Feeds bytes to the phase the reader is in; len as described there, data aligned
 * to 8 bytes (bulk data need not be). Returns 0,
 * -EBADMSG (damaged), -EPROTO (not a ghost, or one this reader can't read), with
 * reader->error; -EINVAL if len is not what the phase allows.
 *
 * After the payload of the FILE record reader->file is valid. A payload's content is
 * checked when this returns 0; bulk data when the phase has left KRG_GHOST_WANT_BULK.
 */
int krg_ghost_feed(struct krg_ghost_reader *reader, const void *data, u64 len);

/* The bytes have ended: 0 if that is where the stream ends, else -EBADMSG. */
int krg_ghost_feed_end(struct krg_ghost_reader *reader);

/* Refuses the current record for a reason the codec can't know. Returns err. */
int krg_ghost_refuse(struct krg_ghost_reader *reader, int err, const char *text);

/*
 * NULL if the FILE record is that of ident (an all zero checkpoint id matches any),
 * else why not; then fills in what ident left open.
 */
const char *krg_ghost_match(const struct krg_ghost_file *file, struct krg_ghost_ident *ident);

/* progress.c: the rules both sides share. Each returns NULL or what is wrong. */
const char *krg_ghost_admit(const struct krg_ghost_progress *at, int row);
const char *krg_ghost_note(struct krg_ghost_progress *at, int row, u16 type);
const char *krg_ghost_missing(const struct krg_ghost_progress *at);
u32 krg_ghost_record_crc(u32 seed, const struct krg_ghost_record *head, const void *payload,
			 u32 len);
u32 krg_ghost_pad(u64 offset);

#endif
