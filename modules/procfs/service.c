// SPDX-License-Identifier: GPL-2.0-only
/* What other nodes ask of this one, and how it asks them. */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <krg/cluster.h>
#include "procfs.h"
#include "wire.h"

static int pack_one(const struct krg_procfs_process *process, void *arg)
{
	return procfs_pack(arg, process) ? 0 : -ENOSPC;
}

static int serve_ps(struct krg_rpc_request *req)
{
	const struct procfs_ps_request *ask = req->data;
	struct procfs_page page = { .size = PROCFS_PAGE, .len = sizeof(struct procfs_ps_page) };
	struct procfs_ps_page *head;
	int ret;

	if (req->len != sizeof(*ask) || le32_to_cpu(ask->flags) & ~KRG_PROCFS_FLAGS)
		return -EPROTO;
	page.data = kvmalloc(page.size, GFP_KERNEL);
	if (!page.data)
		return -ENOMEM;
	ret = procfs_walk_local(krg_self(req->net), le32_to_cpu(ask->after),
				le32_to_cpu(ask->flags), pack_one, &page);
	head = (struct procfs_ps_page *)page.data;
	head->count = cpu_to_le32(page.count);
	head->more = cpu_to_le32(ret == -ENOSPC);
	if (!ret || ret == -ENOSPC)
		ret = krg_rpc_reply(req, page.data, page.len);
	kvfree(page.data);
	return ret;
}

static int serve_stat(struct krg_rpc_request *req)
{
	struct krg_procfs_stat *stat;
	u32 len;
	void *wire;
	int err;

	if (req->len)
		return -EPROTO;
	stat = procfs_stat_local(krg_self(req->net));
	if (IS_ERR(stat))
		return PTR_ERR(stat);
	len = procfs_stat_size(stat);
	wire = kvmalloc(len, GFP_KERNEL);
	if (wire) {
		procfs_pack_stat(wire, stat);
		err = krg_rpc_reply(req, wire, len);
	} else {
		err = -ENOMEM;
	}
	kvfree(wire);
	kvfree(stat);
	return err;
}

static int serve_text(struct krg_rpc_request *req)
{
	const struct procfs_text_request *ask = req->data;
	size_t len;
	char *text;
	int err;

	if (req->len != sizeof(*ask) || ask->reserved || le32_to_cpu(ask->which) >= PROCFS_TEXTS)
		return -EPROTO;
	text = procfs_text_local(le32_to_cpu(ask->which), &len);
	if (IS_ERR(text))
		return PTR_ERR(text);
	err = krg_rpc_reply(req, text, len);
	kvfree(text);
	return err;
}

/* All may block: they read other processes' memory, and allocate much. */
static const struct krg_rpc_service services[] = {
	{
		.id = PROCFS_SERVICE_PS,
		.name = "procfs_ps",
		.max_request = sizeof(struct procfs_ps_request),
		.max_reply = PROCFS_PAGE,
		.flags = KRG_RPC_MAY_BLOCK,
		.handle = serve_ps,
		.owner = THIS_MODULE,
	}, {
		.id = PROCFS_SERVICE_STAT,
		.name = "procfs_stat",
		.max_request = 0,
		.max_reply = sizeof(struct procfs_wire_stat) +
			     PROCFS_MAX_CPUS * sizeof(struct procfs_wire_cpu),
		.flags = KRG_RPC_MAY_BLOCK,
		.handle = serve_stat,
		.owner = THIS_MODULE,
	}, {
		.id = PROCFS_SERVICE_TEXT,
		.name = "procfs_text",
		.max_request = sizeof(struct procfs_text_request),
		.max_reply = PROCFS_TEXT_MAX,
		.flags = KRG_RPC_MAY_BLOCK,
		.handle = serve_text,
		.owner = THIS_MODULE,
	},
};

static_assert(sizeof(struct procfs_wire_stat) + PROCFS_MAX_CPUS * sizeof(struct procfs_wire_cpu) <=
	      KRG_RPC_MAX_BULK);

int procfs_service_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(services); i++) {
		err = krg_rpc_register(&services[i]);
		if (err)
			goto err_unregister;
	}
	return 0;

err_unregister:
	while (i--)
		krg_rpc_unregister(&services[i]);
	return err;
}

void procfs_service_exit(void)
{
	unsigned int i = ARRAY_SIZE(services);

	while (i--)
		krg_rpc_unregister(&services[i]);
}

/* One page of another node's list. */
static int ask_page(struct net *net, krg_node_t node, u32 *after, u32 flags, bool *more,
		    krg_procfs_process_fn fn, void *arg)
{
	struct procfs_ps_request ask = {
		.after = cpu_to_le32(*after),
		.flags = cpu_to_le32(flags),
	};
	struct krg_rpc_opts opts = { .lane = KRG_LANE_BULK, .interruptible = true };
	struct krg_rpc_reply reply;
	int ret;

	ret = krg_rpc_call(net, node, PROCFS_SERVICE_PS, &ask, sizeof(ask), &reply, &opts);
	if (ret)
		return ret;
	ret = reply.status;
	if (!ret)
		ret = procfs_unpack(reply.data, reply.len, node, after, more, fn, arg);
	krg_rpc_reply_free(&reply);
	return ret;
}

int krg_procfs_processes(struct net *net, krg_node_t node, u32 after, u32 flags,
			 krg_procfs_process_fn fn, void *arg)
{
	bool more = true;
	int ret = 0;

	if (flags & ~KRG_PROCFS_FLAGS)
		return -EINVAL;
	if (node == krg_self(net))
		return procfs_walk_local(node, after, flags, fn, arg);
	while (!ret && more)
		ret = ask_page(net, node, &after, flags, &more, fn, arg);
	return ret;
}
EXPORT_SYMBOL_GPL(krg_procfs_processes);

struct krg_procfs_stat *krg_procfs_stat(struct net *net, krg_node_t node)
{
	struct krg_rpc_opts opts = { .lane = KRG_LANE_BULK, .interruptible = true };
	struct krg_procfs_stat *stat;
	struct krg_rpc_reply reply;
	int err;

	if (node == krg_self(net))
		return procfs_stat_local(node);
	err = krg_rpc_call(net, node, PROCFS_SERVICE_STAT, NULL, 0, &reply, &opts);
	if (err)
		return ERR_PTR(err);
	if (reply.status)
		stat = ERR_PTR(reply.status);
	else
		stat = procfs_unpack_stat(reply.data, reply.len, node);
	krg_rpc_reply_free(&reply);
	return stat;
}
EXPORT_SYMBOL_GPL(krg_procfs_stat);
