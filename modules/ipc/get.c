// SPDX-License-Identifier: GPL-2.0-only
/*
 * shmget(). All its entries, those of 32 bits too, come to the kernel's ipcget(). A
 * segment that exists is found there, among the mirrors; one that does not is made by an
 * operation.
 */
#include <linux/cred.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>
#include <linux/uidgid.h>
#include <net/net_namespace.h>
#include <uapi/linux/shm.h>
#include <krg/shm.h>
#include "ipc.h"

static int ipc_get(struct ipc_namespace *ns, struct ipc_ids *ids, const struct ipc_ops *ops,
		   struct ipc_params *params);
static KRG_REDIRECT(get_redirect, ipcget, ipc_get);

static bool is_in(const struct ipc *ipc)
{
	return !READ_ONCE(ipc->late) && krg_cluster_is_up(ipc->net);
}

/**
 * ipc_use() - is a call of the current task the cluster's?
 * @ipc: node
 *
 * Waits for a node that has just joined to be ready.
 *
 * Return: 1; 0: it is for this node alone; -EINTR; -ENOMEM: there should be mirrors and
 * can't be.
 */
int ipc_use(struct ipc *ipc)
{
	if (current->nsproxy->ipc_ns != ipc_ns())
		return 0;
	if (wait_event_killable(ipc->wait, !is_in(ipc) || READ_ONCE(ipc->mnt) ||
				READ_ONCE(ipc->mount_err)))
		return -EINTR;
	if (!is_in(ipc))
		return 0;
	return READ_ONCE(ipc->mnt) ? 1 : -ENOMEM;
}

/* This node's limits, as ipc/shm.c has them, but for how many there may be. */
static int get_limits(const struct ipc_namespace *ns, size_t size)
{
	size_t pages = DIV_ROUND_UP_ULL(size, PAGE_SIZE);

	if (!size || size > ns->shm_ctlmax)
		return -EINVAL;
	if (pages << PAGE_SHIFT < size || ns->shm_tot + pages < ns->shm_tot ||
	    ns->shm_tot + pages > ns->shm_ctlall)
		return -ENOSPC;
	return ns->ids[IPC_SHM_IDS].in_use >= ns->shm_ctlmni ? -ENOSPC : 0;
}

/* Others have it; if this node can't, there is none. */
static int get_created(struct ipc *ipc, int id)
{
	struct ipc_op op = { .type = IPC_OP_RMID, .id = id };
	struct ipc_seg *seg;
	int err = 0;

	down_write(&ipc_ids()->rwsem);
	seg = ipc_seg(ipc, id);
	if (seg && !seg->shp)
		err = ipc_mirror_make(ipc, seg);
	up_write(&ipc_ids()->rwsem);
	if (!err)
		return id;
	ipc_submit(ipc, &op, NULL);
	return -ENOMEM;
}

static int get_create(struct ipc *ipc, struct ipc_namespace *ns, const struct ipc_params *params)
{
	struct krg_kddm_id set = krg_shm_id(ipc->net);
	struct ipc_op op = {
		.type = IPC_OP_CREATE, .key = params->key, .size = params->u.size,
		.mode = params->flg & IPC_RIGHTS, .uid = __kuid_val(current_euid()),
		.gid = __kgid_val(current_egid()), .pid = task_tgid_nr(current),
		.limit = ns->shm_ctlmni, .number = set.number, .born = set.born,
		.now = ktime_get_real_seconds(),
	};
	int id, err;

	/* Pages of one size only travel. */
	if (params->flg & SHM_HUGETLB)
		return -EOPNOTSUPP;
	err = get_limits(ns, params->u.size) ?: ipc_submit(ipc, &op, &id);
	return err ?: get_created(ipc, id);
}

static int seg_check(struct ipc_namespace *ns, const struct ipc_seg *seg,
		     const struct ipc_params *params)
{
	struct kern_ipc_perm *perm = &seg->shp->shm_perm;

	if (seg->size < params->u.size)
		return -EINVAL;
	if (krg_sym(ipcperms)(ns, perm, params->flg))
		return -EACCES;
	return krg_sym(security_shm_associate)(perm, params->flg) ?: seg->id;
}

/* One whose mirror had to leave its key to a local one, by now gone; or that has just come. */
static int get_by_key(struct ipc *ipc, struct ipc_namespace *ns, const struct ipc_params *params)
{
	struct ipc_seg *seg;
	int ret = -ENOENT;

	down_write(&ipc_ids()->rwsem);
	seg = ipc_seg_of_key(ipc, params->key);
	if (seg)
		ret = seg->shp ? 0 : ipc_mirror_make(ipc, seg);
	if (!ret)
		ret = seg_check(ns, seg, params);
	up_write(&ipc_ids()->rwsem);
	return ret;
}

static int get_found(struct ipc *ipc, struct ipc_namespace *ns, struct ipc_ids *ids,
		     const struct ipc_ops *ops, const struct ipc_params *params)
{
	struct ipc_params look = *params;
	int ret;

	if (params->key == IPC_PRIVATE)
		return -ENOENT;
	look.flg &= ~IPC_CREAT;
	ret = krg_sym(ipcget)(ns, ids, ops, &look);
	if (ret == -ENOENT)
		ret = get_by_key(ipc, ns, params);
	if (ret != -ENOENT && params->flg & IPC_CREAT && params->flg & IPC_EXCL)
		return -EEXIST;
	return ret;
}

static int get(struct ipc *ipc, struct ipc_namespace *ns, struct ipc_ids *ids,
	       const struct ipc_ops *ops, const struct ipc_params *params)
{
	int ret;

	do {
		ret = get_found(ipc, ns, ids, ops, params);
		if (ret != -ENOENT || (params->key != IPC_PRIVATE && !(params->flg & IPC_CREAT)))
			return ret;
		ret = get_create(ipc, ns, params);
		/* Somebody else was faster: look again. */
	} while (ret == -EEXIST);
	return ret;
}

static int ipc_get(struct ipc_namespace *ns, struct ipc_ids *ids, const struct ipc_ops *ops,
		   struct ipc_params *params)
{
	struct ipc *ipc = ipc_first();
	int ret = ids == ipc_ids() ? ipc_use(ipc) : 0;

	if (!ret)
		ret = krg_sym(ipcget)(ns, ids, ops, params);
	else if (ret > 0)
		ret = get(ipc, ns, ids, ops, params);
	krg_redirect_exit(&get_redirect);
	return ret;
}

int __init ipc_get_init(void)
{
	return krg_redirect_add(&get_redirect);
}

void ipc_get_exit(void)
{
	krg_redirect_del(&get_redirect);
}
