// SPDX-License-Identifier: GPL-2.0-only
/*
 * read() and write(). Signals that don't kill do not end them: programs don't expect that
 * of files. User memory may be such a file too: page faults are off while a page
 * is held, and what is missing is faulted in before the next try.
 */
#include <linux/highmem.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>
#include "shmfs.h"

#define AHEAD	256ull	/* new pages asked for at once */

static size_t part(u64 pos, size_t count)
{
	return min_t(size_t, count, PAGE_SIZE - offset_in_page(pos));
}

static size_t copy_out(struct page *page, u64 pos, size_t len, struct iov_iter *to)
{
	size_t done;

	pagefault_disable();
	done = copy_page_to_iter(page, offset_in_page(pos), len, to);
	pagefault_enable();
	return done;
}

/* From one page. Return: bytes; 0: the end; -errno. */
static ssize_t read_part(struct kiocb *iocb, u64 pos, size_t len, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct page *page;
	size_t done;
	int err;

	err = shmfs_hold_next(iocb->ki_filp, pos >> PAGE_SHIFT, SHMFS_KILLABLE, &page);
	if (err == -ENODATA)
		return iov_iter_zero(len, to) ?: -EFAULT;
	if (err)
		return err == -ERANGE ? 0 : err;
	done = copy_out(page, pos, len, to);
	shmfs_put(inode, pos >> PAGE_SHIFT, 0);
	if (done)
		return done;
	if (!user_backed_iter(to) || fault_in_iov_iter_writeable(to, len) == len)
		return -EFAULT;
	return -EAGAIN;
}

ssize_t shmfs_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t total = 0, done = 0;
	loff_t size;
	size_t len;

	while (iov_iter_count(to)) {
		size = i_size_read(inode);
		if (iocb->ki_pos >= size)
			break;
		len = part(iocb->ki_pos, min_t(u64, iov_iter_count(to), size - iocb->ki_pos));
		done = read_part(iocb, iocb->ki_pos, len, to);
		if (done == -EAGAIN)
			continue;
		if (done <= 0)
			break;
		iocb->ki_pos += done;
		total += done;
		cond_resched();
	}
	return total ?: min_t(ssize_t, done, 0);
}

static size_t copy_in(struct page *page, u64 pos, size_t len, struct iov_iter *from)
{
	size_t done;

	pagefault_disable();
	done = copy_page_from_iter_atomic(page, offset_in_page(pos), len, from);
	pagefault_enable();
	flush_dcache_page(page);
	return done;
}

static ssize_t write_part(struct inode *inode, u64 pos, size_t len, struct iov_iter *from)
{
	unsigned int how = SHMFS_WRITE | SHMFS_ALLOC | SHMFS_BEYOND | SHMFS_KILLABLE;
	struct page *page;
	size_t done;
	int err;

	if (fault_in_iov_iter_readable(from, len) == len)
		return -EFAULT;
	if (fatal_signal_pending(current))
		return -EINTR;
	err = shmfs_hold(inode, pos >> PAGE_SHIFT, how, &page);
	if (err)
		return err;
	done = copy_in(page, pos, len, from);
	shmfs_put(inode, pos >> PAGE_SHIFT, how);
	return done;
}

/* Return: bytes written, or -errno if none. */
static ssize_t write_all(struct inode *inode, u64 pos, struct iov_iter *from)
{
	ssize_t total = 0, done = 0;

	while (iov_iter_count(from)) {
		done = write_part(inode, pos + total, part(pos + total, iov_iter_count(from)),
				  from);
		if (done < 0)
			break;
		total += done;
		cond_resched();
	}
	return total ?: done;
}

static int submit_file(struct inode *inode, u32 type, u64 a, struct shmfs_result *result)
{
	struct shmfs_node *n = shmfs_node_of(inode);
	struct shmfs *s = shmfs_of_inode(inode);
	struct shmfs_op op = { .type = type, .ino = n->ino, .a = a };
	int err;

	do {
		op.now = shmfs_now();
		err = shmfs_submit(s, &op, result, false);
		if (err != -EAGAIN)
			return err;
		err = shmfs_wait_idle(s, n, true);
	} while (!err);
	return err;
}

/* The range at the end is ours before anything is written to it. */
static ssize_t write_append(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	size_t count = iov_iter_count(from);
	struct shmfs_result result;
	ssize_t done;
	int err;

	/* What can't be read is not to be room for. */
	count -= fault_in_iov_iter_readable(from, count);
	if (!count)
		return -EFAULT;
	err = submit_file(inode, SHMFS_OP_APPEND, count, &result);
	if (err)
		return err;
	iov_iter_truncate(from, result.count);
	done = write_all(inode, result.pos, from);
	if (done > 0)
		iocb->ki_pos = result.pos + done;
	return done;
}

/* What is missing of the whole range is made at once. */
static int write_alloc(struct inode *inode, u64 pos, size_t count)
{
	u64 first = pos >> PAGE_SHIFT, last = (pos + count - 1) >> PAGE_SHIFT;
	struct shmfs_node *n = shmfs_node_of(inode);
	int err;

	if (shmfs_map_next_hole(&n->pages, first) > last)
		return 0;
	err = shmfs_alloc(shmfs_of_inode(inode), n, first, last, SHMFS_KILLABLE);
	if (!err)
		krg_kddm_prefetch(shmfs_i(inode)->set, first, min(last - first + 1, AHEAD));
	/* Then as many as there are. */
	return err == -ENOSPC ? 0 : err;
}

static ssize_t write_at(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t done;
	int err;

	err = write_alloc(inode, iocb->ki_pos, iov_iter_count(from));
	if (err)
		return err;
	done = write_all(inode, iocb->ki_pos, from);
	if (done <= 0)
		return done;
	if (iocb->ki_pos + done > i_size_read(inode))
		err = submit_file(inode, SHMFS_OP_GROW, iocb->ki_pos + done, NULL);
	if (err)
		return err;
	iocb->ki_pos += done;
	return done;
}

ssize_t shmfs_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t done;

	inode_lock(inode);
	done = generic_write_checks(iocb, from);
	if (done > 0)
		done = file_remove_privs(iocb->ki_filp) ?: done;
	if (done > 0)
		done = iocb->ki_flags & IOCB_APPEND ? write_append(iocb, from) :
						      write_at(iocb, from);
	inode_unlock(inode);
	return done;
}
