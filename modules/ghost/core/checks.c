// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges and consistency of each record's fields. What needs a machine or
 * another file to judge (does the file exist, is the vDSO the same) is left to
 * those who load the record; here stands what makes it nonsense anywhere.
 */
#include "schema.h"

#define OFFSET_IN_PAGE	(KRG_GHOST_PAGE_SIZE - 1)
#define PID_MAX		0x400000u
#define FD_MAX		0x40000000u
#define PROT_BITS	7u
#define MAP_SHARED_BIT	0x01u
#define MAP_PRIVATE_BIT	0x02u
#define MAP_BITS	(MAP_SHARED_BIT | MAP_PRIVATE_BIT | 0x0100u /* GROWSDOWN */ | \
			 0x4000u /* NORESERVE */)

#define CHECK(name) KRG_GHOST_CHECK(name)

static bool is_pid(__le32 pid)
{
	u32 value = le32_to_cpu(pid);

	return value && value < PID_MAX;
}

static bool is_user_range(u64 start, u64 end)
{
	return start <= end && end <= KRG_GHOST_ADDRESS_MAX;
}

static bool has_nul_at_end(const char *text, size_t len)
{
	return len && memchr(text, 0, len) == text + len - 1;
}

CHECK(app)
{
	const struct krg_ghost_app *app = payload;

	(void)len;
	if (app->reserved)
		return "app: reserved field is not zero";
	if (!app->nr_tasks || le32_to_cpu(app->nr_tasks) >= PID_MAX)
		return "app: number of tasks out of range";
	if (!app->nr_nodes || le32_to_cpu(app->nr_nodes) > 256)
		return "app: number of nodes out of range";
	context->tasks_left = le32_to_cpu(app->nr_tasks);
	return NULL;
}

CHECK(app_task)
{
	const struct krg_ghost_app_task *task = payload;

	(void)len;
	if (!context->tasks_left)
		return "task: more tasks than announced";
	context->tasks_left--;
	if (!is_pid(task->pid) || !is_pid(task->tgid) || le32_to_cpu(task->parent) >= PID_MAX)
		return "task: pid out of range";
	if (le32_to_cpu(task->node) > 255)
		return "task: node out of range";
	return NULL;
}

CHECK(node)
{
	const struct krg_ghost_node *node = payload;

	(void)len;
	if (node->reserved)
		return "node: reserved field is not zero";
	if (le32_to_cpu(node->node) > 255)
		return "node: id out of range";
	if (le32_to_cpu(node->nr_tasks) >= PID_MAX)
		return "node: number of tasks out of range";
	context->tasks_left = le32_to_cpu(node->nr_tasks);
	return NULL;
}

CHECK(ids)
{
	const struct krg_ghost_ids *ids = payload;
	s32 adj = (s32)le32_to_cpu(ids->oom_score_adj);

	(void)len;
	if (!is_pid(ids->pid) || !is_pid(ids->tgid))
		return "ids: pid out of range";
	if (le32_to_cpu(ids->ppid) >= PID_MAX || le32_to_cpu(ids->pgid) >= PID_MAX ||
	    le32_to_cpu(ids->sid) >= PID_MAX)
		return "ids: parent, group or session out of range";
	if (le32_to_cpu(ids->exit_signal) > KRG_GHOST_NSIG ||
	    le32_to_cpu(ids->pdeath_signal) > KRG_GHOST_NSIG)
		return "ids: signal out of range";
	if (adj < -1000 || adj > 1000)
		return "ids: oom_score_adj out of range";
	if (le32_to_cpu(ids->flags) & ~KRG_GHOST_IDS_FLAGS)
		return "ids: unknown flag";
	if (!memchr(ids->comm, 0, sizeof(ids->comm)))
		return "ids: comm has no end";
	context->task_seen = true;
	context->leader = ids->pid == ids->tgid;
	return NULL;
}

CHECK(sched)
{
	const struct krg_ghost_sched *sched = payload;
	s32 nice = (s32)le32_to_cpu(sched->nice);

	(void)context;
	(void)len;
	if (nice < -20 || nice > 19)
		return "sched: nice out of range";
	if (le32_to_cpu(sched->rt_priority) > 99)
		return "sched: priority out of range";
	if (le32_to_cpu(sched->flags) > 1)
		return "sched: unknown flag";
	if (le32_to_cpu(sched->ioprio) >> 13 > 3)
		return "sched: unknown I/O priority class";
	if (sched->reserved)
		return "sched: reserved field is not zero";
	return NULL;
}

static bool is_used(const struct krg_ghost_used *used)
{
	return le64_to_cpu(used->utime) < KRG_GHOST_MAX_CPU_TIME &&
	       le64_to_cpu(used->stime) < KRG_GHOST_MAX_CPU_TIME;
}

CHECK(usage)
{
	const struct krg_ghost_usage *usage = payload;

	(void)context;
	(void)len;
	if (!is_used(&usage->self) || !is_used(&usage->children))
		return "usage: CPU time out of range";
	return NULL;
}

CHECK(cpus)
{
	const struct krg_ghost_cpus *cpus = payload;
	u32 i;

	(void)context;
	if (len % sizeof(cpus->word[0]))
		return "cpus: length is no multiple of 8";
	for (i = 0; i < len / sizeof(cpus->word[0]); i++)
		if (cpus->word[i])
			return NULL;
	return "cpus: none";
}

CHECK(fs)
{
	const struct krg_ghost_fs *fs = payload;

	(void)context;
	(void)len;
	if (fs->reserved)
		return "fs: reserved field is not zero";
	if (le32_to_cpu(fs->umask) & ~0777u)
		return "fs: umask out of range";
	if (!fs->cwd)
		return "fs: no current directory";
	return NULL;
}

CHECK(fd)
{
	const struct krg_ghost_fd *fd = payload;
	u32 number = le32_to_cpu(fd->fd);

	(void)len;
	if (fd->reserved || le32_to_cpu(fd->flags) > 1)
		return "fd: unknown flag";
	if (number < context->next_fd || number >= FD_MAX)
		return "fd: number out of range or order";
	if (!fd->file)
		return "fd: no file";
	context->next_fd = (u64)number + 1;
	return NULL;
}

CHECK(mm)
{
	const struct krg_ghost_mm *mm = payload;
	u64 vdso = le64_to_cpu(mm->vdso), vdso_size = le64_to_cpu(mm->vdso_size);
	u64 vvar = le64_to_cpu(mm->vvar), vvar_size = le64_to_cpu(mm->vvar_size);

	(void)len;
	if (mm->reserved || le32_to_cpu(mm->flags) & ~KRG_GHOST_MM_THP_DISABLE)
		return "mm: unknown flag";
	if (!is_user_range(le64_to_cpu(mm->start_code), le64_to_cpu(mm->end_code)) ||
	    !is_user_range(le64_to_cpu(mm->start_data), le64_to_cpu(mm->end_data)) ||
	    !is_user_range(le64_to_cpu(mm->start_brk), le64_to_cpu(mm->brk)) ||
	    !is_user_range(le64_to_cpu(mm->arg_start), le64_to_cpu(mm->arg_end)) ||
	    !is_user_range(le64_to_cpu(mm->env_start), le64_to_cpu(mm->env_end)) ||
	    !is_user_range(le64_to_cpu(mm->start_stack), KRG_GHOST_ADDRESS_MAX) ||
	    !is_user_range(le64_to_cpu(mm->mmap_base), KRG_GHOST_ADDRESS_MAX))
		return "mm: address out of range";
	if ((vdso | vdso_size | vvar | vvar_size) & OFFSET_IN_PAGE ||
	    vdso > KRG_GHOST_ADDRESS_MAX || vdso_size > KRG_GHOST_ADDRESS_MAX - vdso ||
	    vvar > KRG_GHOST_ADDRESS_MAX || vvar_size > KRG_GHOST_ADDRESS_MAX - vvar)
		return "mm: vdso out of range";
	if (le32_to_cpu(mm->dumpable) > 2)
		return "mm: dumpable out of range";
	context->vmas_left = le32_to_cpu(mm->nr_vmas);
	return NULL;
}

CHECK(auxv)
{
	const struct krg_ghost_auxv *auxv = payload;

	(void)context;
	if (len % sizeof(*auxv))
		return "auxv: not a whole number of pairs";
	if (auxv[len / sizeof(*auxv) - 1].type)
		return "auxv: not ended by AT_NULL";
	return NULL;
}

static const char *vma_kind_error(const struct krg_ghost_vma *vma)
{
	u32 kind = le32_to_cpu(vma->kind);
	u32 flags = le32_to_cpu(vma->flags);
	bool shared = flags & MAP_SHARED_BIT;

	if (kind > KRG_GHOST_VMA_KIND_MAX)
		return "vma: unknown kind";
	if (!shared == !(flags & MAP_PRIVATE_BIT))
		return "vma: must be private or shared";
	if (!vma->file != (kind != KRG_GHOST_VMA_FILE && kind != KRG_GHOST_VMA_SHMEM))
		return "vma: its kind and its file do not agree";
	if (shared && kind != KRG_GHOST_VMA_FILE && kind != KRG_GHOST_VMA_SHMEM)
		return "vma: its kind can't be shared";
	return NULL;
}

CHECK(vma)
{
	const struct krg_ghost_vma *vma = payload;
	u64 start = le64_to_cpu(vma->start), end = le64_to_cpu(vma->end);

	(void)len;
	if (!context->vmas_left)
		return "vma: more areas than announced";
	context->vmas_left--;
	if ((start | end | le64_to_cpu(vma->offset)) & OFFSET_IN_PAGE)
		return "vma: not page aligned";
	if (start >= end || end > KRG_GHOST_ADDRESS_MAX)
		return "vma: address out of range";
	if (start < context->next_vma)
		return "vma: areas overlap or are out of order";
	if (le32_to_cpu(vma->prot) & ~PROT_BITS || le32_to_cpu(vma->flags) & ~MAP_BITS ||
	    le32_to_cpu(vma->advice) & ~KRG_GHOST_ADVICE_ALL ||
	    le32_to_cpu(vma->what) & ~KRG_GHOST_VMA_WHAT)
		return "vma: unknown flag";
	context->next_vma = end;
	return vma_kind_error(vma);
}

CHECK(pages)
{
	const struct krg_ghost_pages *pages = payload;
	u32 i, nr = le32_to_cpu(pages->nr_runs);
	u64 total = 0;

	if (pages->reserved)
		return "pages: reserved field is not zero";
	if (nr > KRG_GHOST_MAX_PAGES || len != sizeof(*pages) + nr * sizeof(pages->run[0]))
		return "pages: number of runs and length do not agree";
	for (i = 0; i < nr; i++) {
		u64 start = le64_to_cpu(pages->run[i].address);
		u64 count = le64_to_cpu(pages->run[i].pages);

		if (start & OFFSET_IN_PAGE)
			return "pages: not page aligned";
		if (!count || count > KRG_GHOST_MAX_PAGES)
			return "pages: length of a run out of range";
		if (start < context->next_page)
			return "pages: runs overlap or are out of order";
		if (start > KRG_GHOST_ADDRESS_MAX - count * KRG_GHOST_PAGE_SIZE)
			return "pages: address out of range";
		context->next_page = start + count * KRG_GHOST_PAGE_SIZE;
		total += count;
	}
	if (le64_to_cpu(pages->bulk.length) != total * KRG_GHOST_PAGE_SIZE)
		return "pages: runs and bulk length do not agree";
	return NULL;
}

CHECK(thread)
{
	const struct krg_ghost_thread *thread = payload;

	(void)context;
	(void)len;
	if (le64_to_cpu(thread->rseq) >= KRG_GHOST_ADDRESS_MAX ||
	    le64_to_cpu(thread->robust_list) >= KRG_GHOST_ADDRESS_MAX)
		return "thread: address out of range";
	if (!thread->rseq != !thread->rseq_len)
		return "thread: rseq address and length do not agree";
	return NULL;
}

CHECK(regs)
{
	const struct krg_ghost_regs *regs = payload;

	(void)context;
	(void)len;
	if (le64_to_cpu(regs->fs_base) >= KRG_GHOST_ADDRESS_MAX ||
	    le64_to_cpu(regs->gs_base) >= KRG_GHOST_ADDRESS_MAX)
		return "regs: segment base out of range";
	return NULL;
}

CHECK(xsave)
{
	const struct krg_ghost_xsave *xsave = payload;

	(void)context;
	if (xsave->reserved)
		return "xsave: reserved field is not zero";
	if (le32_to_cpu(xsave->size) != len - sizeof(*xsave))
		return "xsave: size and length do not agree";
	return NULL;
}

CHECK(restart)
{
	const struct krg_ghost_restart *restart = payload;

	(void)context;
	(void)len;
	if (restart->reserved)
		return "restart: reserved field is not zero";
	if (le32_to_cpu(restart->kind) > KRG_GHOST_RESTART_MAX)
		return "restart: unknown kind";
	return NULL;
}

CHECK(sigmask)
{
	const struct krg_ghost_sigmask *mask = payload;

	(void)context;
	(void)len;
	if (le32_to_cpu(mask->flags) > 1)
		return "sigmask: unknown flag";
	return NULL;
}

CHECK(siginfo)
{
	const struct krg_ghost_siginfo *info = payload;
	u32 signo = le32_to_cpu(info->signo);

	(void)context;
	(void)len;
	if (!signo || signo > KRG_GHOST_NSIG)
		return "pending: signal out of range";
	if (le32_to_cpu(info->flags) > 1)
		return "pending: unknown flag";
	return NULL;
}

CHECK(cred)
{
	const struct krg_ghost_cred *cred = payload;
	u32 nr = le32_to_cpu(cred->nr_groups);

	(void)context;
	if (nr > KRG_GHOST_MAX_GROUPS || len != sizeof(*cred) + nr * sizeof(cred->groups[0]))
		return "cred: number of groups and length do not agree";
	return NULL;
}

CHECK(fileobj)
{
	const struct krg_ghost_fileobj *file = payload;
	u32 path_len = le32_to_cpu(file->path_len);
	u32 kind = le32_to_cpu(file->kind);

	if (le32_to_cpu(file->id) <= context->last_file)
		return "fileobj: ids out of order";
	if (!kind || kind > KRG_GHOST_F_KIND_MAX)
		return "fileobj: unknown kind";
	if (le32_to_cpu(file->what) & ~KRG_GHOST_F_WHAT)
		return "fileobj: unknown flag";
	if (path_len > KRG_GHOST_MAX_PATH || len != sizeof(*file) + path_len)
		return "fileobj: path and length do not agree";
	if (path_len && !has_nul_at_end(file->path, path_len))
		return "fileobj: path has no end, or two";
	if (le64_to_cpu(file->pos) >> 63 || le64_to_cpu(file->size) >> 63)
		return "fileobj: offset or size out of range";
	if (le32_to_cpu(file->mtime_nsec) > 999999999)
		return "fileobj: time out of range";
	context->last_file = le32_to_cpu(file->id);
	return NULL;
}

CHECK(content)
{
	const struct krg_ghost_content *content = payload;
	u32 file = le32_to_cpu(content->file);
	u64 offset = le64_to_cpu(content->offset);

	(void)len;
	if (content->reserved)
		return "content: reserved field is not zero";
	if (!file || file < context->content_file || file > context->last_file)
		return "content: file out of range or order";
	if (file != context->content_file)
		context->next_content = 0;
	if (offset < context->next_content || offset >> 62)
		return "content: offset out of range or order";
	context->content_file = file;
	context->next_content = offset + le64_to_cpu(content->bulk.length);
	return NULL;
}

const char *krg_ghost_check_complete(const struct krg_ghost_context *context)
{
	if (context->tasks_left)
		return "end: fewer tasks than announced";
	if (context->vmas_left)
		return "end: fewer areas than announced";
	return NULL;
}
