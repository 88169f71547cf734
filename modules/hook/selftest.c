// SPDX-License-Identifier: GPL-2.0-only
/*
 * What everything else stands on, tried when the module loads: if one of
 * these fails on this kernel, nothing of krg may run on it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/prctl.h>
#include <linux/sched/task.h>
#include <asm/unistd.h>

#include "hook.h"

#define SELFTEST_RESULT 0x6b7267	/* no system call returns this */
#define SELFTEST_EXIT_TIMEOUT (10 * HZ)

#define selftest_check(what, cond)					\
({									\
	bool selftest_ok = (cond);					\
									\
	if (!selftest_ok)						\
		pr_err("selftest failed: %s\n", what);			\
	selftest_ok;							\
})

noinline int krg_hook_selftest_target(int x);
noinline int krg_hook_selftest_target(int x)
{
	barrier();	/* keep the call a call */
	return x + 1;
}

static int selftest_handler(int x);

static struct krg_redirect selftest_redirect = {
	.name = "krg_hook_selftest_target",
	.handler = selftest_handler,
};

static int selftest_handler(int x)
{
	krg_redirect_exit(&selftest_redirect);
	return x + 100;
}

static bool selftest_redirects(void)
{
	bool ok = selftest_check("function before its redirect", krg_hook_selftest_target(1) == 2);

	/* No owner: otherwise this module's own calls would pass. */
	if (!selftest_check("redirect added", !__krg_redirect_add(&selftest_redirect, NULL)))
		return false;
	ok &= selftest_check("function redirected", krg_hook_selftest_target(1) == 101);
	krg_redirect_del(&selftest_redirect);
	return ok & selftest_check("function after its redirect", krg_hook_selftest_target(1) == 2);
}

/* Enter the kernel's own path to a system call, as the entry code does. */
static long selftest_enter(struct pt_regs *regs)
{
#ifdef KRG_HAVE_SYSCALL_TRACE_ENTER
	return krg_sym(syscall_trace_enter)(regs, regs->orig_ax,
					    READ_ONCE(current_thread_info()->syscall_work));
#else
	return krg_sym(syscall_enter_from_user_mode_work)(regs, regs->orig_ax);
#endif
}

static bool selftest_syscall(struct pt_regs *regs, void *data)
{
	if (regs->orig_ax != __NR_getpid)
		return false;
	regs->ax = SELFTEST_RESULT;
	return true;
}

static void selftest_release(void *data)
{
	complete(data);
}

static const struct krg_intercept_ops selftest_ops = {
	.owner = THIS_MODULE,
	.syscall = selftest_syscall,
	.release = selftest_release,
};

static bool selftest_calls(void)
{
	struct pt_regs regs = { .orig_ax = __NR_getpid };
	bool ok;

	ok = selftest_check("intercepted call is skipped", selftest_enter(&regs) == -1);
	ok &= selftest_check("intercepted call has our result", regs.ax == SELFTEST_RESULT);
	regs = (struct pt_regs){ .orig_ax = __NR_getppid };
	return ok & selftest_check("other call goes on", selftest_enter(&regs) == __NR_getppid);
}

/* The real prctl, by the system call table: it must not end our interception. */
static bool selftest_prctl(void)
{
	struct pt_regs regs = {
		.orig_ax = __NR_prctl,
		.di = PR_SET_SYSCALL_USER_DISPATCH,
		.si = PR_SYS_DISPATCH_OFF,
	};
	bool ok;

	ok = selftest_check("prctl through the table",
			    krg_data(sys_call_table)[__NR_prctl](&regs) == 0);
	return ok & selftest_check("prctl leaves interception",
				   test_syscall_work(SYSCALL_USER_DISPATCH));
}

static int selftest_thread(void *released)
{
	struct pt_regs regs = { .orig_ax = __NR_getpid };
	bool ok;

	ok = selftest_check("call before interception", selftest_enter(&regs) == __NR_getpid);
	if (!selftest_check("interception set",
			    !krg_intercept_set(current, &selftest_ops, released)))
		return -EIO;
	ok &= selftest_check("second interception refused",
			     krg_intercept_set(current, &selftest_ops, released) == -EEXIST);
	ok &= selftest_calls() && selftest_prctl();
	return ok ? 0 : -EIO;	/* and exit, intercepted */
}

/* In a thread of its own, which shows too that exit ends an interception. */
static bool selftest_intercepts(void)
{
	DECLARE_COMPLETION_ONSTACK(released);
	struct task_struct *task;
	bool ok;

	task = kthread_create(selftest_thread, &released, "krg_selftest");
	if (!selftest_check("thread made", !IS_ERR(task)))
		return false;
	get_task_struct(task);
	wake_up_process(task);
	/* Not before it ran: a thread stopped earlier never starts. */
	if (!wait_for_completion_timeout(&released, SELFTEST_EXIT_TIMEOUT)) {
		selftest_check("exit ends interception", false);
		krg_intercept_clear(task);
	}
	ok = !kthread_stop(task) && !krg_intercept_active(task);
	put_task_struct(task);
	return ok;
}

/**
 * krg_hook_selftest() - try redirects and interception
 *
 * Return: 0, or -EIO with the reason in the kernel log.
 */
int krg_hook_selftest(void)
{
	if (!selftest_redirects() || !selftest_intercepts())
		return -EIO;
	return 0;
}
