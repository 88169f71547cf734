// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mirrors: for each segment of the cluster the kernel has one of its own, with its id and
 * its key, whose file is the file of krg_mm that all nodes share. So attaching, permissions,
 * statistics, lists are the kernel's. What others do is put into it here.
 *
 * The kernel would destroy a mirror that has lost its last user and is to go. That is
 * decided by the order: whoever might be the last here is counted out by
 * ipc_mirror_unref() instead, in vma.c and call.c.
 */
#define pr_fmt(fmt) "krg_ipc: " fmt

#include <linux/file.h>
#include <linux/mount.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <krg/shm.h>
#include "ipc.h"

#define AGAIN	msecs_to_jiffies(200)

/*
 * ipc/shm.c destroys what a process has made and left, if so told. These were made by no
 * process of this node: by the idle task, which never ends.
 */
static LIST_HEAD(made);

/* Destroys it, if it has no users. Locks: shm_ids.rwsem for writing. */
static void shp_rmid(struct shmid_kernel *shp)
{
	rcu_read_lock();
	spin_lock(&shp->shm_perm.lock);
	krg_sym(do_shm_rmid)(ipc_ns(), &shp->shm_perm);
	/* That let go of both. */
	__release(&shp->shm_perm.lock);
	__release(RCU);
}

static void shp_free(struct rcu_head *head)
{
	struct shmid_kernel *shp = container_of(head, struct shmid_kernel, shm_perm.rcu);

	krg_sym(security_shm_free)(&shp->shm_perm);
	kfree(shp);
}

/* Attributes that can change. Locks: perm lock, or nobody knows it yet. */
static void shp_attr(struct shmid_kernel *shp, const struct ipc_seg *seg)
{
	shp->shm_perm.uid = seg->uid;
	shp->shm_perm.gid = seg->gid;
	shp->shm_perm.mode = (shp->shm_perm.mode & SHM_LOCKED) | seg->mode;
	shp->shm_ctim = seg->ctime;
}

/* Its name is what the kernel's have, that pmap and others look for. */
static struct file *seg_open(struct ipc *ipc, const struct ipc_seg *seg)
{
	struct file *file;
	char name[13];

	snprintf(name, sizeof(name), "SYSV%08x", seg->key);
	file = krg_shm_open(ipc->mnt, seg->ino, name);
	if (!IS_ERR(file))
		file_inode(file)->i_ino = seg->id;
	return file;
}

static struct shmid_kernel *shp_make(struct ipc *ipc, const struct ipc_seg *seg)
{
	struct shmid_kernel *shp = kzalloc(sizeof(*shp), GFP_KERNEL);
	int err;

	if (!shp)
		return ERR_PTR(-ENOMEM);
	err = krg_sym(security_shm_alloc)(&shp->shm_perm);
	if (err)
		goto free;
	shp->shm_file = seg_open(ipc, seg);
	err = PTR_ERR_OR_ZERO(shp->shm_file);
	if (err)
		goto free_security;
	shp->shm_segsz = seg->size;
	shp->shm_atim = seg->atime;
	shp->shm_dtim = seg->dtime;
	shp->shm_cprid = ipc_pid_of(seg->cpid, true);
	shp->shm_lprid = ipc_pid_of(seg->lpid, false);
	shp->shm_creator = &init_task;
	shp->ns = ipc_ns();
	return shp;

free_security:
	krg_sym(security_shm_free)(&shp->shm_perm);
free:
	kfree(shp);
	return ERR_PTR(err);
}

/* It never was one. */
static void shp_drop(struct shmid_kernel *shp)
{
	fput(shp->shm_file);
	put_pid(shp->shm_cprid);
	put_pid(shp->shm_lprid);
	call_rcu(&shp->shm_perm.rcu, shp_free);
}

static bool id_is_free(int id)
{
	return !idr_find(&ipc_ids()->ipcs_idr, id & ((1 << IPC_ID_SHIFT) - 1));
}

/* As ipc/util.c has them; ipc_addid() does not look whether a key is there already. */
static bool key_is_free(key_t key)
{
	static const struct rhashtable_params params = {
		.head_offset = offsetof(struct kern_ipc_perm, khtnode),
		.key_offset = offsetof(struct kern_ipc_perm, key),
		.key_len = sizeof_field(struct kern_ipc_perm, key),
		.automatic_shrinking = true,
	};

	return !rhashtable_lookup_fast(&ipc_ids()->key_ht, &key, params);
}

/*
 * Where a segment older than the cluster has the key, it keeps it.
 * Return: 0: it is locked, as ipc_addid() leaves it.
 */
static int shp_add(struct shmid_kernel *shp, const struct ipc_seg *seg)
{
	int idx;

	if (!id_is_free(seg->id))
		return -EBUSY;
	shp->shm_perm.key = key_is_free(seg->key) ? seg->key : IPC_PRIVATE;
	ipc_ids()->next_id = seg->id;
	idx = krg_sym(ipc_addid)(ipc_ids(), &shp->shm_perm, INT_MAX);
	return min(idx, 0);
}

static int shp_publish(struct shmid_kernel *shp, const struct ipc_seg *seg)
{
	int err = shp_add(shp, seg);

	if (err)
		return err;
	__acquire(RCU);
	__acquire(&shp->shm_perm.lock);
	shp->shm_perm.cuid = seg->cuid;
	shp->shm_perm.cgid = seg->cgid;
	shp_attr(shp, seg);
	task_lock(&init_task);
	list_add(&shp->shm_clist, &made);
	task_unlock(&init_task);
	ipc_ns()->shm_tot += DIV_ROUND_UP_ULL(seg->size, PAGE_SIZE);
	spin_unlock(&shp->shm_perm.lock);
	rcu_read_unlock();
	return 0;
}

static int mirror_make(struct ipc *ipc, struct ipc_seg *seg)
{
	struct shmid_kernel *shp = shp_make(ipc, seg);
	int err;

	if (IS_ERR(shp))
		return PTR_ERR(shp);
	err = shp_publish(shp, seg);
	if (err) {
		shp_drop(shp);
		return err;
	}
	seg->shp = shp;
	xa_clear_mark(&ipc->segs, seg->id, IPC_MISSING);
	return 0;
}

/**
 * ipc_mirror_make() - a segment gets its mirror
 * @ipc: node
 * @seg: segment without
 *
 * If it can't now, it is tried again later.
 *
 * Locks: shm_ids.rwsem for writing. Return: 0; -ENOMEM; -EBUSY: its id is taken here; ...
 */
int ipc_mirror_make(struct ipc *ipc, struct ipc_seg *seg)
{
	u64 others = seg->others;
	int err = ipc->mnt ? mirror_make(ipc, seg) : -ENODEV;

	if (!err) {
		seg->others = 0;
		ipc_mirror_count(seg, others);
		return 0;
	}
	if (ipc->mnt) {
		pr_warn_ratelimited("segment %d can't be here yet (%d)\n", seg->id, err);
		queue_delayed_work(ipc_wq, &ipc->mirror_work, AGAIN);
	}
	return err;
}

/* All that are missing. Locks: shm_ids.rwsem for writing. */
void ipc_mirrors_make(struct ipc *ipc)
{
	unsigned int nofs = memalloc_nofs_save();
	struct ipc_seg *seg;
	unsigned long id;

	xa_for_each_marked(&ipc->segs, id, seg, IPC_MISSING)
		ipc_mirror_make(ipc, seg);
	memalloc_nofs_restore(nofs);
}

void ipc_mirror_work(struct work_struct *work)
{
	struct ipc *ipc = container_of(to_delayed_work(work), struct ipc, mirror_work);

	down_write(&ipc_ids()->rwsem);
	ipc_mirrors_make(ipc);
	up_write(&ipc_ids()->rwsem);
}

/**
 * ipc_mirror_count() - so many users are on other nodes
 * @seg: segment
 * @others: times they are attached
 *
 * Locks: shm_ids.rwsem for writing.
 */
void ipc_mirror_count(struct ipc_seg *seg, u64 others)
{
	struct shmid_kernel *shp = seg->shp;

	if (shp) {
		spin_lock(&shp->shm_perm.lock);
		shp->shm_nattch += others - seg->others;
		spin_unlock(&shp->shm_perm.lock);
	}
	seg->others = others;
}

/* Somebody on another node was attached or detached last. */
void ipc_mirror_users(struct ipc_seg *seg)
{
	struct shmid_kernel *shp = seg->shp;
	struct pid *pid;

	if (!shp)
		return;
	pid = ipc_pid_of(seg->lpid, false);
	spin_lock(&shp->shm_perm.lock);
	shp->shm_atim = max(shp->shm_atim, seg->atime);
	shp->shm_dtim = max(shp->shm_dtim, seg->dtime);
	swap(shp->shm_lprid, pid);
	spin_unlock(&shp->shm_perm.lock);
	put_pid(pid);
}

/* Owner and permissions have changed. */
void ipc_mirror_attr(struct ipc_seg *seg)
{
	struct shmid_kernel *shp = seg->shp;

	if (!shp)
		return;
	spin_lock(&shp->shm_perm.lock);
	shp_attr(shp, seg);
	spin_unlock(&shp->shm_perm.lock);
}

/* It is to go. One user more, and the kernel does not do it now. */
void ipc_mirror_rmid(struct ipc_seg *seg)
{
	struct shmid_kernel *shp = seg->shp;

	if (!shp)
		return;
	ipc_mirror_ref(shp);
	shp_rmid(shp);
	spin_lock(&shp->shm_perm.lock);
	shp->shm_nattch--;
	spin_unlock(&shp->shm_perm.lock);
}

/* The segment is no more. Whoever still is attached here is the last owner. */
void ipc_mirror_end(struct ipc_seg *seg)
{
	if (!seg->shp)
		return;
	ipc_mirror_count(seg, 0);
	shp_rmid(seg->shp);
	seg->shp = NULL;
}

void ipc_mirror_ref(struct shmid_kernel *shp)
{
	spin_lock(&shp->shm_perm.lock);
	shp->shm_nattch++;
	spin_unlock(&shp->shm_perm.lock);
}

static bool is_mirror(struct ipc *ipc, const struct shmid_kernel *shp)
{
	struct ipc_seg *seg = ipc_seg(ipc, shp->shm_perm.id);

	return seg && seg->shp == shp;
}

/**
 * ipc_mirror_unref() - one user less on this node
 * @ipc: node
 * @shp: mirror, or what was one; may be freed
 *
 * Locks: shm_ids.rwsem for writing.
 */
void ipc_mirror_unref(struct ipc *ipc, struct shmid_kernel *shp)
{
	bool last;

	spin_lock(&shp->shm_perm.lock);
	last = !--shp->shm_nattch;
	spin_unlock(&shp->shm_perm.lock);
	if (last && !is_mirror(ipc, shp))
		shp_rmid(shp);
}

static void detached(struct ipc *ipc, struct shmid_kernel *shp)
{
	struct pid *pid = get_pid(task_tgid(current));

	spin_lock(&shp->shm_perm.lock);
	shp->shm_dtim = ktime_get_real_seconds();
	swap(shp->shm_lprid, pid);
	spin_unlock(&shp->shm_perm.lock);
	put_pid(pid);
	ipc_mirror_unref(ipc, shp);
}

/**
 * ipc_mirror_detach() - one area that maps a mirror is gone
 * @ipc: node
 * @id: its id
 * @file: the area's file
 */
void ipc_mirror_detach(struct ipc *ipc, int id, const struct file *file)
{
	struct kern_ipc_perm *perm;
	struct shmid_kernel *shp = NULL;

	down_write(&ipc_ids()->rwsem);
	rcu_read_lock();
	perm = krg_sym(ipc_obtain_object_check)(ipc_ids(), id);
	if (!IS_ERR(perm))
		shp = container_of(perm, struct shmid_kernel, shm_perm);
	rcu_read_unlock();
	/* Who is attached keeps it. */
	if (!WARN_ON_ONCE(!shp || file_inode(shp->shm_file) != file_inode(file)))
		detached(ipc, shp);
	up_write(&ipc_ids()->rwsem);
}

/**
 * ipc_mirror_attach() - one user more of a segment's mirror
 * @ipc: node
 * @id: its id
 *
 * Return: mirror, to be given to ipc_mirror_unref(); NULL: there is no such segment.
 */
struct shmid_kernel *ipc_mirror_attach(struct ipc *ipc, int id)
{
	struct ipc_seg *seg;
	struct shmid_kernel *shp;

	down_write(&ipc_ids()->rwsem);
	seg = ipc_seg(ipc, id);
	if (seg && !seg->shp)
		ipc_mirror_make(ipc, seg);
	shp = seg ? seg->shp : NULL;
	if (shp)
		ipc_mirror_ref(shp);
	up_write(&ipc_ids()->rwsem);
	return shp;
}
