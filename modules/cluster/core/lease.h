/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KRG_CLUSTER_LEASE_H
#define KRG_CLUSTER_LEASE_H

/* The same numbers as in include/krg/cluster.h, which the kernel part checks. */
#define KRG_T_HEARTBEAT	500u	/* a beacon at least that often */
#define KRG_T_LEASE	3000u	/* a lease, from when its stamp was sent */
#define KRG_T_DEAD	4000u	/* silence, from when the last stamp was received */
#define KRG_T_SOON	40u	/* least time between two beacons */
#define KRG_T_TICK	250u	/* messages are repeated that often */

#endif
