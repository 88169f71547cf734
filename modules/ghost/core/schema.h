/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which records there are, and what a good one looks like: one row a type, in
 * the order in which they must occur in a stream. Writer and reader both obey
 * it, so that what is written can be read.
 */
#ifndef KRG_GHOST_SCHEMA_H
#define KRG_GHOST_SCHEMA_H

#include <krg/core.h>
#include <krg/ghost_format.h>

/* Marks of a row. */
#define KRG_GHOST_MANY		0x1	/* may occur more than once */
#define KRG_GHOST_ALWAYS	0x2	/* its kinds' streams have it */
#define KRG_GHOST_LEADER	0x4	/* only in the file of a thread group's leader */
#define KRG_GHOST_LEADER_HAS	0x8	/* and there always */
#define KRG_GHOST_FRAMING	0x10	/* the codec's own */
#define KRG_GHOST_HAS_BULK	0x20

/* What earlier records say about later ones; starts as zeroes. */
struct krg_ghost_context {
	bool task_seen;
	bool leader;
	u32 tasks_left;		/* of APP or NODE */
	u32 vmas_left;		/* of MM */
	u32 last_file;		/* id of the last FILEOBJ */
	u32 content_file;
	u64 next_fd;		/* lowest that may follow */
	u64 next_vma;
	u64 next_page;
	u64 next_content;
};

struct krg_ghost_row {
	u16 type;
	u16 marks;
	u16 kinds;		/* set of enum krg_ghost_kind */
	u32 min;		/* bytes of payload */
	u32 max;		/* 0: exactly min */
	const char *name;
	/* NULL, or why the payload, of fitting length, is wrong. Bulk length is in range. */
	const char *(*check)(struct krg_ghost_context *context, const void *payload, u32 len);
};

/* Rows of krg_ghost_schema: as many as types. */
#define KRG_GHOST_NR_ROWS	30

extern const struct krg_ghost_row krg_ghost_schema[KRG_GHOST_NR_ROWS];

#define KRG_GHOST_NO_ROW	(-1)

/* May a payload of this row have len bytes? */
bool krg_ghost_len_fits(const struct krg_ghost_row *row, u32 len);

/* The index of a type's row, or KRG_GHOST_NO_ROW. */
int krg_ghost_row(u16 type);

/* The type's name, "unknown" if it has no row. */
const char *krg_ghost_row_name(u16 type);

/* checks.c: the hooks of the rows. */
#define KRG_GHOST_CHECK(name) \
	const char *krg_ghost_check_##name(struct krg_ghost_context *context, \
					   const void *payload, u32 len)

KRG_GHOST_CHECK(app);
KRG_GHOST_CHECK(app_task);
KRG_GHOST_CHECK(node);
KRG_GHOST_CHECK(ids);
KRG_GHOST_CHECK(sched);
KRG_GHOST_CHECK(cpus);
KRG_GHOST_CHECK(usage);
KRG_GHOST_CHECK(fs);
KRG_GHOST_CHECK(fd);
KRG_GHOST_CHECK(mm);
KRG_GHOST_CHECK(auxv);
KRG_GHOST_CHECK(vma);
KRG_GHOST_CHECK(pages);
KRG_GHOST_CHECK(thread);
KRG_GHOST_CHECK(regs);
KRG_GHOST_CHECK(xsave);
KRG_GHOST_CHECK(restart);
KRG_GHOST_CHECK(sigmask);
KRG_GHOST_CHECK(siginfo);
KRG_GHOST_CHECK(cred);
KRG_GHOST_CHECK(fileobj);
KRG_GHOST_CHECK(content);

/* NULL, or what of the stream announced by earlier records is missing at its end. */
const char *krg_ghost_check_complete(const struct krg_ghost_context *context);

#endif
