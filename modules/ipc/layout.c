// SPDX-License-Identifier: GPL-2.0-only
/*
 * Are the kernel's segments what compat/ipc/util.h says? One is made, looked at, and
 * removed, before anybody relies on it.
 */
#define pr_fmt(fmt) "krg_ipc: " fmt

#include <linux/fs.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include "ipc.h"

#define PROBE_SIZE	12345

/* What must be at the end is looked at first, then what is pointed to. */
static bool probe_right(const struct shmid_kernel *shp, const struct ipc_namespace *ns, int id)
{
	const struct inode *inode;

	if (shp->ns != ns || shp->shm_creator != current || shp->mlock_ucounts || shp->shm_lprid ||
	    shp->shm_clist.prev != &current->sysvshm.shm_clist ||
	    shp->shm_cprid != task_tgid(current) || shp->shm_atim || shp->shm_dtim ||
	    !shp->shm_ctim || shp->shm_segsz != PROBE_SIZE || shp->shm_nattch ||
	    shp->shm_perm.id != id || shp->shm_perm.mode != 0600)
		return false;
	inode = file_inode(shp->shm_file);
	return inode->i_ino == id && inode->i_size == PROBE_SIZE;
}

static bool probe_look(struct ipc_namespace *ns, int id)
{
	struct kern_ipc_perm *perm;
	bool right = false;

	rcu_read_lock();
	perm = krg_sym(ipc_obtain_object_check)(&ns->ids[IPC_SHM_IDS], id);
	if (!IS_ERR(perm))
		right = probe_right(container_of(perm, struct shmid_kernel, shm_perm), ns, id);
	rcu_read_unlock();
	return right;
}

static void probe_remove(struct ipc_namespace *ns, int id)
{
	struct ipc_ids *ids = &ns->ids[IPC_SHM_IDS];
	struct kern_ipc_perm *perm;

	down_write(&ids->rwsem);
	rcu_read_lock();
	perm = krg_sym(ipc_obtain_object_check)(ids, id);
	if (IS_ERR(perm)) {
		rcu_read_unlock();
		goto out;
	}
	spin_lock(&perm->lock);
	krg_sym(do_shm_rmid)(ns, perm);
	/* That let go of both. */
	__release(&perm->lock);
	__release(RCU);
out:
	up_write(&ids->rwsem);
}

/**
 * ipc_layout_check() - look whether this kernel is one we know
 *
 * Return: 0; -EOPNOTSUPP; the kernel can't make a segment.
 */
int __init ipc_layout_check(void)
{
	struct ipc_namespace *ns = current->nsproxy->ipc_ns;
	long id;
	bool right;

	if (*krg_data(ipc_mni_shift) != IPC_ID_SHIFT) {
		pr_err("ipcmni_extend: ids of another form\n");
		return -EOPNOTSUPP;
	}
	id = krg_sym(ksys_shmget)(IPC_PRIVATE, PROBE_SIZE, IPC_CREAT | 0600);
	if (id < 0) {
		pr_err("no segment to look at (%ld)\n", id);
		return id;
	}
	right = probe_look(ns, id);
	probe_remove(ns, id);
	if (!right)
		pr_err("this kernel's segments are not known (struct shmid_kernel)\n");
	return right ? 0 : -EOPNOTSUPP;
}
