// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls of single tasks.
 *
 * The kernel calls syscall_user_dispatch() before a system call of a task that
 * carries SYSCALL_WORK_SYSCALL_USER_DISPATCH; other tasks never notice. That
 * function is redirected to ours, and the flag set on the tasks we want.
 *
 * User space has its own use of the flag, prctl(PR_SET_SYSCALL_USER_DISPATCH).
 * A task may have both; the kernel's comes first, as a call it dispatches is
 * no system call. So the flag of a task is
 *
 *	flag = native (what prctl or a tracer last asked for) || has an entry
 *
 * The functions that set the native half are redirected too, and put the flag
 * right afterwards.
 *
 * An interception ends with krg_intercept_clear(), execve (where the kernel
 * clears the flag) or exit. A child never inherits it: fork clears the flag in
 * the copy, and the table knows tasks, not their children.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>
#include <trace/events/sched.h>

#include "hook.h"

/**
 * struct intercept - one task's interception
 * @node: in intercept_table; changed under intercept_lock, read under RCU
 * @task: whose
 * @ops: the owner's callbacks
 * @data: the owner's
 * @native: user space wants the flag too; under intercept_lock
 * @users: the table's reference, and one for each call in progress
 * @rcu: freed after readers of the table
 */
struct intercept {
	struct rhash_head node;
	struct task_struct *task;
	const struct krg_intercept_ops *ops;
	void *data;
	bool native;
	refcount_t users;
	struct rcu_head rcu;
};

static const struct rhashtable_params intercept_params = {
	.key_len = sizeof(struct task_struct *),
	.key_offset = offsetof(struct intercept, task),
	.head_offset = offsetof(struct intercept, node),
	.automatic_shrinking = true,
};

static struct rhashtable intercept_table;
static DEFINE_SPINLOCK(intercept_lock);	/* the table against the tasks' flags */

static struct intercept *intercept_find(struct task_struct *task)
{
	return rhashtable_lookup_fast(&intercept_table, &task, intercept_params);
}

static struct intercept *intercept_get(struct task_struct *task)
{
	struct intercept *e;

	rcu_read_lock();
	e = intercept_find(task);
	if (e && !refcount_inc_not_zero(&e->users))
		e = NULL;
	rcu_read_unlock();
	return e;
}

static void intercept_put(struct intercept *e)
{
	struct module *owner = e->ops->owner;

	if (!refcount_dec_and_test(&e->users))
		return;
	if (e->ops->release)
		e->ops->release(e->data);
	kfree_rcu(e, rcu);
	module_put(owner);
}

static bool intercept_call(struct intercept *e, struct pt_regs *regs)
{
	if (READ_ONCE(e->native) && krg_sym(syscall_user_dispatch)(regs))
		return true;
	if (!e->ops->syscall(regs, e->data))
		return false;
	/* As after the kernel's own dispatch: no tracer sees an exit without an entry. */
	current->syscall_dispatch.on_dispatch = true;
	return true;
}

static struct krg_redirect dispatch_redirect, prctl_redirect;

static bool intercept_dispatch(struct pt_regs *regs)
{
	struct intercept *e = intercept_get(current);
	bool skip = false;

	if (e) {
		skip = intercept_call(e, regs);
		intercept_put(e);
	} else {
		/*
		 * The entry went since the flag was read? intercept_drop()
		 * clears the flag first: it is set now only if it is native.
		 */
		smp_rmb();
		if (test_syscall_work(SYSCALL_USER_DISPATCH))
			skip = krg_sym(syscall_user_dispatch)(regs);
	}
	krg_redirect_exit(&dispatch_redirect);
	return skip;
}

/* The kernel has set or cleared @task's flag for user space. */
static void intercept_native(struct task_struct *task, bool on)
{
	struct intercept *e;

	spin_lock(&intercept_lock);
	e = intercept_find(task);
	if (e)
		WRITE_ONCE(e->native, on);
	if (e || on)
		set_task_syscall_work(task, SYSCALL_USER_DISPATCH);
	spin_unlock(&intercept_lock);
}

static int intercept_prctl(unsigned long mode, unsigned long offset, unsigned long len,
			   char __user *selector)
{
	int err = krg_sym(set_syscall_user_dispatch)(mode, offset, len, selector);

	if (!err)
		intercept_native(current, mode == PR_SYS_DISPATCH_ON);
	krg_redirect_exit(&prctl_redirect);
	return err;
}

static KRG_REDIRECT(dispatch_redirect, syscall_user_dispatch, intercept_dispatch);
static KRG_REDIRECT(prctl_redirect, set_syscall_user_dispatch, intercept_prctl);

#ifdef KRG_HAVE_SUD_PTRACE
static struct krg_redirect ptrace_redirect;

/* The tracee is stopped, and stays so until its tracer returns from here. */
static int intercept_ptrace(struct task_struct *task, unsigned long size, void __user *data)
{
	struct ptrace_sud_config cfg = { .mode = PR_SYS_DISPATCH_OFF };
	int err;

	if (size == sizeof(cfg) && copy_from_user(&cfg, data, sizeof(cfg)))
		err = -EFAULT;
	else
		err = krg_sym(syscall_user_dispatch_set_config)(task, size, data);
	if (!err)
		intercept_native(task, cfg.mode == PR_SYS_DISPATCH_ON);
	krg_redirect_exit(&ptrace_redirect);
	return err;
}

static KRG_REDIRECT(ptrace_redirect, syscall_user_dispatch_set_config, intercept_ptrace);
#endif

static struct krg_redirect *const intercept_redirects[] = {
	&dispatch_redirect,
	&prctl_redirect,
#ifdef KRG_HAVE_SUD_PTRACE
	&ptrace_redirect,
#endif
};

/* Take the task's entry away; the caller puts it. */
static struct intercept *intercept_drop(struct task_struct *task)
{
	struct intercept *e;

	spin_lock(&intercept_lock);
	e = intercept_find(task);
	if (e) {
		if (!e->native)
			clear_task_syscall_work(task, SYSCALL_USER_DISPATCH);
		smp_mb__after_atomic();	/* pairs with intercept_dispatch() */
		rhashtable_remove_fast(&intercept_table, &e->node, intercept_params);
	}
	spin_unlock(&intercept_lock);
	return e;
}

/**
 * krg_intercept_set() - intercept a task's system calls
 * @task: the task; the caller holds a reference
 * @ops: what to do with them; the module ops->owner stays loaded meanwhile
 * @data: passed to @ops
 *
 * The task's next system call goes to ops->syscall. Ends with
 * krg_intercept_clear(), execve or exit.
 *
 * Context: process context, may sleep.
 * Return: 0; -EEXIST the task is intercepted already; -ESRCH it is exiting;
 * 0 and ops->release if it starts exiting just now;
 * -ENODEV @ops' module is going; -ENOMEM.
 */
int krg_intercept_set(struct task_struct *task, const struct krg_intercept_ops *ops, void *data)
{
	struct intercept *e;
	int err;

	if (READ_ONCE(task->flags) & PF_EXITING)
		return -ESRCH;
	if (!try_module_get(ops->owner))
		return -ENODEV;
	e = kzalloc(sizeof(*e), GFP_KERNEL);
	if (!e) {
		module_put(ops->owner);
		return -ENOMEM;
	}
	e->task = task;
	e->ops = ops;
	e->data = data;
	refcount_set(&e->users, 1);

	spin_lock(&intercept_lock);
	e->native = test_task_syscall_work(task, SYSCALL_USER_DISPATCH);
	err = rhashtable_lookup_insert_fast(&intercept_table, &e->node, intercept_params);
	if (!err)
		set_task_syscall_work(task, SYSCALL_USER_DISPATCH);
	spin_unlock(&intercept_lock);
	if (err) {
		kfree(e);
		module_put(ops->owner);
		return err;
	}
	/* Either we see it exiting, or intercept_exit() sees the entry. */
	smp_mb();
	if (READ_ONCE(task->flags) & PF_EXITING)
		krg_intercept_clear(task);
	return 0;
}
EXPORT_SYMBOL_GPL(krg_intercept_set);

/**
 * krg_intercept_clear() - stop intercepting a task's system calls
 * @task: the task
 *
 * No call begins afterwards; one in progress goes on, and ops->release tells
 * when it is over.
 *
 * Context: any but interrupt context; also from ops->syscall.
 * Return: true if the task was intercepted.
 */
bool krg_intercept_clear(struct task_struct *task)
{
	struct intercept *e = intercept_drop(task);

	if (!e)
		return false;
	intercept_put(e);
	return true;
}
EXPORT_SYMBOL_GPL(krg_intercept_clear);

/**
 * krg_intercept_active() - is a task intercepted?
 * @task: the task
 *
 * Return: true if it is.
 */
bool krg_intercept_active(struct task_struct *task)
{
	bool active;

	rcu_read_lock();
	active = !!intercept_find(task);
	rcu_read_unlock();
	return active;
}
EXPORT_SYMBOL_GPL(krg_intercept_active);

static void intercept_end(struct task_struct *task)
{
	smp_mb();	/* pairs with krg_intercept_set() */
	if (atomic_read(&intercept_table.nelems))
		krg_intercept_clear(task);
}

static void intercept_exec(void *unused, struct task_struct *task, pid_t old_pid,
			   struct linux_binprm *bprm)
{
	intercept_end(task);
}

static void intercept_exit(void *unused, struct task_struct *task)
{
	intercept_end(task);
}

static int intercept_probes_add(void)
{
	int err;

	check_trace_callback_type_sched_process_exec(intercept_exec);
	check_trace_callback_type_sched_process_exit(intercept_exit);
	err = tracepoint_probe_register(krg_data(__tracepoint_sched_process_exec),
					intercept_exec, NULL);
	if (err)
		return err;
	err = tracepoint_probe_register(krg_data(__tracepoint_sched_process_exit),
					intercept_exit, NULL);
	if (err)
		tracepoint_probe_unregister(krg_data(__tracepoint_sched_process_exec),
					    intercept_exec, NULL);
	return err;
}

static void intercept_probes_del(void)
{
	tracepoint_probe_unregister(krg_data(__tracepoint_sched_process_exit),
				    intercept_exit, NULL);
	tracepoint_probe_unregister(krg_data(__tracepoint_sched_process_exec),
				    intercept_exec, NULL);
	tracepoint_synchronize_unregister();
}

static void intercept_redirects_del(size_t n)
{
	while (n--)
		krg_redirect_del(intercept_redirects[n]);
}

/**
 * krg_intercept_init() - make interception possible
 *
 * Return: 0 or a negative error.
 */
int krg_intercept_init(void)
{
	size_t i;
	int err;

	err = rhashtable_init(&intercept_table, &intercept_params);
	if (err)
		return err;
	err = intercept_probes_add();
	if (err)
		goto free_table;
	for (i = 0; i < ARRAY_SIZE(intercept_redirects); i++) {
		err = krg_redirect_add(intercept_redirects[i]);
		if (err)
			goto del_redirects;
	}
	return 0;

del_redirects:
	intercept_redirects_del(i);
	intercept_probes_del();
free_table:
	rhashtable_destroy(&intercept_table);
	return err;
}

/**
 * krg_intercept_exit() - undo krg_intercept_init()
 *
 * No task is intercepted any more: each keeps its owner loaded, and that us.
 */
void krg_intercept_exit(void)
{
	intercept_redirects_del(ARRAY_SIZE(intercept_redirects));
	intercept_probes_del();
	rhashtable_destroy(&intercept_table);
}
