// SPDX-License-Identifier: GPL-2.0-only
/* Connection states: the table of legal moves and the only function that moves. */
#include "export.h"
#include "conn.h"

#define TO(state)	(1u << KRG_CONN_##state)

static const u8 conn_moves[KRG_CONN_STATES] = {
	[KRG_CONN_DOWN] = TO(DIALING) | TO(PROVING) | TO(CLOSED),
	[KRG_CONN_DIALING] = TO(PROVING) | TO(CLOSED),
	[KRG_CONN_PROVING] = TO(UP) | TO(CLOSED),
	[KRG_CONN_UP] = TO(CLOSED),
	[KRG_CONN_CLOSED] = 0,
};

static const char * const conn_names[KRG_CONN_STATES] = {
	[KRG_CONN_DOWN] = "down",
	[KRG_CONN_DIALING] = "dialing",
	[KRG_CONN_PROVING] = "proving",
	[KRG_CONN_UP] = "up",
	[KRG_CONN_CLOSED] = "closed",
};

/**
 * krg_conn_legal() - may a connection make this move
 * @from: state it is in
 * @to: state wanted
 *
 * Return: true if the table has the move.
 */
bool krg_conn_legal(enum krg_conn_state from, enum krg_conn_state to)
{
	if ((u32)from >= KRG_CONN_STATES || (u32)to >= KRG_CONN_STATES)
		return false;
	return conn_moves[from] & 1u << to;
}

/**
 * krg_conn_move() - move a connection to another state
 * @state: the connection's state; the caller holds the lock that guards it
 * @to: state wanted
 *
 * Return: 0, or -EINVAL and the state stays.
 */
int krg_conn_move(enum krg_conn_state *state, enum krg_conn_state to)
{
	if (!krg_conn_legal(*state, to))
		return -EINVAL;
	*state = to;
	return 0;
}
EXPORT_SYMBOL_GPL(krg_conn_move);

/**
 * krg_conn_name() - a state's name for logs and traces
 * @state: the state
 *
 * Return: a string, never NULL.
 */
const char *krg_conn_name(enum krg_conn_state state)
{
	return (u32)state < KRG_CONN_STATES ? conn_names[state] : "?";
}
EXPORT_SYMBOL_GPL(krg_conn_name);
