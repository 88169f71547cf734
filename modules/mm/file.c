// SPDX-License-Identifier: GPL-2.0-only
/* Files opened, and what is done with them but reading and writing. */
#include <linux/types.h>
#include <linux/falloc.h>
#include <linux/slab.h>
#include "shmfs.h"

/* All nodes know that this one uses the file. */
static int file_tell(struct shmfs *s, struct shmfs_node *n)
{
	struct shmfs_op op = { .type = SHMFS_OP_HOLD, .ino = n->ino, .now = shmfs_now() };
	bool known;
	int err;

	down_read(&s->table_lock);
	known = shmfs_self_holds(s, n);
	up_read(&s->table_lock);
	if (known)
		return 0;
	err = shmfs_submit(s, &op, NULL, false);
	return err == -ENOENT ? -ESTALE : err;
}

static void file_unuse(struct shmfs *s, struct shmfs_node *n)
{
	bool todo;

	if (!atomic_dec_and_test(&n->opens))
		return;
	down_read(&s->table_lock);
	todo = !n->dead && (!n->nlink || atomic64_read(&n->written));
	if (todo)
		shmfs_job(s, n);
	up_read(&s->table_lock);
}

static int file_use(struct shmfs *s, struct shmfs_node *n)
{
	bool late;
	int err;

	down_read(&s->table_lock);
	late = n->dead || n->releasing;
	if (!late)
		atomic_inc(&n->opens);
	up_read(&s->table_lock);
	if (late)
		return -ESTALE;
	err = file_tell(s, n);
	if (err)
		file_unuse(s, n);
	return err;
}

static struct shmfs_window *window_make(void)
{
	struct shmfs_window *w = kzalloc(sizeof(*w), GFP_KERNEL);

	if (w)
		spin_lock_init(&w->lock);
	return w;
}

/**
 * shmfs_window() - where sequential use of a file is noted
 * @file: ours, or one of ipc/shm.c's for a kept file, whose private_data is not ours
 */
struct shmfs_window *shmfs_window(struct file *file)
{
	if (file->f_op == &shmfs_file_ops || file->f_op == &shmfs_kept_file_ops)
		return file->private_data;
	return &shmfs_i(file_inode(file))->window;
}

static int shmfs_open(struct inode *inode, struct file *file)
{
	struct shmfs_window *w;
	int err = shmfs_futex_use();

	if (err)
		return err;
	w = window_make();
	if (!w)
		return -ENOMEM;
	err = file_use(shmfs_of_inode(inode), shmfs_node_of(inode));
	if (err) {
		kfree(w);
		return err;
	}
	file->private_data = w;
	return 0;
}

/* Who keeps the file keeps it for all nodes: none needs to tell that it has it open. */
static int shmfs_open_kept(struct inode *inode, struct file *file)
{
	int err = shmfs_futex_use();

	if (err)
		return err;
	file->private_data = window_make();
	if (!file->private_data)
		return -ENOMEM;
	atomic_inc(&shmfs_node_of(inode)->opens);
	return 0;
}

static int shmfs_release(struct inode *inode, struct file *file)
{
	file_unuse(shmfs_of_inode(inode), shmfs_node_of(inode));
	kfree(file->private_data);
	return 0;
}

static loff_t seek_data(struct inode *inode, loff_t from, int whence)
{
	const struct shmfs_map *m = &shmfs_node_of(inode)->pages;
	u64 page = from >> PAGE_SHIFT;
	loff_t to, size = i_size_read(inode);

	if (from < 0 || from >= size)
		return -ENXIO;
	if (whence == SEEK_HOLE)
		page = shmfs_map_next_hole(m, page);
	else if (!shmfs_map_next(m, &page))
		return -ENXIO;
	to = max_t(loff_t, from, page << PAGE_SHIFT);
	if (whence == SEEK_HOLE)
		return min(to, size);
	return to < size ? to : -ENXIO;
}

static loff_t shmfs_llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek_size(file, offset, whence, MAX_LFS_FILESIZE,
						i_size_read(inode));
	offset = seek_data(inode, offset, whence);
	return offset < 0 ? offset : vfs_setpos(file, offset, MAX_LFS_FILESIZE);
}

static int submit_range(struct inode *inode, u32 type, u64 a, u64 b)
{
	struct shmfs_node *n = shmfs_node_of(inode);
	struct shmfs *s = shmfs_of_inode(inode);
	struct shmfs_op op = { .type = type, .ino = n->ino, .a = a, .b = b };
	int err;

	do {
		op.now = shmfs_now();
		err = shmfs_submit(s, &op, NULL, false);
		if (err != -EAGAIN)
			return err;
		err = shmfs_wait_idle(s, n, true);
	} while (!err);
	return err;
}

static int punch(struct inode *inode, loff_t from, loff_t to)
{
	int err = submit_range(inode, SHMFS_OP_PUNCH, from, to);

	return err ?: shmfs_wait_idle(shmfs_of_inode(inode), shmfs_node_of(inode), true);
}

static int reserve(struct inode *inode, int mode, loff_t from, loff_t to)
{
	bool grow = !(mode & FALLOC_FL_KEEP_SIZE) && to > i_size_read(inode);
	int err = grow ? inode_newsize_ok(inode, to) : 0;

	if (!err)
		err = shmfs_alloc(shmfs_of_inode(inode), shmfs_node_of(inode),
				  from >> PAGE_SHIFT, (to - 1) >> PAGE_SHIFT, SHMFS_KILLABLE);
	if (!err && grow)
		err = submit_range(inode, SHMFS_OP_GROW, to, 0);
	return err;
}

static long shmfs_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct inode *inode = file_inode(file);
	long err;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	inode_lock(inode);
	err = mode & FALLOC_FL_PUNCH_HOLE ? punch(inode, offset, offset + len) :
					    reserve(inode, mode, offset, offset + len);
	inode_unlock(inode);
	return err;
}

const struct file_operations shmfs_file_ops = {
	.owner = THIS_MODULE,
	.open = shmfs_open,
	.release = shmfs_release,
	.read_iter = shmfs_read_iter,
	.write_iter = shmfs_write_iter,
	.mmap = shmfs_mmap,
	.llseek = shmfs_llseek,
	.fsync = noop_fsync,
	.fallocate = shmfs_fallocate,
	.splice_read = copy_splice_read,
	.splice_write = iter_file_splice_write,
};

/* ipc/shm.c calls get_unmapped_area() without asking whether there is one. */
const struct file_operations shmfs_kept_file_ops = {
	.owner = THIS_MODULE,
	.open = shmfs_open_kept,
	.release = shmfs_release,
	.read_iter = shmfs_read_iter,
	.write_iter = shmfs_write_iter,
	.mmap = shmfs_mmap,
	.get_unmapped_area = thp_get_unmapped_area,
	.llseek = shmfs_llseek,
	.fsync = noop_fsync,
	.fallocate = shmfs_fallocate,
	.splice_read = copy_splice_read,
	.splice_write = iter_file_splice_write,
};
