// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a beacon tells: who is there, and that each side hears the other.
 *
 * Two nodes meet in three beacons: A is heard by B, which echoes it; A sees the
 * echo: B is fresh, and A's next beacon shows the same to B. Only a fresh
 * beacon changes anything but what is echoed.
 */
#include "lease.h"
#include "membership.h"
#include "quorum.h"

static bool addr_same(struct krg_node_addr a, struct krg_node_addr b)
{
	return a.ip == b.ip && a.port == b.port;
}

static bool in_cluster_state(u8 state)
{
	return state == KRG_NODE_ONLINE || state == KRG_NODE_LEAVING;
}

/* Heard lately enough that nobody else may claim to be it. */
static bool claimed(const struct krg_membership *m, const struct krg_member *p)
{
	return p->incarnation && p->state != KRG_NODE_ABSENT &&
	       m->now - p->seen < 2 * KRG_T_HEARTBEAT + KRG_T_TICK;
}

/* Remember who says to be @p, to echo it. Return: whether @b is news of it. */
static bool candidate(struct krg_membership *m, struct krg_member *p, const struct krg_beacon *b)
{
	if (p->cand_incarnation == b->incarnation && (s32)(b->stamp - p->cand_stamp) <= 0)
		return false;
	if (p->cand_incarnation != b->incarnation)
		m->beacon_soon = true;
	p->cand_incarnation = b->incarnation;
	p->cand_addr = b->addr;
	p->cand_stamp = b->stamp;
	p->cand_seen = m->now;
	return true;
}

static void adopt(struct krg_member *p, const struct krg_beacon *b)
{
	p->incarnation = b->incarnation;
	p->addr = b->addr;
	p->granted = 0;
	p->lease_until = 0;
	p->cand_incarnation = 0;
}

/*
 * Somebody else with our id. It counts only once it is proven to be alive: an
 * old beacon of our own former life must not stop us.
 */
static void own_id(struct krg_membership *m, const struct krg_beacon *b, bool fresh,
		   struct krg_out *out)
{
	struct krg_member *p = &m->member[m->self];

	if (b->incarnation == m->incarnation || !candidate(m, p, b) || !fresh)
		return;
	if (addr_same(b->addr, m->addr))
		return;
	m->duplicate = b->addr;
	m->duplicate_seen = m->now;
	krg_out_notice(out, KRG_NOTICE_DUPLICATE, m->self, m->addr, b->addr);
}

/**
 * krg_duplicated - is another live machine using this node's id
 * @m: membership
 */
bool krg_duplicated(const struct krg_membership *m)
{
	return m->duplicate_seen && m->now - m->duplicate_seen < KRG_T_DEAD;
}

/* A beacon of an incarnation not proven yet. Return: whether it is now. */
static bool newcomer(struct krg_membership *m, const struct krg_beacon *b, bool fresh,
		     struct krg_out *out)
{
	struct krg_member *p = &m->member[b->node];

	if (claimed(m, p)) {
		if (!addr_same(p->addr, b->addr))
			krg_out_notice(out, KRG_NOTICE_DUPLICATE, b->node, p->addr, b->addr);
		return false;
	}
	if (!candidate(m, p, b) || !fresh)
		return false;
	switch (p->state) {
	case KRG_NODE_ONLINE:
	case KRG_NODE_LEAVING:
		/* It cannot come back before it has been failed. */
		if (!p->reborn)
			krg_out_notice(out, KRG_NOTICE_REBORN, b->node, b->addr, b->addr);
		p->reborn = true;
		krg_mask_add(&m->proven, b->node);
		return false;
	case KRG_NODE_PRESENT:
		krg_member_move(m, b->node, KRG_NODE_ABSENT, out);
		adopt(p, b);
		return true;
	case KRG_NODE_FAILED:
		krg_mask_add(&m->proven, b->node);
		adopt(p, b);
		krg_member_move(m, b->node, KRG_NODE_PRESENT, out);
		return true;
	default:
		adopt(p, b);
		return true;
	}
}

/* It hears us and we hear it: keep its lease going, take ours. */
static void heard(struct krg_membership *m, const struct krg_beacon *b, u32 age,
		  struct krg_out *out)
{
	struct krg_member *p = &m->member[b->node];

	if (p->state == KRG_NODE_ABSENT)
		krg_member_move(m, b->node, KRG_NODE_PRESENT, out);
	p->heard = m->now;
	p->epoch = b->epoch;
	p->beacon_state = b->state;
	if (b->epoch > m->epoch_seen)
		m->epoch_seen = b->epoch;
	if (p->state != KRG_NODE_FAILED && !p->reborn && !krg_mask_has(&m->condemned, b->node)) {
		p->granted = m->now;
		p->granted_now = true;
	}
	if (krg_mask_has(&b->leased, m->self) && m->now - age + KRG_T_LEASE > p->lease_until)
		p->lease_until = m->now - age + KRG_T_LEASE;
}

static struct krg_fragment fragment(bool quorate, const struct krg_mask *members)
{
	struct krg_fragment f = {
		.quorate = quorate,
		.count = krg_mask_count(members),
		.lowest = krg_mask_lowest(members),
	};

	return f;
}

/* A member of a cluster that isn't ours. */
static void strangers(struct krg_membership *m, const struct krg_beacon *b, struct krg_out *out)
{
	struct krg_mask ours = krg_view_members(&m->view);
	struct krg_fragment mine = fragment(m->view.quorate, &ours);
	struct krg_fragment theirs = fragment(b->quorate, &b->members);

	if (krg_mask_has(&b->members, m->self))
		return;		/* it does not know yet that it is out; it will ask */
	if (krg_fragment_weaker(&mine, &theirs))
		krg_dissolve(m, KRG_NOTICE_WEAKER, b->node, out);
}

/* A fellow member in the same view: whom does it no longer hear? */
static void accusations(struct krg_membership *m, const struct krg_beacon *b)
{
	int coordinator = krg_coordinator(m);
	struct krg_mask accused = b->suspects;

	if (coordinator == m->self) {
		/* Between it and us, it goes; else it is believed, unless it is going. */
		if (krg_mask_has(&accused, m->self))
			krg_mask_add(&m->condemned, b->node);
		else if (!krg_member_gone(m, b->node))
			krg_mask_or(&m->condemned, &accused);
	} else if (coordinator == b->node) {
		krg_mask_del(&accused, m->self);
		krg_mask_or(&m->condemned, &accused);
	}
}

/* A fellow is in a newer view, and we are not. */
static void left_behind(struct krg_membership *m, const struct krg_beacon *b, struct krg_out *out)
{
	/* It went its own way without quorum: it is lost to us, not we to it. */
	if (m->view.quorate && !b->quorate)
		krg_mask_add(&m->condemned, b->node);
	else
		krg_dissolve(m, KRG_NOTICE_EVICTED, b->node, out);
}

static void cluster_news(struct krg_membership *m, const struct krg_beacon *b,
			 struct krg_out *out)
{
	bool fellow = krg_view_member(&m->view, b->node) &&
		      m->view.node[b->node].incarnation == b->incarnation;
	bool included = krg_mask_has(&b->members, m->self);

	if (b->epoch > m->epoch && (fellow || included)) {
		if (!included && in_cluster_state(b->state) &&
		    m->view.node[m->self].state == KRG_NODE_ONLINE)
			left_behind(m, b, out);
		else
			krg_out_send(out, KRG_MSG_PULL, b->node, 0);
	} else if (!in_cluster_state(b->state) || !krg_in_cluster(m)) {
		return;
	} else if (!fellow) {
		strangers(m, b, out);
	} else if (b->epoch == m->epoch) {
		accusations(m, b);
	}
}

/**
 * krg_beacon_event - a beacon of our session arrived
 * @m: membership
 * @b: the beacon, MAC checked
 * @out: what to do
 */
void krg_beacon_event(struct krg_membership *m, const struct krg_beacon *b, struct krg_out *out)
{
	u32 age = krg_stamp_age(m, m->now, b->echo[m->self]);
	bool fresh = age <= KRG_T_LEASE;
	struct krg_member *p;

	if (b->node == m->self) {
		own_id(m, b, fresh, out);
		return;
	}
	if (b->max_nodes != m->max_nodes || b->lease_ms != KRG_T_LEASE ||
	    b->node >= m->max_nodes) {
		krg_out_notice(out, KRG_NOTICE_MISMATCH, b->node, b->addr, b->addr);
		return;
	}
	p = &m->member[b->node];
	if (p->incarnation != b->incarnation) {
		if (!newcomer(m, b, fresh, out))
			return;
	} else if ((s32)(b->stamp - p->stamp) <= 0) {
		return;
	} else if (!addr_same(p->addr, b->addr)) {
		krg_out_notice(out, KRG_NOTICE_DUPLICATE, b->node, p->addr, b->addr);
		return;
	}
	p->stamp = b->stamp;
	p->seen = m->now;
	p->granted_now = false;
	if (!fresh)
		return;
	heard(m, b, age, out);
	cluster_news(m, b, out);
}

static u32 echo_of(const struct krg_membership *m, unsigned int node)
{
	const struct krg_member *p = &m->member[node];

	if (p->cand_incarnation && m->now - p->cand_seen < KRG_T_DEAD && !claimed(m, p))
		return p->cand_stamp;
	return p->incarnation && m->now - p->seen < KRG_T_DEAD ? p->stamp : 0;
}

/**
 * krg_membership_beacon - what to broadcast now
 * @m: membership
 * @now: ms
 * @b: filled
 */
void krg_membership_beacon(struct krg_membership *m, u64 now, struct krg_beacon *b)
{
	unsigned int n;

	m->now = now;
	memset(b, 0, sizeof(*b));
	b->session = m->session;
	b->node = m->self;
	b->state = m->member[m->self].state;
	b->quorate = m->view.quorate;
	b->max_nodes = m->max_nodes;
	b->lease_ms = KRG_T_LEASE;
	b->incarnation = m->incarnation;
	b->addr = m->addr;
	b->stamp = krg_stamp(m, now);
	b->epoch = m->epoch;
	b->members = krg_view_members(&m->view);
	for (n = 0; n < m->max_nodes; n++) {
		const struct krg_member *p = &m->member[n];

		b->echo[n] = echo_of(m, n);
		if (krg_view_member(&m->view, n) && krg_member_gone(m, n))
			krg_mask_add(&b->suspects, n);
		if (n != m->self && p->granted_now && b->echo[n] == p->stamp &&
		    p->state != KRG_NODE_ABSENT && p->state != KRG_NODE_FAILED &&
		    !p->reborn && !krg_mask_has(&m->condemned, n))
			krg_mask_add(&b->leased, n);
	}
	m->beacon_last = now;
	m->beacon_soon = false;
}
