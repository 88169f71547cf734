/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shared memory file system. What each part is for: README.md.
 *
 * One struct shmfs is one node. Lock order:
 *
 *   mm->mmap_lock, inode->i_rwsem
 *     objects held (krg_kddm_get(), _grab()); page faults are off then
 *       folio lock
 *   shmfs.table_lock		written by operations, and for kernel inodes
 *     i_mmap, page tables
 *     shmfs.todo_lock
 *
 * Nobody waits for another node (an object, an operation) with any but the first two.
 */
#ifndef KRG_MM_SHMFS_H
#define KRG_MM_SHMFS_H

#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/shmem_fs.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <krg/cluster.h>
#include <krg/kddm.h>
#include <krg/order.h>
#include "../compat/linux/fs.h"
#include "../compat/linux/futex.h"
#include "op.h"

#define SHMFS_ROOT		1u	/* its inode number */
#define SHMFS_NOBODY		0xffffu
#define SHMFS_HASH_BITS		10

/* Pages of a file; bit in a value entry of 32 for each. Read under RCU. */
struct shmfs_map {
	struct xarray words;
	u64 count;
};

/**
 * struct shmfs_node - a file, directory or symbolic link; the same on all nodes
 * @ino: number, never used again
 * @ref: the table, kernel inodes, lists
 * @mode: type and permissions
 * @uid: owner
 * @gid: group
 * @nlink: names; of a directory 2 and its directories
 * @size: bytes
 * @atime: ns, as ctime and mtime
 * @settled: when mtime was last told to all: what was written before does not change it
 * @id: files: the set its pages are
 * @target: symbolic links
 * @parent: directories: inode number
 * @entries: directories: cookie -> struct shmfs_entry
 * @holders: files: nodes that have opened it
 * @pages: files: allocated pages; others read as zeroes
 * @dying: files: pages that are being removed
 * @busy: pages are being removed, or bytes at the ends of a hole
 * @remover: who does that, or SHMFS_NOBODY
 * @zero_from: bytes to be zeroed, in pages that stay: up to the page's end,
 * @zero_to: and up to here from the page's beginning; 0 = none
 * @kept: files: stays without a name, see krg/shm.h
 * @dead: gone from the table
 * @lost: files: nodes that died while they had it open; changed as @holders, atomically
 *
 * Of this node alone:
 * @destroy: we destroy its set
 * @releasing: no opens any more: this node is about to let go of it
 * @opens: open files
 * @written: when its content was last changed here, ns; 0: never, or the others know
 * @inode: kernel inode, held; table_lock
 * @quiet: nodes where a wakeup last found nobody; atomic bits
 * @woken: node where one last found somebody
 * @wakes: wakeups from here
 * @robust: words that may be robust mutexes, by their place
 * @robust_due: they are to be looked at
 * @todo: in shmfs.jobs or shmfs.dead
 *
 * Written under shmfs.table_lock by operations of krg_order.
 */
struct shmfs_node {
	u64 ino;
	refcount_t ref;
	umode_t mode;
	kuid_t uid;
	kgid_t gid;
	u32 nlink;
	u64 size;
	s64 atime;
	s64 mtime;
	s64 ctime;
	s64 settled;
	struct krg_kddm_id id;
	char *target;
	u64 parent;
	struct xarray entries;
	struct krg_nodemask holders;
	struct shmfs_map pages;
	struct shmfs_map dying;
	bool busy;
	u16 remover;
	u64 zero_from;
	u64 zero_to;
	bool kept;
	bool dead;
	struct krg_nodemask lost;

	bool destroy;
	bool releasing;
	atomic_t opens;
	atomic64_t written;
	struct inode *inode;
	struct krg_nodemask quiet;
	u16 woken;
	atomic_t wakes;
	struct xarray robust;
	bool robust_due;
	struct list_head todo;
	struct rcu_head rcu;
};

/* A name in a directory. */
struct shmfs_entry {
	struct hlist_node link;
	u64 dir;
	u64 cookie;		/* position in readdir */
	u64 ino;
	u16 len;
	char name[];
};

struct krg_rpc_service;

struct shmfs {
	struct net *net;
	struct rw_semaphore table_lock;
	/* table_lock */
	bool exiting;
	struct xarray nodes;	/* inode number -> struct shmfs_node */
	DECLARE_HASHTABLE(names, SHMFS_HASH_BITS);
	struct shmfs_node *root;
	u64 next_ino;
	u64 next_cookie;
	u64 used;		/* pages */
	u64 limit;		/* pages; 0 = nobody has mounted it yet */
	bool limit_fixed;	/* somebody asked for it */

	spinlock_t todo_lock;	/* the lists; a node's @todo */
	struct list_head jobs;	/* todo_lock: to be looked at by job_work */
	struct list_head dead;	/* todo_lock: to be let go by clean_work */
	struct delayed_work job_work;
	struct work_struct clean_work;
	struct delayed_work robust_work;
	unsigned int tid_shift;	/* a thread's number >> it is its node */
	wait_queue_head_t wait;	/* nodes that are not busy any more, or without remover */
	struct work_struct mount_work;
	struct super_block *sb;	/* there is one; only whether */
	bool want_mounted;	/* what the cluster wants; mount_work */
	bool mounted;		/* what mount_work has done */
	int leaving;		/* as soon as it is unmounted */
	atomic64_t wakes_sent;	/* messages */
	atomic64_t wakes_served;
	struct dentry *debug;
};

/* What came of an operation, for who submitted it. */
struct shmfs_result {
	u64 ino;
	u64 pos;
	u64 count;
};

#define SHMFS_AROUND	16ull		/* pages mapped in one fault, see fault.c */

/* Sequential use of an open file: see hold.c. */
struct shmfs_window {
	spinlock_t lock;	/* all of it */
	u64 next;	/* page after the last one used */
	u64 ahead;	/* pages before it were asked for */
	unsigned int size;
};

/*
 * A kernel inode's i_private is its node; its set is in here. ipc/shm.c takes inodes of
 * its files for those of tmpfs.
 */
struct shmfs_inode {
	struct krg_kddm_set *set;	/* files */
	struct shmfs_window window;	/* of kept files, for all who have one mapped */
	struct shmem_inode_info info;
};

static inline struct shmfs_inode *shmfs_i(struct inode *inode)
{
	return container_of(inode, struct shmfs_inode, info.vfs_inode);
}

static inline struct shmfs_node *shmfs_node_of(const struct inode *inode)
{
	return inode->i_private;
}

extern struct workqueue_struct *shmfs_wq;
extern struct file_system_type shmfs_type;
extern const struct krg_order_machine shmfs_machine;
extern const struct file_operations shmfs_file_ops;
extern const struct file_operations shmfs_kept_file_ops;
extern const struct file_operations shmfs_dir_file_ops;
extern const struct inode_operations shmfs_file_inode_ops;
extern const struct inode_operations shmfs_dir_inode_ops;
extern const struct inode_operations shmfs_link_inode_ops;
extern const struct dentry_operations shmfs_dentry_ops;

/* main.c */
struct shmfs *shmfs_of(const struct net *net);

static inline struct shmfs *shmfs_of_sb(const struct super_block *sb)
{
	return shmfs_of(sb->s_fs_info);
}

static inline struct shmfs *shmfs_of_inode(const struct inode *inode)
{
	return shmfs_of_sb(inode->i_sb);
}

static inline bool shmfs_self_holds(const struct shmfs *s, const struct shmfs_node *n)
{
	krg_node_t self = krg_self(s->net);

	return self >= 0 && test_bit(self, n->holders.bits);
}

/* debug.c */
void shmfs_debug_init(void);
void shmfs_debug_exit(void);
void shmfs_debug_add(struct shmfs *s);
void shmfs_debug_del(struct shmfs *s);

/* mount.c */
void shmfs_mount_work(struct work_struct *work);
void shmfs_mount_notify(struct shmfs *s, bool wanted);
void shmfs_mount_leave(struct shmfs *s);
void shmfs_mount_end(struct shmfs *s);

/* linker.c */
int shmfs_linker_init(void);
void shmfs_linker_exit(void);
struct inode *shmfs_backing(const struct krg_kddm_set *set);

/* table.c */
void shmfs_table_init(struct shmfs *s);
void shmfs_table_reset(struct shmfs *s);
void shmfs_table_exit(struct shmfs *s);
struct shmfs_node *shmfs_node(struct shmfs *s, u64 ino);
struct shmfs_node *shmfs_node_get(struct shmfs *s, u64 ino);
struct shmfs_node *shmfs_node_make(struct shmfs *s, u64 ino, umode_t mode);
void shmfs_node_put(struct shmfs_node *n);
void shmfs_node_unused(struct shmfs *s, struct shmfs_node *n, bool destroy);
struct shmfs_entry *shmfs_entry(struct shmfs *s, u64 dir, const char *name, u32 len);
void shmfs_entry_add(struct shmfs *s, struct shmfs_node *dir, const char *name, u32 len, u64 ino,
		     u64 cookie);
void shmfs_entry_del(struct shmfs *s, struct shmfs_entry *e);

/* map.c */
void shmfs_map_init(struct shmfs_map *m);
void shmfs_map_free(struct shmfs_map *m);
bool shmfs_map_has(const struct shmfs_map *m, u64 page);
u64 shmfs_map_missing(const struct shmfs_map *m, u64 first, u64 last);
void shmfs_map_add(struct shmfs_map *m, u64 first, u64 last);
void shmfs_map_move(struct shmfs_map *from, struct shmfs_map *to, u64 first, u64 last);
bool shmfs_map_next(const struct shmfs_map *m, u64 *page);
u64 shmfs_map_next_hole(const struct shmfs_map *m, u64 page);

/* file.c */
struct shmfs_window *shmfs_window(struct file *file);

/* op.c */
int shmfs_submit(struct shmfs *s, const struct shmfs_op *op, struct shmfs_result *result,
		 bool interruptible);
int shmfs_op_decode(const void *data, u32 len, struct shmfs_op *op);
s64 shmfs_now(void);

/* apply_name.c, apply_data.c */
int shmfs_apply_name(struct shmfs *s, krg_node_t origin, const struct shmfs_op *op,
		     struct shmfs_result *result);
int shmfs_apply_data(struct shmfs *s, krg_node_t origin, const struct shmfs_op *op,
		     struct shmfs_result *result);
void shmfs_apply_dead(struct shmfs *s, krg_node_t node);

/* snapshot.c */
void shmfs_snapshot(struct net *net, struct krg_order_sink *sink);
int shmfs_restore(struct net *net, const void *data, size_t len);

/* job.c */
void shmfs_job(struct shmfs *s, struct shmfs_node *n);
void shmfs_bury(struct shmfs *s, struct shmfs_node *n);
void shmfs_job_work(struct work_struct *work);
void shmfs_clean_work(struct work_struct *work);
void shmfs_todo_end(struct shmfs *s);
int shmfs_wait_idle(struct shmfs *s, struct shmfs_node *n, bool killable);

/* super.c */
int shmfs_super_init(void);
void shmfs_super_exit(void);

/* inode.c */
struct inode *shmfs_inode_get(struct super_block *sb, struct shmfs_node *n);
void shmfs_inode_refresh(struct shmfs_node *n);
void shmfs_inode_unmap(struct shmfs_node *n, u64 end);
int shmfs_inode_size(struct inode *inode, u64 size);
int shmfs_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat,
		  u32 mask, unsigned int flags);
int shmfs_setattr(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr);

/* hold.c */
#define SHMFS_WRITE	0x1	/* for writing */
#define SHMFS_ALLOC	0x2	/* a page that is not there is made */
#define SHMFS_BEYOND	0x4	/* also beyond the end of the file */
#define SHMFS_NOWAIT	0x8
#define SHMFS_KILLABLE	0x10

int shmfs_hold(struct inode *inode, u64 page, unsigned int how, struct page **out);
void shmfs_put(struct inode *inode, u64 page, unsigned int how);
bool shmfs_is_read_on(struct file *file);
int shmfs_hold_next(struct file *file, u64 page, unsigned int how, struct page **out);
int shmfs_alloc(struct shmfs *s, struct shmfs_node *n, u64 first, u64 last, unsigned int how);

/* fault.c, rw.c */
bool shmfs_vma_shared(const struct vm_area_struct *vma);
int shmfs_mmap(struct file *file, struct vm_area_struct *vma);
ssize_t shmfs_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t shmfs_write_iter(struct kiocb *iocb, struct iov_iter *from);

/* A word of a shared file; @inode is held. */
struct shmfs_futex {
	struct inode *inode;
	u64 at;			/* byte of the file */
};

/* futex.c */
u64 shmfs_futex_sequence(void);
void shmfs_futex_key(const struct inode *inode, u64 at, union futex_key *key);
bool shmfs_futex_find(const u32 __user *uaddr, struct shmfs_futex *f);
void shmfs_futex_put(struct shmfs_futex *f);
bool shmfs_futex_others(struct shmfs *s, const struct shmfs_node *n, struct krg_nodemask *mask);
int shmfs_futex_use(void);
void shmfs_futex_mounted(bool yes);
void shmfs_futex_exit(void);

/* futex_wake.c */
extern const struct krg_rpc_service shmfs_futex_service;
int shmfs_futex_wake_start(void);
void shmfs_futex_wake_end(void);
int shmfs_futex_wake_here(union futex_key *key, int nr, u32 bitset);

/* futex_robust.c */
int shmfs_robust_mounted(struct shmfs *s);
void shmfs_robust_look(const struct shmfs_futex *f, const u32 __user *uaddr);
void shmfs_robust_lost(struct shmfs *s, struct shmfs_node *n, krg_node_t node);
void shmfs_robust_work(struct work_struct *work);

#endif
