/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KRG_CLUSTER_QUORUM_H
#define KRG_CLUSTER_QUORUM_H

#include "mask.h"

struct krg_fragment {
	bool quorate;
	unsigned int count;
	int lowest;
};

bool krg_quorum_holds(const struct krg_mask *voters, const struct krg_mask *alive);
bool krg_quorum_regained(const struct krg_mask *voters, const struct krg_mask *alive,
			 const struct krg_mask *proven);
bool krg_fragment_weaker(const struct krg_fragment *a, const struct krg_fragment *b);

#endif
