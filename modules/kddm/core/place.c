// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects of a hashed set are spread by rendezvous hashing (Thaler and
 * Ravishankar 1998): each node has a weight for each object, the heaviest is
 * manager, the second witness. When a node goes, only what it guarded moves, and
 * its witnesses become the managers; a node that comes takes its share and
 * nothing moves between the others.
 */
#include "place.h"

/* The finaliser of MurmurHash3 (Appleby): every bit in changes half the bits out. */
static u64 mix(u64 x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdull;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ull;
	return x ^ x >> 33;
}

/**
 * krg_kddm_place_hashed - the guardians of an object of a hashed set
 * @set: the set's number
 * @object: the object's number
 * @among: nodes that may be guardians
 *
 * Return: manager and witness; the same on each node that knows the same @among.
 */
struct krg_kddm_place krg_kddm_place_hashed(u64 set, u64 object, const struct krg_kddm_map *among)
{
	struct krg_kddm_place place = { KRG_KDDM_NOBODY, KRG_KDDM_NOBODY };
	u64 seed = mix(mix(set) + object), w, first = 0, second = 0;
	unsigned int n = 0;

	for (; krg_kddm_map_next(among, &n); n++) {
		/* The low byte makes weights of different nodes differ. */
		w = (mix(seed + n) & ~(u64)0xff) + n;
		if (place.manager == KRG_KDDM_NOBODY || w > first) {
			second = first;
			place.witness = place.manager;
			first = w;
			place.manager = n;
		} else if (place.witness == KRG_KDDM_NOBODY || w > second) {
			second = w;
			place.witness = n;
		}
	}
	return place;
}

/**
 * krg_kddm_place_home - the guardians of an object of a set that lives at home
 * @home: the home node
 * @members: nodes of the cluster
 *
 * Return: the home node, or nobody when it is no member: the set is lost with
 * it, so nobody need witness.
 */
struct krg_kddm_place krg_kddm_place_home(unsigned int home, const struct krg_kddm_map *members)
{
	struct krg_kddm_place place = { KRG_KDDM_NOBODY, KRG_KDDM_NOBODY };

	if (krg_kddm_map_has(members, home))
		place.manager = home;
	return place;
}
