// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of files held for a moment, made where there are none, and asked for ahead.
 *
 * That a page is there is looked at again while its object is held: an object that is
 * used belongs to an allocated page, and who removes pages has to take it away.
 */
#include <linux/highmem.h>
#include <linux/module.h>
#include "shmfs.h"

#define ALLOC_PAGES	32u	/* made at once, by page faults */
#define WINDOW_MIN	4u

static unsigned int window_max = 256;
module_param_named(prefetch, window_max, uint, 0644);
MODULE_PARM_DESC(prefetch, "pages asked for ahead of who reads one after the other; 0 = none");

static int alloc_once(struct shmfs *s, const struct shmfs_node *n, u64 first, u64 last,
		      unsigned int how)
{
	struct shmfs_op op = {
		.type = SHMFS_OP_ALLOC, .ino = n->ino, .a = first, .b = last,
		.now = shmfs_now(),
	};

	return shmfs_submit(s, &op, NULL, !(how & SHMFS_KILLABLE));
}

/**
 * shmfs_alloc() - have pages made
 * @s: node of the cluster
 * @n: file
 * @first: page
 * @last: page
 * @how: SHMFS_KILLABLE
 *
 * Context: process, may sleep. Return: 0; -ENOSPC; -EINTR; as krg_order_submit().
 */
int shmfs_alloc(struct shmfs *s, struct shmfs_node *n, u64 first, u64 last, unsigned int how)
{
	int err;

	do {
		err = alloc_once(s, n, first, last, how);
		if (err != -EAGAIN)
			return err;
		err = shmfs_wait_idle(s, n, how & SHMFS_KILLABLE);
	} while (!err);
	return err;
}

static u64 file_pages(const struct inode *inode)
{
	return DIV_ROUND_UP_ULL(i_size_read(inode), PAGE_SIZE);
}

/* The page, and those of its group that will be wanted next: ours, as nobody has them. */
static int alloc_near(struct inode *inode, u64 page, unsigned int how)
{
	struct shmfs *s = shmfs_of_inode(inode);
	u64 last = min(page | (ALLOC_PAGES - 1), max(file_pages(inode), page + 1) - 1);
	int err = -ENOSPC;

	if (!(how & SHMFS_BEYOND))
		err = shmfs_alloc(s, shmfs_node_of(inode), page, last, how);
	if (!err)
		krg_kddm_prefetch(shmfs_i(inode)->set, page, last - page + 1);
	if (err == -ENOSPC)
		err = shmfs_alloc(s, shmfs_node_of(inode), page, page, how);
	return err;
}

/* Return: 0: it is there; -ERANGE, -ENODATA. */
static int page_there(const struct inode *inode, u64 page, unsigned int how)
{
	if (!(how & SHMFS_BEYOND) && page >= file_pages(inode))
		return -ERANGE;
	return shmfs_map_has(&shmfs_node_of(inode)->pages, page) ? 0 : -ENODATA;
}

static int object_hold(struct inode *inode, u64 page, unsigned int how, struct page **out)
{
	struct krg_kddm_set *set = shmfs_i(inode)->set;
	unsigned int flags = 0;
	void *slot;
	int err;

	if (how & SHMFS_NOWAIT)
		flags |= KRG_KDDM_NOWAIT;
	if (how & SHMFS_KILLABLE)
		flags |= KRG_KDDM_KILLABLE;
	err = how & SHMFS_WRITE ? krg_kddm_grab(set, page, flags, &slot) :
				  krg_kddm_get(set, page, flags, &slot);
	*out = err ? NULL : slot;
	return err;
}

/**
 * shmfs_hold() - hold a page of a file
 * @inode: file
 * @page: its number
 * @how: SHMFS_*
 * @out: the page
 *
 * Until shmfs_put() its bytes stay; no page fault, no other page, until then.
 *
 * Context: process, may sleep, also with NOWAIT.
 * Return: 0; -ERANGE: it is beyond the end; -ENODATA: it is not there, without ALLOC;
 * -EAGAIN: with NOWAIT; -ENOSPC; as krg_kddm_get().
 */
int shmfs_hold(struct inode *inode, u64 page, unsigned int how, struct page **out)
{
	int err;

	for (;;) {
		err = page_there(inode, page, how);
		if (err == -ENODATA && how & SHMFS_ALLOC)
			err = how & SHMFS_NOWAIT ? -EAGAIN : alloc_near(inode, page, how);
		if (err)
			return err;
		err = object_hold(inode, page, how, out);
		if (err || !page_there(inode, page, how))
			break;
		shmfs_put(inode, page, how);
	}
	if (!err && how & SHMFS_WRITE)
		atomic64_set(&shmfs_node_of(inode)->written, shmfs_now());
	return err;
}

/**
 * shmfs_put() - let go of a page
 * @inode: file
 * @page: its number
 * @how: as held
 */
void shmfs_put(struct inode *inode, u64 page, unsigned int how)
{
	krg_kddm_put(shmfs_i(inode)->set, page, how & SHMFS_WRITE);
}

/* Pages @from to @end - 1, as far as they are there. */
static void ask_for(struct inode *inode, u64 from, u64 end)
{
	const struct shmfs_map *m = &shmfs_node_of(inode)->pages;
	u64 to;

	for (; shmfs_map_next(m, &from) && from < end; from = to) {
		to = min(shmfs_map_next_hole(m, from), end);
		krg_kddm_prefetch(shmfs_i(inode)->set, from, to - from);
	}
}

/* What is to be asked for now that @page is used. Return: false: nothing. */
static bool window_move(struct shmfs_window *w, u64 page, u64 *from, u64 *end)
{
	unsigned int most = READ_ONCE(window_max);

	/* One after the other, some of which were mapped with one before. */
	if (page == w->next || (page > w->next && page < min(w->ahead, w->next + SHMFS_AROUND))) {
		w->size = min(w->size ? w->size * 2 : WINDOW_MIN, most);
	} else if (page + 1 != w->next) {
		w->size = 0;
		w->ahead = 0;
	}
	w->next = page + 1;
	if (!w->size || w->ahead > page + 1 + w->size / 2)
		return false;
	*from = max(w->ahead, page + 1);
	*end = page + 1 + w->size;
	w->ahead = *end;
	return *from < *end;
}

/* Does who has the file open read one page after the other? A guess. */
bool shmfs_is_read_on(struct file *file)
{
	return READ_ONCE(shmfs_window(file)->size);
}

static void look_ahead(struct file *file, u64 page)
{
	struct shmfs_window *w = shmfs_window(file);
	struct inode *inode = file_inode(file);
	u64 from, end;
	bool ask;

	spin_lock(&w->lock);
	ask = window_move(w, page, &from, &end);
	spin_unlock(&w->lock);
	if (ask)
		ask_for(inode, from, min(end, file_pages(inode)));
}

/**
 * shmfs_hold_next() - hold a page, and ask for those after it if that seems useful
 * @file: open file; its window tells
 * @page: its number
 * @how: SHMFS_*
 * @out: the page
 *
 * The page itself is asked for first, then the others, then it is waited for.
 *
 * Return: as shmfs_hold().
 */
int shmfs_hold_next(struct file *file, u64 page, unsigned int how, struct page **out)
{
	struct inode *inode = file_inode(file);
	int err = shmfs_hold(inode, page, how | SHMFS_NOWAIT, out);

	if (!(how & SHMFS_WRITE) && (!err || err == -EAGAIN))
		look_ahead(file, page);
	if (err == -EAGAIN && !(how & SHMFS_NOWAIT))
		err = shmfs_hold(inode, page, how, out);
	return err;
}
