// SPDX-License-Identifier: GPL-2.0-only
/* The work before a system call is a function of its own, not inlined. */
#include <linux/entry-common.h>

long probe(struct pt_regs *regs);
long probe(struct pt_regs *regs)
{
	return syscall_trace_enter(regs, 0, 0);
}
