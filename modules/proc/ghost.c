// SPDX-License-Identifier: GPL-2.0-only
/* Small things that all who save and load state need. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/kernel.h>
#include <linux/user_namespace.h>

#include "proc.h"

/**
 * proc_why() - remember why saving or loading fails
 * @g: what is being saved or loaded
 * @err: the error
 * @fmt: one sentence; a stable word first, if it is a refusal
 *
 * The first reason is kept.
 *
 * Return: @err.
 */
int proc_why(struct proc_ghost *g, int err, const char *fmt, ...)
{
	va_list args;

	if (g->why[0])
		return err;
	va_start(args, fmt);
	vscnprintf(g->why, sizeof(g->why), fmt, args);
	va_end(args);
	return err;
}

/**
 * proc_syscall() - a system call of the current task's
 * @nr: its number
 * @a: its arguments …
 * @b: … none of which may be a kernel pointer
 * @c: third
 * @d: fourth
 *
 * Return: what it returned.
 */
long proc_syscall(unsigned int nr, unsigned long a, unsigned long b, unsigned long c,
		  unsigned long d)
{
	struct pt_regs regs = { .di = a, .si = b, .dx = c, .r10 = d, .orig_ax = nr };

	return krg_sym(x64_sys_call)(&regs, nr);
}

/**
 * proc_requester_capable() - has he who restarts a capability
 * @g: being loaded
 * @cap: CAP_*
 *
 * Return: yes or no.
 */
bool proc_requester_capable(const struct proc_ghost *g, int cap)
{
	return g->requester->user_ns == &init_user_ns &&
	       cap_raised(g->requester->cap_effective, cap);
}
