/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What krg_proc says to krg_proc of another node. Numbers are never reused.
 *
 * Version 1: PROC_SERVICE_CLAIM.
 */
#ifndef KRG_PROC_WIRE_H
#define KRG_PROC_WIRE_H

#include <linux/build_bug.h>
#include <linux/types.h>
#include <krg/rpc.h>

enum proc_service {
	PROC_SERVICE_CLAIM = KRG_SERVICE_PROC,	/* may I restart this pid */
};

struct proc_wire_ask {
	__le32 pid;
	__le32 reserved;	/* 0 */
};

enum proc_pid_use {
	PROC_PID_FREE		= 0,
	PROC_PID_USED		= 1,	/* by a process that lives */
	PROC_PID_RESTARTING	= 2,	/* a restart there comes before yours */
};

#define PROC_WIRE_COMM	16

struct proc_wire_answer {
	__le32 use;		/* enum proc_pid_use */
	__u8 comm[PROC_WIRE_COMM];	/* of the process, ends with 0 */
};

static_assert(sizeof(struct proc_wire_ask) == 8);
static_assert(sizeof(struct proc_wire_answer) == 20);

#endif
