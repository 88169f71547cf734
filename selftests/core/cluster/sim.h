/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network of nodes that run the kernel's own membership code on simulated
 * time: messages are delayed, reordered and lost, links cut, nodes killed and
 * booted, and every node's clock runs at its own rate.
 */
#ifndef KRG_SELFTEST_SIM_H
#define KRG_SELFTEST_SIM_H

#include "modules/cluster/core/membership.h"

struct sim;

struct sim_node {
	bool alive;
	bool duplicate;		/* a second machine with another's id */
	unsigned int id;
	u64 boot;		/* counts lives */
	double rate;		/* of its clock against true time */
	u64 offset;
	u64 tick_at;		/* when its next tick is due, so that older ones are void */
	struct krg_membership m;
};

struct sim *sim_new(unsigned int nodes, unsigned int max_nodes, u64 seed);
void sim_free(struct sim *s);
void sim_loss(struct sim *s, double loss);
void sim_boot(struct sim *s, unsigned int machine);
void sim_kill(struct sim *s, unsigned int machine);
void sim_cut(struct sim *s, unsigned int a, unsigned int b, bool cut);
void sim_split(struct sim *s, u64 side);	/* bit n of side: which side machine n % 64 is on */
void sim_heal(struct sim *s);
void sim_op(struct sim *s, unsigned int machine, u8 op, const struct krg_mask *mask);
void sim_op_flags(struct sim *s, unsigned int machine, u8 op, const struct krg_mask *mask, u8 flags);
int sim_op_status(struct sim *s, unsigned int machine);
void sim_run(struct sim *s, u64 ms);
struct sim_node *sim_node(struct sim *s, unsigned int machine);
u64 sim_random(struct sim *s, u64 below);
u64 sim_time(const struct sim *s);
unsigned int sim_notices(const struct sim *s, u8 notice);
/* The first broken invariant, in words; NULL if none. */
const char *sim_broken(const struct sim *s);
void sim_trace(bool on);

#endif
