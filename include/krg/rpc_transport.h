/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a transport module sees of krg_rpc. Users of rpc need <krg/rpc.h> only.
 *
 * A lane is krg_rpc's end of one stream of frames to one peer. The transport
 * attaches a connection to it, takes frames to send with krg_rpc_tx_next(), and
 * hands in what arrives with krg_rpc_rx_header() and krg_rpc_rx_deliver().
 */
#ifndef KRG_RPC_TRANSPORT_H
#define KRG_RPC_TRANSPORT_H

#include <linux/list.h>
#include <linux/types.h>
#include <krg/rpc.h>
#include "../../modules/rpc/core/conn.h"
#include "../../modules/rpc/core/frame.h"
#include "../../modules/rpc/core/handshake.h"

struct krg_rpc_node;
struct krg_rpc_lane_state;
struct krg_rpc_in;

/*
 * A frame to send: @header, which lacks its tag (krg_frame_seal_page()), then
 * krg_frame_data_length() bytes of @data, then @page if there is one.
 */
struct krg_rpc_out {
	struct list_head link;
	struct krg_frame frame;
	u32 charge;
	bool more;		/* when it was taken to be sent others waited */
	struct page *page;
	u8 header[KRG_FRAME_HEADER];
	u8 data[] __aligned(8);
};

/**
 * struct krg_rpc_transport - a way to carry frames
 * @name: what node configurations call it
 * @owner: THIS_MODULE
 * @node_start: begin to listen on @node's address and store the listener with
 *	krg_rpc_node_set_priv(). Context: process, may sleep.
 * @node_stop: stop listening; every lane was closed before.
 * @lane_open: connect @lane to its peer for as long as it is open: the lower
 *	node id dials and dials again. Does not wait for it. Stores its state with
 *	krg_rpc_lane_set_priv().
 * @lane_close: disconnect; after return nothing is handed in to @lane any more.
 *	May be called while kicks run.
 * @lane_release: @lane is freed: free what lane_open made. Context: any but hard
 *	interrupt.
 * @lane_kick: frames wait in @lane: send what can be sent without waiting, the
 *	rest when the connection has room. Context: process, not under a spinlock.
 *	From many threads, also after lane_close: then it does nothing.
 * @lane_drop: the peer is not to be borne any longer: end the connection that
 *	carries @lane, if any, as if it had broken. Context: process, not under a
 *	spinlock. Also after lane_close: then it does nothing.
 */
struct krg_rpc_transport {
	const char *name;
	struct module *owner;
	int (*node_start)(struct krg_rpc_node *node);
	void (*node_stop)(struct krg_rpc_node *node);
	int (*lane_open)(struct krg_rpc_lane_state *lane);
	void (*lane_close)(struct krg_rpc_lane_state *lane);
	void (*lane_release)(struct krg_rpc_lane_state *lane);
	void (*lane_kick)(struct krg_rpc_lane_state *lane);
	void (*lane_drop)(struct krg_rpc_lane_state *lane);
};

int krg_rpc_transport_register(const struct krg_rpc_transport *transport);
void krg_rpc_transport_unregister(const struct krg_rpc_transport *transport);

struct net *krg_rpc_node_net(const struct krg_rpc_node *node);
const struct krg_rpc_node_config *krg_rpc_node_config(const struct krg_rpc_node *node);
u64 krg_rpc_node_incarnation(const struct krg_rpc_node *node);
void krg_rpc_node_set_priv(struct krg_rpc_node *node, void *priv);
void *krg_rpc_node_priv(const struct krg_rpc_node *node);

struct krg_rpc_lane_state *krg_rpc_lane_find(struct krg_rpc_node *node, krg_node_t peer,
					     u64 incarnation, u8 lane);
void krg_rpc_lane_get(struct krg_rpc_lane_state *lane);
void krg_rpc_lane_put(struct krg_rpc_lane_state *lane);
struct krg_rpc_node *krg_rpc_lane_node(const struct krg_rpc_lane_state *lane);
u8 krg_rpc_lane_id(const struct krg_rpc_lane_state *lane);
krg_node_t krg_rpc_lane_peer(const struct krg_rpc_lane_state *lane);
const struct sockaddr_storage *krg_rpc_lane_addr(const struct krg_rpc_lane_state *lane);
u64 krg_rpc_lane_incarnation(const struct krg_rpc_lane_state *lane);
void krg_rpc_lane_set_priv(struct krg_rpc_lane_state *lane, void *priv);
void *krg_rpc_lane_priv(const struct krg_rpc_lane_state *lane);
u32 krg_rpc_lane_max(u8 lane);

void krg_rpc_lane_up(struct krg_rpc_lane_state *lane);
void krg_rpc_lane_down(struct krg_rpc_lane_state *lane);
void krg_rpc_lane_garbage(struct krg_rpc_lane_state *lane, const char *why);

struct krg_rpc_out *krg_rpc_tx_next(struct krg_rpc_lane_state *lane);
bool krg_rpc_tx_pending(struct krg_rpc_lane_state *lane);
void krg_rpc_tx_done(struct krg_rpc_lane_state *lane, struct krg_rpc_out *out, bool sent);

int krg_rpc_rx_header(struct krg_rpc_lane_state *lane, const u8 header[KRG_FRAME_HEADER],
		      struct krg_frame *frame, const char **why);
struct krg_rpc_in *krg_rpc_rx_alloc(struct krg_rpc_lane_state *lane,
				    const struct krg_frame *frame, gfp_t gfp);
void *krg_rpc_rx_data(struct krg_rpc_in *in);
void *krg_rpc_rx_page(struct krg_rpc_in *in);
void krg_rpc_rx_free(struct krg_rpc_in *in);
int krg_rpc_rx_deliver(struct krg_rpc_in *in, const char **why);

#endif
