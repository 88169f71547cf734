// SPDX-License-Identifier: GPL-2.0-only
/*
 * Areas that map a mirror. They are what the kernel's are, but for
 *   - page_mkwrite, which ipc/shm.c has no use for, and without which pages others have
 *     copies of would be written to;
 *   - the last detaching, which does not destroy;
 *   - who forks or ends is counted on other nodes too.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <krg/shm.h>
#include "ipc.h"

static const struct vm_operations_struct ipc_vm_ops;

/* ipc/shm.c gives its files' inodes the id for a number. */
int ipc_vma_id(const struct vm_area_struct *vma)
{
	return file_inode(vma->vm_file)->i_ino;
}

bool ipc_vma_is(const struct vm_area_struct *vma)
{
	return vma->vm_ops == &ipc_vm_ops;
}

static void ipc_vma_open(struct vm_area_struct *vma)
{
	__module_get(THIS_MODULE);
	krg_sym(shm_open)(vma);
	ipc_tell_later(ipc_first(), ipc_vma_id(vma));
}

static void ipc_vma_close(struct vm_area_struct *vma)
{
	ipc_mirror_detach(ipc_first(), ipc_vma_id(vma), vma->vm_file);
	ipc_tell_later(ipc_first(), ipc_vma_id(vma));
	/* krg_redirect_del() waits for who is not yet out of here. */
	module_put(THIS_MODULE);
}

static const struct vm_operations_struct ipc_vm_ops = {
	.open = ipc_vma_open,
	.close = ipc_vma_close,
	.fault = krg_shm_fault,
	.page_mkwrite = krg_shm_page_mkwrite,
};

static int ipc_mmap(struct file *file, struct vm_area_struct *vma);
static KRG_REDIRECT(mmap_redirect, shm_mmap, ipc_mmap);

static int kept_mmap(struct file *file, struct vm_area_struct *vma)
{
	int err;

	if (!try_module_get(THIS_MODULE))
		return -EIDRM;
	err = krg_sym(shm_mmap)(file, vma);
	if (err) {
		module_put(THIS_MODULE);
		return err;
	}
	vma->vm_ops = &ipc_vm_ops;
	ipc_tell_later(ipc_first(), ipc_vma_id(vma));
	return 0;
}

static int ipc_mmap(struct file *file, struct vm_area_struct *vma)
{
	int err = krg_shm_kept(file) ? kept_mmap(file, vma) : krg_sym(shm_mmap)(file, vma);

	krg_redirect_exit(&mmap_redirect);
	return err;
}

int __init ipc_vma_init(void)
{
	return krg_redirect_add(&mmap_redirect);
}

void ipc_vma_exit(void)
{
	krg_redirect_del(&mmap_redirect);
}
