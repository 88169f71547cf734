// SPDX-License-Identifier: GPL-2.0-only
/*
 * Removing a range of objects. Only managers know which of them exist, so all members
 * are asked; each removes what it manages. If the view has changed meanwhile, and with
 * it who manages what, it is done once more.
 */
#define pr_fmt(fmt) "krg_kddm: " fmt

#include <linux/export.h>
#include <net/net_namespace.h>
#include "kddm.h"

struct range_wire {
	__le64 set;
	__le32 born;
	__le32 reserved;
	__le64 first;
	__le64 last;
};

static_assert(sizeof(struct range_wire) == 32);

static int range_remove_here(struct krg_kddm_set *set, u64 first, u64 last)
{
	struct kddm_batch batch = { .kn = set->kn, .op = KRG_KDDM_OP_REMOVE };
	struct kddm_object *o;
	unsigned long index;

	xa_for_each_range(&set->objects, index, o, first, last)
		kddm_batch_one(&batch, set, index, true);
	return kddm_batch_wait(&batch);
}

static int range_handle(struct krg_rpc_request *req)
{
	struct kddm_net *kn = kddm_net(req->net);
	const struct range_wire *w = req->data;
	struct krg_kddm_set *set;
	struct krg_kddm_id id;
	int err = 0;

	if (req->len != sizeof(*w) || w->reserved)
		return -EINVAL;
	id.number = le64_to_cpu(w->set);
	id.born = le32_to_cpu(w->born);
	kddm_net_ready(kn);
	set = kddm_set_find(kn, id);
	if (set) {
		err = range_remove_here(set, le64_to_cpu(w->first), le64_to_cpu(w->last));
		kddm_set_put(set);
	}
	return err;
}

const struct krg_rpc_service kddm_range_service = {
	.id = KRG_SERVICE_KDDM + 1,
	.name = "kddm-range",
	.max_request = sizeof(struct range_wire),
	.max_reply = 0,
	.flags = KRG_RPC_MAY_BLOCK | KRG_RPC_ANY_EPOCH,
	.handle = range_handle,
	.owner = THIS_MODULE,
};

static void range_result(krg_node_t node, int err, const struct krg_rpc_reply *rep, void *data)
{
	int *status = data;

	if (!err)
		err = rep->status;
	if (err && !*status)
		*status = err;
}

/* The members of a view that runs, or 0 = none does now. */
static u32 range_members(struct kddm_net *kn, struct krg_nodemask *mask)
{
	u32 epoch = 0;
	unsigned int n;

	bitmap_zero(mask->bits, KRG_MAX_NODES);
	down_read(&kn->sem);
	if (kn->in && !kn->paused && kn->view.phase == KRG_KDDM_RUN) {
		epoch = kn->view.epoch;
		for (n = 0; n < KRG_MAX_NODES; n++)
			if (krg_kddm_map_has(&kn->view.members, n))
				__set_bit(n, mask->bits);
	}
	up_read(&kn->sem);
	return epoch;
}

static bool range_may_go_on(struct kddm_net *kn)
{
	return !READ_ONCE(kn->in) || READ_ONCE(kn->paused) ||
	       READ_ONCE(kn->view.phase) == KRG_KDDM_RUN;
}

/**
 * krg_kddm_remove_range() - make objects untouched again, everywhere
 * @set: their set
 * @first: number of the first
 * @last: and of the last
 * @flags: KRG_KDDM_KILLABLE is not known here: any signal ends the waiting
 *
 * Those touched while this runs may or may not be removed.
 *
 * Context: process, may sleep.
 * Return: 0; -EINTR; as krg_kddm_get().
 */
int krg_kddm_remove_range(struct krg_kddm_set *set, u64 first, u64 last, unsigned int flags)
{
	struct krg_rpc_opts opts = { .interruptible = true, .timeout_ms = KRG_RPC_FOREVER };
	struct kddm_net *kn = set->kn;
	struct range_wire w = {
		.set = cpu_to_le64(set->id.number),
		.born = cpu_to_le32(set->id.born),
		.first = cpu_to_le64(first),
		.last = cpu_to_le64(last),
	};
	struct krg_nodemask members;
	u32 epoch;
	int err;

	for (;;) {
		int status = 0;

		err = wait_event_interruptible(kn->wait, range_may_go_on(kn));
		if (err)
			return -EINTR;
		if (!READ_ONCE(kn->in))
			return -ENOTCONN;
		if (READ_ONCE(kn->paused))
			return -ENOLINK;
		epoch = range_members(kn, &members);
		if (!epoch)
			continue;
		err = krg_rpc_multicast_call(kn->net, &members, KRG_SERVICE_KDDM + 1, &w, sizeof(w),
					     range_result, &status, &opts);
		if (err == -EINTR || err == -ENOMEM)
			return err;
		if (READ_ONCE(kn->view.epoch) == epoch)
			return err ?: status;
	}
}
EXPORT_SYMBOL_GPL(krg_kddm_remove_range);
