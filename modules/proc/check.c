// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a checkpoint would lose it refuses, before anything is written: each
 * reason starts with a stable word. Runs in the frozen process's context.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs_struct.h>
#include <linux/hugetlb.h>
#include <linux/lsm_hooks.h>
#include <linux/mm.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/user_namespace.h>
#include <asm/fpu/xstate.h>
#include <uapi/krg/krg_netlink.h>

#include "proc.h"
#include "ghost/mm.h"

#define REFUSE(g, fmt, ...) proc_why(g, -EOPNOTSUPP, fmt, ##__VA_ARGS__)

static pid_t check_first_child(void)
{
	struct task_struct *child;
	pid_t pid = 0;

	rcu_read_lock();
	child = list_first_or_null_rcu(&current->children, struct task_struct, sibling);
	if (child)
		pid = task_tgid_nr(child);
	rcu_read_unlock();
	return pid;
}

static bool check_posix_timers(void)
{
#ifdef KRG_HAVE_POSIX_TIMERS_HLIST
	return !hlist_empty(&current->signal->posix_timers);
#else
	return !list_empty(&current->signal->posix_timers);
#endif
}

/* Another process that has the same memory (vfork, clone(CLONE_VM)). */
static pid_t check_mm_sharer(void)
{
	struct task_struct *p;
	pid_t pid = 0;

	if (atomic_read(&current->mm->mm_users) == 1)
		return 0;
	rcu_read_lock();
	for_each_process(p) {
		if (p != current && p->mm == current->mm && !(p->flags & PF_KTHREAD)) {
			pid = task_tgid_nr(p);
			break;
		}
	}
	rcu_read_unlock();
	return pid;
}

static int check_relatives(struct proc_ghost *g)
{
	pid_t pid;

	if (get_nr_threads(current) > 1)
		return REFUSE(g, "thread: it has %d threads", get_nr_threads(current));
	pid = check_first_child();
	if (pid)
		return REFUSE(g, "child: it has a child, process %d", pid);
	pid = check_mm_sharer();
	if (pid)
		return REFUSE(g, "memory: it is shared with process %d", pid);
	if (atomic_read(&current->files->count) > 1)
		return REFUSE(g, "files: its descriptors are shared with another process");
	if (current->fs->users > 1)
		return REFUSE(g, "fs: its current directory is shared with another process");
	if (refcount_read(&proc_sighand()->count) > 1)
		return REFUSE(g, "signals: its handlers are shared with another process");
	return 0;
}

/* That of the first process: the kernel's own threads may have kept the initial one. */
static void system_root(struct path *root)
{
	struct task_struct *init;

	rcu_read_lock();
	init = get_task_struct(init_pid_ns.child_reaper);
	rcu_read_unlock();
	task_lock(init);
	get_fs_root(init->fs, root);
	task_unlock(init);
	put_task_struct(init);
}

static int check_namespaces(struct proc_ghost *g)
{
	const struct nsproxy *ns = current->nsproxy, *init = init_task.nsproxy;
	struct path root, init_root;
	bool same;

	if (task_active_pid_ns(current) != &init_pid_ns || current_user_ns() != &init_user_ns ||
	    ns->uts_ns != init->uts_ns || ns->ipc_ns != init->ipc_ns ||
	    ns->mnt_ns != init->mnt_ns || ns->net_ns != init->net_ns ||
	    ns->cgroup_ns != init->cgroup_ns || ns->time_ns != init->time_ns)
		return REFUSE(g, "namespace: it is in namespaces of its own");
	system_root(&init_root);
	get_fs_root(current->fs, &root);
	same = path_equal(&root, &init_root);
	path_put(&root);
	path_put(&init_root);
	return same ? 0 : REFUSE(g, "chroot: its root directory is not the system's");
}

static int check_directory(struct proc_ghost *g)
{
	struct path pwd;
	bool gone;

	get_fs_pwd(current->fs, &pwd);
	gone = d_unlinked(pwd.dentry);
	path_put(&pwd);
	return gone ? REFUSE(g, "dir: its current directory is deleted") : 0;
}

/* The first word of what Landlock keeps with credentials is its domain; NULL: none. */
static bool check_landlock(const struct cred *cred)
{
#ifdef CONFIG_SECURITY_LANDLOCK
	const struct lsm_blob_sizes *sizes = krg_data(landlock_blob_sizes);

	return cred->security && *(void **)(cred->security + sizes->lbs_cred);
#else
	return false;
#endif
}

/* What it has given up, or has for itself, for good: a restart must not give or take it. */
static int check_security(struct proc_ghost *g)
{
	const struct cred *cred = current_cred();

	if (check_landlock(cred))
		return REFUSE(g, "landlock: it has restricted itself with Landlock");
#ifdef CONFIG_KEYS
	if (cred->thread_keyring || cred->process_keyring)
		return REFUSE(g, "keyring: it has keys of its own");
#endif
	if (task_spec_ssb_disable(current) || task_spec_ib_disable(current))
		return REFUSE(g, "speculation: it has forbidden itself speculation");
	if (test_thread_flag(TIF_NOTSC) || test_thread_flag(TIF_NOCPUID))
		return REFUSE(g, "cpu: it has forbidden itself rdtsc or cpuid");
#ifdef CONFIG_X86_USER_SHADOW_STACK
	if (current->thread.features)
		return REFUSE(g, "cpu: it has a shadow stack");
#endif
#ifdef MMF_HAS_MDWE
	if (test_bit(MMF_HAS_MDWE, &current->mm->flags))
		return REFUSE(g, "mdwe: it has forbidden itself to make memory executable");
#endif
	return 0;
}

static int check_memory(struct proc_ghost *g)
{
#ifdef CONFIG_NUMA
	if (current->mempolicy)
		return REFUSE(g, "numa: it has a memory policy");
#endif
#ifdef CONFIG_X86_INTEL_MEMORY_PROTECTION_KEYS
	/* Key 0 is everybody's. */
	if (current->mm->context.pkey_allocation_map & ~1)
		return REFUSE(g, "pkey: it uses memory protection keys");
#endif
#ifdef CONFIG_MEMBARRIER
	if (atomic_read(&current->mm->membarrier_state))
		return REFUSE(g, "membarrier: it has registered for memory barriers");
#endif
	return 0;
}

static int check_kernel_side(struct proc_ghost *g)
{
	if (current->ptrace)
		return REFUSE(g, "ptrace: it is being traced");
	if (current->seccomp.mode)
		return REFUSE(g, "seccomp: it has a seccomp filter");
#ifdef CONFIG_IO_URING
	if (current->io_uring)
		return REFUSE(g, "io_uring: it uses io_uring");
#endif
	if (check_posix_timers())
		return REFUSE(g, "timer: it has POSIX timers");
	if (current->syscall_dispatch.len || current->syscall_dispatch.selector)
		return REFUSE(g, "dispatch: it uses system call user dispatch");
#ifdef CONFIG_SYSVIPC
	if (current->sysvsem.undo_list)
		return REFUSE(g, "semaphore: it has System V semaphore undo operations");
#endif
	if (current->policy == SCHED_DEADLINE)
		return REFUSE(g, "sched: it has a deadline");
	return 0;
}

static int check_cpu(struct proc_ghost *g)
{
	const struct pt_regs *regs = task_pt_regs(current);
	unsigned long fs, gs;

	savesegment(fs, fs);
	savesegment(gs, gs);
	if (regs->cs != __USER_CS || test_thread_flag(TIF_ADDR32))
		return REFUSE(g, "cpu: it is a 32-bit program");
	if (fs || gs || current->thread.ds || current->thread.es)
		return REFUSE(g, "cpu: it uses segment selectors");
	if (READ_ONCE(current->group_leader->thread.fpu.perm.__state_perm) &
	    XFEATURE_MASK_USER_DYNAMIC)
		return REFUSE(g, "cpu: it has asked for registers that need leave (AMX)");
#ifdef CONFIG_MODIFY_LDT_SYSCALL
	if (current->mm->context.ldt)
		return REFUSE(g, "cpu: it has a local descriptor table");
#endif
#ifdef CONFIG_X86_IOPL_IOPERM
	if (current->thread.io_bitmap || current->thread.iopl_emul)
		return REFUSE(g, "cpu: it has I/O port permissions");
#endif
	return 0;
}

static int check_area(struct proc_ghost *g, struct vm_area_struct *vma)
{
	int kind = proc_vma_kind(vma);
	unsigned long start = vma->vm_start;

	if (kind == KRG_GHOST_VMA_VDSO || kind == KRG_GHOST_VMA_VVAR)
		return 0;
	if (kind < 0)
		return REFUSE(g, "area: %#lx is given by a driver", start);
	if (is_vm_hugetlb_page(vma))
		return REFUSE(g, "hugetlb: area %#lx is of huge pages", start);
#ifdef CONFIG_USERFAULTFD
	if (vma->vm_userfaultfd_ctx.ctx)
		return REFUSE(g, "userfaultfd: area %#lx is registered", start);
#endif
#ifdef CONFIG_NUMA
	if (vma->vm_policy)
		return REFUSE(g, "numa: area %#lx has a memory policy", start);
#endif
	if (vma->vm_file && vma->vm_flags & VM_MAYSHARE && !file_inode(vma->vm_file)->i_nlink)
		return REFUSE(g, "shm: area %#lx is shared memory", start);
	if (vma->vm_file && vma->vm_flags & VM_SHARED)
		return REFUSE(g, "mapping: area %#lx maps %pD shared and writable", start,
			      vma->vm_file);
	if (vma->vm_flags & (VM_IO | VM_PFNMAP | VM_MIXEDMAP))
		return REFUSE(g, "area: %#lx maps a device", start);
	if (vma->vm_file && !S_ISREG(file_inode(vma->vm_file)->i_mode))
		return REFUSE(g, "area: %#lx maps %pD", start, vma->vm_file);
	return 0;
}

static int check_areas(struct proc_ghost *g)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	int err = 0;

	VMA_ITERATOR(vmi, mm, 0);

	mmap_read_lock(mm);
	for_each_vma(vmi, vma) {
		err = check_area(g, vma);
		if (err)
			break;
	}
	mmap_read_unlock(mm);
	return err;
}

static int check_fds(struct proc_ghost *g)
{
	unsigned int fd, max;
	struct file *file;
	char what[16];
	int err = 0;

	if (g->flags & KRG_CHECKPOINT_IGNORE_FILES)
		return 0;
	rcu_read_lock();
	max = files_fdtable(current->files)->max_fds;
	rcu_read_unlock();
	for (fd = 0; fd < max && !err; fd++) {
		file = fget_raw(fd);
		if (!file)
			continue;
		scnprintf(what, sizeof(what), "fd %u", fd);
		err = proc_file_check(g, file, what);
		fput(file);
	}
	return err;
}

/**
 * proc_check() - can the current process be checkpointed
 * @g: for the reason
 *
 * Context: the frozen process's.
 * Return: 0; -EOPNOTSUPP with the reason.
 */
int proc_check(struct proc_ghost *g)
{
	static int (*const checks[])(struct proc_ghost *) = {
		check_relatives, check_namespaces, check_directory, check_kernel_side,
		check_security, check_cpu, check_memory, check_areas, check_fds,
	};
	size_t i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(checks) && !err; i++)
		err = checks[i](g);
	return err;
}
