// SPDX-License-Identifier: GPL-2.0-only
/* One node: begins when it has the session's key, ticks, takes events, ends. */
#define pr_fmt(fmt) "krg_cluster: " fmt

#include <linux/ktime.h>
#include <linux/random.h>
#include <net/net_namespace.h>
#include "cluster.h"
#include "core/lease.h"
#include "core/quorum.h"
#include "core/wire.h"
#include "trace.h"

static_assert(KRG_HEARTBEAT_MS == KRG_T_HEARTBEAT && KRG_LEASE_MS == KRG_T_LEASE &&
	      KRG_DEAD_MS == KRG_T_DEAD && KRG_NODES == KRG_MAX_NODES,
	      "core/lease.h and krg/cluster.h disagree");

/* Boot time: leases run out while a machine is suspended. Never 0. */
u64 cluster_now(void)
{
	return ktime_to_ms(ktime_get_boottime()) + 1;
}

/* What readers without the lock see. */
static void cluster_publish(struct cluster *c)
{
	const struct krg_membership *m = c->m;
	unsigned int n;

	lockdep_assert_held(&c->lock);
	for (n = 0; n < m->max_nodes; n++) {
		WRITE_ONCE(c->state[n], m->member[n].state);
		WRITE_ONCE(c->lease_until[n], m->member[n].lease_until);
	}
	WRITE_ONCE(c->epoch, m->epoch);
	WRITE_ONCE(c->up, krg_in_cluster(m));
	WRITE_ONCE(c->quorate, krg_in_cluster(m) && m->view.quorate);
	WRITE_ONCE(c->flags, m->view.flags);
	WRITE_ONCE(c->op_status, krg_membership_op_status(m));
	wake_up_all(&c->wait);
}

/**
 * cluster_event() - give an event to the pure code, do what it says
 * @c: node, begun
 * @ev: event; its time is set here
 *
 * Context: process. Locks: @c->lock.
 */
void cluster_event(struct cluster *c, struct krg_event *ev)
{
	lockdep_assert_held(&c->lock);
	ev->now = cluster_now();
	krg_membership_event(c->m, ev, c->out);
	WARN_ONCE(c->m->bugs, "krg_cluster: an illegal move of a node's state was refused\n");
	cluster_perform(c);
	cluster_publish(c);
}

static int begin_rpc(struct cluster *c)
{
	struct krg_rpc_node_config rpc = {
		.self = c->cfg.node,
		.session = c->cfg.session,
		.transport = "tcp",
	};
	struct krg_node_addr addr = { .ip = (__force u32)c->ip, .port = KRG_RPC_PORT };
	int err;

	cluster_sockaddr(addr, &rpc.addr);
	err = krg_rpc_node_setup(c->net, &rpc);
	if (err && err != c->begin_error)
		pr_err("node %u cannot listen on %pI4 port %u: error %d\n", c->cfg.node, &c->ip,
		       KRG_RPC_PORT, err);
	c->begin_error = err;
	return err;
}

/**
 * cluster_begin() - be heard, once there is a key; or again, in a new life
 * @c: node, configured
 *
 * Context: tick work only. Return: 0 if it is running, or why not.
 */
int cluster_begin(struct cluster *c)
{
	struct krg_membership_config cfg = {
		.session = c->cfg.session,
		.self = c->cfg.node,
		.max_nodes = c->cfg.max_nodes,
		.nb_nodes_min = c->cfg.nb_nodes_min,
		.stamp_base = get_random_u32(),
		.addr = { .ip = (__force u32)c->ip, .port = KRG_RPC_PORT },
	};
	struct krg_event ev = { .type = KRG_EV_REINCARNATE };
	int err;

	if (READ_ONCE(c->running))
		return 0;
	if (!krg_rpc_has_key(c->net))
		return -ENOKEY;
	err = begin_rpc(c);
	if (err)
		return err;
	cfg.incarnation = krg_rpc_incarnation(c->net);
	ev.incarnation = cfg.incarnation;
	mutex_lock(&c->lock);
	if (!c->begun)
		krg_membership_init(c->m, &cfg);
	c->begun = true;
	WRITE_ONCE(c->running, true);
	krg_rpc_set_epoch(c->net, c->m->epoch);
	cluster_event(c, &ev);
	mutex_unlock(&c->lock);
	return 0;
}

void cluster_tick_work(struct work_struct *work)
{
	struct cluster *c = container_of(to_delayed_work(work), struct cluster, tick);
	struct krg_event ev = { .type = KRG_EV_TICK };
	unsigned int wait = KRG_T_TICK;

	if (!cluster_begin(c)) {
		mutex_lock(&c->lock);
		if (c->running) {
			cluster_event(c, &ev);
			wait = min(wait, krg_membership_wait(c->m, cluster_now()));
		}
		mutex_unlock(&c->lock);
	}
	if (!READ_ONCE(c->stopping))
		queue_delayed_work(cluster_wq, &c->tick, msecs_to_jiffies(wait) ?: 1);
}

/* A message of a peer's membership code. */
int cluster_rpc_handle(struct krg_rpc_request *req)
{
	struct cluster *c = cluster_of(req->net);
	struct krg_event ev = { .type = KRG_EV_MSG, .node = req->from };
	struct krg_msg msg;
	int err;

	if (!cluster_configured(c))
		return -ENOTCONN;
	mutex_lock(&c->lock);
	err = krg_msg_decode(req->data, req->len, &msg, c->view);
	if (err)
		pr_warn_ratelimited("node %d sent a malformed message of %u bytes: ignored\n",
				    req->from, req->len);
	ev.msg = &msg;
	if (!err && c->running)
		cluster_event(c, &ev);
	mutex_unlock(&c->lock);
	return err;
}

void cluster_start(struct cluster *c)
{
	queue_delayed_work(cluster_wq, &c->tick, 0);
}

/**
 * cluster_end() - stop at once, without leaving in order; no-op if not configured
 * @c: node
 *
 * Context: process. Locks: none.
 */
void cluster_end(struct cluster *c)
{
	if (!c->configured)
		return;
	mutex_lock(&c->lock);
	WRITE_ONCE(c->stopping, true);
	mutex_unlock(&c->lock);
	wake_up_all(&c->wait);
	cancel_delayed_work_sync(&c->tick);
	cluster_udp_close(c);
	krg_rpc_node_shutdown(c->net);
	mutex_lock(&c->lock);
	c->running = false;
	mutex_unlock(&c->lock);
	cancel_work_sync(&c->out_work);
	cancel_work_sync(&c->note_work);
	cluster_drop_queues(c);
}
