// SPDX-License-Identifier: GPL-2.0-only
/*
 * The address space: its layout (MM), auxiliary vector (AUXV) and areas (VMA).
 * What is in the areas: pages.c.
 *
 * The new task starts with a copy of the requester's address space, which is
 * emptied; the vDSO comes first, at its old place, then area by area.
 */
#include <linux/binfmts.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/unistd.h>
#include <asm/elf.h>
#include <asm/vdso.h>
#include <uapi/linux/auxvec.h>

#include "../proc.h"
#include "mm.h"

#define MM_AUXV_PAIRS (AT_VECTOR_SIZE / 2)

static u32 mm_vdso_crc(const struct vdso_image *image)
{
	return krg_ghost_crc(0, image->data, image->size);
}

static bool mm_noexec(const struct path *path)
{
	return krg_sym(path_noexec)(path);
}

/* The plain numbers of struct mm_struct that are saved. */
static const struct {
	size_t mm;
	size_t rec;
} mm_fields[] = {
	{ offsetof(struct mm_struct, start_code), offsetof(struct krg_ghost_mm, start_code) },
	{ offsetof(struct mm_struct, end_code), offsetof(struct krg_ghost_mm, end_code) },
	{ offsetof(struct mm_struct, start_data), offsetof(struct krg_ghost_mm, start_data) },
	{ offsetof(struct mm_struct, end_data), offsetof(struct krg_ghost_mm, end_data) },
	{ offsetof(struct mm_struct, start_brk), offsetof(struct krg_ghost_mm, start_brk) },
	{ offsetof(struct mm_struct, brk), offsetof(struct krg_ghost_mm, brk) },
	{ offsetof(struct mm_struct, start_stack), offsetof(struct krg_ghost_mm, start_stack) },
	{ offsetof(struct mm_struct, mmap_base), offsetof(struct krg_ghost_mm, mmap_base) },
	{ offsetof(struct mm_struct, arg_start), offsetof(struct krg_ghost_mm, arg_start) },
	{ offsetof(struct mm_struct, arg_end), offsetof(struct krg_ghost_mm, arg_end) },
	{ offsetof(struct mm_struct, env_start), offsetof(struct krg_ghost_mm, env_start) },
	{ offsetof(struct mm_struct, env_end), offsetof(struct krg_ghost_mm, env_end) },
};

static unsigned long *mm_field(struct mm_struct *mm, size_t i)
{
	return (void *)mm + mm_fields[i].mm;
}

static u64 mm_field_of(const struct krg_ghost_mm *rec, size_t i)
{
	return le64_to_cpup((const void *)rec + mm_fields[i].rec);
}

static void mm_save_vdso(struct krg_ghost_mm *rec, const struct mm_struct *mm)
{
	const struct vdso_image *image = mm->context.vdso_image;
	unsigned long vdso = (unsigned long)mm->context.vdso;

	if (!image || !vdso)
		return;
	rec->vdso = cpu_to_le64(vdso);
	rec->vdso_size = cpu_to_le64(image->size);
	rec->vvar = cpu_to_le64(vdso + image->sym_vvar_start);
	rec->vvar_size = cpu_to_le64(-image->sym_vvar_start);
	rec->vdso_crc = cpu_to_le32(mm_vdso_crc(image));
}

static int mm_save(struct krg_ghost_stream *stream, void *ctx)
{
	struct mm_struct *mm = current->mm;
	struct krg_ghost_mm rec = {};
	struct file *exe;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mm_fields); i++)
		*(__le64 *)((void *)&rec + mm_fields[i].rec) = cpu_to_le64(*mm_field(mm, i));
	rec.def_flags = cpu_to_le64(mm->def_flags & VM_LOCKED);
	rec.dumpable = cpu_to_le32(get_dumpable(mm));
	rec.nr_vmas = cpu_to_le32(mm->map_count);
	if (test_bit(MMF_DISABLE_THP, &mm->flags))
		rec.flags = cpu_to_le32(KRG_GHOST_MM_THP_DISABLE);
	mm_save_vdso(&rec, mm);
	exe = krg_sym(get_task_exe_file)(current);
	if (!exe)
		return proc_why(ctx, -EOPNOTSUPP, "exe: the process has no executable");
	rec.exe = cpu_to_le32(proc_file_add(ctx, exe, -1));
	fput(exe);
	if (!rec.exe)
		return -ENOMEM;
	return krg_ghost_write(stream, KRG_GHOST_R_MM, &rec, sizeof(rec));
}

/* Nothing of the requester's address space may be left. */
static int mm_clear(struct proc_ghost *g)
{
	struct mm_struct *mm = current->mm;
	int err = vm_munmap(0, TASK_SIZE_MAX);

	if (err)
		return proc_why(g, err, "the caller's memory cannot be left");
	mm->def_flags = 0;
	mm->context.vdso = NULL;
	mm->context.vdso_image = NULL;
	clear_bit(MMF_DISABLE_THP, &mm->flags);
	return 0;
}

static int mm_load_vdso(struct proc_ghost *g, const struct krg_ghost_mm *rec)
{
	const struct vdso_image *image = krg_data(vdso_image_64);
	u64 vdso = le64_to_cpu(rec->vdso);
	int err;

	if (!vdso)
		return 0;
	if (le64_to_cpu(rec->vdso_size) != image->size ||
	    le64_to_cpu(rec->vvar) != vdso + image->sym_vvar_start ||
	    le32_to_cpu(rec->vdso_crc) != mm_vdso_crc(image))
		return proc_why(g, -EOPNOTSUPP, "vdso: this kernel's vDSO is another one");
	err = krg_sym(map_vdso_once)(image, le64_to_cpu(rec->vvar));
	if (!err && (unsigned long)current->mm->context.vdso != vdso)
		err = -EADDRINUSE;
	return err ? proc_why(g, err, "vdso: it cannot be at its old address") : 0;
}

static int mm_load_exe(struct proc_ghost *g, u32 id)
{
	struct file *exe = proc_file_get(g, id);
	int err;

	if (!exe || !S_ISREG(file_inode(exe)->i_mode) || mm_noexec(&exe->f_path))
		return proc_why(g, -EACCES, "its executable cannot be executed");
	err = file_permission(exe, MAY_EXEC);
	if (!err)
		err = krg_sym(replace_mm_exe_file)(current->mm, exe);
	return err ? proc_why(g, err, "its executable cannot be executed") : 0;
}

static int mm_load_layout(struct proc_ghost *g, const struct krg_ghost_mm *rec)
{
	struct mm_struct *mm = current->mm;
	bool bad = false;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mm_fields); i++)
		bad |= mm_field_of(rec, i) >= TASK_SIZE_MAX;
	bad |= le64_to_cpu(rec->start_brk) > le64_to_cpu(rec->brk);
	bad |= le32_to_cpu(rec->dumpable) > SUID_DUMP_ROOT;
	if (bad)
		return proc_why(g, -EBADMSG, "its memory layout is not valid");
	mmap_write_lock(mm);
	spin_lock(&mm->arg_lock);
	for (i = 0; i < ARRAY_SIZE(mm_fields); i++)
		*mm_field(mm, i) = mm_field_of(rec, i);
	spin_unlock(&mm->arg_lock);
	mmap_write_unlock(mm);
	set_mask_bits(&mm->flags, MMF_DUMPABLE_MASK, le32_to_cpu(rec->dumpable));
	if (le32_to_cpu(rec->flags) & KRG_GHOST_MM_THP_DISABLE)
		set_bit(MMF_DISABLE_THP, &mm->flags);
	return 0;
}

static int mm_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item, void *ctx)
{
	const struct krg_ghost_mm *rec = item->data;
	struct proc_ghost *g = ctx;
	int err;

	memcpy(&g->mm, rec, sizeof(g->mm));
	err = mm_clear(g);
	if (!err)
		err = mm_load_vdso(g, rec);
	if (!err)
		err = mm_load_exe(g, le32_to_cpu(rec->exe));
	if (!err)
		err = mm_load_layout(g, rec);
	return err;
}

static int auxv_save(struct krg_ghost_stream *stream, void *ctx)
{
	const unsigned long *v = current->mm->saved_auxv;
	struct krg_ghost_auxv *rec;
	u32 i, nr = 0;
	int err;

	rec = kcalloc(MM_AUXV_PAIRS + 1, sizeof(*rec), GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	for (i = 0; i < MM_AUXV_PAIRS && v[2 * i] != AT_NULL; i++) {
		rec[nr].type = cpu_to_le64(v[2 * i]);
		rec[nr++].value = cpu_to_le64(v[2 * i + 1]);
	}
	nr++;	/* AT_NULL */
	err = krg_ghost_write(stream, KRG_GHOST_R_AUXV, rec, nr * sizeof(*rec));
	kfree(rec);
	return err;
}

static int auxv_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item, void *ctx)
{
	const struct krg_ghost_auxv *rec = item->data;
	struct mm_struct *mm = current->mm;
	u32 i, nr = item->len / sizeof(*rec);

	if (nr > MM_AUXV_PAIRS)
		return proc_why(ctx, -EBADMSG, "its auxiliary vector is too long for this kernel");
	task_lock(current);
	memset(mm->saved_auxv, 0, sizeof(mm->saved_auxv));
	for (i = 0; i < nr; i++) {
		mm->saved_auxv[2 * i] = le64_to_cpu(rec[i].type);
		mm->saved_auxv[2 * i + 1] = le64_to_cpu(rec[i].value);
	}
	task_unlock(current);
	return 0;
}

static const struct {
	unsigned long vm;
	u32 advice;
	int madvise;	/* how to say it, 0: not by madvise() */
} vma_advice[] = {
	{ VM_LOCKED, KRG_GHOST_ADVICE_LOCKED, 0 },
	{ VM_LOCKONFAULT, KRG_GHOST_ADVICE_LOCKONFAULT, 0 },
	{ VM_DONTCOPY, KRG_GHOST_ADVICE_DONTFORK, MADV_DONTFORK },
	{ VM_DONTDUMP, KRG_GHOST_ADVICE_DONTDUMP, MADV_DONTDUMP },
	{ VM_WIPEONFORK, KRG_GHOST_ADVICE_WIPEONFORK, MADV_WIPEONFORK },
	{ VM_HUGEPAGE, KRG_GHOST_ADVICE_HUGEPAGE, MADV_HUGEPAGE },
	{ VM_NOHUGEPAGE, KRG_GHOST_ADVICE_NOHUGEPAGE, MADV_NOHUGEPAGE },
	{ VM_MERGEABLE, KRG_GHOST_ADVICE_MERGEABLE, MADV_MERGEABLE },
	{ VM_SEQ_READ, KRG_GHOST_ADVICE_SEQUENTIAL, MADV_SEQUENTIAL },
	{ VM_RAND_READ, KRG_GHOST_ADVICE_RANDOM, MADV_RANDOM },
};

/**
 * proc_vma_kind() - which kind of area it is in the image
 * @vma: the area; mmap lock held
 *
 * Return: enum krg_ghost_vma_kind; -EOPNOTSUPP for a special one that is none of those.
 */
int proc_vma_kind(struct vm_area_struct *vma)
{
	const struct mm_struct *mm = vma->vm_mm;
	const struct vdso_image *image = mm->context.vdso_image;
	unsigned long vdso = (unsigned long)mm->context.vdso;

	if (image && vdso && vma->vm_start == vdso)
		return KRG_GHOST_VMA_VDSO;
	if (image && vdso && vma->vm_start == vdso + image->sym_vvar_start)
		return KRG_GHOST_VMA_VVAR;
	if (vma->vm_file)
		return KRG_GHOST_VMA_FILE;
	if (!vma_is_anonymous(vma))
		return -EOPNOTSUPP;
	return vma->vm_flags & VM_GROWSDOWN ? KRG_GHOST_VMA_STACK : KRG_GHOST_VMA_ANON;
}

static void vma_fill(struct krg_ghost_vma *rec, const struct vm_area_struct *vma, int kind)
{
	u32 prot = 0, advice = 0, what = 0, flags = MAP_PRIVATE;
	size_t i;

	prot |= vma->vm_flags & VM_READ ? PROT_READ : 0;
	prot |= vma->vm_flags & VM_WRITE ? PROT_WRITE : 0;
	prot |= vma->vm_flags & VM_EXEC ? PROT_EXEC : 0;
	what |= vma->vm_flags & VM_MAYREAD ? KRG_GHOST_VMA_MAYREAD : 0;
	what |= vma->vm_flags & VM_MAYWRITE ? KRG_GHOST_VMA_MAYWRITE : 0;
	what |= vma->vm_flags & VM_MAYEXEC ? KRG_GHOST_VMA_MAYEXEC : 0;
	what |= vma->vm_flags & VM_ACCOUNT ? KRG_GHOST_VMA_ACCOUNT : 0;
	if (kind != KRG_GHOST_VMA_VVAR && kind != KRG_GHOST_VMA_VDSO) {
		for (i = 0; i < ARRAY_SIZE(vma_advice); i++)
			advice |= vma->vm_flags & vma_advice[i].vm ? vma_advice[i].advice : 0;
	}
	if (vma->vm_flags & VM_MAYSHARE)
		flags = MAP_SHARED;
	flags |= vma->vm_flags & VM_GROWSDOWN ? MAP_GROWSDOWN : 0;
	flags |= vma->vm_flags & VM_NORESERVE ? MAP_NORESERVE : 0;
	rec->start = cpu_to_le64(vma->vm_start);
	rec->end = cpu_to_le64(vma->vm_end);
	if (kind == KRG_GHOST_VMA_FILE)
		rec->offset = cpu_to_le64((u64)vma->vm_pgoff << PAGE_SHIFT);
	rec->prot = cpu_to_le32(prot);
	rec->flags = cpu_to_le32(flags);
	rec->kind = cpu_to_le32(kind);
	rec->advice = cpu_to_le32(advice);
	rec->what = cpu_to_le32(what);
}

/* Areas change only by the hand of their own, single, frozen task: this one. */
static int vma_save(struct krg_ghost_stream *stream, void *ctx)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	unsigned long next = 0;
	int kind, err = 0;

	do {
		struct krg_ghost_vma rec = {};
		struct file *file = NULL;

		mmap_read_lock(mm);
		vma = find_vma(mm, next);
		if (vma) {
			next = vma->vm_end;
			kind = proc_vma_kind(vma);
			vma_fill(&rec, vma, kind);
			if (vma->vm_file)
				file = get_file(vma->vm_file);
		}
		mmap_read_unlock(mm);
		if (!vma)
			break;
		if (kind < 0)
			return proc_why(ctx, kind, "area: %#lx is of an unknown kind", next);
		if (file) {
			rec.file = cpu_to_le32(proc_file_add(ctx, file, -1));
			fput(file);
			if (!rec.file)
				return -ENOMEM;
		}
		err = krg_ghost_write(stream, KRG_GHOST_R_VMA, &rec, sizeof(rec));
	} while (!err);
	return err;
}

static int vma_load_advice(struct proc_ghost *g, const struct krg_ghost_vma *rec)
{
	u64 start = le64_to_cpu(rec->start), len = le64_to_cpu(rec->end) - start;
	u32 advice = le32_to_cpu(rec->advice);
	long err = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vma_advice) && !err; i++) {
		if (!(advice & vma_advice[i].advice) || !vma_advice[i].madvise)
			continue;
		err = proc_syscall(__NR_madvise, start, len, vma_advice[i].madvise, 0);
	}
	if (!err && advice & KRG_GHOST_ADVICE_LOCKED)
		err = proc_syscall(__NR_mlock2, start, len,
				   advice & KRG_GHOST_ADVICE_LOCKONFAULT ? MLOCK_ONFAULT : 0, 0);
	return err ? proc_why(g, err, "area: %#llx cannot be treated as before", start) : 0;
}

static int vma_load_map(struct proc_ghost *g, const struct krg_ghost_vma *rec)
{
	u64 start = le64_to_cpu(rec->start), len = le64_to_cpu(rec->end) - start;
	unsigned long flags = MAP_FIXED_NOREPLACE, addr;
	u32 kind = le32_to_cpu(rec->kind);
	struct file *file = NULL;

	flags |= le32_to_cpu(rec->flags) & (MAP_GROWSDOWN | MAP_NORESERVE);
	flags |= le32_to_cpu(rec->flags) & MAP_SHARED ? MAP_SHARED : MAP_PRIVATE;
	if (kind == KRG_GHOST_VMA_FILE) {
		file = proc_file_get(g, le32_to_cpu(rec->file));
		if (!file || !S_ISREG(file_inode(file)->i_mode))
			return proc_why(g, -EBADMSG, "area: %#llx has no file", start);
	} else {
		if (flags & MAP_SHARED)
			return proc_why(g, -EBADMSG, "area: %#llx is shared memory", start);
		flags |= MAP_ANONYMOUS;
	}
	addr = vm_mmap(file, start, len, le32_to_cpu(rec->prot), flags, le64_to_cpu(rec->offset));
	if (IS_ERR_VALUE(addr))
		return proc_why(g, (int)addr, "area: %#llx cannot be mapped", start);
	return addr == start ? 0 : proc_why(g, -EADDRINUSE, "area: %#llx cannot be there", start);
}

static int vma_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item, void *ctx)
{
	const struct krg_ghost_vma *rec = item->data;
	u32 kind = le32_to_cpu(rec->kind);
	int err;

	if (kind == KRG_GHOST_VMA_VDSO || kind == KRG_GHOST_VMA_VVAR)
		return 0;
	if (kind == KRG_GHOST_VMA_SHMEM)
		return proc_why(ctx, -EOPNOTSUPP, "area: shared memory cannot be restored");
	err = vma_load_map(ctx, rec);
	if (!err)
		err = vma_load_advice(ctx, rec);
	return err;
}

struct krg_ghost_handler proc_mm = {
	.type = KRG_GHOST_R_MM,
	.save = mm_save,
	.load = mm_load,
};

struct krg_ghost_handler proc_auxv = {
	.type = KRG_GHOST_R_AUXV,
	.save = auxv_save,
	.load = auxv_load,
};

struct krg_ghost_handler proc_vma = {
	.type = KRG_GHOST_R_VMA,
	.save = vma_save,
	.load = vma_load,
};
