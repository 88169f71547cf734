// SPDX-License-Identifier: GPL-2.0-only
/* Files for other modules, which have no name and stay until they are let go. */
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/sched/mm.h>
#include <krg/shm.h>
#include "shmfs.h"

/**
 * krg_shm_id() - a name for the set of a file to be
 * @net: namespace
 *
 * Return: it, to go with the operation.
 */
struct krg_kddm_id krg_shm_id(struct net *net)
{
	return (struct krg_kddm_id){
		.number = krg_kddm_number(net, KRG_KDDM_LINKER_SHM, KRG_KDDM_HASHED),
		.born = krg_epoch(net),
	};
}
EXPORT_SYMBOL_GPL(krg_shm_id);

static struct shmfs_node *kept_make(struct shmfs *s, const struct krg_shm_new *new)
{
	struct shmfs_node *n = shmfs_node_make(s, s->next_ino++, S_IFREG | (new->mode & 0777));

	n->uid = new->uid;
	n->gid = new->gid;
	n->size = new->size;
	n->id = new->id;
	n->atime = new->now;
	n->mtime = new->now;
	n->ctime = new->now;
	n->kept = true;
	return n;
}

/**
 * krg_shm_make() - there is a new file, on all nodes
 * @net: namespace
 * @new: what it is, the same on all nodes
 * @ino: its number
 *
 * Context: apply() of a machine of krg_order; may wait for memory.
 * Return: 0; -ENOMEM: it could never be filled.
 */
int krg_shm_make(struct net *net, const struct krg_shm_new *new, u64 *ino)
{
	unsigned int nofs = memalloc_nofs_save();
	struct shmfs *s = shmfs_of(net);
	int err = 0;

	down_write(&s->table_lock);
	if (s->exiting || DIV_ROUND_UP_ULL(new->size, PAGE_SIZE) > s->limit)
		err = -ENOMEM;
	else
		*ino = kept_make(s, new)->ino;
	up_write(&s->table_lock);
	memalloc_nofs_restore(nofs);
	return err;
}
EXPORT_SYMBOL_GPL(krg_shm_make);

/**
 * krg_shm_drop() - a file is not wanted any more, on any node
 * @net: namespace
 * @ino: from krg_shm_make()
 * @destroy: this node destroys its set; others that do so too do no harm
 *
 * Who still has it mapped gets SIGBUS.
 *
 * Context: as krg_shm_make().
 */
void krg_shm_drop(struct net *net, u64 ino, bool destroy)
{
	unsigned int nofs = memalloc_nofs_save();
	struct shmfs *s = shmfs_of(net);
	struct shmfs_node *n;

	down_write(&s->table_lock);
	n = shmfs_node(s, ino);
	if (n && n->kept) {
		n->kept = false;
		shmfs_node_unused(s, n, destroy);
	}
	up_write(&s->table_lock);
	memalloc_nofs_restore(nofs);
}
EXPORT_SYMBOL_GPL(krg_shm_drop);

/**
 * krg_shm_mount() - the file system, in use until mntput()
 *
 * Of the caller's network namespace. Sends operations.
 *
 * Context: process, may sleep. Return: a mount that is nowhere; ERR_PTR.
 */
struct vfsmount *krg_shm_mount(void)
{
	return vfs_kern_mount(&shmfs_type, 0, "krgshm", NULL);
}
EXPORT_SYMBOL_GPL(krg_shm_mount);

/* As nobody ever looks the name up it is that of a deleted file. */
static struct file *kept_open(struct vfsmount *mnt, struct inode *inode, const char *name)
{
	struct path path = { .mnt = mnt, .dentry = d_alloc_name(mnt->mnt_root, name) };
	struct file *file;

	if (!path.dentry) {
		iput(inode);
		return ERR_PTR(-ENOMEM);
	}
	d_instantiate(path.dentry, inode);
	file = dentry_open(&path, O_RDWR, current_cred());
	dput(path.dentry);
	return file;
}

/**
 * krg_shm_open() - open a file
 * @mnt: from krg_shm_mount()
 * @ino: from krg_shm_make()
 * @name: how it is called in lists of mappings
 *
 * Sends nothing. Context: process, may wait for memory.
 * Return: it; ERR_PTR: -ENOENT, -ESTALE: it is not there any more; -ENOMEM; ...
 */
struct file *krg_shm_open(struct vfsmount *mnt, u64 ino, const char *name)
{
	struct shmfs_node *n = shmfs_node_get(shmfs_of_sb(mnt->mnt_sb), ino);
	struct inode *inode;

	if (!n)
		return ERR_PTR(-ENOENT);
	inode = n->kept ? shmfs_inode_get(mnt->mnt_sb, n) : ERR_PTR(-ENOENT);
	shmfs_node_put(n);
	return IS_ERR(inode) ? ERR_CAST(inode) : kept_open(mnt, inode, name);
}
EXPORT_SYMBOL_GPL(krg_shm_open);

/**
 * krg_shm_kept() - is it, or was it once, a file from krg_shm_make()
 * @file: any file, may be ipc/shm.c's
 */
bool krg_shm_kept(const struct file *file)
{
	return file_inode(file)->i_fop == &shmfs_kept_file_ops;
}
EXPORT_SYMBOL_GPL(krg_shm_kept);
