// SPDX-License-Identifier: GPL-2.0-only
/* Replicated state machines: which there are, each namespace's part, what comes in. */
#define pr_fmt(fmt) "krg_cluster: " fmt

#include <linux/export.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <krg/rpc.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "order.h"

#define LEAVE_TIMEOUT_MS	15000

DECLARE_RWSEM(order_machines_lock);
const struct krg_order_machine *order_machines[KRG_ORDER_MACHINES];

static DEFINE_MUTEX(order_list_lock);
static LIST_HEAD(order_list);			/* struct order; order_list_lock */
static struct workqueue_struct *order_wq;
static unsigned int order_net_id;

struct order *order_of(struct net *net)
{
	return net_generic(net, order_net_id);
}

void order_kick(struct order *r)
{
	queue_work(order_wq, &r->work);
}

/* A member that has no state would hold up all: it leaves. */
static void order_leave_work(struct work_struct *work)
{
	struct order *r = container_of(work, struct order, leave_work);
	struct netlink_ext_ack extack = {};
	struct krg_nodemask self = {};
	int err;

	if (!READ_ONCE(r->broken))
		return;
	__set_bit(krg_self(r->net), self.bits);
	err = krg_cluster_del(r->net, &self, LEAVE_TIMEOUT_MS, &extack);
	if (err && err != -ENOTCONN)
		pr_err("node %d could not leave the cluster: error %d\n", krg_self(r->net), err);
}

/* Locks: @r->lock. */
void order_leave(struct order *r)
{
	WRITE_ONCE(r->broken, true);
	queue_work(order_wq, &r->leave_work);
}

/* The machines there are, as bits. Locks: order_machines_lock. */
unsigned long order_registered(void)
{
	unsigned long mask = 0;
	unsigned int id;

	for (id = 0; id < KRG_ORDER_MACHINES; id++)
		if (order_machines[id])
			mask |= BIT(id);
	return mask;
}

static bool machine_ok(const struct krg_order_machine *m)
{
	return m->id && m->id < KRG_ORDER_MACHINES && m->max_op <= KRG_ORDER_OP_MAX &&
	       m->apply && m->snapshot && m->restore && m->dead && m->reset;
}

/* A namespace in a cluster; some time soon is enough. Locks: order_list_lock. */
static bool any_in_cluster(void)
{
	struct order *r;

	list_for_each_entry(r, &order_list, link)
		if (READ_ONCE(r->phase) != KRG_ORDER_OUT)
			return true;
	return false;
}

/**
 * krg_order_register() - there is a kind of replicated state
 * @machine: kept until krg_order_unregister(); the state of each namespace is as
 *	after reset()
 *
 * To be done on each node before it enters a cluster. What not all members have is
 * refused to all (-EOPNOTSUPP), until who lacks it has left.
 *
 * Context: process. Locks: none that the machine's functions take.
 * Return: 0; -EINVAL; -EEXIST there is one with this id; -EBUSY a node of this kernel is
 * in a cluster.
 */
int krg_order_register(const struct krg_order_machine *machine)
{
	int err = 0;

	if (!machine_ok(machine))
		return -EINVAL;
	mutex_lock(&order_list_lock);
	down_write(&order_machines_lock);
	if (order_machines[machine->id])
		err = -EEXIST;
	else if (any_in_cluster())
		err = -EBUSY;
	else
		order_machines[machine->id] = machine;
	up_write(&order_machines_lock);
	mutex_unlock(&order_list_lock);
	return err;
}
EXPORT_SYMBOL_GPL(krg_order_register);

/* Locks: order_machines_lock, for writing: nobody works. */
static void forget_machine(struct order *r, const struct krg_order_machine *machine)
{
	if (!r->o || r->o->phase == KRG_ORDER_OUT)
		return;
	r->o->machines &= ~BIT(machine->id);
	pr_warn("node %u is in a cluster without '%s' now\n", r->o->self, machine->name);
}

/**
 * krg_order_unregister() - it is there no more
 * @machine: as registered; none of its functions runs after return
 *
 * In order after the cluster was stopped or left. If not, it is safe: what other nodes
 * submit is acknowledged without being applied here, and from the next view on
 * the machine is refused to all, until this node has left.
 *
 * Context: process. Locks: none that the machine's functions take.
 */
void krg_order_unregister(const struct krg_order_machine *machine)
{
	struct order *r;

	mutex_lock(&order_list_lock);
	down_write(&order_machines_lock);
	if (!WARN_ON_ONCE(order_machines[machine->id] != machine)) {
		order_machines[machine->id] = NULL;
		list_for_each_entry(r, &order_list, link)
			forget_machine(r, machine);
	}
	up_write(&order_machines_lock);
	mutex_unlock(&order_list_lock);
}
EXPORT_SYMBOL_GPL(krg_order_unregister);

static struct order_in *in_alloc(enum order_in_type type, u32 len)
{
	struct order_in *in = kvmalloc(struct_size(in, data, DIV_ROUND_UP(len, sizeof(u64))),
				       GFP_KERNEL | __GFP_NOFAIL);

	in->type = type;
	in->len = len;
	return in;
}

static int in_queue(struct order *r, struct order_in *in)
{
	bool stopping;

	spin_lock(&r->in_lock);
	stopping = r->stopping;
	if (!stopping) {
		list_add_tail(&in->link, &r->in);
		order_kick(r);
	}
	spin_unlock(&r->in_lock);
	if (!stopping)
		return 0;
	kvfree(in);
	return -ENOTCONN;
}

static int order_rpc_handle(struct krg_rpc_request *req)
{
	struct order_in *in = in_alloc(ORDER_IN_MSG, req->len);

	in->from = req->from;
	memcpy(in->data, req->data, req->len);
	return in_queue(order_of(req->net), in);
}

static int order_notify(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct krg_cluster_event *ev = data;
	struct order_in *in;

	if (event != KRG_CLUSTER_VIEW && event != KRG_CLUSTER_DOWN)
		return NOTIFY_DONE;
	in = in_alloc(event == KRG_CLUSTER_VIEW ? ORDER_IN_VIEW : ORDER_IN_DOWN, 0);
	if (event == KRG_CLUSTER_VIEW)
		in->view = *ev->view;
	in_queue(order_of(ev->net), in);
	return NOTIFY_DONE;
}

static struct notifier_block order_nb = { .notifier_call = order_notify };

static const struct krg_rpc_service order_service = {
	.id = KRG_SERVICE_ORDER,
	.name = "order",
	.max_request = KRG_ORDER_BYTES_MAX,
	.flags = KRG_RPC_ANY_EPOCH | KRG_RPC_POSTS,
	.handle = order_rpc_handle,
	.owner = THIS_MODULE,
};

static int __net_init order_net_init(struct net *net)
{
	struct order *r = order_of(net);

	r->net = net;
	INIT_WORK(&r->work, order_work);
	INIT_WORK(&r->leave_work, order_leave_work);
	spin_lock_init(&r->in_lock);
	INIT_LIST_HEAD(&r->in);
	INIT_LIST_HEAD(&r->queued);
	mutex_init(&r->lock);
	xa_init(&r->log);
	INIT_LIST_HEAD(&r->held);
	order_sink_init(&r->tx);
	order_sink_init(&r->rx);
	mutex_lock(&order_list_lock);
	list_add_tail(&r->link, &order_list);
	mutex_unlock(&order_list_lock);
	return 0;
}

/* Before any module frees what it has in the namespace: its machine isn't called after. */
static void __net_exit order_net_pre_exit(struct net *net)
{
	struct order *r = order_of(net);

	spin_lock(&r->in_lock);
	r->stopping = true;
	spin_unlock(&r->in_lock);
	cancel_work_sync(&r->work);
	cancel_work_sync(&r->leave_work);
	order_drop_all(r);
}

static void __net_exit order_net_exit(struct net *net)
{
	struct order *r = order_of(net);

	mutex_lock(&order_list_lock);
	list_del(&r->link);
	mutex_unlock(&order_list_lock);
	kvfree(r->o);
	kvfree(r->out);
	kvfree(r->scratch);
	kvfree(r->wire);
}

static struct pernet_operations order_net_ops = {
	.init = order_net_init,
	.pre_exit = order_net_pre_exit,
	.exit = order_net_exit,
	.id = &order_net_id,
	.size = sizeof(struct order),
};

int order_init(void)
{
	int err = -ENOMEM;

	order_wq = alloc_workqueue("krg_order", WQ_UNBOUND, 0);
	if (!order_wq)
		return err;
	err = register_pernet_subsys(&order_net_ops);
	if (err)
		goto destroy_wq;
	err = krg_rpc_register(&order_service);
	if (err)
		goto unregister_pernet;
	err = krg_cluster_notifier_register(&order_nb);
	if (err)
		goto unregister_service;
	return 0;

unregister_service:
	krg_rpc_unregister(&order_service);
unregister_pernet:
	unregister_pernet_subsys(&order_net_ops);
destroy_wq:
	destroy_workqueue(order_wq);
	return err;
}

/* All nodes have left. */
void order_exit(void)
{
	krg_cluster_notifier_unregister(&order_nb);
	krg_rpc_unregister(&order_service);
	unregister_pernet_subsys(&order_net_ops);
	destroy_workqueue(order_wq);
}
