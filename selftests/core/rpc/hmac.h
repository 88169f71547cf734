/* SPDX-License-Identifier: GPL-2.0-only */
/* HMAC-SHA256 for the tests of the handshake, from OpenSSL. */
#ifndef RPC_TEST_HMAC_H
#define RPC_TEST_HMAC_H

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "../../../modules/rpc/core/handshake.h"

struct party {
	u8 key[32];
	int admit;		/* what to answer */
	int admitted;
	struct krg_hs_ident seen;
};

static inline int party_mac(void *ctx, const void *data, u32 len, u8 out[KRG_HS_MAC])
{
	struct party *p = ctx;

	return HMAC(EVP_sha256(), p->key, sizeof(p->key), data, len, out, NULL) ? 0 : -EIO;
}

static inline int party_admit(void *ctx, const struct krg_hs_ident *ident)
{
	struct party *p = ctx;

	p->admitted++;
	p->seen = *ident;
	return p->admit;
}

static const struct krg_hs_ops party_ops = { .mac = party_mac, .admit = party_admit };

#endif
