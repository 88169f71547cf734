// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making a process from a checkpoint.
 *
 *	requester				new task
 *	reads global.bin, node_*.bin
 *	reads shared_obj_*.bin: opens files
 *	claims the pid
 *	kernel_clone() with the old pid  ->	restart_child():
 *	waits					reads task_*.bin, becomes what it says
 *						queues app_frozen(), says it is done
 *	waits until it is frozen		app_frozen(): takes its old registers
 *	lets it go				continues as the old process
 *
 * The new task is a child of the requester. Until its last record has been
 * read and found good it has not executed an instruction in user mode; if
 * anything fails before that it is killed.
 */
#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rseq.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/unistd.h>
#include <linux/utsname.h>
#include <uapi/linux/wait.h>
#include <uapi/krg/krg_netlink.h>

#include "proc.h"

struct restart {
	struct proc_ghost g;
	struct file *dir;
	const struct krg_proc_owner *owner;
	pid_t pid;			/* of the image */
	u32 node;			/* where it was checkpointed */
	struct krg_ghost_ident ident;
	struct krg_ghost_stream *task;
	char name[32];			/* of the file being read */
	struct app *app;		/* made by the new task */
	int err;			/* its result */
	struct completion done;
};

static int restart_stream_why(struct restart *r, const struct krg_ghost_error *why, int err)
{
	if (why->text)
		return proc_why(&r->g, err, "%s: record %u at offset %llu: %s", r->name,
				why->record, why->offset, why->text);
	if (r->g.why[0])
		return err;
	return proc_why(&r->g, err, "%s cannot be read (error %d)", r->name, -err);
}

static struct krg_ghost_stream *restart_open(struct restart *r, u32 kind, u32 object,
					     const char *fmt)
{
	struct krg_ghost_error why = {};
	struct krg_ghost_stream *stream;
	struct file *file;

	scnprintf(r->name, sizeof(r->name), fmt, object);
	file = file_open_root(&r->dir->f_path, r->name, O_RDONLY | O_NOFOLLOW | O_LARGEFILE, 0);
	if (IS_ERR(file)) {
		proc_why(&r->g, 0, "%s cannot be opened (error %ld)", r->name, -PTR_ERR(file));
		return ERR_CAST(file);
	}
	r->ident.kind = kind;
	r->ident.object = object;
	stream = krg_ghost_open_file(file, &r->ident, &why);
	fput(file);
	if (IS_ERR(stream))
		restart_stream_why(r, &why, PTR_ERR(stream));
	return stream;
}

static int restart_global_item(struct restart *r, const struct krg_ghost_item *item)
{
	const struct krg_ghost_app_task *task = item->data;
	const struct krg_ghost_app *app = item->data;

	switch (item->type) {
	case KRG_GHOST_R_APP:
		if (le32_to_cpu(app->nr_tasks) != 1)
			return proc_why(&r->g, -EOPNOTSUPP, "it has %u tasks, krg restarts one",
					le32_to_cpu(app->nr_tasks));
		return 0;
	case KRG_GHOST_R_APP_TASK:
		r->pid = le32_to_cpu(task->pid);
		r->node = le32_to_cpu(task->node);
		if (r->pid < 1 || r->pid >= PID_MAX_LIMIT)
			return proc_why(&r->g, -EBADMSG, "global.bin: record %u: %d is no pid",
					item->seq, r->pid);
		return 0;
	}
	return proc_why(&r->g, -EOPNOTSUPP, "global.bin: record %u is of an unknown type",
			item->seq);
}

static int restart_node_item(struct restart *r, const struct krg_ghost_item *item)
{
	const struct krg_ghost_app_task *task = item->data;
	const struct krg_ghost_node *node = item->data;

	switch (item->type) {
	case KRG_GHOST_R_NODE:
		if (le32_to_cpu(node->node) == r->node && le32_to_cpu(node->nr_tasks) == 1)
			return 0;
		break;
	case KRG_GHOST_R_NODE_TASK:
		if (le32_to_cpu(task->pid) == r->pid && le32_to_cpu(task->node) == r->node)
			return 0;
		break;
	}
	return proc_why(&r->g, -EBADMSG, "%s: record %u is not of this application", r->name,
			item->seq);
}

static int restart_items(struct restart *r, struct krg_ghost_stream *s,
			 int (*take)(struct restart *r, const struct krg_ghost_item *item))
{
	struct krg_ghost_item item;
	int err = 0, found;

	if (IS_ERR(s))
		return PTR_ERR(s);
	while (!err && (found = krg_ghost_next(s, &item))) {
		if (found < 0)
			err = restart_stream_why(r, krg_ghost_why(s), found);
		else
			err = take(r, &item);
	}
	krg_ghost_free(s);
	return err;
}

static int restart_global(struct restart *r, u64 appid)
{
	r->ident.appid = appid;
	return restart_items(r, restart_open(r, KRG_GHOST_GLOBAL, 0, "global.bin"),
			     restart_global_item);
}

static int restart_node(struct restart *r)
{
	return restart_items(r, restart_open(r, KRG_GHOST_NODE, r->node, "node_%u.bin"),
			     restart_node_item);
}

static int restart_check_substitutes(struct restart *r)
{
	size_t i;

	for (i = 0; i < r->g.nr_subst; i++)
		if (!r->g.subst[i].id || r->g.subst[i].id > r->g.nr_files)
			return proc_why(&r->g, -ENOENT, "there is no file %020llx to substitute",
					r->g.subst[i].id);
	return 0;
}

static int restart_shared(struct restart *r)
{
	struct krg_ghost_stream *s = restart_open(r, KRG_GHOST_SHARED, r->node,
						  "shared_obj_%u.bin");
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	err = krg_ghost_load(s, &r->g);
	if (err)
		restart_stream_why(r, krg_ghost_why(s), err);
	krg_ghost_free(s);
	return err ?: restart_check_substitutes(r);
}

static int restart_open_task(struct restart *r)
{
	const struct krg_ghost_file *head;

	r->task = restart_open(r, KRG_GHOST_TASK, r->pid, "task_%u.bin");
	if (IS_ERR(r->task))
		return PTR_ERR(r->task);
	head = krg_ghost_header(r->task);
	if (strncmp(head->release, init_utsname()->release, sizeof(head->release)))
		return proc_why(&r->g, -EOPNOTSUPP,
				"kernel: it was checkpointed on %.64s, this is %s", head->release,
				init_utsname()->release);
	return 0;
}

/* Signals of the requester's that the child has caught are not the image's. */
static int restart_child_signals(void)
{
	sigset_t all;

	sigfillset(&all);
	krg_sym(__set_current_blocked)(&all);
	spin_lock_irq(&proc_sighand()->siglock);
	if (!fatal_signal_pending(current) && !(current->signal->flags & SIGNAL_GROUP_EXIT)) {
		krg_sym(flush_sigqueue)(&current->pending);
		krg_sym(flush_sigqueue)(&current->signal->shared_pending);
	}
	spin_unlock_irq(&proc_sighand()->siglock);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static int restart_child_load(struct restart *r)
{
	int err = restart_child_signals();

	if (err)
		return err;
	rseq_execve(current);
	current->robust_list = NULL;
	proc_syscall(__NR_close_range, 0, ~0U, 0, 0);
	err = krg_ghost_load(r->task, &r->g);
	if (err)
		return restart_stream_why(r, krg_ghost_why(r->task), err);
	if (le32_to_cpu(r->g.ids.pid) != r->pid || task_pid_nr(current) != r->pid)
		return proc_why(&r->g, -EBADMSG, "%s is of another process", r->name);
	return proc_files_cut(&r->g);
}

/* From here on the new task is a frozen application. */
static int restart_child_freeze(struct restart *r)
{
	struct app *app = app_new(current, r->owner);
	int err;

	if (!app)
		return -ENOMEM;
	err = app_insert(app);
	if (err) {
		app_put(app);
		return err;
	}
	app->resume = r->g.resume;
	r->g.resume = NULL;
	err = app_catch(app);
	if (err)
		app_put(app);
	else
		r->app = app;
	return err;
}

static int restart_child(void *arg)
{
	struct restart *r = arg;
	int err = restart_child_load(r);

	if (!err)
		err = restart_child_freeze(r);
	if (err)
		send_sig(SIGKILL, current, 1);
	r->err = err;
	complete(&r->done);
	return 0;
}

static int restart_clash(struct restart *r)
{
	struct task_struct *holder;
	char comm[TASK_COMM_LEN] = "another";

	rcu_read_lock();
	holder = pid_task(find_pid_ns(r->pid, &init_pid_ns), PIDTYPE_PID);
	if (holder)
		get_task_comm(comm, holder);
	rcu_read_unlock();
	return proc_why(&r->g, -EEXIST, "pid %d is in use by %s", r->pid, comm);
}

static pid_t restart_clone(struct restart *r)
{
	pid_t wanted = r->pid;
	struct kernel_clone_args args = {
		.flags = CLONE_UNTRACED,
		.exit_signal = SIGCHLD,
		.fn = restart_child,
		.fn_arg = r,
		.set_tid = &wanted,
		.set_tid_size = 1,
	};
	const struct cred *old;
	struct cred *new = prepare_creds();
	pid_t pid;

	if (!new)
		return -ENOMEM;
	/* To choose a pid; the child has it too, until it gets its own credentials. */
	cap_raise(new->cap_effective, CAP_CHECKPOINT_RESTORE);
	old = override_creds(new);
	pid = krg_sym(kernel_clone)(&args);
	revert_creds(old);
	put_cred(new);
	if (pid == -EEXIST)
		return restart_clash(r);
	if (pid == -ERESTARTNOINTR)
		return -EINTR;
	if (pid < 0)
		return proc_why(&r->g, pid, "pid %d cannot be made (error %d)", r->pid, -pid);
	return pid;
}

/* The new task has been killed. It is waited for whatever the requester is sent meanwhile. */
static void restart_reap(pid_t pid)
{
	sigset_t most, old;

	siginitsetinv(&most, sigmask(SIGKILL) | sigmask(SIGSTOP));
	sigprocmask(SIG_BLOCK, &most, &old);
	krg_sym(kernel_wait4)(pid, NULL, __WALL, NULL);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static int restart_run(struct restart *r, struct netlink_ext_ack *extack)
{
	struct proc_claim claim;
	pid_t pid;
	int err;

	err = proc_claim(&claim, r->pid, &r->g);
	if (err)
		return err;
	pid = restart_clone(r);
	proc_claim_end(&claim);
	if (pid < 0)
		return pid;
	if (wait_for_completion_interruptible(&r->done)) {
		WRITE_ONCE(r->g.cancel, true);
		wait_for_completion(&r->done);
	}
	err = r->err;
	if (err) {
		restart_reap(pid);
		return err;
	}
	/* It is on its way to user mode and nothing holds it: no wait to interrupt. */
	err = app_await_frozen(r->app, false, extack);
	if (!err && !(r->g.flags & KRG_RESTART_FROZEN))
		app_thaw(r->app);
	app_put(r->app);
	return err;
}

static int restart_all(struct restart *r, struct netlink_ext_ack *extack)
{
	int err;

	if (task_active_pid_ns(current) != &init_pid_ns || current_user_ns() != &init_user_ns)
		return proc_why(&r->g, -EOPNOTSUPP, "namespace: the caller is in one of its own");
	r->g.resume = kzalloc(sizeof(*r->g.resume), GFP_KERNEL);
	if (!r->g.resume)
		return -ENOMEM;
	err = restart_global(r, 0);
	if (!err)
		err = restart_node(r);
	if (!err)
		err = restart_open_task(r);
	if (!err)
		err = restart_shared(r);
	if (!err) {
		scnprintf(r->name, sizeof(r->name), "task_%u.bin", r->pid);
		err = restart_run(r, extack);
	}
	return err;
}

/**
 * krg_proc_restart() - make a process from a checkpoint
 * @dir: the checkpoint's directory
 * @flags: KRG_RESTART_*
 * @subst: files that take the place of the image's
 * @nr_subst: how many
 * @owner: whom the freeze belongs to if it is to stay frozen; NULL: nobody
 * @pid: set to the new process's pid
 * @extack: the reason of an error
 *
 * The process is a child of the current one, with the pid it had.
 *
 * Context: process context of the requester; may sleep long.
 * Return: 0; -EBADMSG, -EPROTO damaged or foreign image; -EEXIST the pid is in use, here or
 * on another node of the cluster; -ETIMEDOUT a node does not say;
 * -EOPNOTSUPP not for this machine or kernel; -EPERM its rights are more than the
 * requester's; -ESTALE its files have changed; -EINTR; others of the file system.
 */
int krg_proc_restart(struct file *dir, u32 flags, const struct krg_proc_substitute *subst,
		     size_t nr_subst, const struct krg_proc_owner *owner, pid_t *pid,
		     struct netlink_ext_ack *extack)
{
	struct restart *r;
	int err;

	if (!S_ISDIR(file_inode(dir)->i_mode))
		return krg_extack_err(extack, -ENOTDIR, "the checkpoint's place is no directory");
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return -ENOMEM;
	r->g.flags = flags;
	r->g.subst = subst;
	r->g.nr_subst = nr_subst;
	r->g.requester = get_current_cred();
	r->dir = dir;
	r->owner = owner;
	init_completion(&r->done);
	err = restart_all(r, extack);
	*pid = r->pid;
	if (err && r->g.why[0])
		krg_extack_msg(extack, "%s", r->g.why);
	krg_ghost_free(r->task);
	proc_files_free(&r->g);
	put_cred(r->g.requester);
	kfree(r->g.resume);
	kfree(r);
	return err;
}
EXPORT_SYMBOL_GPL(krg_proc_restart);
