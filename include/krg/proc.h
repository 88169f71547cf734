/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * krg_proc: freeze, checkpoint and restart of applications.
 *
 * All functions are called in the context of the task that asks (a netlink
 * command): its credentials decide, files are opened with its rights. They
 * may sleep, take no lock of the caller's and leave the reason of an error as
 * extended ack text. Pids are as that task sees them.
 */
#ifndef KRG_PROC_H
#define KRG_PROC_H

#include <linux/types.h>

struct file;
struct krg_checkpoint;
struct net;
struct netlink_ext_ack;
struct task_struct;

/* Who a freeze belongs to: a netlink socket. It ends with the socket. */
struct krg_proc_owner {
	const struct net *net;
	u32 portid;
};

/* A file of the image to be replaced by an open one at restart. */
struct krg_proc_substitute {
	u64 id;			/* the 20 hexadecimal digits of user_info */
	struct file *file;
};

int krg_proc_freeze(pid_t pid, const struct krg_proc_owner *owner,
		    struct netlink_ext_ack *extack);
int krg_proc_unfreeze(pid_t pid, unsigned int sig, struct netlink_ext_ack *extack);
struct krg_checkpoint *krg_proc_checkpoint_begin(pid_t pid, struct file *dir, u32 flags,
						 struct netlink_ext_ack *extack);
int krg_proc_checkpoint_end(struct krg_checkpoint *checkpoint, struct netlink_ext_ack *extack);
int krg_proc_restart(struct file *dir, u32 flags, const struct krg_proc_substitute *subst,
		     size_t nr_subst, const struct krg_proc_owner *owner, pid_t *pid,
		     struct netlink_ext_ack *extack);
void krg_proc_release_owner(const struct krg_proc_owner *owner);
bool krg_proc_frozen(struct task_struct *task);

#endif
