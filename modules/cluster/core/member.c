// SPDX-License-Identifier: GPL-2.0-only
/*
 * The states of a node and the moves between them.
 *
 *                 heard                start, add
 *        ABSENT --------> PRESENT ----------------> ONLINE
 *          ^  <--------      ^  ^                   |   |
 *          |   silent        |  |  everything       |   | lost
 *          |                 |  |  given back       |   |
 *          |                 |  '------- LEAVING <--'   |
 *          |                 |              |     del,  |
 *          |         heard in a             | lost stop |
 *          |         new life |             v           |
 *          '----------------- FAILED <------------------'
 *             removed
 *
 * A node that is told the view by others may also learn of a failed node it
 * never saw (ABSENT or PRESENT to FAILED).
 */
#include "membership.h"

static const u8 moves[KRG_NODE_STATES] = {
#define TO(s) (1u << KRG_NODE_##s)
	[KRG_NODE_ABSENT]	= TO(PRESENT) | TO(FAILED),
	[KRG_NODE_PRESENT]	= TO(ABSENT) | TO(ONLINE) | TO(FAILED),
	[KRG_NODE_ONLINE]	= TO(LEAVING) | TO(FAILED),
	[KRG_NODE_LEAVING]	= TO(PRESENT) | TO(FAILED),
	[KRG_NODE_FAILED]	= TO(PRESENT) | TO(ABSENT),
#undef TO
};

static const char *const names[KRG_NODE_STATES] = {
	[KRG_NODE_ABSENT]	= "absent",
	[KRG_NODE_PRESENT]	= "present",
	[KRG_NODE_ONLINE]	= "online",
	[KRG_NODE_LEAVING]	= "leaving",
	[KRG_NODE_FAILED]	= "failed",
};

const char *krg_state_name(u8 state)
{
	return state < KRG_NODE_STATES ? names[state] : "?";
}

bool krg_state_may_move(u8 from, u8 to)
{
	return from < KRG_NODE_STATES && to < KRG_NODE_STATES && (moves[from] >> to & 1);
}

/**
 * krg_member_move - the one place that writes a node's state
 * @m: membership
 * @node: whose
 * @to: new state
 * @out: gets a KRG_ACT_STATE
 *
 * A move that is not in the table is counted in @m->bugs and not made.
 */
void krg_member_move(struct krg_membership *m, unsigned int node, u8 to, struct krg_out *out)
{
	struct krg_member *p = &m->member[node];
	struct krg_action *act;

	if (!krg_state_may_move(p->state, to)) {
		m->bugs++;
		return;
	}
	act = krg_out_add(out, KRG_ACT_STATE, node);
	if (act) {
		act->from = p->state;
		act->to = to;
		act->epoch = m->epoch;
	}
	p->state = to;
	p->ready = false;
	p->reborn = false;
}

struct krg_action *krg_out_add(struct krg_out *out, u8 type, unsigned int node)
{
	struct krg_action *act;

	if (out->count >= KRG_OUT_MAX)
		return NULL;
	act = &out->act[out->count++];
	memset(act, 0, sizeof(*act));
	act->type = type;
	act->node = node;
	return act;
}

void krg_out_send(struct krg_out *out, u8 msg, unsigned int node, u32 epoch)
{
	struct krg_action *act = krg_out_add(out, KRG_ACT_SEND, node);

	if (act) {
		act->msg = msg;
		act->epoch = epoch;
	}
}

void krg_out_notice(struct krg_out *out, u8 notice, unsigned int node, struct krg_node_addr a,
		    struct krg_node_addr b)
{
	struct krg_action *act = krg_out_add(out, KRG_ACT_NOTICE, node);

	if (act) {
		act->notice = notice;
		act->a = a;
		act->b = b;
	}
}
