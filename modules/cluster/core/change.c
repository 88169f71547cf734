// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two-phase change of the view.
 *
 *   coordinator                        every node of the old view that lives,
 *                                      and of the new one
 *      | PREPARE epoch, base, view  ---------> |  promises at most one view an
 *      |                                       |  epoch; takes orders only from
 *      | <--------------------------- PROMISE  |  whom it holds for coordinator;
 *      |                                       |  waits out the leases it gave
 *   all have promised: it is the view          |  to nodes that are to be failed
 *      | COMMIT view  -----------------------> |
 *
 * The coordinator is the lowest-numbered online node that is not lost, in
 * each node's own eyes; while forming a cluster, the node that was asked to.
 * Lost messages: PREPARE is repeated at each tick; who missed a COMMIT sees the
 * epoch in beacons and PULLs the view. A lost coordinator: the next one's
 * PREPARE is refused, with the newer view, by any node that has it, and it
 * starts again from there. Epochs only grow, and skip what anybody has promised.
 */
#include "lease.h"
#include "membership.h"
#include "quorum.h"

bool krg_view_member(const struct krg_view *v, unsigned int node)
{
	return node < KRG_NODES && (v->node[node].state == KRG_NODE_ONLINE ||
				    v->node[node].state == KRG_NODE_LEAVING);
}

struct krg_mask krg_view_members(const struct krg_view *v)
{
	struct krg_mask s = {};
	unsigned int n;

	for (n = 0; n < KRG_NODES; n++)
		if (krg_view_member(v, n))
			krg_mask_add(&s, n);
	return s;
}

bool krg_in_cluster(const struct krg_membership *m)
{
	return krg_view_member(&m->view, m->self);
}

/**
 * krg_coordinator - who leads, as far as this node can tell
 * @m: membership
 *
 * Return: a node, or KRG_NO_NODE outside a cluster.
 */
int krg_coordinator(const struct krg_membership *m)
{
	int leaving = KRG_NO_NODE;
	int n;

	for (n = 0; n < m->max_nodes; n++) {
		u8 state = m->view.node[n].state;

		if (!krg_view_member(&m->view, n) || krg_member_gone(m, n))
			continue;
		if (state == KRG_NODE_ONLINE)
			return n;
		if (leaving == KRG_NO_NODE)
			leaving = n;
	}
	return leaving;
}

/* Nodes that this view fails and ours has. */
static bool fails(const struct krg_membership *m, const struct krg_view *v, unsigned int n)
{
	return v->node[n].state == KRG_NODE_FAILED && krg_view_member(&m->view, n) &&
	       v->node[n].incarnation == m->view.node[n].incarnation;
}

/* From a promise on, no lease for whom the view fails; and none may be left. */
static bool leases_over(struct krg_membership *m, const struct krg_view *v)
{
	bool over = true;
	unsigned int n;

	for (n = 0; n < m->max_nodes; n++) {
		if (!fails(m, v, n))
			continue;
		krg_mask_add(&m->condemned, n);
		if (!krg_lease_given_expired(m, n))
			over = false;
	}
	return over;
}

static void pledge(struct krg_membership *m, unsigned int to, const struct krg_view *v)
{
	m->promised_epoch = v->epoch;
	m->promised_to = to;
	m->promised_at = m->now;
	m->pledge = *v;
}

/* Move one node's state to what the new view says, by legal steps. */
static void settle(struct krg_membership *m, unsigned int n, const struct krg_view_entry *e,
		   struct krg_out *out)
{
	struct krg_member *p = &m->member[n];
	bool same = p->incarnation == e->incarnation;

	switch (e->state) {
	case KRG_NODE_ONLINE:
	case KRG_NODE_LEAVING:
		if (p->state == KRG_NODE_LEAVING && e->state == KRG_NODE_ONLINE)
			krg_member_move(m, n, KRG_NODE_PRESENT, out);
		if (!same && (p->state == KRG_NODE_ONLINE || p->state == KRG_NODE_LEAVING))
			krg_member_move(m, n, KRG_NODE_FAILED, out);
		if (!same && p->state == KRG_NODE_PRESENT)
			krg_member_move(m, n, KRG_NODE_ABSENT, out);
		if (!same) {
			p->incarnation = e->incarnation;
			p->addr = e->addr;
			p->granted = 0;
			p->lease_until = 0;
			p->seen = 0;
			p->granted_now = false;
		}
		if (p->state == KRG_NODE_ABSENT || p->state == KRG_NODE_FAILED)
			krg_member_move(m, n, KRG_NODE_PRESENT, out);
		if (p->state == KRG_NODE_PRESENT) {
			krg_member_move(m, n, KRG_NODE_ONLINE, out);
			p->heard = m->now;	/* a new member may be silent for as long as any */
		}
		if (e->state == KRG_NODE_LEAVING && p->state == KRG_NODE_ONLINE)
			krg_member_move(m, n, KRG_NODE_LEAVING, out);
		break;
	case KRG_NODE_FAILED:
		if (p->state == KRG_NODE_ONLINE || p->state == KRG_NODE_LEAVING) {
			krg_member_move(m, n, KRG_NODE_FAILED, out);
			krg_out_notice(out, KRG_NOTICE_LOST, n, p->addr, p->addr);
		} else if (p->state == KRG_NODE_ABSENT || (p->state == KRG_NODE_PRESENT && same)) {
			p->incarnation = e->incarnation;
			p->addr = e->addr;
			krg_member_move(m, n, KRG_NODE_FAILED, out);
		}
		break;
	default:
		if (p->state == KRG_NODE_ONLINE)
			krg_member_move(m, n, KRG_NODE_LEAVING, out);
		if (p->state == KRG_NODE_LEAVING)
			krg_member_move(m, n, KRG_NODE_PRESENT, out);
		else if (p->state == KRG_NODE_FAILED)
			krg_member_move(m, n, KRG_NODE_ABSENT, out);
		break;
	}
}

/* Our own moves are made first when leaving and last when joining. */
static void apply(struct krg_membership *m, const struct krg_view *v, struct krg_out *out)
{
	bool was_in = krg_in_cluster(m);
	bool was_quorate = m->view.quorate;
	struct krg_mask members;
	unsigned int n;

	m->epoch = v->epoch;
	if (v->epoch > m->epoch_seen)
		m->epoch_seen = v->epoch;
	m->view = *v;
	members = krg_view_members(v);
	m->stopped = krg_mask_lowest(&members) == KRG_NO_NODE;
	m->unsettled = false;
	if (!krg_in_cluster(m))
		memset(m->view.node, 0, sizeof(m->view.node));
	for (n = 0; n < m->max_nodes; n++)
		if (n != m->self)
			settle(m, n, &m->view.node[n], out);
	settle(m, m->self, &m->view.node[m->self], out);

	memset(&m->condemned, 0, sizeof(m->condemned));
	if (m->promised_epoch > v->epoch)
		leases_over(m, &m->pledge);
	if (v->quorate)
		memset(&m->proven, 0, sizeof(m->proven));
	m->prop.active = false;
	m->self_ready = m->self_ready && krg_in_cluster(m);
	m->beacon_soon = true;
	krg_out_add(out, KRG_ACT_EPOCH, m->self);
	if (!was_in && krg_in_cluster(m)) {
		m->was_up = true;
		krg_out_add(out, KRG_ACT_UP, m->self);
	} else if (was_in && !krg_in_cluster(m)) {
		m->view.quorate = false;
		krg_out_add(out, KRG_ACT_DOWN, m->self);
	} else if (was_quorate != v->quorate) {
		krg_out_notice(out, v->quorate ? KRG_NOTICE_QUORUM_REGAINED :
			       KRG_NOTICE_QUORUM_LOST, m->self, m->addr, m->addr);
	}
}

/**
 * krg_dissolve - leave the cluster at once, as one that others have given up
 * @m: membership
 * @notice: why
 * @node: who made us notice
 * @out: what to do: all peers are to be forgotten, we are to be reborn
 */
void krg_dissolve(struct krg_membership *m, u8 notice, unsigned int node, struct krg_out *out)
{
	unsigned int n;

	krg_out_notice(out, notice, node, m->addr, m->member[node].addr);
	for (n = 0; n < m->max_nodes; n++) {
		struct krg_member *p = &m->member[n];

		if (n == m->self)
			continue;
		if (p->state == KRG_NODE_ONLINE || p->state == KRG_NODE_LEAVING)
			krg_member_move(m, n, KRG_NODE_FAILED, out);
		if (p->state == KRG_NODE_FAILED || p->state == KRG_NODE_PRESENT)
			krg_member_move(m, n, KRG_NODE_ABSENT, out);
		memset(p, 0, sizeof(*p));
	}
	if (m->member[m->self].state == KRG_NODE_ONLINE)
		krg_member_move(m, m->self, KRG_NODE_LEAVING, out);
	krg_member_move(m, m->self, KRG_NODE_PRESENT, out);
	memset(&m->view, 0, sizeof(m->view));
	memset(&m->condemned, 0, sizeof(m->condemned));
	memset(&m->proven, 0, sizeof(m->proven));
	m->prop.active = false;
	m->promised_epoch = m->epoch;
	m->req.op = KRG_OP_NONE;
	m->self_ready = false;
	m->muted = true;
	krg_out_add(out, KRG_ACT_DOWN, m->self);
	krg_out_add(out, KRG_ACT_RESET, m->self);
}

/* Whether the view to be proposed keeps, loses or regains quorum. */
static void vote(const struct krg_membership *m, struct krg_view *v)
{
	struct krg_mask alive = krg_view_members(v);
	struct krg_mask pledged;

	v->quorate = krg_quorum_holds(&v->voters, &alive) && m->view.quorate;
	/* Our own proposal, given up, was committed by nobody. */
	if (m->promised_epoch > m->epoch && m->promised_to != m->self && v->quorate) {
		pledged = krg_view_members(&m->pledge);
		v->quorate = krg_quorum_holds(&pledged, &alive);
	}
	if (!m->view.quorate)
		v->quorate = krg_quorum_regained(&v->voters, &alive, &m->proven);
}

/* Fail who is lost, let go who is ready. Return: whether anything changed. */
static bool losses(struct krg_membership *m, struct krg_view *v)
{
	bool changed = false;
	unsigned int n;

	for (n = 0; n < m->max_nodes; n++) {
		if (n == m->self || !krg_view_member(v, n) || !krg_member_gone(m, n))
			continue;
		v->node[n].state = KRG_NODE_FAILED;
		changed = true;
	}
	return changed;
}

static bool leavers(struct krg_membership *m, struct krg_view *v)
{
	bool changed = false;
	bool stays = false;
	bool all_ready = true;
	unsigned int n;

	for (n = 0; n < m->max_nodes; n++) {
		if (v->node[n].state == KRG_NODE_ONLINE)
			stays = true;
		else if (v->node[n].state == KRG_NODE_LEAVING && !m->member[n].ready)
			all_ready = false;
	}
	/* The last ones go together: one alone could not tell the others. */
	if (!stays && !all_ready)
		return false;
	for (n = 0; n < m->max_nodes; n++) {
		if (v->node[n].state != KRG_NODE_LEAVING || !m->member[n].ready)
			continue;
		memset(&v->node[n], 0, sizeof(v->node[n]));
		changed = true;
	}
	if (!stays && changed)
		memset(v->node, 0, sizeof(v->node));
	return changed;
}

static void commit(struct krg_membership *m, struct krg_out *out)
{
	struct krg_mask told = m->prop.wanted;
	unsigned int n;

	apply(m, &m->prop.view, out);
	for (n = 0; n < m->max_nodes; n++)
		if (n != m->self && krg_mask_has(&told, n))
			krg_out_send(out, KRG_MSG_COMMIT, n, m->epoch);
}

static void count_promises(struct krg_membership *m, struct krg_out *out)
{
	if (m->prop.active && krg_mask_within(&m->prop.wanted, &m->prop.promised))
		commit(m, out);
}

static void prepare_all(struct krg_membership *m, struct krg_out *out)
{
	unsigned int n;

	for (n = 0; n < m->max_nodes; n++)
		if (krg_mask_has(&m->prop.wanted, n) && !krg_mask_has(&m->prop.promised, n))
			krg_out_send(out, KRG_MSG_PREPARE, n, m->prop.view.epoch);
}

/* @m->prop.view is complete but for its epoch. */
static void propose(struct krg_membership *m, struct krg_out *out)
{
	struct krg_proposal *prop = &m->prop;
	struct krg_view *v = &prop->view;
	struct krg_mask old = krg_view_members(&m->view);
	unsigned int n;

	if (!leases_over(m, v))
		return;
	v->epoch = m->epoch_seen;
	if (m->promised_epoch > v->epoch)
		v->epoch = m->promised_epoch;
	v->epoch++;
	prop->wanted = krg_view_members(v);
	for (n = 0; n < m->max_nodes; n++)
		if (krg_mask_has(&old, n) && v->node[n].state != KRG_NODE_FAILED)
			krg_mask_add(&prop->wanted, n);
	memset(&prop->promised, 0, sizeof(prop->promised));
	krg_mask_add(&prop->promised, m->self);
	prop->since = m->now;
	prop->active = true;
	pledge(m, m->self, v);
	prepare_all(m, out);
	count_promises(m, out);
}

static void give_up(struct krg_membership *m)
{
	m->prop.active = false;
	m->unsettled = true;
}

/* A participant was lost, or does not answer though it is heard. */
static void check_proposal(struct krg_membership *m, struct krg_out *out)
{
	struct krg_proposal *prop = &m->prop;
	bool late = m->now - prop->since >= KRG_T_DEAD;
	unsigned int n;

	for (n = 0; n < m->max_nodes; n++) {
		if (n == m->self || !krg_mask_has(&prop->wanted, n))
			continue;
		if (krg_view_member(&m->view, n)) {
			if (late && !krg_mask_has(&prop->promised, n))
				krg_mask_add(&m->condemned, n);
			if (krg_member_gone(m, n))
				give_up(m);
		} else if (m->member[n].state != KRG_NODE_PRESENT ||
			   m->member[n].incarnation != prop->view.node[n].incarnation ||
			   (late && !krg_mask_has(&prop->promised, n))) {
			give_up(m);
			krg_request_end(m, -ETIMEDOUT, n, out);
		}
	}
}

/**
 * krg_change_advance - do what the situation asks of a coordinator
 * @m: membership
 * @out: what to do
 */
void krg_change_advance(struct krg_membership *m, struct krg_out *out)
{
	struct krg_view *v = &m->prop.view;
	bool changed;

	if (m->muted)
		return;
	if (m->prop.active)
		check_proposal(m, out);
	if (krg_in_cluster(m) && krg_coordinator(m) != m->self) {
		m->prop.active = false;
		return;
	}
	if (m->prop.active)
		return;
	*v = m->view;
	changed = krg_in_cluster(m) && losses(m, v);
	if (krg_in_cluster(m))
		vote(m, v);
	/* First who is lost, then who goes, then what was asked for. */
	if (!changed)
		changed = krg_in_cluster(m) && leavers(m, v);
	if (!changed)
		changed = krg_request_apply(m, v, out);
	/* What was promised and given up is replaced, or it would count as a pledge. */
	if (v->quorate != m->view.quorate || (m->unsettled && krg_in_cluster(m)))
		changed = true;
	if (v->quorate)
		v->voters = krg_view_members(v);
	if (changed)
		propose(m, out);
}

static void refuse(struct krg_membership *m, unsigned int to, struct krg_out *out)
{
	krg_out_send(out, KRG_MSG_REFUSE, to, m->promised_epoch);
}

/* Outside a cluster: may @from take us into this view? */
static bool may_join(struct krg_membership *m, unsigned int from, const struct krg_view *v)
{
	const struct krg_view_entry *e = &v->node[m->self];

	if (!krg_view_member(v, m->self) || e->incarnation != m->incarnation || krg_duplicated(m))
		return false;
	/* Two start at once: the lower one does. */
	if (m->prop.active && from > m->self)
		return false;
	/* A promise is kept until its owner has had its time, or a lower node starts. */
	return m->promised_epoch <= m->epoch || m->promised_to == (int)from ||
	       m->promised_to > (int)from ||
	       m->now - m->promised_at >= KRG_T_DEAD;
}

static void on_prepare(struct krg_membership *m, unsigned int from, const struct krg_msg *msg,
		       struct krg_out *out)
{
	const struct krg_view *v = msg->view;

	if (krg_in_cluster(m)) {
		if (krg_view_member(&m->view, from) && m->epoch > msg->base) {
			krg_out_send(out, KRG_MSG_COMMIT, from, m->epoch);
			return;
		}
		if (msg->base > m->epoch) {
			krg_out_send(out, KRG_MSG_PULL, from, 0);
			return;
		}
		if (krg_coordinator(m) != (int)from)
			return;
		if (v->node[m->self].state == KRG_NODE_FAILED ||
		    (krg_view_member(v, m->self) &&
		     v->node[m->self].incarnation != m->incarnation))
			return;
	} else if (!may_join(m, from, v)) {
		return;
	}
	if (v->epoch <= m->epoch || v->epoch < m->promised_epoch ||
	    (v->epoch == m->promised_epoch && m->promised_to != (int)from)) {
		refuse(m, from, out);
		return;
	}
	if (!leases_over(m, v))
		return;
	m->prop.active = false;
	pledge(m, from, v);
	krg_out_send(out, KRG_MSG_PROMISE, from, v->epoch);
}

static void on_commit(struct krg_membership *m, unsigned int from, const struct krg_view *v,
		      struct krg_out *out)
{
	const struct krg_view_entry *e = &v->node[m->self];

	if (v->epoch <= m->epoch)
		return;
	if (krg_view_member(v, m->self) && e->incarnation == m->incarnation) {
		apply(m, v, out);
	} else if (!krg_in_cluster(m)) {
		return;
	} else if (m->view.node[m->self].state == KRG_NODE_LEAVING && !e->state) {
		apply(m, v, out);
	} else if (m->view.quorate && !v->quorate) {
		/* It went its own way without quorum: it is lost to us, not we to it. */
		krg_mask_add(&m->condemned, from);
	} else {
		krg_dissolve(m, KRG_NOTICE_EVICTED, from, out);
	}
}

/**
 * krg_change_msg - a message of the two-phase change
 * @m: membership
 * @from: who sent it
 * @msg: the message
 * @out: what to do
 */
void krg_change_msg(struct krg_membership *m, unsigned int from, const struct krg_msg *msg,
		    struct krg_out *out)
{
	struct krg_proposal *prop = &m->prop;

	switch (msg->type) {
	case KRG_MSG_PREPARE:
		on_prepare(m, from, msg, out);
		break;
	case KRG_MSG_PROMISE:
		if (!prop->active || msg->epoch != prop->view.epoch)
			break;
		krg_mask_add(&prop->promised, from);
		count_promises(m, out);
		break;
	case KRG_MSG_REFUSE:
		if (msg->epoch > m->epoch_seen)
			m->epoch_seen = msg->epoch;
		if (prop->active && msg->epoch >= prop->view.epoch)
			give_up(m);
		break;
	case KRG_MSG_COMMIT:
		on_commit(m, from, msg->view, out);
		break;
	case KRG_MSG_PULL:
		if (krg_in_cluster(m) || m->stopped)
			krg_out_send(out, KRG_MSG_COMMIT, from, m->epoch);
		break;
	case KRG_MSG_READY:
		if (m->member[from].state == KRG_NODE_LEAVING)
			m->member[from].ready = true;
		break;
	}
}

/**
 * krg_change_tick - repeat what may have been lost
 * @m: membership
 * @out: what to do
 */
void krg_change_tick(struct krg_membership *m, struct krg_out *out)
{
	int coordinator;

	if (m->prop.active)
		prepare_all(m, out);
	if (!m->self_ready || m->view.node[m->self].state != KRG_NODE_LEAVING)
		return;
	coordinator = krg_coordinator(m);
	if (coordinator == m->self)
		m->member[m->self].ready = true;
	else if (coordinator != KRG_NO_NODE)
		krg_out_send(out, KRG_MSG_READY, coordinator, 0);
}
