// SPDX-License-Identifier: GPL-2.0-only
/* Snapshots of all machines: written in pieces, sent so, restored as one. */
#define pr_fmt(fmt) "krg_cluster: " fmt

#include <linux/export.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include "order.h"

void order_sink_init(struct krg_order_sink *sink)
{
	INIT_LIST_HEAD(&sink->chunks);
	sink->total = 0;
}

void order_sink_free(struct krg_order_sink *sink)
{
	struct order_chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, &sink->chunks, link)
		kvfree(chunk);
	order_sink_init(sink);
}

static struct order_chunk *sink_room(struct krg_order_sink *sink)
{
	struct order_chunk *chunk = NULL;

	if (!list_empty(&sink->chunks))
		chunk = list_last_entry(&sink->chunks, struct order_chunk, link);
	if (chunk && chunk->len < KRG_ORDER_CHUNK_MAX)
		return chunk;
	chunk = kvmalloc(sizeof(*chunk), GFP_KERNEL | __GFP_NOFAIL);
	chunk->len = 0;
	list_add_tail(&chunk->link, &sink->chunks);
	return chunk;
}

/**
 * krg_order_write() - write a part of a snapshot
 * @sink: as given to snapshot()
 * @data: bytes
 * @len: how many
 *
 * restore() gets all parts behind each other, without gaps.
 *
 * Context: snapshot() of a machine; may wait for memory, doesn't fail.
 */
void krg_order_write(struct krg_order_sink *sink, const void *data, u32 len)
{
	while (len) {
		struct order_chunk *chunk = sink_room(sink);
		u32 part = min_t(u32, len, KRG_ORDER_CHUNK_MAX - chunk->len);

		memcpy((u8 *)chunk->data + chunk->len, data, part);
		chunk->len += part;
		sink->total += part;
		data += part;
		len -= part;
	}
}
EXPORT_SYMBOL_GPL(krg_order_write);

/* All but the last are full. */
const struct order_chunk *order_chunk_at(const struct krg_order_sink *sink, u64 offset)
{
	const struct order_chunk *chunk;
	u64 at = 0;

	list_for_each_entry(chunk, &sink->chunks, link) {
		if (at == offset)
			return chunk;
		at += chunk->len;
	}
	return NULL;
}

/* A section's length is known when it is written; pieces are multiples of 8 bytes. */
static void take_machine(struct order *r, unsigned int id)
{
	struct krg_wire_order_section section = { .machine = cpu_to_le32(id) };
	static const u64 zero;
	struct order_chunk *chunk;
	u64 before;
	u32 at;

	chunk = sink_room(&r->tx);
	at = chunk->len;
	krg_order_write(&r->tx, &section, sizeof(section));
	before = r->tx.total;
	order_machines[id]->snapshot(r->net, &r->tx);
	section.bytes = cpu_to_le32(r->tx.total - before);
	memcpy((u8 *)chunk->data + at, &section, sizeof(section));
	krg_order_write(&r->tx, &zero, -r->tx.total & 7);
}

/**
 * order_take() - take a snapshot, to r->tx
 * @r: node
 *
 * Context: process. Locks: order_machines_lock, @r->lock.
 * Return: its bytes.
 */
u32 order_take(struct order *r)
{
	unsigned long machines = order_registered() & r->o->machines;
	unsigned int id;

	order_sink_free(&r->tx);
	krg_order_shared_encode(&r->o->shared, r->wire);
	krg_order_write(&r->tx, r->wire, sizeof(struct krg_wire_order_shared));
	for_each_set_bit(id, &machines, KRG_ORDER_MACHINES)
		take_machine(r, id);
	if (WARN_ON_ONCE(r->tx.total > KRG_ORDER_SNAPSHOT_MAX))
		return KRG_ORDER_SNAPSHOT_MAX;
	return r->tx.total;
}

static int restore_section(struct order *r, unsigned int id, const void *data, u32 bytes)
{
	const struct krg_order_machine *machine = order_machines[id];
	int err;

	if (!machine || !(r->o->machines >> id & 1))
		return 0;
	err = machine->restore(r->net, data, bytes);
	if (err)
		pr_err("node %u: what node %d has of '%s' can't be restored: error %d\n",
		       r->o->self, r->o->sequencer, machine->name, err);
	return err;
}

static int restore_sections(struct order *r, const u8 *data, u64 left, u32 *machines)
{
	const struct krg_wire_order_section *section;
	u32 id, bytes;
	int err;

	while (left) {
		section = (const void *)data;
		if (left < sizeof(*section))
			return -EPROTO;
		id = le32_to_cpu(section->machine);
		bytes = le32_to_cpu(section->bytes);
		left -= sizeof(*section);
		data += sizeof(*section);
		if (id >= KRG_ORDER_MACHINES || *machines >> id & 1 || ALIGN((u64)bytes, 8) > left)
			return -EPROTO;
		err = restore_section(r, id, data, bytes);
		if (err)
			return err;
		*machines |= BIT(id);
		left -= ALIGN(bytes, 8);
		data += ALIGN(bytes, 8);
	}
	return 0;
}

/**
 * order_restore() - become what the snapshot in r->rx says
 * @r: node
 * @shared: set: the order's own state
 * @machines: set: those it had
 *
 * Context: process. Locks: order_machines_lock, @r->lock.
 * Return: 0; -EPROTO; -ENOMEM; what a machine said.
 */
int order_restore(struct order *r, struct krg_order_shared *shared, u32 *machines)
{
	const size_t own = sizeof(struct krg_wire_order_shared);
	const struct order_chunk *chunk;
	u64 at = 0;
	u8 *data;
	int err;

	data = kvmalloc(r->rx.total, GFP_KERNEL);
	if (!data)
		return -ENOMEM;
	list_for_each_entry(chunk, &r->rx.chunks, link) {
		memcpy(data + at, chunk->data, chunk->len);
		at += chunk->len;
	}
	*machines = 0;
	err = krg_order_shared_decode(data, r->rx.total, shared);
	if (!err)
		err = restore_sections(r, data + own, r->rx.total - own, machines);
	kvfree(data);
	return err;
}
