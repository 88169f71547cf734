// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults. A page table entry is made while its object is held: an object that is
 * taken away finds all entries, and takes them too. So the kernel's finish_fault() is
 * called here, and the kernel told that there is nothing left to do.
 *
 * A fault that has to wait for another node lets go of mmap_lock if it may, as
 * those that read from a disk do. (Faults of 6.12 that hold a lock of the VMA only come
 * back with mmap_lock before they come here, as there is no map_pages.)
 */
#include <linux/file.h>
#include <linux/pagemap.h>
#include <krg/hook.h>
#include <krg/shm.h>
#include "shmfs.h"

static vm_fault_t fault_result(int err)
{
	switch (err) {
	case 0:
		return 0;
	case -ENOMEM:
		return VM_FAULT_OOM;
	default:
		return VM_FAULT_SIGBUS;
	}
}

static bool fault_writes(const struct vm_fault *vmf)
{
	return vmf->flags & FAULT_FLAG_WRITE && vmf->vma->vm_flags & VM_SHARED;
}

static bool fault_copies(const struct vm_fault *vmf)
{
	return vmf->flags & FAULT_FLAG_WRITE && !(vmf->vma->vm_flags & VM_SHARED);
}

/* Without mmap_lock; then the fault is made again. */
static vm_fault_t fault_wait_unlocked(struct vm_fault *vmf, unsigned int how)
{
	struct file *file = get_file(vmf->vma->vm_file);
	unsigned int flags = vmf->flags;
	u64 index = vmf->pgoff;
	struct page *page;

	mmap_read_unlock(vmf->vma->vm_mm);
	if (!(flags & FAULT_FLAG_INTERRUPTIBLE))
		how |= SHMFS_KILLABLE;
	/* An error comes again, with more to be told about it. */
	if (!shmfs_hold(file_inode(file), index, how, &page))
		shmfs_put(file_inode(file), index, how);
	fput(file);
	return VM_FAULT_RETRY | VM_FAULT_MAJOR;
}

/* Return: 0: *@page is held. */
static vm_fault_t fault_hold(struct vm_fault *vmf, unsigned int how, struct page **page)
{
	struct file *file = vmf->vma->vm_file;
	int err = shmfs_hold_next(file, vmf->pgoff, how | SHMFS_NOWAIT, page);

	if (err != -EAGAIN)
		return fault_result(err);
	if (fault_flag_allow_retry_first(vmf->flags)) {
		if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
			return VM_FAULT_RETRY;
		return fault_wait_unlocked(vmf, how);
	}
	return fault_result(shmfs_hold(file_inode(file), vmf->pgoff, how | SHMFS_KILLABLE, page));
}

/* The entry, while the object is held. */
static vm_fault_t fault_map(struct vm_fault *vmf, struct page *page)
{
	vm_fault_t ret;

	get_page(page);
	lock_page(page);
	vmf->page = page;
	ret = krg_sym(finish_fault)(vmf);
	unlock_page(page);
	if (ret)
		put_page(page);
	return ret ?: VM_FAULT_NOPAGE;
}

/*
 * Pages that came ahead of who reads one after the other are mapped together with the one
 * he came to. What is up to date in the page cache may be read: linker_unmap().
 */
static void fault_around(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct inode *inode = file_inode(vma->vm_file);
	u64 end = DIV_ROUND_UP_ULL(i_size_read(inode), PAGE_SIZE);
	u64 room = PTRS_PER_PTE - pte_index(vmf->address);

	end = min3(end, vmf->pgoff + min(room, SHMFS_AROUND),
		   (u64)vma->vm_pgoff + vma_pages(vma));
	if (end > vmf->pgoff + 1)
		filemap_map_pages(vmf, vmf->pgoff + 1, end - 1);
}

/**
 * krg_shm_fault() - fault of files of krgshm, for who has vm_ops of his own
 * @vmf: fault
 */
vm_fault_t krg_shm_fault(struct vm_fault *vmf)
{
	unsigned int how = SHMFS_ALLOC | (fault_writes(vmf) ? SHMFS_WRITE : 0);
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct page *page;
	vm_fault_t ret;

	ret = fault_hold(vmf, how, &page);
	if (ret)
		return ret;
	if (fault_copies(vmf)) {
		/* Whatever becomes of the page, these bytes stay until they are copied. */
		get_page(page);
		vmf->page = page;
	} else {
		ret = fault_map(vmf, page);
	}
	shmfs_put(inode, vmf->pgoff, how);
	if (ret == VM_FAULT_NOPAGE && !(vmf->flags & FAULT_FLAG_WRITE) &&
	    shmfs_is_read_on(vmf->vma->vm_file))
		fault_around(vmf);
	return ret;
}
EXPORT_SYMBOL_GPL(krg_shm_fault);

/**
 * krg_shm_page_mkwrite() - page_mkwrite, likewise
 * @vmf: fault
 *
 * The page is mapped for reading. It may be made writable at once; else its entry goes,
 * and the fault that follows may let go of mmap_lock, which this one can't.
 */
vm_fault_t krg_shm_page_mkwrite(struct vm_fault *vmf)
{
	unsigned int how = SHMFS_ALLOC | SHMFS_WRITE;
	struct file *file = vmf->vma->vm_file;
	struct page *page, *old = vmf->page;
	vm_fault_t ret = VM_FAULT_NOPAGE;
	int err;

	err = shmfs_hold(file_inode(file), vmf->pgoff, how | SHMFS_NOWAIT, &page);
	if (err && err != -EAGAIN)
		return fault_result(err);
	unmap_mapping_pages(file->f_mapping, vmf->pgoff, 1, false);
	if (err)
		return ret;
	ret = fault_map(vmf, page);
	shmfs_put(file_inode(file), vmf->pgoff, how);
	vmf->page = old;
	return ret;
}
EXPORT_SYMBOL_GPL(krg_shm_page_mkwrite);

static const struct vm_operations_struct shmfs_vm_ops = {
	.fault = krg_shm_fault,
	.page_mkwrite = krg_shm_page_mkwrite,
};

/* Memory of a shared file, not a private copy. */
bool shmfs_vma_shared(const struct vm_area_struct *vma)
{
	bool ours = vma->vm_ops == &shmfs_vm_ops || (vma->vm_file && krg_shm_kept(vma->vm_file));

	return ours && vma->vm_flags & VM_MAYSHARE;
}

int shmfs_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &shmfs_vm_ops;
	return 0;
}
