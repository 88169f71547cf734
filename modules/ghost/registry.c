// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who saves and loads each record. One slot a row of the schema, so that a walk
 * over the slots is a walk in the order of the stream.
 *
 * Locks: registry_lock guards changes of slots; hooks run under registry_srcu,
 * which unregistering waits for.
 */
#define pr_fmt(fmt) "krg_ghost: " fmt

#include <linux/export.h>
#include <linux/mutex.h>
#include <linux/srcu.h>
#include "stream.h"

static DEFINE_MUTEX(registry_lock);
DEFINE_STATIC_SRCU(registry_srcu);
static struct krg_ghost_handler __rcu *slots[KRG_GHOST_NR_ROWS];

int krg_ghost_register(struct krg_ghost_handler *handler)
{
	int row = krg_ghost_row(handler->type);
	int err = 0;

	if (row == KRG_GHOST_NO_ROW || krg_ghost_schema[row].marks & KRG_GHOST_FRAMING)
		return -EINVAL;
	mutex_lock(&registry_lock);
	if (rcu_access_pointer(slots[row]))
		err = -EEXIST;
	else
		rcu_assign_pointer(slots[row], handler);
	mutex_unlock(&registry_lock);
	return err;
}
EXPORT_SYMBOL_GPL(krg_ghost_register);

void krg_ghost_unregister(struct krg_ghost_handler *handler)
{
	int row = krg_ghost_row(handler->type);

	mutex_lock(&registry_lock);
	if (!WARN_ON_ONCE(row == KRG_GHOST_NO_ROW || rcu_access_pointer(slots[row]) != handler))
		RCU_INIT_POINTER(slots[row], NULL);
	mutex_unlock(&registry_lock);
	synchronize_srcu(&registry_srcu);
}
EXPORT_SYMBOL_GPL(krg_ghost_unregister);

int krg_ghost_save(struct krg_ghost_stream *stream, void *ctx)
{
	u32 kind = stream->ident.kind;
	struct krg_ghost_handler *handler;
	int err = 0, row, idx;

	idx = srcu_read_lock(&registry_srcu);
	for (row = 0; row < KRG_GHOST_NR_ROWS && !err; row++) {
		handler = srcu_dereference(slots[row], &registry_srcu);
		if (handler && handler->save && krg_ghost_schema[row].kinds & kind)
			err = handler->save(stream, ctx);
	}
	srcu_read_unlock(&registry_srcu, idx);
	return err;
}
EXPORT_SYMBOL_GPL(krg_ghost_save);

static int load_item(struct krg_ghost_stream *stream, const struct krg_ghost_item *item, void *ctx)
{
	int row = krg_ghost_row(item->type);
	struct krg_ghost_handler *handler = NULL;

	if (row != KRG_GHOST_NO_ROW)
		handler = srcu_dereference(slots[row], &registry_srcu);
	if (handler && handler->load)
		return handler->load(stream, item, ctx);
	if (item->flags & KRG_GHOST_MAY_SKIP)
		return 0;
	return krg_ghost_reject(stream, item, -EOPNOTSUPP, "nothing here restores such a record");
}

int krg_ghost_load(struct krg_ghost_stream *stream, void *ctx)
{
	struct krg_ghost_item item;
	int ret, idx;

	idx = srcu_read_lock(&registry_srcu);
	while ((ret = krg_ghost_next(stream, &item)) > 0) {
		ret = load_item(stream, &item, ctx);
		if (ret)
			break;
	}
	srcu_read_unlock(&registry_srcu, idx);
	return ret;
}
EXPORT_SYMBOL_GPL(krg_ghost_load);
