// SPDX-License-Identifier: GPL-2.0-only
/*
 * What applying an operation leaves to be done, which may wait for other nodes:
 *
 *   jobs	a file whose pages this node removes; one that has no names and that
 *		this node does not use any more; one whose content was changed
 *   dead	nodes that left the table: their kernel inodes, their sets
 */
#define pr_fmt(fmt) "krg_mm: " fmt

#include <linux/highmem.h>
#include <linux/slab.h>
#include "shmfs.h"

#define AGAIN	msecs_to_jiffies(200)	/* without quorum */

static void todo_add(struct shmfs *s, struct shmfs_node *n, struct list_head *list)
{
	spin_lock(&s->todo_lock);
	if (list_empty(&n->todo)) {
		refcount_inc(&n->ref);
		list_add_tail(&n->todo, list);
	}
	spin_unlock(&s->todo_lock);
}

static struct shmfs_node *todo_take(struct shmfs *s, struct list_head *list)
{
	struct shmfs_node *n;

	spin_lock(&s->todo_lock);
	n = list_first_entry_or_null(list, struct shmfs_node, todo);
	if (n)
		list_del_init(&n->todo);
	spin_unlock(&s->todo_lock);
	return n;
}

/* Context: any that may spin. */
void shmfs_job(struct shmfs *s, struct shmfs_node *n)
{
	todo_add(s, n, &s->jobs);
	queue_delayed_work(shmfs_wq, &s->job_work, 0);
}

/* The table's reference goes with it. Locks: table_lock for writing. */
void shmfs_bury(struct shmfs *s, struct shmfs_node *n)
{
	spin_lock(&s->todo_lock);
	if (!list_empty(&n->todo)) {
		list_del(&n->todo);
		refcount_dec(&n->ref);
	}
	list_add_tail(&n->todo, &s->dead);
	spin_unlock(&s->todo_lock);
	queue_work(shmfs_wq, &s->clean_work);
}

/* What is not done yet will not be. Nobody adds to it any more. */
void shmfs_todo_end(struct shmfs *s)
{
	struct shmfs_node *n;

	cancel_delayed_work_sync(&s->job_work);
	while ((n = todo_take(s, &s->jobs)))
		shmfs_node_put(n);
	flush_work(&s->clean_work);
}

static int submit_ino(struct shmfs *s, u32 type, const struct shmfs_node *n)
{
	struct shmfs_op op = { .type = type, .ino = n->ino, .now = shmfs_now() };

	return shmfs_submit(s, &op, NULL, false);
}

/* Bytes @from to @to of one page. */
static int zero_bytes(struct krg_kddm_set *set, u64 from, u64 to)
{
	void *slot;
	int err;

	err = krg_kddm_grab(set, from / PAGE_SIZE, KRG_KDDM_KILLABLE, &slot);
	/* What is lost has no bytes to be zeroed. */
	if (err)
		return err == -EIO ? 0 : err;
	zero_user(slot, from % PAGE_SIZE, to - from);
	krg_kddm_put(set, from / PAGE_SIZE, true);
	return 0;
}

static int zero_ends(const struct shmfs_node *n, struct krg_kddm_set *set)
{
	u64 end = round_up(n->zero_from, PAGE_SIZE);
	int err = 0;

	if (n->zero_from && n->zero_to && n->zero_from / PAGE_SIZE == n->zero_to / PAGE_SIZE)
		return zero_bytes(set, n->zero_from, n->zero_to);
	if (n->zero_from)
		err = zero_bytes(set, n->zero_from, end);
	if (!err && n->zero_to)
		err = zero_bytes(set, round_down(n->zero_to, PAGE_SIZE), n->zero_to);
	return err;
}

static int remove_pages(const struct shmfs_node *n, struct krg_kddm_set *set)
{
	u64 first, end;
	int err = 0;

	for (first = 0; !err && shmfs_map_next(&n->dying, &first); first = end) {
		end = shmfs_map_next_hole(&n->dying, first);
		err = krg_kddm_remove_range(set, first, end - 1, KRG_KDDM_KILLABLE);
	}
	return err;
}

/* While it is busy and we are the remover nobody changes what is read here. */
static int job_remove(struct shmfs *s, struct shmfs_node *n)
{
	struct krg_kddm_set *set = krg_kddm_open(s->net, n->id);
	int err;

	if (IS_ERR(set))
		return PTR_ERR(set);
	err = remove_pages(n, set) ?: zero_ends(n, set);
	krg_kddm_close(set);
	return err ?: submit_ino(s, SHMFS_OP_REMOVED, n);
}

static bool job_may_release(struct shmfs *s, struct shmfs_node *n)
{
	down_write(&s->table_lock);
	if (!n->dead && !n->nlink && !atomic_read(&n->opens) && shmfs_self_holds(s, n))
		n->releasing = true;
	up_write(&s->table_lock);
	return n->releasing;
}

static int job_written(struct shmfs *s, const struct shmfs_node *n, s64 when)
{
	struct shmfs_op op = {
		.type = SHMFS_OP_SETATTR, .ino = n->ino, .valid = SHMFS_SET_WRITTEN,
		.mtime = when,
	};

	return shmfs_submit(s, &op, NULL, false);
}

static int job_do(struct shmfs *s, struct shmfs_node *n)
{
	bool remove;
	s64 written;
	int err = 0;

	down_read(&s->table_lock);
	remove = n->busy && n->remover == krg_self(s->net);
	up_read(&s->table_lock);
	if (remove)
		err = job_remove(s, n);
	if (!err && job_may_release(s, n))
		return submit_ino(s, SHMFS_OP_RELEASE, n);
	if (err || atomic_read(&n->opens))
		return err;
	written = atomic64_read(&n->written);
	if (written)
		err = job_written(s, n, written);
	if (!err)
		atomic64_cmpxchg(&n->written, written, 0);
	return err;
}

void shmfs_job_work(struct work_struct *work)
{
	struct shmfs *s = container_of(to_delayed_work(work), struct shmfs, job_work);
	struct shmfs_node *n;
	int err;

	while ((n = todo_take(s, &s->jobs))) {
		err = n->dead ? 0 : job_do(s, n);
		/* Not for ever: we get quorum, or are out. */
		if (err == -ENOLINK || err == -EAGAIN || err == -ENOMEM) {
			todo_add(s, n, &s->jobs);
			queue_delayed_work(shmfs_wq, &s->job_work, AGAIN);
			shmfs_node_put(n);
			return;
		}
		if (err && err != -ENOTCONN && err != -ENOENT)
			pr_warn_ratelimited("file %llu: %d\n", n->ino, err);
		shmfs_node_put(n);
	}
}

void shmfs_clean_work(struct work_struct *work)
{
	struct shmfs *s = container_of(work, struct shmfs, clean_work);
	struct shmfs_node *n;
	struct inode *inode;

	while ((n = todo_take(s, &s->dead))) {
		down_write(&s->table_lock);
		inode = n->inode;
		n->inode = NULL;
		up_write(&s->table_lock);
		if (n->destroy)
			krg_kddm_destroy(s->net, n->id);
		/* Names the kernel remembers would keep it, and its set. */
		if (inode)
			d_prune_aliases(inode);
		iput(inode);
		shmfs_node_put(n);
	}
}

static bool orphaned(struct shmfs *s, const struct shmfs_node *n)
{
	bool yes;

	down_read(&s->table_lock);
	yes = n->busy && n->remover == SHMFS_NOBODY;
	up_read(&s->table_lock);
	return yes;
}

/**
 * shmfs_wait_idle() - wait until no pages of a file are being removed
 * @s: node of the cluster
 * @n: file
 * @killable: only a fatal signal ends the waiting
 *
 * If the remover died this node does its work.
 *
 * Context: process, may sleep. Return: 0; -EINTR; what krg_order_submit() says.
 */
int shmfs_wait_idle(struct shmfs *s, struct shmfs_node *n, bool killable)
{
	int err = 0;

	while (READ_ONCE(n->busy)) {
		if (orphaned(s, n)) {
			err = submit_ino(s, SHMFS_OP_TAKE, n);
			if (err && err != -EBUSY)
				return err;
		}
		if (killable)
			err = wait_event_killable(s->wait, !READ_ONCE(n->busy) ||
						  READ_ONCE(n->remover) == SHMFS_NOBODY);
		else
			err = wait_event_interruptible(s->wait, !READ_ONCE(n->busy) ||
						       READ_ONCE(n->remover) == SHMFS_NOBODY);
		if (err)
			return -EINTR;
	}
	return 0;
}
