// SPDX-License-Identifier: GPL-2.0-only
/* Writing streams: framing by the codec, a buffer for what is small, no copy of what is big. */
#define pr_fmt(fmt) "krg_ghost: " fmt

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/utsname.h>
#include <asm/fpu/xcr.h>
#include "stream.h"

static int medium_write(struct krg_ghost_stream *stream, const void *data, size_t len)
{
	struct kvec vec = { .iov_base = (void *)data, .iov_len = len };
	struct iov_iter from;

	if (!len)
		return 0;
	iov_iter_kvec(&from, ITER_SOURCE, &vec, 1, len);
	return stream->medium->write(stream, &from);
}

static int flush(struct krg_ghost_stream *stream)
{
	int err = medium_write(stream, stream->buf, stream->fill);

	stream->fill = 0;
	return err;
}

/* Bytes of zero when data is NULL. */
static int append(struct krg_ghost_stream *stream, const void *data, u32 len)
{
	int err;

	if (len > GHOST_BUF - stream->fill) {
		err = flush(stream);
		if (err)
			return err;
	}
	if (len > GHOST_BUF)
		return medium_write(stream, data, len);
	if (data)
		memcpy(stream->buf + stream->fill, data, len);
	else
		memset(stream->buf + stream->fill, 0, len);
	stream->fill += len;
	return 0;
}

static int fail(struct krg_ghost_stream *stream, int err)
{
	stream->err = err;
	if (err == -EINVAL)
		stream->why = (struct krg_ghost_error){
			.record = stream->writer.at.seq,
			.offset = stream->writer.at.offset,
			.text = stream->writer.text,
		};
	return err;
}

static int write_record(struct krg_ghost_stream *stream, u16 type, u16 flags, const void *data,
			u32 len)
{
	struct krg_ghost_record head;
	u32 pad;
	int err;

	if (stream->mode != GHOST_WRITING)
		return -EINVAL;
	if (stream->err)
		return stream->err;
	err = krg_ghost_frame(&stream->writer, type, flags, data, len, &head, &pad);
	if (!err)
		err = append(stream, &head, sizeof(head));
	if (!err)
		err = append(stream, data, len);
	if (!err)
		err = append(stream, NULL, pad);
	return err ? fail(stream, err) : 0;
}

int krg_ghost_write(struct krg_ghost_stream *stream, u16 type, const void *data, u32 len)
{
	return write_record(stream, type, 0, data, len);
}
EXPORT_SYMBOL_GPL(krg_ghost_write);

static int digest_bvec(struct krg_ghost_bulk *bulk, const struct bio_vec *bvec, unsigned int nr)
{
	struct krg_ghost_digest digest;
	unsigned int i;

	krg_ghost_digest_init(&digest);
	for (i = 0; i < nr; i++) {
		if (i + 1 < nr && bvec[i].bv_len % KRG_GHOST_DIGEST_BLOCK)
			return -EINVAL;
		krg_ghost_digest_update(&digest, ghost_bvec_virt(bvec + i), bvec[i].bv_len);
	}
	for (i = 0; i < ARRAY_SIZE(bulk->digest); i++)
		bulk->digest[i] = cpu_to_le64(digest.lane[i]);
	return 0;
}

int krg_ghost_write_bulk(struct krg_ghost_stream *stream, u16 type, void *data, u32 len,
			 const struct bio_vec *bvec, unsigned int nr)
{
	u64 total = ghost_bvec_len(bvec, nr);
	struct krg_ghost_bulk *bulk = data;
	struct iov_iter from;
	int err;

	if (len < sizeof(*bulk) || total > KRG_GHOST_MAX_BULK)
		return -EINVAL;
	bulk->length = cpu_to_le64(total);
	err = digest_bvec(bulk, bvec, nr);
	if (!err)
		err = write_record(stream, type, KRG_GHOST_BULK, data, len);
	if (err)
		return err;
	err = flush(stream);
	if (!err) {
		iov_iter_bvec(&from, ITER_SOURCE, bvec, nr, total);
		err = stream->medium->write(stream, &from);
	}
	return err ? fail(stream, err) : 0;
}
EXPORT_SYMBOL_GPL(krg_ghost_write_bulk);

int krg_ghost_finish(struct krg_ghost_stream *stream)
{
	u32 len;
	u8 *tail;
	int err;

	if (stream->mode != GHOST_WRITING)
		return -EINVAL;
	if (stream->err)
		return stream->err;
	tail = kmalloc(KRG_GHOST_TAIL_MAX, GFP_KERNEL);
	if (!tail)
		return fail(stream, -ENOMEM);
	err = krg_ghost_frame_tail(&stream->writer, tail, &len);
	if (!err)
		err = append(stream, tail, len);
	if (!err)
		err = flush(stream);
	kfree(tail);
	if (err)
		return fail(stream, err);
	stream->mode = GHOST_FINISHED;
	return 0;
}
EXPORT_SYMBOL_GPL(krg_ghost_finish);

/* The FILE record. */
static int write_header(struct krg_ghost_stream *stream, const struct krg_ghost_ident *ident)
{
	struct krg_ghost_file file;

	stream->mode = GHOST_WRITING;
	stream->ident = *ident;
	krg_ghost_writer_init(&stream->writer, ident->kind);
	krg_ghost_describe(&file, ident, ktime_get_real_seconds());
	file.xfeatures = cpu_to_le64(boot_cpu_has(X86_FEATURE_OSXSAVE) ?
				     xgetbv(XCR_XFEATURE_ENABLED_MASK) : 0);
	strscpy(file.release, init_utsname()->release, sizeof(file.release));
	return krg_ghost_write(stream, KRG_GHOST_R_FILE, &file, sizeof(file));
}

static struct krg_ghost_stream *start_writing(struct krg_ghost_stream *stream,
					      const struct krg_ghost_ident *ident)
{
	int err = write_header(stream, ident);

	if (!err)
		return stream;
	krg_ghost_free(stream);
	return ERR_PTR(err);
}

struct krg_ghost_stream *krg_ghost_create_file(struct file *file,
					       const struct krg_ghost_ident *ident)
{
	struct krg_ghost_stream *stream;

	if (!(file->f_mode & FMODE_WRITE) || !(file->f_mode & FMODE_CAN_WRITE))
		return ERR_PTR(-EBADF);
	if (!file->f_op->write_iter)
		return ERR_PTR(-EOPNOTSUPP);
	stream = ghost_stream_alloc(&ghost_file_medium);
	if (!stream)
		return ERR_PTR(-ENOMEM);
	stream->file = get_file(file);
	return start_writing(stream, ident);
}
EXPORT_SYMBOL_GPL(krg_ghost_create_file);

struct krg_ghost_stream *krg_ghost_create_mem(const struct krg_ghost_ident *ident, size_t limit)
{
	struct krg_ghost_stream *stream = ghost_stream_alloc(&ghost_mem_medium);

	if (!stream)
		return ERR_PTR(-ENOMEM);
	stream->mem_limit = limit;
	return start_writing(stream, ident);
}
EXPORT_SYMBOL_GPL(krg_ghost_create_mem);
