// SPDX-License-Identifier: GPL-2.0-only
/* The two media of a stream: a file, and memory. */
#define pr_fmt(fmt) "krg_ghost: " fmt

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "stream.h"

#define MEM_FIRST	(64u << 10)

/*
 * Where an iterator stands after a transfer differs by file system: netfs (9p, CIFS, Ceph)
 * of 6.12 leaves a kernel's own in place by writing, and at its end by a short read.
 */
static void iter_settle(struct iov_iter *iter, const struct iov_iter *before, size_t done)
{
	*iter = *before;
	iov_iter_advance(iter, done);
}

/*
 * The file system's write_iter itself, as the loop driver calls it: whether
 * vfs_iter_write() guards against a freezing file system differs by kernel.
 */
static int file_write(struct krg_ghost_stream *stream, struct iov_iter *from)
{
	struct file *file = stream->file;
	struct kiocb iocb;
	ssize_t done = 0;

	init_sync_kiocb(&iocb, file);
	iocb.ki_pos = stream->pos;
	while (iov_iter_count(from)) {
		const struct iov_iter before = *from;

		file_start_write(file);
		done = file->f_op->write_iter(&iocb, from);
		file_end_write(file);
		if (done <= 0)
			break;
		iter_settle(from, &before, done);
		if (fatal_signal_pending(current)) {
			done = -EINTR;
			break;
		}
	}
	stream->pos = iocb.ki_pos;
	if (done < 0)
		return done;
	return iov_iter_count(from) ? -ENOSPC : 0;
}

static ssize_t file_read(struct krg_ghost_stream *stream, struct iov_iter *to)
{
	ssize_t total = 0, done;

	while (iov_iter_count(to)) {
		const struct iov_iter before = *to;

		done = vfs_iter_read(stream->file, to, &stream->pos, 0);
		if (done < 0)
			return done;
		if (!done)
			break;
		iter_settle(to, &before, done);
		total += done;
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return total;
}

static void file_release(struct krg_ghost_stream *stream)
{
	fput(stream->file);
}

const struct ghost_medium ghost_file_medium = {
	.write = file_write,
	.read = file_read,
	.release = file_release,
};

/* Room for len more bytes: doubles, up to the limit. */
static int mem_reserve(struct krg_ghost_stream *stream, size_t len)
{
	size_t size = max_t(size_t, stream->mem_size, MEM_FIRST);
	u8 *mem;

	if (len > stream->mem_limit - stream->mem_len)
		return -ENOSPC;
	if (stream->mem_len + len <= stream->mem_size)
		return 0;
	while (size < stream->mem_len + len)
		size *= 2;
	size = min(size, stream->mem_limit);
	mem = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!mem)
		return -ENOMEM;
	memcpy(mem, stream->mem, stream->mem_len);
	kvfree(stream->mem);
	stream->mem = mem;
	stream->mem_size = size;
	return 0;
}

static int mem_write(struct krg_ghost_stream *stream, struct iov_iter *from)
{
	size_t len = iov_iter_count(from);
	int err = mem_reserve(stream, len);

	if (err)
		return err;
	if (copy_from_iter(stream->mem + stream->mem_len, len, from) != len)
		return -EFAULT;
	stream->mem_len += len;
	return 0;
}

static ssize_t mem_read(struct krg_ghost_stream *stream, struct iov_iter *to)
{
	size_t len = min_t(size_t, iov_iter_count(to), stream->mem_len - stream->pos);

	if (copy_to_iter(stream->mem + stream->pos, len, to) != len)
		return -EFAULT;
	stream->pos += len;
	return len;
}

static void mem_release(struct krg_ghost_stream *stream)
{
	kvfree(stream->mem);
}

const struct ghost_medium ghost_mem_medium = {
	.write = mem_write,
	.read = mem_read,
	.release = mem_release,
};
