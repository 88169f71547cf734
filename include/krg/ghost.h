/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ghosts in the kernel: streams of records (krg/ghost_format.h) to and from a
 * file or memory, and the registry of those who save and load each record.
 *
 * A stream is used by one task at a time; it may sleep in every call.
 */
#ifndef KRG_GHOST_H
#define KRG_GHOST_H

#include <linux/bvec.h>
#include <linux/types.h>
#include <krg/ghost_format.h>
#include <krg/ghost_types.h>

struct file;
struct krg_ghost_stream;

/* A record read. */
struct krg_ghost_item {
	u16 type;
	u16 flags;
	u32 len;		/* bytes of payload */
	u32 seq;
	u64 offset;		/* of the record in the stream */
	u64 bulk;		/* bytes of bulk data to be read, 0 = none */
	const void *data;	/* checked payload; valid until the next call */
};

/**
 * krg_ghost_create_file() - start writing a ghost into a file
 * @file: opened for writing, empty, position 0; a reference is taken
 * @ident: what the stream is
 *
 * Return: the stream, or ERR_PTR. End it with krg_ghost_finish() or krg_ghost_free().
 */
struct krg_ghost_stream *krg_ghost_create_file(struct file *file,
					       const struct krg_ghost_ident *ident);

/**
 * krg_ghost_create_mem() - start writing a ghost into memory
 * @ident: what the stream is
 * @limit: most bytes it may grow to; beyond, writes fail with -ENOSPC
 *
 * Return: the stream, or ERR_PTR. When finished, krg_ghost_rewind() makes it readable.
 */
struct krg_ghost_stream *krg_ghost_create_mem(const struct krg_ghost_ident *ident, size_t limit);

/**
 * krg_ghost_write() - append one record without bulk data
 * @stream: being written
 * @type: enum krg_ghost_type
 * @data: payload
 * @len: its bytes, as the schema allows
 *
 * Small records gather in a buffer; errors of the medium (-ENOSPC, -EIO) may
 * show in a later call. After an error every further call returns it.
 *
 * Return: 0; -EINVAL if the schema forbids the record here; the medium's error.
 */
int krg_ghost_write(struct krg_ghost_stream *stream, u16 type, const void *data, u32 len);

/**
 * krg_ghost_write_bulk() - append one record with bulk data
 * @stream: being written
 * @type: a type with bulk data
 * @data: payload; the struct krg_ghost_bulk at its start is filled in here
 * @len: bytes of payload
 * @bvec: the data, as segments of pages in the kernel's direct map; their total, at
 *	most KRG_GHOST_MAX_BULK, is the bulk's length. Whole pages are cheapest.
 *	The array itself is not changed
 * @nr: segments
 *
 * The data are read twice (digest, copy to the medium) and must not change meanwhile.
 * Return: as krg_ghost_write().
 */
int krg_ghost_write_bulk(struct krg_ghost_stream *stream, u16 type, void *data, u32 len,
			 const struct bio_vec *bvec, unsigned int nr);

/**
 * krg_ghost_finish() - write index and end, flush the buffer
 * @stream: being written. It stays allocated: krg_ghost_free() it
 *
 * The file is complete but not synced to the medium.
 * Return: 0; -EINVAL if a record the schema demands is missing; the medium's error.
 */
int krg_ghost_finish(struct krg_ghost_stream *stream);

/**
 * krg_ghost_open_file() - start reading a ghost from a file
 * @file: opened for reading; read from position 0 on; a reference is taken
 * @ident: what the stream must be; completed from the file
 * @err: set if the stream is refused
 *
 * Checks the first record and that the machine suits it (architecture, byte order).
 * Return: the stream; ERR_PTR(-EBADMSG) damaged; -EPROTO a ghost, but not this one or not for here.
 */
struct krg_ghost_stream *krg_ghost_open_file(struct file *file, struct krg_ghost_ident *ident,
					     struct krg_ghost_error *err);

/**
 * krg_ghost_rewind() - make a finished memory stream readable from its start
 * @stream: made by krg_ghost_create_mem() and finished, or read before
 *
 * Return: 0; -EINVAL for any other stream; what krg_ghost_open_file() returns.
 */
int krg_ghost_rewind(struct krg_ghost_stream *stream);

/**
 * krg_ghost_header() - the FILE record of a stream being read
 * @stream: being read
 *
 * Return: the record: kernel release, xfeatures, time, …; valid as long as the stream.
 */
const struct krg_ghost_file *krg_ghost_header(const struct krg_ghost_stream *stream);

/**
 * krg_ghost_next() - read the next record
 * @stream: being read
 * @item: filled in
 *
 * FILE, INDEX and END are checked here and not returned. Bulk data of the
 * record before that were not (all) read are read and checked now. After 0 the
 * whole stream has been found good. Refused streams: krg_ghost_why().
 *
 * Return: 1 a record; 0 the end; -EBADMSG, -EPROTO refused; -errno of the medium.
 */
int krg_ghost_next(struct krg_ghost_stream *stream, struct krg_ghost_item *item);

/**
 * krg_ghost_read_bulk() - read bulk data of the record krg_ghost_next() gave
 * @stream: being read
 * @bvec: where to, pages in the direct map
 * @nr: segments
 *
 * May be called several times until item.bulk bytes are read; every total but the
 * last must be a multiple of 64. The digest is checked when the last byte has been
 * read: data are not to be trusted before.
 *
 * Return: 0; -EINVAL more than there is; -EBADMSG; -errno of the medium.
 */
int krg_ghost_read_bulk(struct krg_ghost_stream *stream, const struct bio_vec *bvec,
			unsigned int nr);

/**
 * krg_ghost_why() - why a stream was refused
 * @stream: whose last call failed
 *
 * Return: record, offset and text; text is NULL if it was not the stream's fault.
 */
const struct krg_ghost_error *krg_ghost_why(const struct krg_ghost_stream *stream);

/**
 * krg_ghost_reject() - refuse a record for a reason only its loader can know
 * @stream: being read; every further read gives @err
 * @item: the record
 * @err: negative
 * @text: the reason; must stay (a literal)
 *
 * Return: @err
 */
int krg_ghost_reject(struct krg_ghost_stream *stream, const struct krg_ghost_item *item, int err,
		     const char *text);

/**
 * krg_ghost_who() - which file of which checkpoint a stream is
 * @stream: any
 */
const struct krg_ghost_ident *krg_ghost_who(const struct krg_ghost_stream *stream);

/**
 * krg_ghost_type_name() - the name of a record type
 * @type: enum krg_ghost_type
 *
 * Return: as in the documentation, "unknown" if the schema does not have it.
 */
const char *krg_ghost_type_name(u16 type);

/**
 * krg_ghost_size() - bytes written or read so far
 * @stream: any
 */
u64 krg_ghost_size(const struct krg_ghost_stream *stream);

/**
 * krg_ghost_free() - let go of a stream, finished or not
 * @stream: any, NULL or ERR_PTR included
 *
 * What has been written to a file stays there; whoever opened it removes it.
 */
void krg_ghost_free(struct krg_ghost_stream *stream);

/**
 * struct krg_ghost_handler - who saves and loads one type of record
 * @type: enum krg_ghost_type; one handler a type
 * @save: write the object's records, none if it has none. @ctx is the caller's of
 *	krg_ghost_save(). Process context, may sleep. Return 0 or -errno
 * @load: a record of the type was read. Must read the item's bulk data if it wants
 *	them. Return 0 or -errno
 */
struct krg_ghost_handler {
	u16 type;
	int (*save)(struct krg_ghost_stream *stream, void *ctx);
	int (*load)(struct krg_ghost_stream *stream, const struct krg_ghost_item *item, void *ctx);
};

/**
 * krg_ghost_register() - add a handler
 * @handler: not yet registered; must stay until unregistered
 *
 * Return: 0, -EINVAL for a type the schema doesn't know, -EEXIST if the type has one.
 */
int krg_ghost_register(struct krg_ghost_handler *handler);

/**
 * krg_ghost_unregister() - remove a handler
 * @handler: registered
 *
 * On return none of its hooks runs nor will run.
 */
void krg_ghost_unregister(struct krg_ghost_handler *handler);

/**
 * krg_ghost_save() - write all records of a stream's kind, in the schema's order
 * @stream: just created
 * @ctx: handed to the handlers
 *
 * Calls the save hook of every handler whose type may occur in the stream's kind. The
 * caller finishes the stream.
 * Return: 0, or the first error.
 */
int krg_ghost_save(struct krg_ghost_stream *stream, void *ctx);

/**
 * krg_ghost_load() - read a stream to its end through the handlers
 * @stream: just opened
 * @ctx: handed to the handlers
 *
 * Return: 0; -EOPNOTSUPP a record nobody handles (unless it may be skipped); -EBADMSG;
 * -EPROTO; the first error of a handler.
 */
int krg_ghost_load(struct krg_ghost_stream *stream, void *ctx);

/**
 * krg_ghost_crc() - CRC-32C as used by the format
 * @seed: 0, or the result for the bytes before
 * @data: bytes
 * @len: how many
 */
u32 krg_ghost_crc(u32 seed, const void *data, size_t len);

#endif
