// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens when the cluster splits.
 *
 * A node cannot tell a dead peer from one it merely cannot reach, so when
 * nodes are lost there may be several sides that all live. Losing sight of a
 * node has two consequences, and they need different certainty:
 *
 * 1. Requests to it end, guests of its processes are killed, its guests here
 *    are given up. This only needs to know that the lease has expired on the
 *    other end (lease.c), so every side does it: a lost node is failed on all
 *    others within the detection time, whichever side is larger. Nothing runs
 *    twice, because a process has one home and the home never moves.
 *
 * 2. Taking over what the lost node owned (restarting from a checkpoint,
 *    managing its objects), and taking in new nodes. If two sides did this the
 *    session would have two truths. It needs quorum, which at most one side has.
 *
 * The rule: a side keeps quorum if it holds more than half of the voters, or
 * exactly half with the lowest-numbered voter among them. The voters are the
 * nodes of the last view that had quorum. Two disjoint sets cannot both
 * satisfy it for the same voters: that is the whole of it as long as all sides
 * agree who the voters are. They can disagree in one way: a change of
 * membership may be promised everywhere but committed only on one side when
 * the split comes. So who has promised a newer view needs quorum in both, the
 * old voters and the promised view's; and a view commits only when all its
 * living members have promised it. Whoever did not hear the commit thus counts
 * against the same voters as who did.
 *
 * A side without quorum runs on: its processes are served, requests to lost
 * nodes end with EHOSTDOWN, nodes may leave, it may be stopped. It takes over
 * nothing, admits nobody, and says so. It regains quorum when every voter it has
 * lost is proven dead: it came back with another incarnation, or an
 * administrator said so by removing it (`nodes del`). So of two nodes either
 * may lose power: the survivor serves on, and takes the other back in
 * when it has booted.
 *
 * When sides see each other again (a failed node is heard in its old
 * incarnation) they are not merged: each has ended what the other ran for it.
 * The weaker one dissolves, that is all its nodes leave at once, take a new
 * incarnation, and are present again, ready to be added. Weaker is: without
 * quorum, else fewer nodes, else the higher lowest number; an order, so exactly
 * one survives. The same rule settles two disjoint starts at one moment.
 *
 * What remains: a side that lost all other voters and sees each of them rebooted
 * regains quorum, although before rebooting they may have admitted nodes
 * that are still cut off. That takes a split, an admission, the death of every
 * old voter there, and their return on this side; it ends as above when the
 * split does.
 */
#include "quorum.h"

/**
 * krg_quorum_holds - may this side go on as the cluster
 * @voters: nodes of the last view with quorum
 * @alive: nodes on this side
 *
 * Return: true for at most one of any disjoint sets @alive.
 */
bool krg_quorum_holds(const struct krg_mask *voters, const struct krg_mask *alive)
{
	unsigned int all = krg_mask_count(voters);
	unsigned int have = krg_mask_count_both(voters, alive);

	if (2 * have != all)
		return 2 * have > all;
	return all && krg_mask_has(alive, krg_mask_lowest(voters));
}

/**
 * krg_quorum_regained - is nobody left who could hold the quorum elsewhere
 * @voters: nodes of the last view with quorum
 * @alive: nodes on this side
 * @proven: nodes whose old incarnation is known to be dead
 */
bool krg_quorum_regained(const struct krg_mask *voters, const struct krg_mask *alive,
			 const struct krg_mask *proven)
{
	struct krg_mask known = *alive;

	krg_mask_or(&known, proven);
	return krg_mask_count_both(voters, alive) && krg_mask_within(voters, &known);
}

/**
 * krg_fragment_weaker - which of two sides that meet again dissolves
 * @a: one side
 * @b: the other
 *
 * Return: true if @a does.
 */
bool krg_fragment_weaker(const struct krg_fragment *a, const struct krg_fragment *b)
{
	if (a->quorate != b->quorate)
		return !a->quorate;
	if (a->count != b->count)
		return a->count < b->count;
	return a->lowest > b->lowest;
}
