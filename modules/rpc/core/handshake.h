/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How two nodes prove to each other that they hold the session's key.
 *
 *   initiator (lower node id)                    responder
 *
 *      HELLO      nI  ------------------------------>
 *           <------------------------  CHALLENGE  nR, M("challenge", session, nI, nR)
 *      IDENT      session, lane, from, to, incarnations,
 *                 M("identity", session, nI, nR, ident) ->
 *           <------------------------  WELCOME    M("welcome", session, nI, nR, ident)
 *
 *   M is HMAC-SHA256 with the session's key; nI, nR are 32 random bytes.
 *
 * Why it holds:
 * - A stranger who dials learns a nonce and a MAC, so that a session exists,
 *   and no more. A stranger who is dialled learns a nonce: the initiator names
 *   itself only to who has proved the key.
 * - Each MAC covers both nonces, so an old one proves nothing (replay), and a
 *   word for its place, so none can be sent back or used in another place
 *   (reflection, role confusion). The initiator's id is the lower one, so no
 *   node can be made to talk to itself.
 * - ident names both nodes, both incarnations and the lane: what is proved is
 *   "this boot of node A talks to this boot of node B on lane L".
 * - The frame keys, one a direction, are M("key up"/"key down", all of it): who
 *   only passes messages along cannot forge a frame.
 *
 * Every message has one length known from the state; no length is read from the
 * wire. Any deviation ends the handshake (KRG_HS_FAILED), nothing is answered.
 */
#ifndef KRG_RPC_CORE_HANDSHAKE_H
#define KRG_RPC_CORE_HANDSHAKE_H

#include "frame.h"

#define KRG_HS_MAGIC		0x4847724bu	/* "KrGH" */
#define KRG_HS_VERSION		1
#define KRG_HS_NONCE		32
#define KRG_HS_MAC		32
#define KRG_HS_MAX_MESSAGE	72

enum krg_hs_state {
	KRG_HS_WAIT_HELLO,	/* responder */
	KRG_HS_WAIT_CHALLENGE,	/* initiator */
	KRG_HS_WAIT_IDENT,	/* responder */
	KRG_HS_WAIT_WELCOME,	/* initiator */
	KRG_HS_DONE,
	KRG_HS_FAILED,
};

/* Who talks to whom. */
struct krg_hs_ident {
	u8 session;
	u8 lane;
	u16 from;		/* the initiator */
	u16 to;			/* the responder */
	u64 from_incarnation;
	u64 to_incarnation;
};

/**
 * struct krg_hs_ops - what the handshake cannot do itself
 * @mac: HMAC-SHA256 of @len bytes at @data with the session's key into @out.
 *	Return: 0 or -errno (the handshake fails).
 * @admit: responder only: is @ident, which is proved, a peer to talk to: is it
 *	meant for this node and incarnation, is the initiator known with that
 *	incarnation. Return: 0 or -errno (the handshake fails).
 */
struct krg_hs_ops {
	int (*mac)(void *ctx, const void *data, u32 len, u8 out[KRG_HS_MAC]);
	int (*admit)(void *ctx, const struct krg_hs_ident *ident);
};

struct krg_hs {
	const struct krg_hs_ops *ops;
	void *ctx;
	enum krg_hs_state state;
	u8 nonce_i[KRG_HS_NONCE];
	u8 nonce_r[KRG_HS_NONCE];
	struct krg_hs_ident ident;	/* responder: only session until proved */
	u8 key_up[KRG_MAC_KEY];		/* initiator to responder, when done */
	u8 key_down[KRG_MAC_KEY];
	u32 out_len;			/* to send after a step, may be 0 */
	u8 out[KRG_HS_MAX_MESSAGE];
};

void krg_hs_initiate(struct krg_hs *hs, const struct krg_hs_ops *ops, void *ctx,
		     const struct krg_hs_ident *ident, const u8 nonce[KRG_HS_NONCE]);
void krg_hs_respond(struct krg_hs *hs, const struct krg_hs_ops *ops, void *ctx,
		    u8 session, const u8 nonce[KRG_HS_NONCE]);
u32 krg_hs_want(const struct krg_hs *hs);
int krg_hs_input(struct krg_hs *hs, const void *msg, u32 len);

#endif
