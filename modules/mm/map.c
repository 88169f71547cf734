// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages of a file are there. A word of 32 pages is a value entry of an xarray, so
 * an empty file costs nothing and a sparse one what it has. Readers need no lock.
 */
#include <linux/bits.h>
#include "shmfs.h"

#define WORD_BITS	32u

void shmfs_map_init(struct shmfs_map *m)
{
	xa_init(&m->words);
	m->count = 0;
}

void shmfs_map_free(struct shmfs_map *m)
{
	xa_destroy(&m->words);
	m->count = 0;
}

static u32 word_of(const struct shmfs_map *m, u64 index)
{
	void *entry = xa_load((struct xarray *)&m->words, index);

	return entry ? xa_to_value(entry) : 0;
}

static void word_store(struct shmfs_map *m, u64 index, u32 word)
{
	m->count += hweight32(word);
	m->count -= hweight32(word_of(m, index));
	if (word)
		xa_store(&m->words, index, xa_mk_value(word), GFP_KERNEL | __GFP_NOFAIL);
	else
		xa_erase(&m->words, index);
}

/* Those bits of word @index that are of pages @first to @last. */
static u32 word_mask(u64 index, u64 first, u64 last)
{
	u32 mask = U32_MAX;

	if (index == first / WORD_BITS)
		mask &= U32_MAX << first % WORD_BITS;
	if (index == last / WORD_BITS)
		mask &= U32_MAX >> (WORD_BITS - 1 - last % WORD_BITS);
	return mask;
}

bool shmfs_map_has(const struct shmfs_map *m, u64 page)
{
	return word_of(m, page / WORD_BITS) >> page % WORD_BITS & 1;
}

/* How many of pages @first to @last are not there. */
u64 shmfs_map_missing(const struct shmfs_map *m, u64 first, u64 last)
{
	u64 missing = last - first + 1;
	unsigned long index;
	void *entry;

	xa_for_each_range((struct xarray *)&m->words, index, entry, first / WORD_BITS,
			  last / WORD_BITS)
		missing -= hweight32(xa_to_value(entry) & word_mask(index, first, last));
	return missing;
}

void shmfs_map_add(struct shmfs_map *m, u64 first, u64 last)
{
	u64 index;

	for (index = first / WORD_BITS; index <= last / WORD_BITS; index++)
		word_store(m, index, word_of(m, index) | word_mask(index, first, last));
}

/* Pages @first to @last go from one map to another. */
void shmfs_map_move(struct shmfs_map *from, struct shmfs_map *to, u64 first, u64 last)
{
	unsigned long index;
	void *entry;
	u32 word;

	xa_for_each_range(&from->words, index, entry, first / WORD_BITS, last / WORD_BITS) {
		word = xa_to_value(entry) & word_mask(index, first, last);
		word_store(to, index, word_of(to, index) | word);
		word_store(from, index, xa_to_value(entry) & ~word);
	}
}

/* The first page from *@page on that is there. Return: false: none is. */
bool shmfs_map_next(const struct shmfs_map *m, u64 *page)
{
	unsigned long index = *page / WORD_BITS;
	u32 mask = U32_MAX << *page % WORD_BITS, word;
	void *entry;

	xa_for_each_start((struct xarray *)&m->words, index, entry, index) {
		word = xa_to_value(entry);
		if (index == *page / WORD_BITS)
			word &= mask;
		if (!word)
			continue;
		*page = (u64)index * WORD_BITS + __ffs(word);
		return true;
	}
	return false;
}

/* The first page from @page on that is not. */
u64 shmfs_map_next_hole(const struct shmfs_map *m, u64 page)
{
	while (shmfs_map_has(m, page))
		page++;
	return page;
}
