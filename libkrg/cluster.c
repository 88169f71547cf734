// SPDX-License-Identifier: GPL-2.0-only
/* This node, its key, and membership. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "internal.h"

struct features {
	uint64_t *bits;
	krg_feature_fn *fn;
	void *arg;
};

static int features_answer(struct krg *krg, struct nlattr **attrs, struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *feature[KRG_A_FEATURE_MAX + 1];
	struct features *want = arg;
	struct nlattr *attr;
	int rest, stop;

	(void)krg;
	if (attrs[KRG_A_FEATURES] && want->bits)
		*want->bits = nla_get_u64(attrs[KRG_A_FEATURES]);
	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rest) {
		if (nla_type(attr) != KRG_A_FEATURE || !want->fn)
			continue;
		if (nla_parse_nested(feature, KRG_A_FEATURE_MAX, attr, NULL) || !feature[KRG_A_FEATURE_NAME])
			continue;
		stop = want->fn(krg_u32(feature, KRG_A_FEATURE_BIT), nla_get_string(feature[KRG_A_FEATURE_NAME]),
				want->arg);
		if (stop)
			return stop;
	}
	return 0;
}

KRG_API int krg_features(struct krg *krg, uint64_t *bits, krg_feature_fn *fn, void *arg)
{
	struct features want = { bits, fn, arg };

	return krg_talk(krg, krg_request(krg, KRG_CMD_HOOK_FEATURES, 0), features_answer, &want);
}

KRG_API int krg_key_set(struct krg *krg, const void *key, size_t len)
{
	struct nl_msg *msg = krg_request(krg, KRG_CMD_KEY_SET, 0);

	if (msg && nla_put(msg, KRG_A_KEY, (int)len, key)) {
		nlmsg_free(msg);
		return krg_fail(krg, -EMSGSIZE, NULL);
	}
	return krg_talk(krg, msg, NULL, NULL);
}

struct fingerprint {
	char *out;
	size_t size;
	bool found;
};

static int fingerprint_answer(struct krg *krg, struct nlattr **attrs, struct nlmsghdr *nlh, void *arg)
{
	struct fingerprint *want = arg;

	(void)krg;
	(void)nlh;
	if (attrs[KRG_A_FINGERPRINT]) {
		snprintf(want->out, want->size, "%s", nla_get_string(attrs[KRG_A_FINGERPRINT]));
		want->found = true;
	}
	return 0;
}

KRG_API int krg_key_fingerprint(struct krg *krg, char *out, size_t size)
{
	struct fingerprint want = { out, size, false };
	int err = krg_talk(krg, krg_request(krg, KRG_CMD_KEY_INFO, 0), fingerprint_answer, &want);

	if (!err && !want.found)
		err = krg_fail(krg, -ENOKEY, "no key is loaded");
	return err;
}

KRG_API int krg_node_config(struct krg *krg, const struct krg_config *config)
{
	struct nl_msg *msg = krg_request(krg, KRG_CMD_NODE_CONFIG, 0);

	if (msg && (nla_put_u32(msg, KRG_A_SESSION, config->session) || nla_put_u32(msg, KRG_A_NODE, config->node) ||
		    (config->max_nodes && nla_put_u32(msg, KRG_A_MAX_NODES, config->max_nodes)) ||
		    (config->nb_nodes_min && nla_put_u32(msg, KRG_A_NB_NODES_MIN, config->nb_nodes_min)) ||
		    nla_put_string(msg, KRG_A_NET_DEV, config->net_dev))) {
		nlmsg_free(msg);
		return krg_fail(krg, -EMSGSIZE, NULL);
	}
	return krg_talk(krg, msg, NULL, NULL);
}

static int status_answer(struct krg *krg, struct nlattr **attrs, struct nlmsghdr *nlh, void *arg)
{
	(void)krg;
	(void)nlh;
	*(struct krg_status *)arg = (struct krg_status){
		.state = krg_u32(attrs, KRG_A_CLUSTER_STATE),
		.node = krg_u32(attrs, KRG_A_NODE),
		.session = krg_u32(attrs, KRG_A_SESSION),
		.epoch = krg_u32(attrs, KRG_A_EPOCH),
		.max_nodes = krg_u32(attrs, KRG_A_MAX_NODES),
		.online = krg_u32(attrs, KRG_A_ONLINE),
		.present = krg_u32(attrs, KRG_A_PRESENT),
		.failed = krg_u32(attrs, KRG_A_FAILED),
	};
	return 0;
}

KRG_API int krg_cluster_status(struct krg *krg, struct krg_status *status)
{
	return krg_talk(krg, krg_request(krg, KRG_CMD_CLUSTER_STATUS, 0), status_answer, status);
}

static int change(struct krg *krg, uint8_t cmd, const struct krg_nodeset *nodes, uint32_t flags, uint32_t timeout_ms)
{
	struct nl_msg *msg = krg_request(krg, cmd, 0);

	if (msg && ((nodes && nla_put(msg, KRG_A_NODES, sizeof(nodes->bytes), nodes->bytes)) ||
		    (flags && nla_put_u32(msg, KRG_A_FLAGS, flags)) ||
		    (timeout_ms && nla_put_u32(msg, KRG_A_TIMEOUT_MS, timeout_ms)))) {
		nlmsg_free(msg);
		return krg_fail(krg, -EMSGSIZE, NULL);
	}
	return krg_talk(krg, msg, NULL, NULL);
}

KRG_API int krg_cluster_start(struct krg *krg, const struct krg_nodeset *nodes, uint32_t flags, uint32_t timeout_ms)
{
	return change(krg, KRG_CMD_CLUSTER_START, nodes, flags, timeout_ms);
}

KRG_API int krg_cluster_stop(struct krg *krg, uint32_t timeout_ms)
{
	return change(krg, KRG_CMD_CLUSTER_STOP, NULL, 0, timeout_ms);
}

KRG_API int krg_cluster_switch_off(struct krg *krg, uint32_t flags, uint32_t timeout_ms)
{
	return change(krg, KRG_CMD_CLUSTER_STOP, NULL, flags, timeout_ms);
}

KRG_API int krg_nodes_add(struct krg *krg, const struct krg_nodeset *nodes, uint32_t timeout_ms)
{
	return change(krg, KRG_CMD_NODES_ADD, nodes, 0, timeout_ms);
}

KRG_API int krg_nodes_del(struct krg *krg, const struct krg_nodeset *nodes, uint32_t timeout_ms)
{
	return change(krg, KRG_CMD_NODES_DEL, nodes, 0, timeout_ms);
}

struct nodes {
	krg_node_fn *fn;
	void *arg;
};

static int nodes_answer(struct krg *krg, struct nlattr **attrs, struct nlmsghdr *nlh, void *arg)
{
	struct nodes *want = arg;
	struct krg_node node = {
		.node = krg_u32(attrs, KRG_A_NODE),
		.state = krg_u32(attrs, KRG_A_NODE_STATE),
		.incarnation = attrs[KRG_A_INCARNATION] ? nla_get_u64(attrs[KRG_A_INCARNATION]) : 0,
		.self = attrs[KRG_A_SELF],
	};

	(void)krg;
	(void)nlh;
	if (attrs[KRG_A_ADDRESS])
		snprintf(node.address, sizeof(node.address), "%s", nla_get_string(attrs[KRG_A_ADDRESS]));
	return want->fn(&node, want->arg);
}

KRG_API int krg_nodes(struct krg *krg, krg_node_fn *fn, void *arg)
{
	struct nodes want = { fn, arg };

	return krg_talk(krg, krg_request(krg, KRG_CMD_NODES_GET, NLM_F_DUMP), nodes_answer, &want);
}
