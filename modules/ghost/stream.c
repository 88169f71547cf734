// SPDX-License-Identifier: GPL-2.0-only
/* Life of a stream, and what both directions have in common. */
#define pr_fmt(fmt) "krg_ghost: " fmt

#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "core/crc32c.h"
#include "stream.h"

struct krg_ghost_stream *ghost_stream_alloc(const struct ghost_medium *medium)
{
	struct krg_ghost_stream *stream = kvzalloc(sizeof(*stream), GFP_KERNEL_ACCOUNT);

	if (!stream)
		return NULL;
	stream->buf = kvmalloc(GHOST_BUF, GFP_KERNEL_ACCOUNT);
	if (!stream->buf) {
		kvfree(stream);
		return NULL;
	}
	stream->medium = medium;
	return stream;
}

void krg_ghost_free(struct krg_ghost_stream *stream)
{
	if (IS_ERR_OR_NULL(stream))
		return;
	stream->medium->release(stream);
	kvfree(stream->payload);
	kvfree(stream->buf);
	kvfree(stream);
}
EXPORT_SYMBOL_GPL(krg_ghost_free);

const struct krg_ghost_error *krg_ghost_why(const struct krg_ghost_stream *stream)
{
	return &stream->why;
}
EXPORT_SYMBOL_GPL(krg_ghost_why);

const struct krg_ghost_ident *krg_ghost_who(const struct krg_ghost_stream *stream)
{
	return &stream->ident;
}
EXPORT_SYMBOL_GPL(krg_ghost_who);

u64 krg_ghost_size(const struct krg_ghost_stream *stream)
{
	if (stream->mode == GHOST_READING)
		return stream->reader.at.offset;
	return stream->writer.at.offset;
}
EXPORT_SYMBOL_GPL(krg_ghost_size);

u32 krg_ghost_crc(u32 seed, const void *data, size_t len)
{
	return krg_ghost_crc32c(seed, data, len);
}
EXPORT_SYMBOL_GPL(krg_ghost_crc);

const char *krg_ghost_type_name(u16 type)
{
	return krg_ghost_row_name(type);
}
EXPORT_SYMBOL_GPL(krg_ghost_type_name);

MODULE_DESCRIPTION("krg: the serialised state of a task");
MODULE_LICENSE("GPL");
