// SPDX-License-Identifier: GPL-2.0-only
/*
 * The transport of a node to itself. Frames are encoded, checked and delivered
 * as those of any peer are; only the wire is missing.
 */
#define pr_fmt(fmt) "krg_rpc: " fmt

#include <linux/mm.h>
#include <linux/slab.h>
#include "rpc.h"

struct loop_lane {
	struct mutex lock;		/* one frame at a time, in order */
};

static int loop_carry(struct krg_rpc_lane_state *lane, const struct krg_rpc_out *out)
{
	const char *why = "";
	struct krg_frame frame;
	struct krg_rpc_in *in;
	int err;

	err = krg_rpc_rx_header(lane, out->header, &frame, &why);
	if (err)
		goto garbage;
	in = krg_rpc_rx_alloc(lane, &frame, GFP_KERNEL | __GFP_NOFAIL);
	memcpy(krg_rpc_rx_data(in), out->data, krg_frame_data_length(&frame));
	if (out->page)
		memcpy(krg_rpc_rx_page(in), page_address(out->page), PAGE_SIZE);
	err = krg_rpc_rx_deliver(in, &why);
	if (!err)
		return 0;
garbage:
	krg_rpc_lane_garbage(lane, why);
	return err;
}

static void loop_kick(struct krg_rpc_lane_state *lane)
{
	struct loop_lane *loop = krg_rpc_lane_priv(lane);
	struct krg_rpc_out *out;

	/* Who holds the lock looks again after giving it back: nothing is left behind. */
	while (krg_rpc_tx_pending(lane) && mutex_trylock(&loop->lock)) {
		while ((out = krg_rpc_tx_next(lane)))
			krg_rpc_tx_done(lane, out, !loop_carry(lane, out));
		mutex_unlock(&loop->lock);
	}
}

static int loop_open(struct krg_rpc_lane_state *lane)
{
	struct loop_lane *loop = kzalloc(sizeof(*loop), GFP_KERNEL);

	if (!loop)
		return -ENOMEM;
	mutex_init(&loop->lock);
	krg_rpc_lane_set_priv(lane, loop);
	krg_rpc_lane_up(lane);
	return 0;
}

static void loop_close(struct krg_rpc_lane_state *lane)
{
	krg_rpc_lane_down(lane);
}

static void loop_drop(struct krg_rpc_lane_state *lane)
{
	krg_rpc_lane_down(lane);
	krg_rpc_lane_up(lane);
}

/* The lane is freed: no kick can come any more. */
static void loop_release(struct krg_rpc_lane_state *lane)
{
	kfree(krg_rpc_lane_priv(lane));
}

static int loop_node_start(struct krg_rpc_node *node)
{
	return 0;
}

static void loop_node_stop(struct krg_rpc_node *node)
{
}

const struct krg_rpc_transport rpc_loop = {
	.name = "loop",
	.owner = THIS_MODULE,
	.node_start = loop_node_start,
	.node_stop = loop_node_stop,
	.lane_open = loop_open,
	.lane_close = loop_close,
	.lane_release = loop_release,
	.lane_kick = loop_kick,
	.lane_drop = loop_drop,
};
