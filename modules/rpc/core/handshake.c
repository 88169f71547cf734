// SPDX-License-Identifier: GPL-2.0-only
/* The handshake as a state machine: one message in, at most one out. */
#include "export.h"
#include "handshake.h"

enum hs_type {
	HS_HELLO = 1,
	HS_CHALLENGE,
	HS_IDENT,
	HS_WELCOME,
};

struct hs_head {
	__le32 magic;
	u8 version;
	u8 type;
	__le16 reserved;
};

struct hs_hello {
	struct hs_head head;
	u8 nonce[KRG_HS_NONCE];
};

struct hs_challenge {
	struct hs_head head;
	u8 nonce[KRG_HS_NONCE];
	u8 mac[KRG_HS_MAC];
};

struct hs_body {
	u8 session;
	u8 lane;
	__le16 from;
	__le16 to;
	__le16 reserved;
	__le64 from_incarnation;
	__le64 to_incarnation;
};

struct hs_ident {
	struct hs_head head;
	struct hs_body body;
	u8 mac[KRG_HS_MAC];
};

struct hs_welcome {
	struct hs_head head;
	u8 mac[KRG_HS_MAC];
};

/* What a MAC is made over. @body is zero before the initiator named itself. */
struct hs_proof {
	char place[15];
	u8 session;
	u8 nonce_i[KRG_HS_NONCE];
	u8 nonce_r[KRG_HS_NONCE];
	struct hs_body body;
};

static_assert(sizeof(struct hs_hello) == 40, "HELLO has 40 bytes");
static_assert(sizeof(struct hs_challenge) == KRG_HS_MAX_MESSAGE, "CHALLENGE has 72 bytes");
static_assert(sizeof(struct hs_ident) == 64, "IDENT has 64 bytes");
static_assert(sizeof(struct hs_welcome) == 40, "WELCOME has 40 bytes");
static_assert(sizeof(struct hs_proof) == 104, "a proof has 104 bytes");

static struct hs_head hs_make_head(enum hs_type type)
{
	return (struct hs_head){
		.magic = cpu_to_le32(KRG_HS_MAGIC),
		.version = KRG_HS_VERSION,
		.type = type,
	};
}

static bool hs_head_ok(const struct hs_head *head, enum hs_type type)
{
	return le32_to_cpu(head->magic) == KRG_HS_MAGIC &&
	       head->version == KRG_HS_VERSION && head->type == type &&
	       !head->reserved;
}

static struct hs_body hs_make_body(const struct krg_hs_ident *ident)
{
	return (struct hs_body){
		.session = ident->session,
		.lane = ident->lane,
		.from = cpu_to_le16(ident->from),
		.to = cpu_to_le16(ident->to),
		.from_incarnation = cpu_to_le64(ident->from_incarnation),
		.to_incarnation = cpu_to_le64(ident->to_incarnation),
	};
}

static int hs_mac(struct krg_hs *hs, const char *place,
		  const struct hs_body *body, u8 out[KRG_HS_MAC])
{
	struct hs_proof proof;

	memset(&proof, 0, sizeof(proof));
	memcpy(proof.place, place, strlen(place));
	proof.session = hs->ident.session;
	memcpy(proof.nonce_i, hs->nonce_i, KRG_HS_NONCE);
	memcpy(proof.nonce_r, hs->nonce_r, KRG_HS_NONCE);
	if (body)
		proof.body = *body;
	return hs->ops->mac(hs->ctx, &proof, sizeof(proof), out);
}

/* Takes the same time wherever the first difference is. */
static int hs_check_mac(struct krg_hs *hs, const char *place,
			const struct hs_body *body, const u8 got[KRG_HS_MAC])
{
	u8 want[KRG_HS_MAC], diff = 0;
	int err;

	err = hs_mac(hs, place, body, want);
	if (err)
		return err;
	for (int i = 0; i < KRG_HS_MAC; i++)
		diff |= want[i] ^ got[i];
	return diff ? -EACCES : 0;
}

static int hs_make_keys(struct krg_hs *hs, const struct hs_body *body)
{
	u8 mac[KRG_HS_MAC];
	int err;

	err = hs_mac(hs, "key up", body, mac);
	if (err)
		return err;
	memcpy(hs->key_up, mac, KRG_MAC_KEY);
	err = hs_mac(hs, "key down", body, mac);
	if (err)
		return err;
	memcpy(hs->key_down, mac, KRG_MAC_KEY);
	return 0;
}

static void hs_put(struct krg_hs *hs, const void *msg, u32 len)
{
	memcpy(hs->out, msg, len);
	hs->out_len = len;
}

/**
 * krg_hs_initiate() - begin as the one who dialled; HELLO is in @hs->out
 * @hs: state
 * @ops: MAC
 * @ctx: for @ops
 * @ident: both ends as the initiator knows them; from < to
 * @nonce: 32 random bytes never used before
 */
void krg_hs_initiate(struct krg_hs *hs, const struct krg_hs_ops *ops, void *ctx,
		     const struct krg_hs_ident *ident, const u8 nonce[KRG_HS_NONCE])
{
	struct hs_hello hello = { .head = hs_make_head(HS_HELLO) };

	memset(hs, 0, sizeof(*hs));
	hs->ops = ops;
	hs->ctx = ctx;
	hs->ident = *ident;
	memcpy(hs->nonce_i, nonce, KRG_HS_NONCE);
	memcpy(hello.nonce, nonce, KRG_HS_NONCE);
	hs_put(hs, &hello, sizeof(hello));
	hs->state = KRG_HS_WAIT_CHALLENGE;
}
EXPORT_SYMBOL_GPL(krg_hs_initiate);

/**
 * krg_hs_respond() - begin as the one who was dialled
 * @hs: state
 * @ops: MAC and admission
 * @ctx: for @ops
 * @session: the session of this node
 * @nonce: 32 random bytes never used before
 */
void krg_hs_respond(struct krg_hs *hs, const struct krg_hs_ops *ops, void *ctx,
		    u8 session, const u8 nonce[KRG_HS_NONCE])
{
	memset(hs, 0, sizeof(*hs));
	hs->ops = ops;
	hs->ctx = ctx;
	hs->ident.session = session;
	memcpy(hs->nonce_r, nonce, KRG_HS_NONCE);
	hs->state = KRG_HS_WAIT_HELLO;
}
EXPORT_SYMBOL_GPL(krg_hs_respond);

/**
 * krg_hs_want() - length of the next message
 * @hs: state
 *
 * Return: bytes to read before krg_hs_input(); 0 when the handshake is over.
 */
u32 krg_hs_want(const struct krg_hs *hs)
{
	switch (hs->state) {
	case KRG_HS_WAIT_HELLO:
		return sizeof(struct hs_hello);
	case KRG_HS_WAIT_CHALLENGE:
		return sizeof(struct hs_challenge);
	case KRG_HS_WAIT_IDENT:
		return sizeof(struct hs_ident);
	case KRG_HS_WAIT_WELCOME:
		return sizeof(struct hs_welcome);
	case KRG_HS_DONE:
	case KRG_HS_FAILED:
		break;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(krg_hs_want);

static int hs_on_hello(struct krg_hs *hs, const struct hs_hello *msg)
{
	struct hs_challenge reply = { .head = hs_make_head(HS_CHALLENGE) };
	int err;

	if (!hs_head_ok(&msg->head, HS_HELLO))
		return -EPROTO;
	memcpy(hs->nonce_i, msg->nonce, KRG_HS_NONCE);
	memcpy(reply.nonce, hs->nonce_r, KRG_HS_NONCE);
	err = hs_mac(hs, "challenge", NULL, reply.mac);
	if (err)
		return err;
	hs_put(hs, &reply, sizeof(reply));
	hs->state = KRG_HS_WAIT_IDENT;
	return 0;
}

static int hs_on_challenge(struct krg_hs *hs, const struct hs_challenge *msg)
{
	struct hs_ident reply = {
		.head = hs_make_head(HS_IDENT),
		.body = hs_make_body(&hs->ident),
	};
	int err;

	if (!hs_head_ok(&msg->head, HS_CHALLENGE))
		return -EPROTO;
	memcpy(hs->nonce_r, msg->nonce, KRG_HS_NONCE);
	err = hs_check_mac(hs, "challenge", NULL, msg->mac);
	if (err)
		return err;
	err = hs_mac(hs, "identity", &reply.body, reply.mac);
	if (err)
		return err;
	hs_put(hs, &reply, sizeof(reply));
	hs->state = KRG_HS_WAIT_WELCOME;
	return 0;
}

static int hs_take_body(struct krg_hs *hs, const struct hs_body *body)
{
	struct krg_hs_ident ident = {
		.session = body->session,
		.lane = body->lane,
		.from = le16_to_cpu(body->from),
		.to = le16_to_cpu(body->to),
		.from_incarnation = le64_to_cpu(body->from_incarnation),
		.to_incarnation = le64_to_cpu(body->to_incarnation),
	};

	if (body->reserved || ident.session != hs->ident.session ||
	    ident.lane >= KRG_FRAME_LANES || ident.from >= ident.to)
		return -EPROTO;
	hs->ident = ident;
	return 0;
}

static int hs_on_ident(struct krg_hs *hs, const struct hs_ident *msg)
{
	struct hs_welcome reply = { .head = hs_make_head(HS_WELCOME) };
	int err;

	if (!hs_head_ok(&msg->head, HS_IDENT))
		return -EPROTO;
	err = hs_check_mac(hs, "identity", &msg->body, msg->mac);
	if (err)
		return err;
	err = hs_take_body(hs, &msg->body);
	if (err)
		return err;
	err = hs->ops->admit(hs->ctx, &hs->ident);
	if (err)
		return err;
	err = hs_mac(hs, "welcome", &msg->body, reply.mac);
	if (err)
		return err;
	err = hs_make_keys(hs, &msg->body);
	if (err)
		return err;
	hs_put(hs, &reply, sizeof(reply));
	hs->state = KRG_HS_DONE;
	return 0;
}

static int hs_on_welcome(struct krg_hs *hs, const struct hs_welcome *msg)
{
	struct hs_body body = hs_make_body(&hs->ident);
	int err;

	if (!hs_head_ok(&msg->head, HS_WELCOME))
		return -EPROTO;
	err = hs_check_mac(hs, "welcome", &body, msg->mac);
	if (err)
		return err;
	err = hs_make_keys(hs, &body);
	if (err)
		return err;
	hs->state = KRG_HS_DONE;
	return 0;
}

static int hs_step(struct krg_hs *hs, const void *msg)
{
	switch (hs->state) {
	case KRG_HS_WAIT_HELLO:
		return hs_on_hello(hs, msg);
	case KRG_HS_WAIT_CHALLENGE:
		return hs_on_challenge(hs, msg);
	case KRG_HS_WAIT_IDENT:
		return hs_on_ident(hs, msg);
	case KRG_HS_WAIT_WELCOME:
		return hs_on_welcome(hs, msg);
	case KRG_HS_DONE:
	case KRG_HS_FAILED:
		break;
	}
	return -EPROTO;
}

/**
 * krg_hs_input() - one message has come
 * @hs: state; afterwards @hs->out_len bytes at @hs->out are to be sent
 * @msg: the message
 * @len: its length, what krg_hs_want() said
 *
 * Return: 0; -EPROTO: not what had to come; -EACCES: the other side does not
 * hold the key; what ops returned. After an error the handshake has failed and
 * the connection must be closed without another word.
 */
int krg_hs_input(struct krg_hs *hs, const void *msg, u32 len)
{
	u64 copy[KRG_HS_MAX_MESSAGE / sizeof(u64)];
	int err;

	hs->out_len = 0;
	if (!len || len != krg_hs_want(hs)) {
		err = -EPROTO;
	} else {
		/* Aligned, wherever the caller had it. */
		memcpy(copy, msg, len);
		err = hs_step(hs, copy);
	}
	if (err) {
		hs->out_len = 0;
		hs->state = KRG_HS_FAILED;
	}
	return err;
}
EXPORT_SYMBOL_GPL(krg_hs_input);
