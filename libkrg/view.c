// SPDX-License-Identifier: GPL-2.0-only
/* Processes, figures and counters of nodes. */
#include <errno.h>
#include <string.h>
#include "internal.h"

/* What both sides know of a struct that may have grown; the rest is zero. */
static void copy_struct(void *to, size_t size, const struct nlattr *attr)
{
	size_t len = (size_t)nla_len(attr);

	memset(to, 0, size);
	memcpy(to, nla_data(attr), len < size ? len : size);
}

static struct nl_msg *view_request(struct krg *krg, uint8_t cmd, int node, uint32_t flags)
{
	struct nl_msg *msg = krg_request(krg, cmd, NLM_F_DUMP);

	if (msg && ((node >= 0 && nla_put_u32(msg, KRG_A_NODE, (uint32_t)node)) ||
		    (flags && nla_put_u32(msg, KRG_A_FLAGS, flags)))) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

struct processes {
	krg_process_fn *fn;
	void *arg;
};

static int processes_answer(struct krg *krg, struct nlattr **attrs, struct nlmsghdr *nlh, void *arg)
{
	uint32_t node = krg_u32(attrs, KRG_A_NODE);
	struct processes *want = arg;
	struct krg_process process;
	struct nlattr *attr;
	int rest, stop;

	(void)krg;
	if (attrs[KRG_A_ERROR])
		return want->fn(node, NULL, (int)nla_get_u32(attrs[KRG_A_ERROR]), want->arg);
	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rest) {
		if (nla_type(attr) != KRG_A_PROCESS)
			continue;
		copy_struct(&process, sizeof(process), attr);
		process.comm[sizeof(process.comm) - 1] = '\0';
		stop = want->fn(node, &process, 0, want->arg);
		if (stop)
			return stop;
	}
	return 0;
}

KRG_API int krg_processes(struct krg *krg, int node, uint32_t flags, krg_process_fn *fn, void *arg)
{
	struct processes want = { fn, arg };

	return krg_talk(krg, view_request(krg, KRG_CMD_PS_GET, node, flags), processes_answer, &want);
}

struct stats {
	krg_stat_fn *fn;
	void *arg;
};

static int stats_answer(struct krg *krg, struct nlattr **attrs, struct nlmsghdr *nlh, void *arg)
{
	uint32_t node = krg_u32(attrs, KRG_A_NODE);
	struct krg_node_stat stat;
	struct stats *want = arg;

	(void)nlh;
	if (attrs[KRG_A_ERROR])
		return want->fn(node, NULL, (int)nla_get_u32(attrs[KRG_A_ERROR]), want->arg);
	if (!attrs[KRG_A_STAT])
		return krg_fail(krg, -EPROTO, "krg's answer cannot be read");
	copy_struct(&stat, sizeof(stat), attrs[KRG_A_STAT]);
	return want->fn(node, &stat, 0, want->arg);
}

KRG_API int krg_stats(struct krg *krg, int node, krg_stat_fn *fn, void *arg)
{
	struct stats want = { fn, arg };

	return krg_talk(krg, view_request(krg, KRG_CMD_STAT_GET, node, 0), stats_answer, &want);
}

struct counters {
	krg_counter_fn *fn;
	void *arg;
};

static int counters_answer(struct krg *krg, struct nlattr **attrs, struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *counter[KRG_A_COUNTER_MAX + 1];
	struct counters *want = arg;
	struct nlattr *attr;
	int rest, stop;

	(void)krg;
	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rest) {
		if (nla_type(attr) != KRG_A_COUNTER || nla_parse_nested(counter, KRG_A_COUNTER_MAX, attr, NULL) ||
		    !counter[KRG_A_COUNTER_NAME] || !counter[KRG_A_COUNTER_VALUE])
			continue;
		stop = want->fn(krg_u32(attrs, KRG_A_NODE), nla_get_string(counter[KRG_A_COUNTER_NAME]),
				nla_get_u64(counter[KRG_A_COUNTER_VALUE]), want->arg);
		if (stop)
			return stop;
	}
	return 0;
}

KRG_API int krg_counters(struct krg *krg, krg_counter_fn *fn, void *arg)
{
	struct counters want = { fn, arg };

	return krg_talk(krg, krg_request(krg, KRG_CMD_COUNTERS_GET, NLM_F_DUMP), counters_answer, &want);
}
