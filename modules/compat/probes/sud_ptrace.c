// SPDX-License-Identifier: GPL-2.0-only
/* A tracer may set its tracee's syscall user dispatch. */
#include <linux/sched.h>
#include <linux/syscall_user_dispatch.h>

int probe(struct task_struct *task, void __user *data);
int probe(struct task_struct *task, void __user *data)
{
	return syscall_user_dispatch_set_config(task, 0, data);
}
