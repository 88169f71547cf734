// SPDX-License-Identifier: GPL-2.0-only
/* The table of segments. Locks: shm_ids.rwsem, for writing where it is changed. */
#include <linux/slab.h>
#include <krg/shm.h>
#include "ipc.h"

#define NOFAIL (GFP_KERNEL | __GFP_NOFAIL)

struct ipc_seg *ipc_seg(struct ipc *ipc, int id)
{
	return id < 0 ? NULL : xa_load(&ipc->segs, id);
}

struct ipc_seg *ipc_seg_of_key(struct ipc *ipc, key_t key)
{
	return key == IPC_PRIVATE ? NULL : xa_load(&ipc->keys, (u32)key);
}

/**
 * ipc_seg_make() - a new segment in the table
 * @ipc: node
 * @id: its id, used by none
 * @key: its key, used by none, or IPC_PRIVATE
 */
struct ipc_seg *ipc_seg_make(struct ipc *ipc, int id, key_t key)
{
	struct ipc_seg *seg = kzalloc(sizeof(*seg), NOFAIL);

	seg->id = id;
	seg->key = key;
	xa_init(&seg->users);
	xa_store(&ipc->segs, id, seg, NOFAIL);
	xa_set_mark(&ipc->segs, id, IPC_MISSING);
	if (key != IPC_PRIVATE)
		xa_store(&ipc->keys, (u32)key, seg, NOFAIL);
	ipc->count++;
	return seg;
}

/* It is not found by its key any more. */
void ipc_seg_unkey(struct ipc *ipc, struct ipc_seg *seg)
{
	if (seg->key != IPC_PRIVATE)
		xa_erase(&ipc->keys, (u32)seg->key);
	seg->key = IPC_PRIVATE;
}

/**
 * ipc_seg_remove() - a segment is no more
 * @ipc: node
 * @seg: it; freed
 * @destroy: it is up to us to destroy its pages
 */
void ipc_seg_remove(struct ipc *ipc, struct ipc_seg *seg, bool destroy)
{
	ipc_seg_unkey(ipc, seg);
	xa_erase(&ipc->segs, seg->id);
	ipc->count--;
	ipc_mirror_end(seg);
	krg_shm_drop(ipc->net, seg->ino, destroy);
	xa_destroy(&seg->users);
	kfree(seg);
}

static u32 users_on(struct ipc_seg *seg, krg_node_t node)
{
	void *entry = node < 0 ? NULL : xa_load(&seg->users, node);

	return entry ? xa_to_value(entry) : 0;
}

/**
 * ipc_seg_count() - a node is attached to a segment so many times
 * @ipc: this node
 * @seg: segment
 * @node: the node
 * @count: times
 */
void ipc_seg_count(struct ipc *ipc, struct ipc_seg *seg, krg_node_t node, u32 count)
{
	seg->total += count;
	seg->total -= users_on(seg, node);
	if (count)
		xa_store(&seg->users, node, xa_mk_value(count), NOFAIL);
	else
		xa_erase(&seg->users, node);
	ipc_mirror_count(seg, seg->total - users_on(seg, krg_self(ipc->net)));
}

void ipc_table_init(struct ipc *ipc)
{
	xa_init(&ipc->segs);
	xa_init(&ipc->keys);
}

/* This node is in no cluster any more. */
void ipc_table_reset(struct ipc *ipc)
{
	struct ipc_seg *seg;
	unsigned long id;

	xa_for_each(&ipc->segs, id, seg) {
		ipc_mirror_count(seg, 0);
		ipc_seg_remove(ipc, seg, false);
	}
	ipc->next = 0;
}
