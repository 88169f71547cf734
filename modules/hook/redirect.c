// SPDX-License-Identifier: GPL-2.0-only
/*
 * Redirects: a kernel function's callers get a function of ours instead.
 *
 *   caller -> function's first bytes -> ftrace trampoline -> redirect_enter()
 *                                                             |       |
 *                     caller is the redirect's own module     |       | else
 *                                    the function goes on  <--+       +--> handler
 *
 * redirect_enter() only replaces the address the trampoline returns to. The
 * handler then runs as if it had been called, with the caller's arguments and
 * return address. When it calls the original, it comes through
 * redirect_enter() again, which knows the module by the return address and
 * lets it pass.
 *
 * Why nobody is left in a handler once krg_redirect_del() returns
 *
 * 1. unregister_ftrace_function() returns when no CPU can be in
 *    redirect_enter() or in the trampoline any more (it waits for RCU-tasks
 *    itself): from here on nobody enters.
 * 2. redirect_enter() took a reference before it diverted a call, and the
 *    handler gives it back at its end. A task may sleep in the handler, so no
 *    grace period could stand for this. When the count is zero all have
 *    passed krg_redirect_exit().
 * 3. Between that and the handler's return instruction a task may still be
 *    preempted, and the last one may still be in redirect_idle(). RCU-tasks
 *    waits until each task has slept of its own accord or was in user mode:
 *    neither happens between those points, so one more grace period and they
 *    are out of the module's text.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/rcupdate.h>

#include "../compat/linux/ftrace.h"
#include "hook.h"

static atomic_t redirect_count = ATOMIC_INIT(0);

static void notrace redirect_enter(unsigned long ip, unsigned long parent_ip,
				   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct krg_redirect *r = container_of(ops, struct krg_redirect, ops);

	if (r->owner && within_module(parent_ip, r->owner))
		return;
	percpu_ref_get(&r->inside);
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)r->handler);
}

static void redirect_idle(struct percpu_ref *ref)
{
	complete(&container_of(ref, struct krg_redirect, inside)->idle);
}

static int redirect_patch(struct krg_redirect *r)
{
	int err;

	/*
	 * PERMANENT: kernel.ftrace_enabled=0 must not cut a redirect off.
	 * x86 saves the arguments and lets the handler set the return address
	 * without SAVE_REGS, which would cost every call a full pt_regs.
	 */
	r->ops.func = redirect_enter;
	r->ops.flags = FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT;
	if (!IS_ENABLED(CONFIG_HAVE_DYNAMIC_FTRACE_WITH_ARGS))
		r->ops.flags |= FTRACE_OPS_FL_SAVE_REGS;

	err = ftrace_set_filter_ip(&r->ops, r->addr, 0, 0);
	if (!err)
		err = register_ftrace_function(&r->ops);
	if (err)
		ftrace_free_filter(&r->ops);
	return err;
}

/**
 * __krg_redirect_add() - redirect a kernel function
 * @r: the redirect, name and handler set; owned by hook until krg_redirect_del()
 * @owner: module whose own calls go to the original; NULL: all are redirected
 *
 * Use krg_redirect_add().
 *
 * Context: process context, may sleep.
 * Return: 0; -ENOENT no such function; -EBUSY someone else (a live patch)
 * redirects it; -EINVAL it cannot be traced; -ENOMEM.
 */
int __krg_redirect_add(struct krg_redirect *r, struct module *owner)
{
	int err;

	err = krg_symbols_find(&r->name, &r->addr, 1);
	if (err)
		return err;
	r->owner = owner;
	memset(&r->ops, 0, sizeof(r->ops));
	init_completion(&r->idle);
	err = percpu_ref_init(&r->inside, redirect_idle, 0, GFP_KERNEL);
	if (err)
		return err;
	err = redirect_patch(r);
	if (err) {
		percpu_ref_exit(&r->inside);
		pr_err("%s: cannot redirect (%d)%s\n", r->name, err,
		       err == -EBUSY ? ": someone else does" : "");
		return err;
	}
	atomic_inc(&redirect_count);
	return 0;
}
EXPORT_SYMBOL_GPL(__krg_redirect_add);

/**
 * krg_redirect_del() - end a redirect
 * @r: the redirect
 *
 * When it returns, nobody runs in the handler and nobody will. Waits for those
 * inside, however long they sleep: wake them first where they may sleep long.
 * The handler must not serve the idle task (RCU-tasks does not wait for it).
 *
 * Context: process context, sleeps; not from the handler.
 */
void krg_redirect_del(struct krg_redirect *r)
{
	/* Fails only after ftrace has found the kernel's text corrupt. */
	WARN_ON_ONCE(unregister_ftrace_function(&r->ops));
	percpu_ref_kill(&r->inside);
	wait_for_completion(&r->idle);
	synchronize_rcu_tasks();
	percpu_ref_exit(&r->inside);
	ftrace_free_filter(&r->ops);
	atomic_dec(&redirect_count);
}
EXPORT_SYMBOL_GPL(krg_redirect_del);

/**
 * krg_redirects_count() - how many functions are redirected now
 *
 * Return: the number.
 */
unsigned int krg_redirects_count(void)
{
	return atomic_read(&redirect_count);
}
