// SPDX-License-Identifier: GPL-2.0-only
/* Reading streams: bytes from the medium, verdicts from the codec. */
#define pr_fmt(fmt) "krg_ghost: " fmt

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include "stream.h"

static int fail(struct krg_ghost_stream *stream, int err)
{
	stream->err = err;
	stream->why = stream->reader.error;
	return err;
}

static ssize_t medium_read(struct krg_ghost_stream *stream, void *data, size_t len)
{
	struct kvec vec = { .iov_base = data, .iov_len = len };
	struct iov_iter to;
	ssize_t got;

	iov_iter_kvec(&to, ITER_DEST, &vec, 1, len);
	got = stream->medium->read(stream, &to);
	if (got > 0)
		stream->taken += got;
	return got;
}

/* Gets len bytes of the stream. Returns 0, -errno, or what the codec says of a stream cut short. */
static int take(struct krg_ghost_stream *stream, u8 *data, u32 len)
{
	while (len) {
		u32 part = min(len, stream->fill - stream->start);
		ssize_t got;

		if (part) {
			memcpy(data, stream->buf + stream->start, part);
			stream->start += part;
			data += part;
			len -= part;
			continue;
		}
		stream->start = 0;
		stream->fill = 0;
		got = medium_read(stream, stream->buf,
				  KRG_GHOST_ALIGN - stream->taken % KRG_GHOST_ALIGN);
		if (got < 0)
			return got;
		if (!got)
			return krg_ghost_feed_end(&stream->reader);
		stream->fill = got;
	}
	return 0;
}

static int take_payload(struct krg_ghost_stream *stream)
{
	u32 len = stream->reader.want;
	int err;

	if (len > stream->payload_size) {
		kvfree(stream->payload);
		stream->payload_size = 0;
		stream->payload = kvmalloc(len, GFP_KERNEL_ACCOUNT);
		if (!stream->payload)
			return -ENOMEM;
		stream->payload_size = len;
	}
	err = take(stream, stream->payload, len);
	return err ? err : krg_ghost_feed(&stream->reader, stream->payload, len);
}

static int take_pad(struct krg_ghost_stream *stream)
{
	u8 *pad = kmalloc(KRG_GHOST_ALIGN, GFP_KERNEL);
	u32 len = stream->reader.want;
	int err;

	if (!pad)
		return -ENOMEM;
	err = take(stream, pad, len);
	if (!err)
		err = krg_ghost_feed(&stream->reader, pad, len);
	kfree(pad);
	return err;
}

/* Head, payload and padding: up to the next head, the bulk data, or the end. */
static int read_record(struct krg_ghost_stream *stream)
{
	struct krg_ghost_reader *reader = &stream->reader;
	struct krg_ghost_record head;
	int err;

	err = take(stream, (u8 *)&head, sizeof(head));
	if (!err)
		err = krg_ghost_feed(reader, &head, sizeof(head));
	if (!err)
		err = take_payload(stream);
	if (!err && reader->phase == KRG_GHOST_WANT_PAD)
		err = take_pad(stream);
	return err;
}

/* After END: the medium must end too. */
static int read_end(struct krg_ghost_stream *stream)
{
	u8 more;
	ssize_t got = stream->fill - stream->start;

	if (!got)
		got = medium_read(stream, &more, 1);
	if (got <= 0)
		return got;
	return krg_ghost_feed(&stream->reader, &more, 1);
}

static int read_segments(struct krg_ghost_stream *stream, const struct bio_vec *bvec,
			 unsigned int nr, u64 len)
{
	struct krg_ghost_reader *reader = &stream->reader;
	struct iov_iter to;
	unsigned int i;
	ssize_t got;
	int err;

	iov_iter_bvec(&to, ITER_DEST, bvec, nr, len);
	got = stream->medium->read(stream, &to);
	if (got < 0)
		return got;
	stream->taken += got;
	if (got != len)
		return krg_ghost_feed_end(reader);
	for (i = 0; i < nr; i++) {
		err = krg_ghost_feed(reader, ghost_bvec_virt(bvec + i), bvec[i].bv_len);
		if (err)
			return err;
	}
	return 0;
}

int krg_ghost_read_bulk(struct krg_ghost_stream *stream, const struct bio_vec *bvec,
			unsigned int nr)
{
	u64 len = ghost_bvec_len(bvec, nr);
	int err;

	if (stream->mode != GHOST_READING || stream->reader.phase != KRG_GHOST_WANT_BULK ||
	    !len || len > stream->reader.want)
		return -EINVAL;
	if (stream->err)
		return stream->err;
	err = read_segments(stream, bvec, nr, len);
	return err ? fail(stream, err) : 0;
}
EXPORT_SYMBOL_GPL(krg_ghost_read_bulk);

/* Reads and checks bulk data nobody wanted. */
static int drain(struct krg_ghost_stream *stream)
{
	struct page *page;
	struct bio_vec bvec = { 0 };
	int err = 0;

	if (stream->reader.phase != KRG_GHOST_WANT_BULK)
		return 0;
	page = alloc_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	bvec.bv_page = page;
	while (!err && stream->reader.phase == KRG_GHOST_WANT_BULK) {
		bvec.bv_len = min_t(u64, stream->reader.want, PAGE_SIZE);
		err = read_segments(stream, &bvec, 1, bvec.bv_len);
	}
	__free_page(page);
	return err;
}

static bool is_framing(const struct krg_ghost_reader *reader)
{
	return reader->row != KRG_GHOST_NO_ROW &&
	       krg_ghost_schema[reader->row].marks & KRG_GHOST_FRAMING;
}

static int next(struct krg_ghost_stream *stream)
{
	struct krg_ghost_reader *reader = &stream->reader;
	int err = drain(stream);

	while (!err && reader->phase != KRG_GHOST_DONE) {
		err = read_record(stream);
		if (!err && !is_framing(reader))
			return 1;
	}
	return err ? err : read_end(stream);
}

int krg_ghost_next(struct krg_ghost_stream *stream, struct krg_ghost_item *item)
{
	struct krg_ghost_reader *reader = &stream->reader;
	int ret;

	if (stream->mode != GHOST_READING)
		return -EINVAL;
	if (stream->err)
		return stream->err;
	ret = next(stream);
	if (ret < 0)
		return fail(stream, ret);
	if (!ret)
		return 0;
	*item = (struct krg_ghost_item){
		.type = le16_to_cpu(reader->head.type),
		.flags = le16_to_cpu(reader->head.flags),
		.len = le32_to_cpu(reader->head.length),
		.seq = le32_to_cpu(reader->head.seq),
		.offset = reader->item_start,
		.bulk = reader->phase == KRG_GHOST_WANT_BULK ? reader->want : 0,
		.data = stream->payload,
	};
	return 1;
}
EXPORT_SYMBOL_GPL(krg_ghost_next);

/* Reads the FILE record and compares it. */
static int read_header(struct krg_ghost_stream *stream, struct krg_ghost_ident *ident)
{
	struct krg_ghost_reader *reader = &stream->reader;
	const char *text;
	int err;

	krg_ghost_reader_init(reader);
	stream->mode = GHOST_READING;
	stream->pos = 0;
	stream->taken = 0;
	stream->start = 0;
	stream->fill = 0;
	stream->err = 0;
	stream->why = (struct krg_ghost_error){ 0 };
	err = read_record(stream);
	if (err)
		return fail(stream, err);
	text = krg_ghost_match(&reader->file, ident);
	if (text) {
		reader->at.seq = 0;
		reader->start = 0;
		return fail(stream, krg_ghost_refuse(reader, -EPROTO, text));
	}
	stream->ident = *ident;
	return 0;
}

struct krg_ghost_stream *krg_ghost_open_file(struct file *file, struct krg_ghost_ident *ident,
					     struct krg_ghost_error *why)
{
	struct krg_ghost_stream *stream;
	int err;

	*why = (struct krg_ghost_error){ 0 };
	if (!(file->f_mode & FMODE_READ))
		return ERR_PTR(-EBADF);
	if (!file->f_op->read_iter)
		return ERR_PTR(-EOPNOTSUPP);
	stream = ghost_stream_alloc(&ghost_file_medium);
	if (!stream)
		return ERR_PTR(-ENOMEM);
	stream->file = get_file(file);
	err = read_header(stream, ident);
	if (!err)
		return stream;
	*why = stream->why;
	krg_ghost_free(stream);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(krg_ghost_open_file);

int krg_ghost_rewind(struct krg_ghost_stream *stream)
{
	if (stream->medium != &ghost_mem_medium || stream->mode == GHOST_WRITING)
		return -EINVAL;
	return read_header(stream, &stream->ident);
}
EXPORT_SYMBOL_GPL(krg_ghost_rewind);

const struct krg_ghost_file *krg_ghost_header(const struct krg_ghost_stream *stream)
{
	return &stream->reader.file;
}
EXPORT_SYMBOL_GPL(krg_ghost_header);

int krg_ghost_reject(struct krg_ghost_stream *stream, const struct krg_ghost_item *item, int err,
		     const char *text)
{
	stream->err = err;
	stream->why = (struct krg_ghost_error){
		.record = item->seq,
		.offset = item->offset,
		.text = text,
	};
	return err;
}
EXPORT_SYMBOL_GPL(krg_ghost_reject);
