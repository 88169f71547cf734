// SPDX-License-Identifier: GPL-2.0-only
/*
 * shmat(), shmdt(), and what shmctl() changes: IPC_SET, IPC_RMID. All their entries, those
 * of 32 bits too, come to these functions of ipc/shm.c.
 */
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>
#include <linux/uidgid.h>
#include <asm/shmbuf.h>
#include "ipc.h"

static long ipc_shmat(int id, char __user *addr, int flags, unsigned long *raddr,
		      unsigned long shmlba);
static int ipc_shmctl(struct ipc_namespace *ns, int id, int cmd, struct shmid64_ds *arg);
static long ipc_shmdt(char __user *addr);
static KRG_REDIRECT(shmat_redirect, do_shmat, ipc_shmat);
static KRG_REDIRECT(shmctl_redirect, shmctl_down, ipc_shmctl);
static KRG_REDIRECT(shmdt_redirect, ksys_shmdt, ipc_shmdt);

/* All nodes know of the user before there is one: from then on nobody destroys it. */
static long mirror_shmat(struct ipc *ipc, struct shmid_kernel *shp, int id, char __user *addr,
			 int flags, unsigned long *raddr, unsigned long shmlba)
{
	long ret = ipc_tell(ipc, id, true);

	if (!ret)
		ret = krg_sym(do_shmat)(id, addr, flags, raddr, shmlba);
	down_write(&ipc_ids()->rwsem);
	ipc_mirror_unref(ipc, shp);
	up_write(&ipc_ids()->rwsem);
	ipc_tell_later(ipc, id);
	return ret;
}

static long ipc_shmat(int id, char __user *addr, int flags, unsigned long *raddr,
		      unsigned long shmlba)
{
	struct ipc *ipc = ipc_first();
	struct shmid_kernel *shp = NULL;
	long ret = ipc_use(ipc);

	if (ret > 0)
		shp = ipc_mirror_attach(ipc, id);
	if (shp)
		ret = mirror_shmat(ipc, shp, id, addr, flags, raddr, shmlba);
	else if (ret >= 0)
		ret = krg_sym(do_shmat)(id, addr, flags, raddr, shmlba);
	krg_redirect_exit(&shmat_redirect);
	return ret;
}

/* May the caller do it? As in ipc/shm.c. Return: 1; 0: not the cluster's; -EPERM, ... */
static int ctl_check(struct ipc *ipc, int id, int cmd, struct shmid64_ds *arg)
{
	struct kern_ipc_perm *perm;
	struct ipc_seg *seg;
	int ret = 0;

	down_write(&ipc_ids()->rwsem);
	seg = ipc_seg(ipc, id);
	if (seg && !seg->shp)
		ret = ipc_mirror_make(ipc, seg);
	if (seg && !ret) {
		rcu_read_lock();
		perm = krg_sym(ipcctl_obtain_check)(ipc_ns(), ipc_ids(), id, cmd, &arg->shm_perm,
						    0);
		ret = IS_ERR(perm) ? PTR_ERR(perm) : krg_sym(security_shm_shmctl)(perm, cmd);
		rcu_read_unlock();
		ret = ret ?: 1;
	}
	up_write(&ipc_ids()->rwsem);
	return ret;
}

static int ctl_set(struct ipc *ipc, int id, const struct ipc64_perm *perm)
{
	kuid_t uid = make_kuid(current_user_ns(), perm->uid);
	kgid_t gid = make_kgid(current_user_ns(), perm->gid);
	struct ipc_op op = {
		.type = IPC_OP_SET, .id = id, .mode = perm->mode & IPC_RIGHTS,
		.uid = __kuid_val(uid), .gid = __kgid_val(gid), .now = ktime_get_real_seconds(),
	};

	return uid_valid(uid) && gid_valid(gid) ? ipc_submit(ipc, &op, NULL) : -EINVAL;
}

static int ctl_rmid(struct ipc *ipc, int id)
{
	struct ipc_op op = { .type = IPC_OP_RMID, .id = id };

	return ipc_submit(ipc, &op, NULL);
}

static int ipc_shmctl(struct ipc_namespace *ns, int id, int cmd, struct shmid64_ds *arg)
{
	struct ipc *ipc = ipc_first();
	int ret = ipc_use(ipc);

	if (ret > 0)
		ret = ctl_check(ipc, id, cmd, arg);
	if (!ret)
		ret = krg_sym(shmctl_down)(ns, id, cmd, arg);
	else if (ret > 0)
		ret = cmd == IPC_SET ? ctl_set(ipc, id, &arg->shm_perm) : ctl_rmid(ipc, id);
	krg_redirect_exit(&shmctl_redirect);
	return ret;
}

/* Is it (a rest of) a segment that was attached at @addr? */
static bool attached_at(const struct vm_area_struct *vma, unsigned long addr)
{
	return (ipc_vma_is(vma) || vma->vm_ops == krg_data(shm_vm_ops)) &&
	       (vma->vm_start - addr) / PAGE_SIZE == vma->vm_pgoff;
}

static struct vm_area_struct *next_at(struct mm_struct *mm, unsigned long from, unsigned long addr)
{
	struct vm_area_struct *vma = find_vma(mm, from);

	while (vma && !attached_at(vma, addr))
		vma = find_vma(mm, vma->vm_end);
	return vma;
}

/*
 * As ksys_shmdt(), which does not know our areas. What is left of the segment is within
 * its size, and of the same file: others may have come between.
 */
static void detach_all(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr)
{
	unsigned long size = PAGE_ALIGN(i_size_read(file_inode(vma->vm_file)));
	const struct file *file = vma->vm_file;
	unsigned long end;

	for (; vma && vma->vm_end - addr <= size; vma = next_at(mm, end, addr)) {
		end = vma->vm_end;
		/* What fails stays, as in the kernel. */
		if (vma->vm_file == file)
			krg_sym(do_munmap)(mm, vma->vm_start, end - vma->vm_start, NULL);
	}
}

/* Return: the segment's id; -ENOENT: it is none of ours; -EINTR. */
static int detach(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma;
	int id = -ENOENT;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	vma = next_at(mm, addr, addr);
	if (vma && ipc_vma_is(vma)) {
		id = ipc_vma_id(vma);
		detach_all(mm, vma, addr);
	}
	mmap_write_unlock(mm);
	return id;
}

/* If others can't be told now, they will be. */
static long ipc_shmdt(char __user *user)
{
	unsigned long addr = (unsigned long)user;
	int id = addr & ~PAGE_MASK ? -ENOENT : detach(current->mm, addr);
	long ret = 0;

	if (id >= 0)
		ipc_tell(ipc_first(), id, false);
	else if (id == -ENOENT)
		ret = krg_sym(ksys_shmdt)(user);
	else
		ret = id;
	krg_redirect_exit(&shmdt_redirect);
	return ret;
}

int __init ipc_call_init(void)
{
	int err;

	err = krg_redirect_add(&shmat_redirect);
	if (err)
		return err;
	err = krg_redirect_add(&shmctl_redirect);
	if (err)
		goto del_shmat;
	err = krg_redirect_add(&shmdt_redirect);
	if (err)
		goto del_shmctl;
	return 0;

del_shmctl:
	krg_redirect_del(&shmctl_redirect);
del_shmat:
	krg_redirect_del(&shmat_redirect);
	return err;
}

void ipc_call_exit(void)
{
	krg_redirect_del(&shmdt_redirect);
	krg_redirect_del(&shmctl_redirect);
	krg_redirect_del(&shmat_redirect);
}
