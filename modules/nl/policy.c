// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each command may carry. Everything is strict: an attribute a command
 * has no row for, a length or a value out of range is refused by the core
 * before a handler runs, with the offending attribute named.
 */
#include "nl.h"

#define NL_POLICY_NODE		NLA_POLICY_RANGE(NLA_U32, 0, KRG_MAX_NODES - 1)
#define NL_POLICY_NODES		NLA_POLICY_EXACT_LEN(KRG_NODES_BYTES)
#define NL_POLICY_TIMEOUT	{ .type = NLA_U32 }
#define NL_POLICY_ID		NLA_POLICY_MIN(NLA_S32, 1)
#define NL_POLICY_FD		NLA_POLICY_MIN(NLA_S32, 0)

static_assert(KRG_NODES_BYTES * BITS_PER_BYTE == KRG_MAX_NODES);

const struct nla_policy nl_key_policy[KRG_A_MAX + 1] = {
	[KRG_A_KEY] = NLA_POLICY_RANGE(NLA_BINARY, KRG_KEY_MIN, KRG_KEY_MAX),
};

const struct nla_policy nl_config_policy[KRG_A_MAX + 1] = {
	[KRG_A_SESSION] = { .type = NLA_U32 },	/* krg_cluster_configure() says what is wrong */
	[KRG_A_NODE] = { .type = NLA_U32 },
	[KRG_A_MAX_NODES] = { .type = NLA_U32 },
	[KRG_A_NB_NODES_MIN] = { .type = NLA_U32 },
	[KRG_A_NET_DEV] = { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 },
};

const struct nla_policy nl_start_policy[KRG_A_MAX + 1] = {
	[KRG_A_NODES] = NL_POLICY_NODES,
	[KRG_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, KRG_START_STRICT_CAPS),
	[KRG_A_TIMEOUT_MS] = NL_POLICY_TIMEOUT,
};

const struct nla_policy nl_nodes_policy[KRG_A_MAX + 1] = {
	[KRG_A_NODES] = NL_POLICY_NODES,
	[KRG_A_TIMEOUT_MS] = NL_POLICY_TIMEOUT,
};

const struct nla_policy nl_stop_policy[KRG_A_MAX + 1] = {
	[KRG_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, KRG_STOP_POWEROFF | KRG_STOP_REBOOT),
	[KRG_A_TIMEOUT_MS] = NL_POLICY_TIMEOUT,
};

const struct nla_policy nl_ps_policy[KRG_A_MAX + 1] = {
	[KRG_A_NODE] = NL_POLICY_NODE,
	[KRG_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, KRG_PS_THREADS),
};

const struct nla_policy nl_stat_policy[KRG_A_MAX + 1] = {
	[KRG_A_NODE] = NL_POLICY_NODE,
};

const struct nla_policy nl_freeze_policy[KRG_A_MAX + 1] = {
	[KRG_A_PID] = NL_POLICY_ID,
	[KRG_A_APPID] = NL_POLICY_ID,
	[KRG_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, KRG_FREEZE_KEEP),
};

const struct nla_policy nl_unfreeze_policy[KRG_A_MAX + 1] = {
	[KRG_A_PID] = NL_POLICY_ID,
	[KRG_A_APPID] = NL_POLICY_ID,
	[KRG_A_SIGNAL] = NLA_POLICY_RANGE(NLA_U32, 0, _NSIG),
};

const struct nla_policy nl_checkpoint_policy[KRG_A_MAX + 1] = {
	[KRG_A_PID] = NL_POLICY_ID,
	[KRG_A_APPID] = NL_POLICY_ID,
	[KRG_A_DIRFD] = NL_POLICY_FD,
	[KRG_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, KRG_CHECKPOINT_IGNORE_FILES |
						 KRG_CHECKPOINT_NO_CALLBACKS |
						 KRG_CHECKPOINT_UNFREEZE),
};

const struct nla_policy nl_substitute_policy[KRG_A_SUBSTITUTE_MAX + 1] = {
	[KRG_A_SUBSTITUTE_ID] = { .type = NLA_NUL_STRING, .len = KRG_FILE_ID_LEN },
	[KRG_A_SUBSTITUTE_FD] = NL_POLICY_FD,
};

const struct nla_policy nl_restart_policy[KRG_A_MAX + 1] = {
	[KRG_A_DIRFD] = NL_POLICY_FD,
	[KRG_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, KRG_RESTART_FROZEN | KRG_RESTART_TTY |
						 KRG_RESTART_PIDS),
	[KRG_A_SUBSTITUTE] = NLA_POLICY_NESTED(nl_substitute_policy),
};
