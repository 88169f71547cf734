// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clocks: stamps, leases, and when a node is dead.
 *
 * No two nodes share a clock. A beacon carries its sender's own time, the
 * stamp; every beacon echoes the last stamp heard of each node. So a sender
 * learns, on its own clock, how old the youngest of its beacons is that a
 * peer has certainly received. Three things follow from an echo:
 *
 * Freshness. A beacon that echoes a stamp we sent within the lease time was
 * made within the lease time, whoever delivers it. Others are echoed, so that
 * the peer can become fresh, and otherwise ignored: a recorded beacon is worth
 * nothing later, and a peer that does not hear us is as good as gone.
 *
 * Lease. H grants G a lease by echoing stamp s with G's bit in `leased`. G may
 * rely on H's lease until s + KRG_T_LEASE on G's clock.
 *
 * Death. H may declare G failed when KRG_T_DEAD has passed on H's clock since
 * H received the last stamp it leased. It was received after it was sent, so
 * on any clock G's lease ended at least KRG_T_DEAD - KRG_T_LEASE earlier, as
 * long as the two clocks' rates differ by less than a quarter. H grants no
 * lease to a node it is about to declare failed, and promises no view in which
 * a node is failed before the lease it gave that node has run out
 * (krg_lease_given_expired() in change.c); a node with a new incarnation holds
 * no old lease.
 *
 * The numbers: a beacon every 500 ms, so five in a row may be lost before a
 * lease runs out; lease 3 s, dead 4 s: emulated nodes have been seen to stall for
 * a second. From the loss of a node to failed on all others: 4 s of silence
 * since its last beacon, at most one more tick until everybody's promise is
 * possible, and the two phases: 5 s (KRG_DETECT_MS), tested.
 *
 * Time must go on while a machine is suspended, so callers use boot time.
 */
#include "lease.h"
#include "membership.h"

/* Never 0, which stands for none; two stamps of one node are at least 2 ms apart. */
u32 krg_stamp(const struct krg_membership *m, u64 now)
{
	return ((u32)now + m->stamp_base) | 1;
}

/* How long ago we sent it; something huge if we can't have. */
u32 krg_stamp_age(const struct krg_membership *m, u64 now, u32 stamp)
{
	return stamp ? krg_stamp(m, now) - stamp : (u32)-1;
}

bool krg_member_silent(const struct krg_membership *m, unsigned int node)
{
	return node != m->self && m->now - m->member[node].heard >= KRG_T_DEAD;
}

/* A member that has to be failed. */
bool krg_member_gone(const struct krg_membership *m, unsigned int node)
{
	return krg_member_silent(m, node) || m->member[node].reborn ||
	       krg_mask_has(&m->condemned, node);
}

bool krg_lease_given_expired(const struct krg_membership *m, unsigned int node)
{
	const struct krg_member *p = &m->member[node];

	return p->reborn || !p->granted || m->now - p->granted >= KRG_T_DEAD;
}

/**
 * krg_membership_lease_valid - may this node rely on what another granted it
 * @m: membership
 * @node: the other
 * @now: ms
 */
bool krg_membership_lease_valid(const struct krg_membership *m, unsigned int node, u64 now)
{
	return node == m->self ||
	       (node < m->max_nodes && krg_view_member(&m->view, node) &&
		now < m->member[node].lease_until);
}
