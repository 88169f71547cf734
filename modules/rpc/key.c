// SPDX-License-Identifier: GPL-2.0-only
/* The session's key, one a namespace, and the MACs made with it. */
#define pr_fmt(fmt) "krg_rpc: " fmt

#include <crypto/algapi.h>
#include <crypto/hash.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include "rpc.h"

#define FINGERPRINT	"krg key fingerprint"

struct rpc_key {
	struct crypto_shash *tfm;
	siphash_key_t veil;
};

static void key_free(struct rpc_key *key)
{
	if (!key)
		return;
	crypto_free_shash(key->tfm);
	kfree_sensitive(key);
}

static void key_replace(struct rpc_net *rn, struct rpc_key *key)
{
	struct rpc_key *old;

	mutex_lock(&rn->lock);
	old = rcu_replace_pointer(rn->key, key, lockdep_is_held(&rn->lock));
	mutex_unlock(&rn->lock);
	if (old)
		synchronize_rcu();
	key_free(old);
}

void rpc_key_drop(struct rpc_net *rn)
{
	key_replace(rn, NULL);
}

static int key_mac(struct crypto_shash *tfm, const char *domain, const void *data,
		   u32 len, u8 mac[KRG_RPC_MAC])
{
	SHASH_DESC_ON_STACK(desc, tfm);
	int err;

	desc->tfm = tfm;
	err = crypto_shash_init(desc) ?:
	      crypto_shash_update(desc, domain, strlen(domain) + 1) ?:
	      crypto_shash_update(desc, data, len) ?:
	      crypto_shash_final(desc, mac);
	shash_desc_zero(desc);
	return err;
}

static int key_veil(struct rpc_key *key)
{
	u8 mac[KRG_RPC_MAC];
	int err = key_mac(key->tfm, "krg veil", "", 0, mac);

	memcpy(&key->veil, mac, sizeof(key->veil));
	memzero_explicit(mac, sizeof(mac));
	return err;
}

static struct rpc_key *key_make(const void *key, u32 len)
{
	struct rpc_key *new;
	int err;

	if (len < KRG_RPC_KEY_MIN || len > KRG_RPC_KEY_MAX)
		return ERR_PTR(-EINVAL);
	new = kzalloc(sizeof(*new), GFP_KERNEL);
	if (!new)
		return ERR_PTR(-ENOMEM);
	new->tfm = crypto_alloc_shash("hmac(sha256)", 0, 0);
	if (IS_ERR(new->tfm)) {
		err = PTR_ERR(new->tfm);
		kfree(new);
		return ERR_PTR(err);
	}
	err = crypto_shash_setkey(new->tfm, key, len) ?: key_veil(new);
	if (!err)
		return new;
	key_free(new);
	return ERR_PTR(err);
}

/**
 * krg_rpc_set_key() - give a namespace its session's key
 * @net: namespace
 * @key: random bytes
 * @len: KRG_RPC_KEY_MIN to KRG_RPC_KEY_MAX
 *
 * Connections that stand stay; new ones are proved with the new key.
 *
 * Context: process. Locks: none.
 * Return: 0; -EINVAL: length; -ENOMEM or an error of the crypto API.
 */
int krg_rpc_set_key(struct net *net, const void *key, u32 len)
{
	struct rpc_key *new = key_make(key, len);

	if (IS_ERR(new))
		return PTR_ERR(new);
	key_replace(rpc_net(net), new);
	return 0;
}
EXPORT_SYMBOL_GPL(krg_rpc_set_key);

/**
 * krg_rpc_has_key() - has krg_rpc_set_key() been done
 * @net: namespace
 *
 * Context: any. Return: true if so.
 */
bool krg_rpc_has_key(struct net *net)
{
	return rcu_access_pointer(rpc_net(net)->key);
}
EXPORT_SYMBOL_GPL(krg_rpc_has_key);

/**
 * krg_rpc_mac() - HMAC-SHA256 with the session's key
 * @net: namespace
 * @domain: what it is for, so that a MAC proves nothing elsewhere
 * @data: bytes
 * @len: how many
 * @mac: the result
 *
 * Context: process or soft interrupt.
 * Return: 0; -ENOKEY: no key yet; an error of the crypto API.
 */
int krg_rpc_mac(struct net *net, const char *domain, const void *data, u32 len,
		u8 mac[KRG_RPC_MAC])
{
	struct rpc_key *key;
	int err = -ENOKEY;

	rcu_read_lock();
	key = rcu_dereference(rpc_net(net)->key);
	if (key)
		err = key_mac(key->tfm, domain, data, len, mac);
	rcu_read_unlock();
	return err;
}
EXPORT_SYMBOL_GPL(krg_rpc_mac);

/**
 * krg_rpc_veil() - hide bytes from who lacks the session's key; done twice: show them
 * @net: namespace
 * @mac: the MAC of the bytes as they are shown
 * @data: bytes
 * @len: how many
 *
 * A synthetic IV (Rogaway and Shrimpton, "A Provable-Security Treatment of the Key-Wrap
 * Problem"): the stream is SipHash of the MAC and a counter. Who sees two that are
 * alike learns that they are, nothing else.
 *
 * Context: process or soft interrupt. Return: 0; -ENOKEY: no key yet.
 */
int krg_rpc_veil(struct net *net, const u8 mac[KRG_RPC_MAC], void *data, u32 len)
{
	__le64 iv[2], stream;
	struct rpc_key *key;
	u32 i;

	memcpy(iv, mac, sizeof(iv));
	rcu_read_lock();
	key = rcu_dereference(rpc_net(net)->key);
	for (i = 0; key && i < len; i += sizeof(stream)) {
		stream = cpu_to_le64(siphash_3u64(le64_to_cpu(iv[0]), le64_to_cpu(iv[1]),
						  i, &key->veil));
		crypto_xor(data + i, (u8 *)&stream, min_t(u32, sizeof(stream), len - i));
	}
	rcu_read_unlock();
	return key ? 0 : -ENOKEY;
}
EXPORT_SYMBOL_GPL(krg_rpc_veil);

/**
 * krg_rpc_fingerprint() - tells keys apart without telling the key
 * @net: namespace
 * @out: 8 bytes
 *
 * Context: process or soft interrupt. Return: as krg_rpc_mac().
 */
int krg_rpc_fingerprint(struct net *net, u8 out[KRG_RPC_FINGERPRINT])
{
	u8 mac[KRG_RPC_MAC];
	int err = krg_rpc_mac(net, FINGERPRINT, "", 0, mac);

	if (!err)
		memcpy(out, mac, KRG_RPC_FINGERPRINT);
	return err;
}
EXPORT_SYMBOL_GPL(krg_rpc_fingerprint);

/**
 * krg_rpc_key_is() - is it the key that was set
 * @net: namespace
 * @key: random bytes
 * @len: how many
 *
 * Context: process. Return: 1; 0; as krg_rpc_set_key(); -ENOKEY: none was set.
 */
int krg_rpc_key_is(struct net *net, const void *key, u32 len)
{
	struct rpc_key *other = key_make(key, len);
	u8 ours[KRG_RPC_MAC], its[KRG_RPC_MAC];
	int err;

	if (IS_ERR(other))
		return PTR_ERR(other);
	err = krg_rpc_mac(net, FINGERPRINT, "", 0, ours) ?:
	      key_mac(other->tfm, FINGERPRINT, "", 0, its);
	key_free(other);
	return err ?: !crypto_memneq(ours, its, sizeof(ours));
}
EXPORT_SYMBOL_GPL(krg_rpc_key_is);
