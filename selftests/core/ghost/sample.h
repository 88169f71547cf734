/* SPDX-License-Identifier: GPL-2.0-only */
/* Ghosts in memory for the tests: good ones of every kind, and a reader that eats them. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "core/codec.h"

struct image {
	u8 *data;
	size_t len;
	size_t size;
	struct krg_ghost_writer writer;
};

/* A new image with its FILE record. seed tells one checkpoint from another. */
void image_start(struct image *image, u32 kind, u8 seed);
void image_free(struct image *image);

/* Appends a record as krg_ghost_frame() allows; bulk may be NULL. Returns what it returns. */
int image_add(struct image *image, u16 type, u16 flags, void *payload, u32 len, const void *bulk);

/* INDEX and END. */
int image_finish(struct image *image);

/* A whole good image of a kind. */
void image_sample(struct image *image, u32 kind, u8 seed);

/* Records of a sample task, for tests that change one. */
void sample_ids(struct krg_ghost_ids *ids);
void sample_vma(struct krg_ghost_vma *vma, u64 start, u64 end);

/*
 * Feeds data as a file would be read, bulk data in pieces of at most `step` bytes (a
 * multiple of 64). Returns 0 or the refusal; *reader says why.
 */
int image_read(const u8 *data, size_t len, size_t step, struct krg_ghost_reader *reader);

/* Makes all sequence numbers, checksums and digests right again, as far as records can be found. */
void image_reseal(u8 *data, size_t len);

/* Offset of record number n of an image known to be good, and of its end. */
size_t image_record(const struct image *image, u32 n, size_t *end);

#endif
