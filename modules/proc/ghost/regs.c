// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers. Those of user mode lie in pt_regs while a task is in the kernel;
 * the extended ones in its fpstate, whose size and layout the CPU decides:
 * they travel in the format ptrace shows.
 */
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <asm/fpu/api.h>
#include <asm/fpu/regset.h>
#include <asm/fpu/types.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/prctl.h>
#include <asm/segment.h>

#include "../proc.h"

/* What a program may have in its flags; all else is the kernel's. */
#define REGS_USER_FLAGS (X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | \
			 X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_OF | \
			 X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_AC | X86_EFLAGS_ID)

/* The record starts with pt_regs, word by word. */
#define REGS_WORDS (sizeof(struct pt_regs) / sizeof(u64))

static_assert(offsetof(struct krg_ghost_regs, fs_base) == sizeof(struct pt_regs));
static_assert(offsetof(struct krg_ghost_regs, ax) == offsetof(struct pt_regs, ax));
static_assert(offsetof(struct krg_ghost_regs, ip) == offsetof(struct pt_regs, ip));

static int regs_save(struct krg_ghost_stream *stream, void *ctx)
{
	const u64 *regs = (const u64 *)task_pt_regs(current);
	struct krg_ghost_regs rec = {};
	__le64 *words = (__le64 *)&rec;
	u64 base;
	size_t i;

	for (i = 0; i < REGS_WORDS; i++)
		words[i] = cpu_to_le64(regs[i]);
	rdmsrl(MSR_FS_BASE, base);
	rec.fs_base = cpu_to_le64(base);
	/* In the kernel the program's GS base is the inactive one. */
	rdmsrl(MSR_KERNEL_GS_BASE, base);
	rec.gs_base = cpu_to_le64(base);
	return krg_ghost_write(stream, KRG_GHOST_R_REGS, &rec, sizeof(rec));
}

static int regs_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item, void *ctx)
{
	const struct krg_ghost_regs *rec = item->data;
	struct proc_ghost *g = ctx;
	struct pt_regs *regs = &g->resume->regs;
	const __le64 *words = (const __le64 *)rec;
	u64 *to = (u64 *)regs;
	size_t i;
	long err;

	for (i = 0; i < REGS_WORDS; i++)
		to[i] = le64_to_cpu(words[i]);
	if (regs->ip >= TASK_SIZE_MAX || regs->sp >= TASK_SIZE_MAX)
		return proc_why(g, -EBADMSG, "its registers point outside its memory");
	regs->cs = __USER_CS;
	regs->ss = __USER_DS;
	regs->flags = (regs->flags & REGS_USER_FLAGS) | X86_EFLAGS_IF | X86_EFLAGS_FIXED;
	err = krg_sym(do_arch_prctl_64)(current, ARCH_SET_FS, le64_to_cpu(rec->fs_base));
	if (!err)
		err = krg_sym(do_arch_prctl_64)(current, ARCH_SET_GS, le64_to_cpu(rec->gs_base));
	if (err)
		return proc_why(g, -EBADMSG, "its segment bases are no user addresses");
	return 0;
}

/**
 * proc_resume_registers() - give the current task the registers of its image
 * @resume: them
 *
 * Context: task work on the way to user mode.
 */
void proc_resume_registers(const struct proc_resume *resume)
{
	*task_pt_regs(current) = resume->regs;
}

static int xsave_save(struct krg_ghost_stream *stream, void *ctx)
{
	const struct fpu_state_config *cfg = krg_data(fpu_user_cfg);
	struct proc_ghost *g = ctx;
	struct krg_ghost_xsave *rec;
	struct membuf to;
	int err;

	rec = kvzalloc(sizeof(*rec) + cfg->max_size, GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	rec->features = cpu_to_le64(cfg->max_features);
	rec->size = cpu_to_le32(cfg->max_size);
	to = (struct membuf){ .p = rec->data, .left = cfg->max_size };
	err = krg_sym(xstateregs_get)(current, NULL, to);
	if (err < 0)
		err = proc_why(g, err, "cpu: no XSAVE");
	else
		err = krg_ghost_write(stream, KRG_GHOST_R_XSAVE, rec, sizeof(*rec) + cfg->max_size);
	kvfree(rec);
	return err;
}

/*
 * What ptrace does to a stopped task, done to the current one: from here on
 * its registers are those in memory, to be loaded before user mode.
 */
static int xsave_apply(const void *image)
{
	struct fpu *fpu = &current->thread.fpu;

	fpregs_lock();
	set_thread_flag(TIF_NEED_FPU_LOAD);
	fpu->last_cpu = -1;
	fpregs_unlock();
	return krg_sym(copy_uabi_from_kernel_to_xstate)(fpu->fpstate, image, &current->thread.pkru);
}

static int xsave_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item, void *ctx)
{
	const struct fpu_state_config *cfg = krg_data(fpu_user_cfg);
	const struct krg_ghost_xsave *rec = item->data;
	const struct xregs_state *xsave = (const void *)rec->data;
	u64 missing = le64_to_cpu(rec->features) & ~cfg->max_features;
	struct proc_ghost *g = ctx;
	void *image;
	int err;

	if (missing)
		return proc_why(g, -EOPNOTSUPP, "cpu: this machine lacks xsave features %#llx",
				missing);
	if (xsave->header.xfeatures & ~(cfg->default_features | XFEATURE_MASK_FPSSE))
		return proc_why(g, -EOPNOTSUPP, "cpu: it uses xsave features %#llx that need leave",
				xsave->header.xfeatures & ~cfg->default_features);
	/* A machine with more features has a larger image; those are in their initial state. */
	image = kvzalloc(max(cfg->max_size, le32_to_cpu(rec->size)), GFP_KERNEL);
	if (!image)
		return -ENOMEM;
	memcpy(image, rec->data, le32_to_cpu(rec->size));
	err = xsave_apply(image);
	kvfree(image);
	return err ? proc_why(g, -EBADMSG, "its extended registers are not valid (%d)", err) : 0;
}

struct krg_ghost_handler proc_regs = {
	.type = KRG_GHOST_R_REGS,
	.save = regs_save,
	.load = regs_load,
};

struct krg_ghost_handler proc_xsave = {
	.type = KRG_GHOST_R_XSAVE,
	.save = xsave_save,
	.load = xsave_load,
};
