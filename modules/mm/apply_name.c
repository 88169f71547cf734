// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on names and attributes, as every node applies them. Who may do what was
 * decided where they come from; that they fit the table is decided here.
 */
#include <linux/slab.h>
#include "shmfs.h"

static int dir_find(struct shmfs *s, u64 ino, struct shmfs_node **dir)
{
	*dir = shmfs_node(s, ino);
	if (!*dir)
		return -ENOENT;
	return S_ISDIR((*dir)->mode) ? 0 : -ENOTDIR;
}

static void dir_changed(struct shmfs_node *dir, s64 now)
{
	dir->mtime = now;
	dir->ctime = now;
	shmfs_inode_refresh(dir);
}

static void name_add(struct shmfs *s, struct shmfs_node *dir, const char *name, u32 len,
		     struct shmfs_node *n)
{
	shmfs_entry_add(s, dir, name, len, n->ino, s->next_cookie++);
	if (!S_ISDIR(n->mode))
		return;
	n->parent = dir->ino;
	dir->nlink++;
}

static void name_del(struct shmfs *s, struct shmfs_node *dir, struct shmfs_entry *e,
		     const struct shmfs_node *n)
{
	shmfs_entry_del(s, e);
	if (S_ISDIR(n->mode))
		dir->nlink--;
}

/* A node has lost a name. */
static void node_unnamed(struct shmfs *s, struct shmfs_node *n, krg_node_t origin, s64 now)
{
	if (S_ISDIR(n->mode))
		n->nlink = 0;
	else
		n->nlink--;
	n->ctime = now;
	shmfs_inode_refresh(n);
	shmfs_node_unused(s, n, origin == krg_self(s->net));
}

static bool create_ok(const struct shmfs_op *op)
{
	bool unnamed = op->flags & SHMFS_OP_UNNAMED;

	if (op->mode & ~(S_IFMT | S_IALLUGO) || op->flags & ~SHMFS_OP_UNNAMED)
		return false;
	if (unnamed != !op->len || (unnamed && !S_ISREG(op->mode)))
		return false;
	if (S_ISLNK(op->mode) != !!op->len2)
		return false;
	return S_ISREG(op->mode) || S_ISDIR(op->mode) || S_ISLNK(op->mode);
}

static struct shmfs_node *create_node(struct shmfs *s, krg_node_t origin,
				      const struct shmfs_op *op)
{
	struct shmfs_node *n = shmfs_node_make(s, s->next_ino++, op->mode);

	n->uid = KUIDT_INIT(op->uid);
	n->gid = KGIDT_INIT(op->gid);
	n->atime = op->now;
	n->mtime = op->now;
	n->ctime = op->now;
	if (S_ISREG(op->mode)) {
		n->id.number = op->number;
		n->id.born = op->born;
		set_bit(origin, n->holders.bits);
	} else if (S_ISLNK(op->mode)) {
		n->target = kmemdup_nul(op->name2, op->len2, GFP_KERNEL | __GFP_NOFAIL);
		n->size = op->len2;
	}
	return n;
}

static int apply_create(struct shmfs *s, krg_node_t origin, const struct shmfs_op *op,
			struct shmfs_result *result)
{
	struct shmfs_node *dir, *n;
	int err = dir_find(s, op->dir, &dir);

	if (err)
		return err;
	if (!create_ok(op))
		return -EBADMSG;
	if (!dir->nlink)
		return -ENOENT;
	if (op->len && shmfs_entry(s, op->dir, op->name, op->len))
		return -EEXIST;
	n = create_node(s, origin, op);
	if (op->len) {
		n->nlink = S_ISDIR(op->mode) ? 2 : 1;
		name_add(s, dir, op->name, op->len, n);
		dir_changed(dir, op->now);
	}
	if (result)
		result->ino = n->ino;
	return 0;
}

static int apply_link(struct shmfs *s, const struct shmfs_op *op)
{
	struct shmfs_node *n = shmfs_node(s, op->ino), *dir;
	int err = dir_find(s, op->dir, &dir);

	if (err)
		return err;
	if (!n || !op->len || !dir->nlink)
		return -ENOENT;
	if (S_ISDIR(n->mode))
		return -EPERM;
	if (shmfs_entry(s, op->dir, op->name, op->len))
		return -EEXIST;
	n->nlink++;
	n->ctime = op->now;
	name_add(s, dir, op->name, op->len, n);
	dir_changed(dir, op->now);
	shmfs_inode_refresh(n);
	return 0;
}

static int apply_unlink(struct shmfs *s, krg_node_t origin, const struct shmfs_op *op)
{
	struct shmfs_entry *e = shmfs_entry(s, op->dir, op->name, op->len);
	struct shmfs_node *n, *dir;
	int err = dir_find(s, op->dir, &dir);

	if (err)
		return err;
	n = e ? shmfs_node(s, e->ino) : NULL;
	if (!n || n->ino != op->ino)
		return -ENOENT;
	if (S_ISDIR(n->mode) != !!(op->flags & SHMFS_OP_DIR))
		return S_ISDIR(n->mode) ? -EISDIR : -ENOTDIR;
	if (S_ISDIR(n->mode) && !xa_empty(&n->entries))
		return -ENOTEMPTY;
	name_del(s, dir, e, n);
	dir_changed(dir, op->now);
	node_unnamed(s, n, origin, op->now);
	return 0;
}

/* Is @n the directory @ino or above it. */
static bool is_above(struct shmfs *s, const struct shmfs_node *n, u64 ino)
{
	struct shmfs_node *dir;

	while (ino != n->ino) {
		dir = shmfs_node(s, ino);
		if (!dir || ino == SHMFS_ROOT)
			return false;
		ino = dir->parent;
	}
	return true;
}

/* A rename, looked up. */
struct move {
	struct shmfs_node *from_dir;
	struct shmfs_node *to_dir;
	struct shmfs_entry *from;
	struct shmfs_entry *to;		/* or NULL */
	struct shmfs_node *n;
	struct shmfs_node *old;		/* what @to is */
};

static int move_find(struct shmfs *s, const struct shmfs_op *op, struct move *m)
{
	int err = dir_find(s, op->dir, &m->from_dir) ?: dir_find(s, op->dir2, &m->to_dir);

	if (err)
		return err;
	if (!op->len2 || op->len2 > SHMFS_NAME_MAX || !m->to_dir->nlink)
		return -ENOENT;
	m->from = shmfs_entry(s, op->dir, op->name, op->len);
	m->to = shmfs_entry(s, op->dir2, op->name2, op->len2);
	m->n = m->from ? shmfs_node(s, m->from->ino) : NULL;
	m->old = m->to ? shmfs_node(s, m->to->ino) : NULL;
	if (!m->n || m->n->ino != op->ino)
		return -ENOENT;
	return 0;
}

static int move_ok(struct shmfs *s, const struct shmfs_op *op, const struct move *m)
{
	if (op->flags & RENAME_NOREPLACE && m->to)
		return -EEXIST;
	if (S_ISDIR(m->n->mode) && is_above(s, m->n, op->dir2))
		return -EINVAL;
	if (op->flags & RENAME_EXCHANGE) {
		if (!m->old)
			return -ENOENT;
		return S_ISDIR(m->old->mode) && is_above(s, m->old, op->dir) ? -EINVAL : 0;
	}
	if (!m->old)
		return 0;
	if (S_ISDIR(m->n->mode) != S_ISDIR(m->old->mode))
		return S_ISDIR(m->old->mode) ? -EISDIR : -ENOTDIR;
	return S_ISDIR(m->old->mode) && !xa_empty(&m->old->entries) ? -ENOTEMPTY : 0;
}

static int apply_rename(struct shmfs *s, krg_node_t origin, const struct shmfs_op *op)
{
	struct move m;
	int err;

	if (op->flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	err = move_find(s, op, &m) ?: move_ok(s, op, &m);
	if (err || m.n == m.old)
		return err;
	name_del(s, m.from_dir, m.from, m.n);
	if (m.to)
		name_del(s, m.to_dir, m.to, m.old);
	name_add(s, m.to_dir, op->name2, op->len2, m.n);
	if (op->flags & RENAME_EXCHANGE)
		name_add(s, m.from_dir, op->name, op->len, m.old);
	m.n->ctime = op->now;
	shmfs_inode_refresh(m.n);
	dir_changed(m.from_dir, op->now);
	dir_changed(m.to_dir, op->now);
	if (m.old && !(op->flags & RENAME_EXCHANGE))
		node_unnamed(s, m.old, origin, op->now);
	return 0;
}

static int apply_setattr(struct shmfs *s, const struct shmfs_op *op)
{
	struct shmfs_node *n = shmfs_node(s, op->ino);

	if (!n)
		return -ENOENT;
	if (op->valid & ~SHMFS_SET_ALL || op->mode & ~S_IALLUGO)
		return -EBADMSG;
	if (op->valid & SHMFS_SET_WRITTEN && op->mtime < n->settled)
		return 0;
	if (op->valid & SHMFS_SET_MODE)
		n->mode = (n->mode & S_IFMT) | op->mode;
	if (op->valid & SHMFS_SET_UID)
		n->uid = KUIDT_INIT(op->uid);
	if (op->valid & SHMFS_SET_GID)
		n->gid = KGIDT_INIT(op->gid);
	if (op->valid & SHMFS_SET_ATIME)
		n->atime = op->atime;
	if (op->valid & (SHMFS_SET_MTIME | SHMFS_SET_WRITTEN))
		n->mtime = op->mtime;
	if (op->valid & SHMFS_SET_MTIME)
		n->settled = op->now;
	n->ctime = op->valid & SHMFS_SET_WRITTEN ? max(n->ctime, op->mtime) : op->now;
	shmfs_inode_refresh(n);
	return 0;
}

/**
 * shmfs_apply_name() - apply an operation on names or attributes
 * @s: this node
 * @origin: who submitted it
 * @op: it
 * @result: or NULL
 *
 * Locks: table_lock for writing.
 */
int shmfs_apply_name(struct shmfs *s, krg_node_t origin, const struct shmfs_op *op,
		     struct shmfs_result *result)
{
	switch (op->type) {
	case SHMFS_OP_CREATE:
		return apply_create(s, origin, op, result);
	case SHMFS_OP_LINK:
		return apply_link(s, op);
	case SHMFS_OP_UNLINK:
		return apply_unlink(s, origin, op);
	case SHMFS_OP_RENAME:
		return apply_rename(s, origin, op);
	case SHMFS_OP_SETATTR:
		return apply_setattr(s, op);
	default:
		return -EBADMSG;
	}
}
