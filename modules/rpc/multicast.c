// SPDX-License-Identifier: GPL-2.0-only
/* The same request to a set of nodes, all at once. */
#define pr_fmt(fmt) "krg_rpc: " fmt

#include <linux/slab.h>
#include "rpc.h"

struct multicast_leg {
	krg_node_t node;
	struct krg_rpc_lane_state *lane;	/* NULL: no such peer */
	int err;				/* of starting; -EAGAIN: no room yet */
	struct rpc_call call;
};

struct multicast {
	u16 service;
	const void *data;
	u32 len;
	const struct krg_rpc_opts *opts;
	long left;
};

static void leg_start(struct multicast *m, struct multicast_leg *leg, bool wait)
{
	if (leg->lane)
		leg->err = rpc_call_start(leg->lane->peer->node, leg->lane, &leg->call,
					  m->service, m->data, m->len, m->opts, &m->left, wait);
}

static int leg_wait(struct multicast *m, struct multicast_leg *leg, struct krg_rpc_reply *rep)
{
	memset(rep, 0, sizeof(*rep));
	if (leg->err)
		return leg->err;
	return rpc_call_wait(&leg->call, rep, &m->left, m->opts->interruptible);
}

/**
 * krg_rpc_multicast_call() - ask a set of nodes at once and wait for all of them
 * @net: namespace
 * @to: node ids; ours may be among them
 * @service: service number
 * @data: request
 * @len: its length
 * @result: called once for each node, in the caller's context, ascending; may be NULL
 * @result_data: for @result
 * @opts: as for krg_rpc_call(); the deadline is one for all
 *
 * Context: process. Locks: none a handler takes.
 * Return: 0: all answered; else the first transport error (the others were asked
 * all the same); -ENOMEM, -EINVAL: nobody was asked.
 */
int krg_rpc_multicast_call(struct net *net, const struct krg_nodemask *to, u16 service,
			   const void *data, u32 len, krg_rpc_result_fn *result,
			   void *result_data, const struct krg_rpc_opts *opts)
{
	static const struct krg_rpc_opts defaults;
	struct multicast m = {
		.service = service, .data = data, .len = len, .opts = opts ?: &defaults,
		.left = rpc_opts_timeout(opts),
	};
	u32 n = bitmap_weight(to->bits, KRG_MAX_NODES), i = 0;
	struct multicast_leg *legs;
	struct krg_rpc_reply rep;
	krg_node_t node;
	int err, first = 0;

	if ((u32)m.opts->lane >= KRG_LANES)
		return -EINVAL;
	legs = kvcalloc(n, sizeof(*legs), GFP_KERNEL);
	if (!legs)
		return n ? -ENOMEM : 0;
	krg_for_each_node(node, to) {
		legs[i].node = node;
		legs[i].lane = rpc_lane_lookup(net, node, m.opts->lane);
		legs[i].err = -EHOSTDOWN;
		leg_start(&m, &legs[i++], false);
	}
	/* Those that had no room come second, so that one slow node delays no other. */
	for (i = 0; i < n; i++)
		if (legs[i].err == -EAGAIN)
			leg_start(&m, &legs[i], true);
	for (i = 0; i < n; i++) {
		err = leg_wait(&m, &legs[i], &rep);
		first = first ?: err;
		if (result)
			result(legs[i].node, err, err ? NULL : &rep, result_data);
		krg_rpc_reply_free(&rep);
		if (legs[i].lane)
			krg_rpc_lane_put(legs[i].lane);
	}
	kvfree(legs);
	return first;
}
EXPORT_SYMBOL_GPL(krg_rpc_multicast_call);

/**
 * krg_rpc_multicast_send() - tell a set of nodes, without answers
 * @net: namespace
 * @to: node ids; ours may be among them
 * @service: service number
 * @data: message
 * @len: its length
 * @opts: as for krg_rpc_send(), for each node
 *
 * Context: process. Locks: none a handler takes.
 * Return: 0 or the first error; the others were told all the same.
 */
int krg_rpc_multicast_send(struct net *net, const struct krg_nodemask *to, u16 service,
			   const void *data, u32 len, const struct krg_rpc_opts *opts)
{
	krg_node_t node;
	int err, first = 0;

	krg_for_each_node(node, to) {
		err = krg_rpc_send(net, node, service, data, len, opts);
		first = first ?: err;
	}
	return first;
}
EXPORT_SYMBOL_GPL(krg_rpc_multicast_send);
