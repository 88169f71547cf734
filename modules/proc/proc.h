/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of krg_proc share. */
#ifndef KRG_PROC_INTERNAL_H
#define KRG_PROC_INTERNAL_H

#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/completion.h>
#include <linux/refcount.h>
#include <linux/task_work.h>
#include <linux/wait.h>
#include <asm/ptrace.h>
#include <krg/extack.h>
#include <krg/ghost.h>
#include <krg/hook.h>
#include <krg/proc.h>
#include <krg/types.h>

/*
 * The states of an application:
 *
 *	(runs) -> CATCHING -> FROZEN -> LEAVING -> (runs)
 *	             |           |
 *	             +-----------+----> DEAD
 *
 * CATCHING: its task has work queued and is on its way to it. FROZEN: it is in
 * app_frozen() and serves requests. LEAVING: it is about to go on. DEAD: it was
 * killed meanwhile. An application that runs has no struct app.
 */
enum app_state {
	APP_CATCHING,
	APP_FROZEN,
	APP_LEAVING,
	APP_DEAD,
};

/* What a restarted task does last, when nothing can fail any more. */
struct proc_resume {
	struct pt_regs regs;
	struct itimerspec64 itimers[3];
};

struct app {
	struct list_head node;		/* of all apps; apps_lock */
	refcount_t refs;
	struct pid *pid;
	struct task_struct *task;
	enum app_state state;		/* apps_lock; app_move() alone changes it */
	bool keep;			/* outlives its owner's socket */
	struct krg_proc_owner owner;
	bool busy;			/* somebody has the right to make requests; apps_lock */
	int (*request)(void *arg);	/* apps_lock; NULL when served */
	void *request_arg;
	int request_err;
	wait_queue_head_t wake;		/* the task waits here for requests */
	wait_queue_head_t changed;	/* others wait here for the state, for answers */
	struct callback_head work;
	struct proc_resume *resume;	/* of a task being restarted */
};

struct app *app_new(struct task_struct *task, const struct krg_proc_owner *owner);
void app_put(struct app *app);
int app_insert(struct app *app);
int app_catch(struct app *app);
int app_await_frozen(struct app *app, bool interruptible, struct netlink_ext_ack *extack);
struct app *app_claim(pid_t pid, struct netlink_ext_ack *extack);
void app_release(struct app *app);
int app_run(struct app *app, int (*request)(void *arg), void *arg, bool *cancel);
void app_thaw(struct app *app);
void app_thaw_all(void);
void app_drain(void);

bool proc_may_control(struct task_struct *task);
void proc_resume_registers(const struct proc_resume *resume);
void proc_resume_timers(const struct proc_resume *resume);

/* An open file or a path of the image; its id is its place in the table plus 1. */
struct proc_file {
	struct file *file;
	struct file *peer;		/* loading: a pipe's other end, until it is asked for */
	char *path;			/* NULL: none */
	struct krg_ghost_fileobj obj;	/* without the path */
	char *where;			/* "pid:fd,pid:fd" for user_info */
	bool has_content;		/* deleted, and the first of its inode */
	bool grown;			/* loading: see proc_files_cut() */
};

/* See claim.c. */
enum claim_state {
	CLAIM_ASKING,
	CLAIM_HELD,
	CLAIM_LOST,
};

/* A pid that is being restarted here. */
struct proc_claim {
	struct list_head node;		/* of all claims; claims_lock */
	pid_t pid;
	enum claim_state state;		/* claims_lock */
	krg_node_t winner;		/* of a lost one */
};

/*
 * What all savers and loaders of task state work on. Saving: in the frozen
 * task's context. Loading: files in the requester's, the rest in the new task's.
 */
struct proc_ghost {
	u32 flags;			/* KRG_CHECKPOINT_* or KRG_RESTART_* */
	bool cancel;			/* the requester gave up */
	struct task_struct *task;	/* whose state it is */
	char why[192];			/* reason of the first error */

	struct proc_file *files;
	u32 nr_files;
	struct mm_struct *snapshot;	/* saving: whose pages are saved later; NULL: none */
	unsigned long fsize;		/* saving: its limit of file size, lifted meanwhile */
	struct krg_ghost_itimers itimers;	/* saving: as of the pending signals */
	/* loading */
	struct krg_ghost_ids ids;
	struct proc_resume *resume;
	const struct cred *requester;
	const struct krg_proc_substitute *subst;
	size_t nr_subst;
	struct krg_ghost_mm mm;
};

__printf(3, 4)
int proc_why(struct proc_ghost *g, int err, const char *fmt, ...);
static inline bool proc_cancelled(const struct proc_ghost *g)
{
	return READ_ONCE(g->cancel) || fatal_signal_pending(current);
}

long proc_syscall(unsigned int nr, unsigned long a, unsigned long b, unsigned long c,
		  unsigned long d);

void proc_snapshot_take(struct proc_ghost *g);
void proc_snapshot_drop(struct proc_ghost *g);
int proc_pages_save(struct proc_ghost *g, struct krg_ghost_stream *stream, struct mm_struct *mm);

bool proc_requester_capable(const struct proc_ghost *g, int cap);

int proc_claim(struct proc_claim *claim, pid_t pid, struct proc_ghost *g);
void proc_claim_end(struct proc_claim *claim);
int proc_claim_init(void);
void proc_claim_exit(void);

int proc_pids_init(void);
void proc_pids_exit(void);

int proc_check(struct proc_ghost *g);

u32 proc_file_add(struct proc_ghost *g, struct file *file, int fd);
u32 proc_path_add(struct proc_ghost *g, const struct path *path);
struct file *proc_file_get(struct proc_ghost *g, u32 id);
int proc_files_cut(struct proc_ghost *g);
void proc_files_free(struct proc_ghost *g);
const char *proc_file_word(const struct file *file);
int proc_file_check(struct proc_ghost *g, struct file *file, const char *what);

extern struct krg_ghost_handler proc_ids, proc_sched, proc_cpus, proc_cred, proc_regs, proc_xsave,
	proc_thread, proc_restart, proc_sigmask, proc_pending, proc_shpending, proc_sigaction,
	proc_usage, proc_itimers, proc_rlimits, proc_fs, proc_fd, proc_mm, proc_auxv, proc_vma,
	proc_pages, proc_fileobj, proc_content;

/* A task's own signal handlers, which stay while it lives. */
static inline struct sighand_struct *proc_sighand(void)
{
	return rcu_dereference_protected(current->sighand, true);
}

#endif
