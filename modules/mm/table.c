// SPDX-License-Identifier: GPL-2.0-only
/* The table: nodes by number, names by directory and hash. */
#include <linux/slab.h>
#include <linux/stringhash.h>
#include "shmfs.h"

#define NOFAIL (GFP_KERNEL | __GFP_NOFAIL)

/* Locks: table_lock. */
struct shmfs_node *shmfs_node(struct shmfs *s, u64 ino)
{
	return xa_load(&s->nodes, ino);
}

/* Return: it, held, or NULL. Locks: none. */
struct shmfs_node *shmfs_node_get(struct shmfs *s, u64 ino)
{
	struct shmfs_node *n;

	down_read(&s->table_lock);
	n = shmfs_node(s, ino);
	if (n)
		refcount_inc(&n->ref);
	up_read(&s->table_lock);
	return n;
}

void shmfs_node_put(struct shmfs_node *n)
{
	if (!refcount_dec_and_test(&n->ref))
		return;
	WARN_ON_ONCE(n->inode || !xa_empty(&n->entries));
	shmfs_map_free(&n->pages);
	shmfs_map_free(&n->dying);
	xa_destroy(&n->entries);
	xa_destroy(&n->robust);
	kfree(n->target);
	kfree_rcu(n, rcu);
}

/**
 * shmfs_node_make() - a new node in the table
 * @s: node of the cluster
 * @ino: its number
 * @mode: its type and permissions
 *
 * Locks: table_lock for writing.
 */
struct shmfs_node *shmfs_node_make(struct shmfs *s, u64 ino, umode_t mode)
{
	struct shmfs_node *n = kzalloc(sizeof(*n), NOFAIL);

	n->ino = ino;
	n->mode = mode;
	n->remover = SHMFS_NOBODY;
	n->woken = SHMFS_NOBODY;
	xa_init_flags(&n->robust, XA_FLAGS_ACCOUNT);
	refcount_set(&n->ref, 1);
	xa_init(&n->entries);
	shmfs_map_init(&n->pages);
	shmfs_map_init(&n->dying);
	INIT_LIST_HEAD(&n->todo);
	xa_store(&s->nodes, ino, n, NOFAIL);
	return n;
}

/* A node leaves the table. Its kernel inode goes later. */
static void node_drop(struct shmfs *s, struct shmfs_node *n, bool destroy)
{
	xa_erase(&s->nodes, n->ino);
	s->used -= n->pages.count + n->dying.count;
	n->dead = true;
	n->busy = false;
	n->destroy = destroy;
	shmfs_bury(s, n);
	wake_up_all(&s->wait);
}

/**
 * shmfs_node_unused() - a node may have lost its last name or user
 * @s: node of the cluster
 * @n: it; may be freed
 * @destroy: if it is gone, it is up to us to destroy its set
 *
 * Locks: table_lock for writing.
 */
void shmfs_node_unused(struct shmfs *s, struct shmfs_node *n, bool destroy)
{
	if (n->nlink || n->kept)
		return;
	if (bitmap_empty(n->holders.bits, KRG_MAX_NODES))
		node_drop(s, n, destroy && S_ISREG(n->mode));
	else if (shmfs_self_holds(s, n))
		shmfs_job(s, n);
}

static u32 name_key(u64 dir, const char *name, u32 len)
{
	return full_name_hash(NULL, name, len) ^ (u32)dir;
}

/* Locks: table_lock. */
struct shmfs_entry *shmfs_entry(struct shmfs *s, u64 dir, const char *name, u32 len)
{
	struct shmfs_entry *e;

	hash_for_each_possible(s->names, e, link, name_key(dir, name, len))
		if (e->dir == dir && e->len == len && !memcmp(e->name, name, len))
			return e;
	return NULL;
}

/* Locks: table_lock for writing. */
void shmfs_entry_add(struct shmfs *s, struct shmfs_node *dir, const char *name, u32 len, u64 ino,
		     u64 cookie)
{
	struct shmfs_entry *e = kzalloc(struct_size(e, name, len), NOFAIL);

	e->dir = dir->ino;
	e->ino = ino;
	e->len = len;
	e->cookie = cookie;
	memcpy(e->name, name, len);
	hash_add(s->names, &e->link, name_key(dir->ino, name, len));
	xa_store(&dir->entries, cookie, e, NOFAIL);
}

void shmfs_entry_del(struct shmfs *s, struct shmfs_entry *e)
{
	struct shmfs_node *dir = shmfs_node(s, e->dir);

	if (dir)
		xa_erase(&dir->entries, e->cookie);
	hash_del(&e->link);
	kfree(e);
}

static void root_init(struct shmfs_node *root)
{
	root->mode = S_IFDIR | S_ISVTX | 0777;
	root->uid = GLOBAL_ROOT_UID;
	root->gid = GLOBAL_ROOT_GID;
	root->nlink = 2;
	root->parent = SHMFS_ROOT;
	root->atime = 0;
	root->mtime = 0;
	root->ctime = 0;
}

static void table_begin(struct shmfs *s)
{
	s->next_ino = SHMFS_ROOT + 1;
	s->next_cookie = 2;	/* of . and .. */
	s->used = 0;
	s->limit = 0;
	s->limit_fixed = false;
	root_init(s->root);
}

void shmfs_table_init(struct shmfs *s)
{
	init_rwsem(&s->table_lock);
	xa_init(&s->nodes);
	hash_init(s->names);
	s->root = shmfs_node_make(s, SHMFS_ROOT, S_IFDIR);
	table_begin(s);
}

static void table_drop_names(struct shmfs *s)
{
	struct shmfs_entry *e;
	struct hlist_node *next;
	unsigned int bucket;

	hash_for_each_safe(s->names, bucket, next, e, link)
		shmfs_entry_del(s, e);
}

/**
 * shmfs_table_reset() - only the root is left
 * @s: node of the cluster
 *
 * The root stays what it is: a file system that is still in use has it.
 *
 * Locks: table_lock for writing.
 */
void shmfs_table_reset(struct shmfs *s)
{
	struct shmfs_node *n;
	unsigned long ino;

	table_drop_names(s);
	xa_for_each(&s->nodes, ino, n)
		if (n != s->root)
			node_drop(s, n, false);
	table_begin(s);
	shmfs_inode_refresh(s->root);
}

void shmfs_table_exit(struct shmfs *s)
{
	down_write(&s->table_lock);
	s->exiting = true;
	shmfs_table_reset(s);
	up_write(&s->table_lock);
	shmfs_todo_end(s);
	cancel_delayed_work_sync(&s->robust_work);
	xa_destroy(&s->nodes);
	shmfs_node_put(s->root);
}
