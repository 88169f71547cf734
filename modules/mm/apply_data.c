// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on the content and the users of files, as every node applies them.
 *
 * Pages a file loses are dying until they have been removed on all nodes. As long as the
 * file is busy: nothing new is allocated, or the remover could take that.
 */
#include "shmfs.h"

static u64 pages_of(u64 bytes)
{
	return DIV_ROUND_UP_ULL(bytes, PAGE_SIZE);
}

static int file_find(struct shmfs *s, u64 ino, struct shmfs_node **n)
{
	*n = shmfs_node(s, ino);
	if (!*n)
		return -ENOENT;
	return S_ISREG((*n)->mode) ? 0 : -EINVAL;
}

static void file_changed(struct shmfs_node *n, s64 now)
{
	n->mtime = now;
	n->ctime = now;
	n->settled = now;
	shmfs_inode_refresh(n);
}

static int file_alloc(struct shmfs *s, struct shmfs_node *n, u64 first, u64 last)
{
	u64 room = s->limit > s->used ? s->limit - s->used : 0;
	u64 missing;

	if (last < first || last >= MAX_LFS_FILESIZE >> PAGE_SHIFT)
		return -EFBIG;
	/* Counting takes time too: a range that can't fit isn't looked at. */
	if (last - first >= room + n->pages.count)
		return -ENOSPC;
	missing = shmfs_map_missing(&n->pages, first, last);
	if (missing > room)
		return -ENOSPC;
	shmfs_map_add(&n->pages, first, last);
	s->used += missing;
	return 0;
}

static int apply_alloc(struct shmfs *s, struct shmfs_node *n, const struct shmfs_op *op)
{
	int err = file_alloc(s, n, op->a, op->b);

	if (!err)
		shmfs_inode_refresh(n);
	return err;
}

static int apply_grow(struct shmfs_node *n, const struct shmfs_op *op)
{
	if (op->a > MAX_LFS_FILESIZE)
		return -EFBIG;
	n->size = max(n->size, op->a);
	file_changed(n, op->now);
	return 0;
}

/* Of @count bytes behind the end, those there is room for, or allocated pages. */
static u64 append_fits(const struct shmfs *s, const struct shmfs_node *n, u64 count)
{
	u64 room = s->limit > s->used ? s->limit - s->used : 0;
	u64 page = n->size / PAGE_SIZE, end = DIV_ROUND_UP_ULL(n->size + count, PAGE_SIZE);

	if (end - page <= room)
		return count;
	for (;; page++, room--) {
		page = shmfs_map_next_hole(&n->pages, page);
		if (page >= end)
			return count;
		if (!room)
			break;
	}
	return page * PAGE_SIZE > n->size ? page * PAGE_SIZE - n->size : 0;
}

static int apply_append(struct shmfs *s, struct shmfs_node *n, const struct shmfs_op *op,
			struct shmfs_result *result)
{
	u64 pos = n->size, count = op->a;
	int err;

	if (!count || count > MAX_LFS_FILESIZE - pos)
		return -EFBIG;
	err = file_alloc(s, n, pos / PAGE_SIZE, (pos + count - 1) / PAGE_SIZE);
	if (err == -ENOSPC) {
		count = append_fits(s, n, count);
		if (count)
			err = file_alloc(s, n, pos / PAGE_SIZE, (pos + count - 1) / PAGE_SIZE);
	}
	if (err)
		return err;
	n->size += count;
	if (result) {
		result->pos = pos;
		result->count = count;
	}
	file_changed(n, op->now);
	return 0;
}

/* Bytes @from to @to become a hole; whole pages are removed, others zeroed. */
static void file_hole(struct shmfs_node *n, krg_node_t origin, u64 from, u64 to)
{
	u64 first = pages_of(from), end = to / PAGE_SIZE;

	if (from >= to)
		return;
	if (first < end)
		shmfs_map_move(&n->pages, &n->dying, first, end - 1);
	n->zero_from = from % PAGE_SIZE && shmfs_map_has(&n->pages, from / PAGE_SIZE) ? from : 0;
	n->zero_to = to % PAGE_SIZE && shmfs_map_has(&n->pages, to / PAGE_SIZE) ? to : 0;
	/* Within one page: it is done with the beginning. */
	if (n->zero_from && from / PAGE_SIZE == to / PAGE_SIZE)
		n->zero_to = to;
	n->busy = n->dying.count || n->zero_from || n->zero_to;
	n->remover = n->busy ? origin : SHMFS_NOBODY;
}

static void hole_begin(struct shmfs *s, struct shmfs_node *n, krg_node_t origin, s64 now)
{
	file_changed(n, now);
	if (n->busy && origin == krg_self(s->net))
		shmfs_job(s, n);
}

static int apply_size(struct shmfs *s, struct shmfs_node *n, krg_node_t origin,
		      const struct shmfs_op *op)
{
	u64 beyond = pages_of(op->a);
	bool shorter = op->a < n->size;

	if (op->a > MAX_LFS_FILESIZE)
		return -EFBIG;
	/* Pages allocated beyond the end go too. */
	if (shorter || (op->a == n->size && shmfs_map_next(&n->pages, &beyond)))
		file_hole(n, origin, op->a, MAX_LFS_FILESIZE & PAGE_MASK);
	n->size = op->a;
	hole_begin(s, n, origin, op->now);
	if (shorter)
		shmfs_inode_unmap(n, op->a);
	return 0;
}

static int apply_punch(struct shmfs *s, struct shmfs_node *n, krg_node_t origin,
		       const struct shmfs_op *op)
{
	if (op->b > MAX_LFS_FILESIZE)
		return -EFBIG;
	file_hole(n, origin, op->a, op->b);
	hole_begin(s, n, origin, op->now);
	return 0;
}

static int apply_take(struct shmfs *s, struct shmfs_node *n, krg_node_t origin)
{
	if (!n->busy || n->remover != SHMFS_NOBODY)
		return -EBUSY;
	n->remover = origin;
	if (origin == krg_self(s->net))
		shmfs_job(s, n);
	return 0;
}

static int apply_removed(struct shmfs *s, struct shmfs_node *n, krg_node_t origin)
{
	if (!n->busy || n->remover != origin)
		return -EINVAL;
	s->used -= n->dying.count;
	shmfs_map_free(&n->dying);
	n->zero_from = 0;
	n->zero_to = 0;
	n->busy = false;
	n->remover = SHMFS_NOBODY;
	shmfs_inode_refresh(n);
	wake_up_all(&s->wait);
	return 0;
}

static int apply_release(struct shmfs *s, struct shmfs_node *n, krg_node_t origin)
{
	clear_bit(origin, n->holders.bits);
	shmfs_node_unused(s, n, origin == krg_self(s->net));
	return 0;
}

/* A limit somebody asked for is the last; else the least that a node would have. */
static int apply_limit(struct shmfs *s, const struct shmfs_op *op)
{
	if (!op->a || op->flags & ~SHMFS_OP_FIXED)
		return -EINVAL;
	if (op->flags & SHMFS_OP_FIXED) {
		s->limit = op->a;
		s->limit_fixed = true;
	} else if (!s->limit_fixed) {
		s->limit = s->limit ? min(s->limit, op->a) : op->a;
	}
	return 0;
}

/**
 * shmfs_apply_data() - apply an operation on content or users
 * @s: this node
 * @origin: who submitted it
 * @op: it
 * @result: or NULL
 *
 * Locks: table_lock for writing.
 * Return: 0; -EAGAIN: its pages are being removed; -ENOSPC; -ENOENT; ...
 */
int shmfs_apply_data(struct shmfs *s, krg_node_t origin, const struct shmfs_op *op,
		     struct shmfs_result *result)
{
	struct shmfs_node *n;
	int err;

	if (op->type == SHMFS_OP_LIMIT)
		return apply_limit(s, op);
	err = file_find(s, op->ino, &n);
	if (err)
		return err;
	if (n->busy && op->type < SHMFS_OP_TAKE)
		return -EAGAIN;
	switch (op->type) {
	case SHMFS_OP_ALLOC:
		return apply_alloc(s, n, op);
	case SHMFS_OP_GROW:
		return apply_grow(n, op);
	case SHMFS_OP_APPEND:
		return apply_append(s, n, op, result);
	case SHMFS_OP_SIZE:
		return apply_size(s, n, origin, op);
	case SHMFS_OP_PUNCH:
		return apply_punch(s, n, origin, op);
	case SHMFS_OP_TAKE:
		return apply_take(s, n, origin);
	case SHMFS_OP_REMOVED:
		return apply_removed(s, n, origin);
	case SHMFS_OP_HOLD:
		set_bit(origin, n->holders.bits);
		return 0;
	case SHMFS_OP_RELEASE:
		return apply_release(s, n, origin);
	default:
		return -EBADMSG;
	}
}

/**
 * shmfs_apply_dead() - a node died or left: it holds and removes nothing any more
 * @s: this node
 * @node: the other
 *
 * Sets it would have destroyed are destroyed by all: one message too many does no harm.
 *
 * Locks: table_lock for writing.
 */
void shmfs_apply_dead(struct shmfs *s, krg_node_t node)
{
	struct shmfs_node *n;
	unsigned long ino;

	xa_for_each(&s->nodes, ino, n) {
		if (n->busy && n->remover == node)
			n->remover = SHMFS_NOBODY;
		if (!test_and_clear_bit(node, n->holders.bits))
			continue;
		shmfs_robust_lost(s, n, node);
		shmfs_node_unused(s, n, true);
	}
	wake_up_all(&s->wait);
}
