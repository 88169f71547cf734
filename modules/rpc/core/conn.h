/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The states of a connection (one peer, one lane, one stream):
 *
 *                dial             connected          proved
 *       DOWN ----------> DIALING ----------> PROVING -------> UP
 *         |                 |     accepted      ^  |           |
 *         +-----------------|-------------------+  |           |
 *                           |   refused, time out  |  error,   |
 *                           +--------> CLOSED <----+-----------+  garbage,
 *                                        |             peer removed
 *                                        v
 *                                    (freed; the next try is a new connection)
 *
 * Nothing but krg_conn_move() writes a state.
 */
#ifndef KRG_RPC_CORE_CONN_H
#define KRG_RPC_CORE_CONN_H

#include <krg/core.h>

enum krg_conn_state {
	KRG_CONN_DOWN,
	KRG_CONN_DIALING,
	KRG_CONN_PROVING,
	KRG_CONN_UP,
	KRG_CONN_CLOSED,
	KRG_CONN_STATES,
};

bool krg_conn_legal(enum krg_conn_state from, enum krg_conn_state to);
int krg_conn_move(enum krg_conn_state *state, enum krg_conn_state to);
const char *krg_conn_name(enum krg_conn_state state);

#endif
