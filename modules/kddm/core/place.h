/* SPDX-License-Identifier: GPL-2.0-only */
/* Which node manages an object, and which one knows that the object exists. */
#ifndef KRG_KDDM_CORE_PLACE_H
#define KRG_KDDM_CORE_PLACE_H

#include "nodes.h"

/**
 * struct krg_kddm_place - the guardians of an object
 * @manager: keeps its directory; KRG_KDDM_NOBODY: the object is out of reach
 * @witness: knows that it exists, so that its loss is noticed when the manager
 *	dies with the only copy; KRG_KDDM_NOBODY: there is none
 */
struct krg_kddm_place {
	u16 manager;
	u16 witness;
};

struct krg_kddm_place krg_kddm_place_hashed(u64 set, u64 object, const struct krg_kddm_map *among);
struct krg_kddm_place krg_kddm_place_home(unsigned int home, const struct krg_kddm_map *members);

#endif
