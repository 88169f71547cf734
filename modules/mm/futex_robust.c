// SPDX-License-Identifier: GPL-2.0-only
/*
 * Robust mutexes whose owner's node died: there is nobody left to mark them.
 *
 * Such a mutex is known by what libc does: it notes the mutex it is about to lock in the
 * thread's robust list (list_op_pending) before it waits. Words that were waited for so
 * are remembered (shmfs_node.robust). When a node dies each of them is looked at, marked
 * as the kernel marks those of dead threads, and all that wait here are woken: whoever
 * was to be woken next may have been on that node. Who comes to wait later looks itself.
 *
 * Who waits: remembers the word, looks for a dead owner, queues itself if the word has
 * still the same value. A death: is told (lost), marks the words remembered, wakes. One
 * of the two sees the other.
 *
 * A thread's number says its node, as krg_proc gives them out: 2^22 / max_nodes each.
 * The owner is dead if its node died while it used the file and has not opened it since.
 * Numbers of node 0 are also those of tasks older than the cluster: they say nothing.
 */
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/threads.h>
#include "shmfs.h"

#define AGAIN	msecs_to_jiffies(200)	/* without quorum */

static_assert(PID_MAX_LIMIT == 1 << 22, "nodes have parts of 2^22");

/* The cluster this node is in says how many numbers a node has. */
int shmfs_robust_mounted(struct shmfs *s)
{
	struct krg_cluster_snapshot *cluster = krg_cluster_snapshot(s->net);

	if (IS_ERR(cluster))
		return PTR_ERR(cluster);
	s->tid_shift = ilog2(PID_MAX_LIMIT / cluster->max_nodes);
	kvfree(cluster);
	return 0;
}

static bool owner_dead(const struct shmfs *s, const struct shmfs_node *n, u32 word)
{
	u32 node = (word & FUTEX_TID_MASK) >> s->tid_shift;

	return node && node < KRG_MAX_NODES && test_bit(node, n->lost.bits) &&
	       !test_bit(node, n->holders.bits);
}

/* In memory the kernel maps: other threads' addresses of it are not needed. */
static void word_mark(const struct shmfs *s, const struct shmfs_node *n, u32 *word)
{
	u32 old = READ_ONCE(*word), new;

	do {
		new = (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
	} while (owner_dead(s, n, old) && !try_cmpxchg(word, &old, new));
}

/* Return: 0; as shmfs_hold(). */
static int robust_mark(struct inode *inode, u64 at)
{
	unsigned int how = SHMFS_WRITE | SHMFS_KILLABLE;
	struct page *page;
	u8 *bytes;
	int err = shmfs_hold(inode, at >> PAGE_SHIFT, how, &page);

	if (err)
		return err;
	bytes = kmap_local_page(page);
	word_mark(shmfs_of_inode(inode), shmfs_node_of(inode),
		  (u32 *)(bytes + offset_in_page(at)));
	kunmap_local(bytes);
	shmfs_put(inode, at >> PAGE_SHIFT, how);
	return 0;
}

/* What libc noted is this word, and no lock with priority inheritance. */
static bool robust_pending(const u32 __user *uaddr)
{
	struct robust_list_head __user *head = current->robust_list;
	unsigned long pending;
	long offset;

	if (!head || get_user(pending, (unsigned long __user *)&head->list_op_pending) ||
	    get_user(offset, &head->futex_offset))
		return false;
	return pending && pending + offset == (unsigned long)uaddr;
}

/**
 * shmfs_robust_look() - a word is used as a futex: has the owner of a mutex died
 * @f: where it is
 * @uaddr: its address
 *
 * If so it is marked, and the kernel finds that it has not the value to be waited for.
 *
 * Context: process, may sleep.
 */
void shmfs_robust_look(const struct shmfs_futex *f, const u32 __user *uaddr)
{
	struct shmfs_node *n = shmfs_node_of(f->inode);
	unsigned long index = f->at / sizeof(u32);
	u32 word;

	if (!robust_pending(uaddr))
		return;
	if (!xa_load(&n->robust, index))
		xa_store(&n->robust, index, xa_mk_value(1), GFP_KERNEL | __GFP_NOFAIL);
	smp_mb();	/* pairs with shmfs_robust_lost() */
	if (!get_user(word, uaddr) && owner_dead(shmfs_of_inode(f->inode), n, word))
		robust_mark(f->inode, f->at);
}

/**
 * shmfs_robust_lost() - a node that used a file died
 * @s: this node
 * @n: file
 * @node: the other
 *
 * Locks: table_lock for writing.
 */
void shmfs_robust_lost(struct shmfs *s, struct shmfs_node *n, krg_node_t node)
{
	set_bit(node, n->lost.bits);
	smp_mb();	/* pairs with shmfs_robust_look() */
	if (xa_empty(&n->robust))
		return;
	n->robust_due = true;
	queue_delayed_work(shmfs_wq, &s->robust_work, 0);
}

/* Marked if it has to be, waiters go on whatever comes of it. */
static int robust_wake(struct inode *inode, u64 at)
{
	union futex_key key;
	int err = robust_mark(inode, at);

	shmfs_futex_key(inode, at, &key);
	shmfs_futex_wake_here(&key, INT_MAX, FUTEX_BITSET_MATCH_ANY);
	return err;
}

/* A file where it is due, its kernel inode held. */
static struct inode *robust_next(struct shmfs *s)
{
	struct inode *inode = NULL;
	struct shmfs_node *n;
	unsigned long ino;

	down_write(&s->table_lock);
	xa_for_each(&s->nodes, ino, n) {
		if (!n->robust_due)
			continue;
		n->robust_due = false;
		inode = n->inode;
		if (inode) {
			ihold(inode);
			break;
		}
	}
	up_write(&s->table_lock);
	return inode;
}

static void robust_again(struct shmfs *s, struct shmfs_node *n)
{
	down_write(&s->table_lock);
	n->robust_due = !n->dead;
	up_write(&s->table_lock);
	queue_delayed_work(shmfs_wq, &s->robust_work, AGAIN);
}

void shmfs_robust_work(struct work_struct *work)
{
	struct shmfs *s = container_of(to_delayed_work(work), struct shmfs, robust_work);
	struct shmfs_node *n;
	struct inode *inode;
	unsigned long index;
	void *entry;
	bool again;
	int err;

	while ((inode = robust_next(s))) {
		n = shmfs_node_of(inode);
		again = false;
		xa_for_each(&n->robust, index, entry) {
			err = robust_wake(inode, (u64)index * sizeof(u32));
			again |= err == -ENOLINK || err == -EAGAIN || err == -ENOMEM;
		}
		if (again)
			robust_again(s, n);
		iput(inode);
		if (again)
			return;
	}
}
