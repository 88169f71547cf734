// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel inodes: made when a node is first looked up here, kept by the node until it is
 * gone or nothing is mounted. What they say is copied from it.
 */
#include <linux/pagemap.h>
#include <linux/slab.h>
#include "shmfs.h"

/**
 * shmfs_inode_refresh() - a kernel inode says what its node says
 * @n: node; it need not have one
 *
 * Locks: table_lock.
 */
void shmfs_inode_refresh(struct shmfs_node *n)
{
	struct inode *inode = n->inode;

	if (!inode)
		return;
	inode->i_mode = n->mode;
	inode->i_uid = n->uid;
	inode->i_gid = n->gid;
	if (inode->i_nlink != n->nlink)
		set_nlink(inode, n->nlink);
	i_size_write(inode, n->size);
	if (shmfs_i(inode)->set)
		i_size_write(inode->i_mapping->host, n->size);
	inode->i_blocks = (n->pages.count + n->dying.count) << (PAGE_SHIFT - 9);
	inode_set_atime_to_ts(inode, ns_to_timespec64(n->atime));
	inode_set_mtime_to_ts(inode, ns_to_timespec64(n->mtime));
	inode_set_ctime_to_ts(inode, ns_to_timespec64(n->ctime));
}

/**
 * shmfs_inode_unmap() - what is mapped beyond a file's end goes, private copies too
 * @n: file
 * @end: of the file
 *
 * The pages themselves are unmapped when they are removed, wherever they are. Of a hole
 * that is all: private copies of its pages stay.
 *
 * Locks: table_lock for writing.
 */
void shmfs_inode_unmap(struct shmfs_node *n, u64 end)
{
	if (n->inode)
		unmap_mapping_pages(n->inode->i_mapping, DIV_ROUND_UP_ULL(end, PAGE_SIZE), 0,
				    true);
}

/* A file's pages are those of its set. */
static int inode_open_set(struct inode *inode, const struct shmfs_node *n)
{
	struct krg_kddm_set *set = krg_kddm_open(shmfs_of_inode(inode)->net, n->id);

	if (IS_ERR(set))
		return PTR_ERR(set);
	shmfs_i(inode)->set = set;
	inode->i_mapping = shmfs_backing(set)->i_mapping;
	inode->i_op = &shmfs_file_inode_ops;
	inode->i_fop = n->kept ? &shmfs_kept_file_ops : &shmfs_file_ops;
	return 0;
}

static struct inode *inode_make(struct super_block *sb, struct shmfs_node *n)
{
	struct inode *inode = new_inode(sb);
	int err = 0;

	if (!inode)
		return ERR_PTR(-ENOMEM);
	inode->i_ino = n->ino;
	inode->i_mode = n->mode;
	if (S_ISREG(n->mode)) {
		err = inode_open_set(inode, n);
	} else if (S_ISDIR(n->mode)) {
		inode->i_op = &shmfs_dir_inode_ops;
		inode->i_fop = &shmfs_dir_file_ops;
	} else {
		inode->i_op = &shmfs_link_inode_ops;
	}
	if (err) {
		iput(inode);
		return ERR_PTR(err == -ENOENT ? -ESTALE : err);
	}
	refcount_inc(&n->ref);
	inode->i_private = n;
	return inode;
}

/* The node gets a kernel inode, unless it has one by now. */
static struct inode *inode_settle(struct shmfs *s, struct shmfs_node *n, struct inode *inode)
{
	struct inode *other = NULL;

	down_write(&s->table_lock);
	if (n->inode) {
		other = n->inode;
		ihold(other);
	} else if (n->dead) {
		other = ERR_PTR(-ESTALE);
	} else {
		n->inode = inode;
		ihold(inode);
		shmfs_inode_refresh(n);
	}
	up_write(&s->table_lock);
	if (!other)
		return inode;
	iput(inode);
	return other;
}

/**
 * shmfs_inode_get() - a node's kernel inode
 * @sb: file system
 * @n: node, held
 *
 * Return: it, held; ERR_PTR: -ESTALE: the node is gone.
 */
struct inode *shmfs_inode_get(struct super_block *sb, struct shmfs_node *n)
{
	struct shmfs *s = shmfs_of_sb(sb);
	struct inode *inode;

	down_read(&s->table_lock);
	inode = n->inode;
	if (inode)
		ihold(inode);
	up_read(&s->table_lock);
	if (inode)
		return inode;
	inode = inode_make(sb, n);
	return IS_ERR(inode) ? inode : inode_settle(s, n, inode);
}

int shmfs_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat,
		  u32 mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct shmfs *s = shmfs_of_inode(inode);
	struct shmfs_node *n = shmfs_node_of(inode);
	s64 written = atomic64_read(&n->written);

	down_read(&s->table_lock);
	generic_fillattr(idmap, mask, inode, stat);
	if (written && written >= n->settled) {
		stat->mtime = ns_to_timespec64(written);
		stat->ctime = ns_to_timespec64(max(n->ctime, written));
	}
	up_read(&s->table_lock);
	return 0;
}

static int submit_size(struct shmfs *s, struct shmfs_node *n, u64 size)
{
	struct shmfs_op op = {
		.type = SHMFS_OP_SIZE, .ino = n->ino, .a = size, .now = shmfs_now(),
	};

	return shmfs_submit(s, &op, NULL, false);
}

/**
 * shmfs_inode_size() - a file gets another size
 * @inode: it, locked
 * @size: bytes
 *
 * Return: 0 when what is beyond has gone, on all nodes; -EINTR; ...
 */
int shmfs_inode_size(struct inode *inode, u64 size)
{
	struct shmfs_node *n = shmfs_node_of(inode);
	struct shmfs *s = shmfs_of_inode(inode);
	int err = inode_newsize_ok(inode, size);

	while (!err) {
		err = submit_size(s, n, size);
		if (err != -EAGAIN)
			return err ?: shmfs_wait_idle(s, n, true);
		err = shmfs_wait_idle(s, n, true);
	}
	return err;
}

static int setattr_rest(struct inode *inode, const struct iattr *attr)
{
	struct shmfs_op op = {
		.type = SHMFS_OP_SETATTR, .ino = shmfs_node_of(inode)->ino, .now = shmfs_now(),
		.mode = attr->ia_mode & S_IALLUGO, .uid = __kuid_val(attr->ia_uid),
		.gid = __kgid_val(attr->ia_gid),
		.atime = timespec64_to_ns(&attr->ia_atime),
		.mtime = timespec64_to_ns(&attr->ia_mtime),
	};
	unsigned int valid = attr->ia_valid;

	/* These it has from the new size. */
	if (valid & ATTR_SIZE)
		valid &= ~(ATTR_ATIME | ATTR_MTIME);
	op.valid = (valid & ATTR_MODE ? SHMFS_SET_MODE : 0) |
		   (valid & ATTR_UID ? SHMFS_SET_UID : 0) |
		   (valid & ATTR_GID ? SHMFS_SET_GID : 0) |
		   (valid & ATTR_ATIME ? SHMFS_SET_ATIME : 0) |
		   (valid & ATTR_MTIME ? SHMFS_SET_MTIME : 0);
	if (!(op.valid & SHMFS_SET_MODE))
		op.mode = 0;
	return op.valid ? shmfs_submit(shmfs_of_inode(inode), &op, NULL, false) : 0;
}

int shmfs_setattr(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	atomic64_t *written = &shmfs_node_of(inode)->written;
	int err = setattr_prepare(idmap, dentry, attr);
	s64 before = atomic64_read(written);

	if (!err && attr->ia_valid & ATTR_SIZE)
		err = shmfs_inode_size(inode, attr->ia_size);
	if (!err)
		err = setattr_rest(inode, attr);
	/* What was written before has the new time too. */
	if (!err && attr->ia_valid & ATTR_MTIME)
		atomic64_cmpxchg(written, before, 0);
	return err;
}

static const char *shmfs_get_link(struct dentry *dentry, struct inode *inode,
				  struct delayed_call *done)
{
	/* The target goes with the node, which only a held inode keeps. */
	if (!dentry)
		return ERR_PTR(-ECHILD);
	return shmfs_node_of(inode)->target;
}

const struct inode_operations shmfs_file_inode_ops = {
	.getattr = shmfs_getattr,
	.setattr = shmfs_setattr,
};

const struct inode_operations shmfs_link_inode_ops = {
	.get_link = shmfs_get_link,
	.getattr = shmfs_getattr,
	.setattr = shmfs_setattr,
};
