// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directories. What is looked up is looked up in this node's table; what changes goes
 * through the order. Other nodes change the table too, so what the kernel remembers
 * of names is checked each time, and that a name is not there is never remembered.
 */
#include <linux/cred.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include "shmfs.h"

/* The node a name leads to, held, or NULL. */
static struct shmfs_node *name_get(struct shmfs *s, u64 dir, const struct qstr *name)
{
	struct shmfs_node *n = NULL;
	struct shmfs_entry *e;

	down_read(&s->table_lock);
	e = shmfs_entry(s, dir, name->name, name->len);
	if (e)
		n = shmfs_node(s, e->ino);
	if (n)
		refcount_inc(&n->ref);
	up_read(&s->table_lock);
	return n;
}

static struct dentry *shmfs_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	struct inode *inode = NULL;
	struct shmfs_node *n;

	if (dentry->d_name.len > SHMFS_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	n = name_get(shmfs_of_inode(dir), shmfs_node_of(dir)->ino, &dentry->d_name);
	if (n) {
		inode = shmfs_inode_get(dir->i_sb, n);
		shmfs_node_put(n);
	}
	return d_splice_alias(inode, dentry);
}

static int shmfs_d_revalidate(struct dentry *dentry, unsigned int flags)
{
	struct name_snapshot name;
	struct dentry *parent;
	struct shmfs_node *n;
	bool same;

	if (flags & LOOKUP_RCU)
		return -ECHILD;
	if (d_is_negative(dentry))
		return 0;
	parent = dget_parent(dentry);
	take_dentry_name_snapshot(&name, dentry);
	n = name_get(shmfs_of_sb(dentry->d_sb), shmfs_node_of(d_inode(parent))->ino, &name.name);
	same = n && n == shmfs_node_of(d_inode(dentry));
	if (n)
		shmfs_node_put(n);
	release_dentry_name_snapshot(&name);
	dput(parent);
	return same;
}

const struct dentry_operations shmfs_dentry_ops = {
	.d_revalidate = shmfs_d_revalidate,
};

/* Owner and mode of what is made in @dir, by the rules of inode_init_owner(). */
static void make_owner(const struct inode *dir, struct shmfs_op *op)
{
	op->uid = __kuid_val(current_fsuid());
	op->gid = __kgid_val(current_fsgid());
	if (!(dir->i_mode & S_ISGID))
		return;
	op->gid = __kgid_val(dir->i_gid);
	if (S_ISDIR(op->mode))
		op->mode |= S_ISGID;
}

/* Makes a node; with a name if there is a @dentry. Return: its kernel inode. */
static struct inode *node_make(struct inode *dir, const struct dentry *dentry, umode_t mode,
			       const char *target)
{
	struct shmfs *s = shmfs_of_inode(dir);
	struct shmfs_op op = {
		.type = SHMFS_OP_CREATE, .dir = shmfs_node_of(dir)->ino, .mode = mode,
		.flags = dentry ? 0 : SHMFS_OP_UNNAMED, .now = shmfs_now(),
	};
	struct shmfs_result result;
	struct shmfs_node *n;
	struct inode *inode;
	int err;

	make_owner(dir, &op);
	if (dentry) {
		op.name = dentry->d_name.name;
		op.len = dentry->d_name.len;
	}
	if (target) {
		op.name2 = target;
		op.len2 = strlen(target);
	}
	if (S_ISREG(mode)) {
		op.number = krg_kddm_number(s->net, KRG_KDDM_LINKER_SHM, KRG_KDDM_HASHED);
		op.born = krg_epoch(s->net);
	}
	err = shmfs_submit(s, &op, &result, false);
	if (err)
		return ERR_PTR(err);
	n = shmfs_node_get(s, result.ino);
	if (!n)
		return ERR_PTR(-ESTALE);
	inode = shmfs_inode_get(dir->i_sb, n);
	shmfs_node_put(n);
	return inode;
}

static int name_make(struct inode *dir, struct dentry *dentry, umode_t mode, const char *target)
{
	struct inode *inode;

	if (dentry->d_name.len > SHMFS_NAME_MAX)
		return -ENAMETOOLONG;
	inode = node_make(dir, dentry, mode, target);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	d_instantiate(dentry, inode);
	return 0;
}

static int shmfs_create(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
			umode_t mode, bool excl)
{
	int err = name_make(dir, dentry, mode | S_IFREG, NULL);

	/* Another node was faster: open() begins anew, and finds it. */
	return err == -EEXIST && !excl ? -ESTALE : err;
}

static int shmfs_mknod(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
		       umode_t mode, dev_t dev)
{
	if (!S_ISREG(mode))
		return -EOPNOTSUPP;
	return name_make(dir, dentry, mode, NULL);
}

static int shmfs_mkdir(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
		       umode_t mode)
{
	return name_make(dir, dentry, mode | S_IFDIR, NULL);
}

static int shmfs_symlink(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
			 const char *target)
{
	if (strlen(target) > SHMFS_TARGET_MAX)
		return -ENAMETOOLONG;
	return name_make(dir, dentry, S_IFLNK | 0777, target);
}

static int shmfs_tmpfile(struct mnt_idmap *idmap, struct inode *dir, struct file *file,
			 umode_t mode)
{
	struct inode *inode = node_make(dir, NULL, mode | S_IFREG, NULL);
	struct shmfs *s = shmfs_of_inode(dir);

	if (IS_ERR(inode))
		return finish_open_simple(file, PTR_ERR(inode));
	/* d_tmpfile() takes away a link that it never had. */
	down_write(&s->table_lock);
	set_nlink(inode, 1);
	d_tmpfile(file, inode);
	up_write(&s->table_lock);
	return finish_open_simple(file, 0);
}

static int shmfs_link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(old);
	struct shmfs_op op = {
		.type = SHMFS_OP_LINK, .dir = shmfs_node_of(dir)->ino, .now = shmfs_now(),
		.ino = shmfs_node_of(inode)->ino, .name = dentry->d_name.name,
		.len = dentry->d_name.len,
	};
	int err;

	if (dentry->d_name.len > SHMFS_NAME_MAX)
		return -ENAMETOOLONG;
	err = shmfs_submit(shmfs_of_inode(dir), &op, NULL, false);
	if (err)
		return err;
	ihold(inode);
	d_instantiate(dentry, inode);
	return 0;
}

static int name_del(struct inode *dir, struct dentry *dentry, u32 flags)
{
	struct shmfs_op op = {
		.type = SHMFS_OP_UNLINK, .flags = flags, .dir = shmfs_node_of(dir)->ino,
		.ino = shmfs_node_of(d_inode(dentry))->ino, .name = dentry->d_name.name,
		.len = dentry->d_name.len, .now = shmfs_now(),
	};

	return shmfs_submit(shmfs_of_inode(dir), &op, NULL, false);
}

static int shmfs_unlink(struct inode *dir, struct dentry *dentry)
{
	return name_del(dir, dentry, 0);
}

static int shmfs_rmdir(struct inode *dir, struct dentry *dentry)
{
	return name_del(dir, dentry, SHMFS_OP_DIR);
}

static int shmfs_rename(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
			struct inode *dir2, struct dentry *dentry2, unsigned int flags)
{
	struct shmfs_op op = {
		.type = SHMFS_OP_RENAME, .flags = flags, .now = shmfs_now(),
		.dir = shmfs_node_of(dir)->ino, .ino = shmfs_node_of(d_inode(dentry))->ino,
		.name = dentry->d_name.name, .len = dentry->d_name.len,
		.dir2 = shmfs_node_of(dir2)->ino, .name2 = dentry2->d_name.name,
		.len2 = dentry2->d_name.len,
	};

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (dentry2->d_name.len > SHMFS_NAME_MAX)
		return -ENAMETOOLONG;
	return shmfs_submit(shmfs_of_inode(dir), &op, NULL, false);
}

/* One entry, copied: user memory is not touched with the table locked. */
struct dirent_copy {
	u64 ino;
	u64 cookie;
	unsigned int type;
	u32 len;
	char name[SHMFS_NAME_MAX];
};

static bool dirent_next(struct shmfs *s, struct shmfs_node *dir, u64 from, struct dirent_copy *d)
{
	unsigned long cookie = from;
	struct shmfs_entry *e;
	struct shmfs_node *n;

	down_read(&s->table_lock);
	e = xa_find(&dir->entries, &cookie, ULONG_MAX, XA_PRESENT);
	n = e ? shmfs_node(s, e->ino) : NULL;
	if (n) {
		d->ino = e->ino;
		d->cookie = e->cookie;
		d->type = fs_umode_to_dtype(n->mode);
		d->len = e->len;
		memcpy(d->name, e->name, e->len);
	}
	up_read(&s->table_lock);
	return n;
}

static int shmfs_iterate(struct file *file, struct dir_context *ctx)
{
	struct shmfs_node *dir = shmfs_node_of(file_inode(file));
	struct shmfs *s = shmfs_of_inode(file_inode(file));
	struct dirent_copy *d;

	if (!dir_emit_dots(file, ctx))
		return 0;
	d = kmalloc(sizeof(*d), GFP_KERNEL);
	if (!d)
		return -ENOMEM;
	while (dirent_next(s, dir, ctx->pos, d)) {
		ctx->pos = d->cookie;
		if (!dir_emit(ctx, d->name, d->len, d->ino, d->type))
			break;
		ctx->pos++;
	}
	kfree(d);
	return 0;
}

const struct file_operations shmfs_dir_file_ops = {
	.owner = THIS_MODULE,
	.read = generic_read_dir,
	.iterate_shared = shmfs_iterate,
	.llseek = generic_file_llseek,
	.fsync = noop_fsync,
};

const struct inode_operations shmfs_dir_inode_ops = {
	.lookup = shmfs_lookup,
	.create = shmfs_create,
	.mknod = shmfs_mknod,
	.mkdir = shmfs_mkdir,
	.symlink = shmfs_symlink,
	.tmpfile = shmfs_tmpfile,
	.link = shmfs_link,
	.unlink = shmfs_unlink,
	.rmdir = shmfs_rmdir,
	.rename = shmfs_rename,
	.getattr = shmfs_getattr,
	.setattr = shmfs_setattr,
};
