// SPDX-License-Identifier: GPL-2.0-only
#include "schema.h"

#define GLOBAL KRG_GHOST_GLOBAL
#define NODES KRG_GHOST_NODE
#define TASK KRG_GHOST_TASK
#define SHARED KRG_GHOST_SHARED
#define EVERY (GLOBAL | NODES | TASK | SHARED)

#define MANY KRG_GHOST_MANY
#define ALWAYS KRG_GHOST_ALWAYS
#define LEADER KRG_GHOST_LEADER
#define LEADER_HAS (KRG_GHOST_LEADER | KRG_GHOST_LEADER_HAS)
#define FRAMING KRG_GHOST_FRAMING
#define BULK KRG_GHOST_HAS_BULK

#define ROW(type, name, kinds, marks, min, max, check) \
	{ KRG_GHOST_R_##type, marks, kinds, min, max, name, check }
#define FIXED(type, name, kinds, marks, of, check) \
	ROW(type, name, kinds, marks, sizeof(struct of), 0, check)

#define XSAVE_MIN (sizeof(struct krg_ghost_xsave) + 512 + 64)	/* legacy area and header */
#define XSAVE_MAX (sizeof(struct krg_ghost_xsave) + KRG_GHOST_MAX_XSAVE)
#define CRED_MAX (sizeof(struct krg_ghost_cred) + 4 * KRG_GHOST_MAX_GROUPS)
#define PAIR sizeof(struct krg_ghost_auxv)
#define PAGES_MIN (sizeof(struct krg_ghost_pages) + sizeof(struct krg_ghost_run))
#define PAGES_MAX (sizeof(struct krg_ghost_pages) + \
		   sizeof(struct krg_ghost_run) * KRG_GHOST_MAX_PAGES)
#define FILEOBJ_MAX (sizeof(struct krg_ghost_fileobj) + KRG_GHOST_MAX_PATH)
#define INDEX_MAX (sizeof(struct krg_ghost_index_entry) * KRG_GHOST_MAX_INDEX)

/*
 * A task's records come in the order in which one who restores it can apply
 * them as they are read: files and memory while it still has the rights and
 * no limits, then what it will run with, and last what would disturb the rest.
 */
const struct krg_ghost_row krg_ghost_schema[KRG_GHOST_NR_ROWS] = {
	FIXED(FILE, "file", EVERY, FRAMING, krg_ghost_file, NULL),

	FIXED(APP, "app", GLOBAL, ALWAYS, krg_ghost_app, krg_ghost_check_app),
	FIXED(APP_TASK, "app_task", GLOBAL, MANY, krg_ghost_app_task, krg_ghost_check_app_task),

	FIXED(NODE, "node", NODES, ALWAYS, krg_ghost_node, krg_ghost_check_node),
	FIXED(NODE_TASK, "node_task", NODES, MANY, krg_ghost_app_task, krg_ghost_check_app_task),

	ROW(FILEOBJ, "fileobj", SHARED, MANY, sizeof(struct krg_ghost_fileobj), FILEOBJ_MAX,
	    krg_ghost_check_fileobj),
	FIXED(CONTENT, "content", SHARED, MANY | BULK, krg_ghost_content, krg_ghost_check_content),

	FIXED(IDS, "ids", TASK, ALWAYS, krg_ghost_ids, krg_ghost_check_ids),
	FIXED(SCHED, "sched", TASK, ALWAYS, krg_ghost_sched, krg_ghost_check_sched),
	ROW(CPUS, "cpus", TASK, 0, 8, KRG_GHOST_MAX_CPUS / 8, krg_ghost_check_cpus),
	FIXED(FS, "fs", TASK, LEADER_HAS, krg_ghost_fs, krg_ghost_check_fs),
	FIXED(FD, "fd", TASK, LEADER | MANY, krg_ghost_fd, krg_ghost_check_fd),
	FIXED(MM, "mm", TASK, LEADER_HAS, krg_ghost_mm, krg_ghost_check_mm),
	ROW(AUXV, "auxv", TASK, LEADER_HAS, PAIR, PAIR * KRG_GHOST_MAX_AUXV, krg_ghost_check_auxv),
	FIXED(VMA, "vma", TASK, LEADER | MANY, krg_ghost_vma, krg_ghost_check_vma),
	ROW(PAGES, "pages", TASK, LEADER | MANY | BULK, PAGES_MIN, PAGES_MAX,
	    krg_ghost_check_pages),
	FIXED(SIGACTION, "sigaction", TASK, LEADER_HAS, krg_ghost_sigaction, NULL),
	FIXED(THREAD, "thread", TASK, ALWAYS, krg_ghost_thread, krg_ghost_check_thread),
	FIXED(REGS, "regs", TASK, ALWAYS, krg_ghost_regs, krg_ghost_check_regs),
	ROW(XSAVE, "xsave", TASK, ALWAYS, XSAVE_MIN, XSAVE_MAX, krg_ghost_check_xsave),
	FIXED(RESTART, "restart", TASK, 0, krg_ghost_restart, krg_ghost_check_restart),
	FIXED(SIGMASK, "sigmask", TASK, ALWAYS, krg_ghost_sigmask, krg_ghost_check_sigmask),
	FIXED(PENDING, "pending", TASK, MANY, krg_ghost_siginfo, krg_ghost_check_siginfo),
	FIXED(SHPENDING, "shpending", TASK, LEADER | MANY, krg_ghost_siginfo,
	      krg_ghost_check_siginfo),
	FIXED(USAGE, "usage", TASK, LEADER, krg_ghost_usage, krg_ghost_check_usage),
	FIXED(ITIMERS, "itimers", TASK, LEADER_HAS, krg_ghost_itimers, NULL),
	FIXED(RLIMITS, "rlimits", TASK, LEADER_HAS, krg_ghost_rlimits, NULL),
	ROW(CRED, "cred", TASK, ALWAYS, sizeof(struct krg_ghost_cred), CRED_MAX,
	    krg_ghost_check_cred),

	ROW(INDEX, "index", EVERY, FRAMING, sizeof(struct krg_ghost_index_entry), INDEX_MAX, NULL),
	FIXED(END, "end", EVERY, FRAMING, krg_ghost_end, NULL),
};

static_assert(CRED_MAX <= KRG_GHOST_MAX_PAYLOAD);
static_assert(PAGES_MAX <= KRG_GHOST_MAX_PAYLOAD);

int krg_ghost_row(u16 type)
{
	int i;

	for (i = 0; i < KRG_GHOST_NR_ROWS; i++)
		if (krg_ghost_schema[i].type == type)
			return i;
	return KRG_GHOST_NO_ROW;
}

const char *krg_ghost_row_name(u16 type)
{
	int row = krg_ghost_row(type);

	return row == KRG_GHOST_NO_ROW ? "unknown" : krg_ghost_schema[row].name;
}

bool krg_ghost_len_fits(const struct krg_ghost_row *row, u32 len)
{
	return len >= row->min && len <= (row->max ? row->max : row->min);
}
