// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table on its way to a node that joins: the head, segments, each with its users
 * behind it. Change log: 1, as below.
 */
#include <linux/sched/mm.h>
#include "ipc.h"

#define FORMAT	1u

struct wire_head {
	__le32 format;
	__le32 next;
	__le32 segs;
	__le32 pad;
};

struct wire_seg {
	__le32 id;
	__le32 key;
	__le32 mode;
	__le32 uid;
	__le32 gid;
	__le32 cuid;
	__le32 cgid;
	__le32 cpid;
	__le32 lpid;
	__le32 users;
	__le64 size;
	__le64 ino;
	__le64 atime;
	__le64 dtime;
	__le64 ctime;
};

struct wire_user {
	__le32 node;
	__le32 count;
};

static_assert(sizeof(struct wire_head) == 16);
static_assert(sizeof(struct wire_seg) == 80);
static_assert(sizeof(struct wire_user) == 8);

static u32 users_of(struct ipc_seg *seg)
{
	unsigned long node;
	u32 users = 0;
	void *entry;

	xa_for_each(&seg->users, node, entry)
		users++;
	return users;
}

static void write_users(struct krg_order_sink *sink, struct ipc_seg *seg)
{
	struct wire_user w;
	unsigned long node;
	void *entry;

	xa_for_each(&seg->users, node, entry) {
		w.node = cpu_to_le32(node);
		w.count = cpu_to_le32(xa_to_value(entry));
		krg_order_write(sink, &w, sizeof(w));
	}
}

static void write_seg(struct krg_order_sink *sink, struct ipc_seg *seg)
{
	struct wire_seg w = {
		.id = cpu_to_le32(seg->id), .key = cpu_to_le32(seg->key),
		.mode = cpu_to_le32(seg->mode),
		.uid = cpu_to_le32(__kuid_val(seg->uid)),
		.gid = cpu_to_le32(__kgid_val(seg->gid)),
		.cuid = cpu_to_le32(__kuid_val(seg->cuid)),
		.cgid = cpu_to_le32(__kgid_val(seg->cgid)),
		.cpid = cpu_to_le32(seg->cpid), .lpid = cpu_to_le32(seg->lpid),
		.users = cpu_to_le32(users_of(seg)), .size = cpu_to_le64(seg->size),
		.ino = cpu_to_le64(seg->ino), .atime = cpu_to_le64(seg->atime),
		.dtime = cpu_to_le64(seg->dtime), .ctime = cpu_to_le64(seg->ctime),
	};

	krg_order_write(sink, &w, sizeof(w));
	write_users(sink, seg);
}

void ipc_snapshot(struct net *net, struct krg_order_sink *sink)
{
	struct ipc *ipc = ipc_of(net);
	struct wire_head w = {
		.format = cpu_to_le32(FORMAT), .next = cpu_to_le32(ipc->next),
	};
	struct ipc_seg *seg;
	unsigned long id;

	down_read(&ipc_ids()->rwsem);
	w.segs = cpu_to_le32(ipc->count);
	krg_order_write(sink, &w, sizeof(w));
	xa_for_each(&ipc->segs, id, seg)
		write_seg(sink, seg);
	up_read(&ipc_ids()->rwsem);
}

static int read_users(struct krg_order_source *c, struct ipc *ipc, struct ipc_seg *seg, u32 users)
{
	const struct wire_user *w;
	u32 node;

	for (; users; users--) {
		w = krg_order_read(c, sizeof(*w));
		node = w ? le32_to_cpu(w->node) : KRG_MAX_NODES;
		if (node >= KRG_MAX_NODES || !w->count || xa_load(&seg->users, node))
			return -EBADMSG;
		ipc_seg_count(ipc, seg, node, le32_to_cpu(w->count));
	}
	return 0;
}

static bool seg_ok(struct ipc *ipc, const struct wire_seg *w)
{
	int id = le32_to_cpu(w->id);

	return id >= 0 && !ipc_seg(ipc, id) && !ipc_seg_of_key(ipc, le32_to_cpu(w->key)) &&
	       !(le32_to_cpu(w->mode) & ~(IPC_RIGHTS | SHM_DEST));
}

static int read_seg(struct krg_order_source *c, struct ipc *ipc)
{
	const struct wire_seg *w = krg_order_read(c, sizeof(*w));
	struct ipc_seg *seg;

	if (!w || !seg_ok(ipc, w))
		return -EBADMSG;
	seg = ipc_seg_make(ipc, le32_to_cpu(w->id), le32_to_cpu(w->key));
	seg->mode = le32_to_cpu(w->mode);
	seg->uid = KUIDT_INIT(le32_to_cpu(w->uid));
	seg->gid = KGIDT_INIT(le32_to_cpu(w->gid));
	seg->cuid = KUIDT_INIT(le32_to_cpu(w->cuid));
	seg->cgid = KGIDT_INIT(le32_to_cpu(w->cgid));
	seg->cpid = le32_to_cpu(w->cpid);
	seg->lpid = le32_to_cpu(w->lpid);
	seg->size = le64_to_cpu(w->size);
	seg->ino = le64_to_cpu(w->ino);
	seg->atime = le64_to_cpu(w->atime);
	seg->dtime = le64_to_cpu(w->dtime);
	seg->ctime = le64_to_cpu(w->ctime);
	return read_users(c, ipc, seg, le32_to_cpu(w->users));
}

static int read_table(struct krg_order_source *c, struct ipc *ipc)
{
	const struct wire_head *w = krg_order_read(c, sizeof(*w));
	int err = 0;
	u32 i;

	if (!w || le32_to_cpu(w->format) != FORMAT)
		return -EBADMSG;
	ipc->next = le32_to_cpu(w->next);
	for (i = 0; i < le32_to_cpu(w->segs) && !err; i++)
		err = read_seg(c, ipc);
	return err ?: c->left ? -EBADMSG : 0;
}

/* The mirrors are made when the files can be: by mount_work, or now; here only, if ever. */
int ipc_restore(struct net *net, const void *data, size_t len)
{
	struct krg_order_source c = { .at = data, .left = len };
	unsigned int nofs = memalloc_nofs_save();
	struct ipc *ipc = ipc_of(net);
	int err;

	down_write(&ipc_ids()->rwsem);
	err = read_table(&c, ipc);
	/* krg_mm's table may come after ours. */
	if (!err && ipc->mnt)
		queue_delayed_work(ipc_wq, &ipc->mirror_work, 0);
	up_write(&ipc_ids()->rwsem);
	memalloc_nofs_restore(nofs);
	return err;
}
