// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes and figures of all online nodes, as dumps.
 *
 * A node's processes are gathered in one walk, then handed out as the reader
 * makes room: the reader's pace never makes us ask a node twice. A node that
 * cannot be asked is named with its error, and the dump goes on.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <genetlink_compat.h>
#include <krg/cluster.h>
#include <krg/procfs.h>
#include "nl.h"

/**
 * struct view_dump - one PS_GET or STAT_GET under way
 * @nodes: still to be asked
 * @flags: KRG_PS_*
 * @node: being handed out, KRG_NODE_NONE: ask the next
 * @err: why it could not be asked
 * @records: its processes
 * @nr: how many
 * @room: how many fit
 * @next: to be handed out
 */
struct view_dump {
	struct krg_nodemask nodes;
	u32 flags;
	krg_node_t node;
	int err;
	struct krg_process *records;
	size_t nr;
	size_t room;
	size_t next;
};

static struct view_dump **view_dump(struct netlink_callback *cb)
{
	return (struct view_dump **)cb->ctx;
}

int nl_view_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = genl_info_dump(cb)->attrs;
	struct net *net = sock_net(cb->skb->sk);
	struct view_dump *dump;

	if (krg_self(net) == KRG_NODE_NONE)
		return krg_extack_err(cb->extack, -ENODEV,
				      "this is no node: it has no session and node id");
	dump = kzalloc(sizeof(*dump), GFP_KERNEL);
	if (!dump)
		return -ENOMEM;
	dump->node = KRG_NODE_NONE;
	if (attrs[KRG_A_NODE])
		__set_bit(nla_get_u32(attrs[KRG_A_NODE]), dump->nodes.bits);
	else if (!krg_online_nodes(net, &dump->nodes))
		__set_bit(krg_self(net), dump->nodes.bits);
	*view_dump(cb) = dump;
	return 0;
}

int nl_view_done(struct netlink_callback *cb)
{
	struct view_dump *dump = *view_dump(cb);

	kvfree(dump->records);
	kfree(dump);
	return 0;
}

/* Grows by doubling: a node may have any number of processes. */
static int view_reserve(struct view_dump *dump)
{
	size_t room = dump->room ? 2 * dump->room : 256;
	struct krg_process *records;

	if (dump->nr < dump->room)
		return 0;
	records = kvmalloc_array(room, sizeof(*records), GFP_KERNEL_ACCOUNT);
	if (!records)
		return -ENOMEM;
	if (dump->nr)
		memcpy(records, dump->records, dump->nr * sizeof(*records));
	kvfree(dump->records);
	dump->records = records;
	dump->room = room;
	return 0;
}

static void view_convert(struct krg_process *to, const struct krg_procfs_process *from)
{
	*to = (struct krg_process) {
		.pid = from->pid,
		.tgid = from->tgid,
		.ppid = from->ppid,
		.pgrp = from->pgrp,
		.session = from->session,
		.uid = from->uid,
		.node = from->node,
		.home = from->home,
		.nice = from->nice,
		/* /proc/PID/stat shows real-time tasks as -1 - priority */
		.rt_priority = from->priority < 0 ? -1 - from->priority : 0,
		.threads = from->threads,
		.tty = from->tty,
		.start_ns = from->start,
		.utime_ns = from->utime,
		.stime_ns = from->stime,
		.vsize = from->vsize,
		.rss = from->rss,
		.shared = from->shared,
		.state = from->state,
		.kthread = !!(from->flags & KRG_PROCFS_KTHREAD),
	};
	strscpy(to->comm, from->comm, sizeof(to->comm));
}

static int view_take(const struct krg_procfs_process *process, void *arg)
{
	struct view_dump *dump = arg;
	int err = view_reserve(dump);

	if (!err)
		view_convert(&dump->records[dump->nr++], process);
	return err;
}

/* The next node still to be asked, none left: false. */
static bool view_next_node(struct view_dump *dump)
{
	unsigned int node = find_first_bit(dump->nodes.bits, KRG_MAX_NODES);

	if (node >= KRG_MAX_NODES)
		return false;
	__clear_bit(node, dump->nodes.bits);
	dump->node = node;
	dump->err = 0;
	dump->nr = 0;
	dump->next = 0;
	return true;
}

/* As many of the node's processes as fit in one message. */
static bool view_put_processes(struct sk_buff *skb, struct view_dump *dump)
{
	size_t first = dump->next;

	if (nla_put_u32(skb, KRG_A_NODE, dump->node))
		return false;
	if (dump->err)
		return !nla_put_u32(skb, KRG_A_ERROR, -dump->err);
	while (dump->next < dump->nr &&
	       !nla_put(skb, KRG_A_PROCESS, sizeof(*dump->records), &dump->records[dump->next]))
		dump->next++;
	return dump->next > first || !dump->nr;
}

int nl_ps_get(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct view_dump *dump = *view_dump(cb);
	struct nlattr **attrs = genl_info_dump(cb)->attrs;
	u32 flags = attrs[KRG_A_FLAGS] ? nla_get_u32(attrs[KRG_A_FLAGS]) : 0;
	struct net *net = sock_net(cb->skb->sk);
	void *hdr;

	do {
		if (dump->node == KRG_NODE_NONE) {
			if (!view_next_node(dump))
				break;
			dump->err = krg_procfs_processes(net, dump->node, 0,
							 flags & KRG_PS_THREADS ?
							 KRG_PROCFS_THREADS : 0,
							 view_take, dump);
			if (dump->err == -EINTR || dump->err == -ERESTARTSYS)
				return -EINTR;
		}
		if (!nl_dump_begin(skb, cb, KRG_CMD_PS_GET, &hdr))
			break;
		if (!view_put_processes(skb, dump)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		if (dump->err || dump->next == dump->nr)
			dump->node = KRG_NODE_NONE;
	} while (dump->node == KRG_NODE_NONE);
	return skb->len;
}

static void view_add_cpu(struct krg_node_stat *to, const struct krg_procfs_cpu *cpu)
{
	to->user_ns += cpu->user;
	to->nice_ns += cpu->nice;
	to->system_ns += cpu->system;
	to->idle_ns += cpu->idle;
	to->iowait_ns += cpu->iowait;
	to->irq_ns += cpu->irq;
	to->softirq_ns += cpu->softirq;
	to->steal_ns += cpu->steal;
}

#define VIEW_LOAD_ONE 2048	/* 1.00 of krg_procfs_stat.loadavg */

static void view_convert_stat(struct krg_node_stat *to, const struct krg_procfs_stat *from)
{
	u32 i;

	*to = (struct krg_node_stat) {
		.uptime_ns = from->uptime,
		.mem_total = from->mem_total,
		.mem_free = from->mem_free,
		.mem_available = from->mem_available,
		.mem_buffers = from->mem_buffers,
		.mem_cached = from->mem_cached,
		.swap_total = from->swap_total,
		.swap_free = from->swap_free,
		.cpus = from->nr_cpus,
		.running = from->nr_running,
		.tasks = from->nr_threads,
	};
	for (i = 0; i < ARRAY_SIZE(to->load); i++)
		to->load[i] = div_u64((u64)from->loadavg[i] * 100 + VIEW_LOAD_ONE / 2,
				      VIEW_LOAD_ONE);
	for (i = 0; i < from->nr_cpus; i++)
		view_add_cpu(to, &from->cpu[i]);
}

static int view_put_stat(struct sk_buff *skb, struct net *net, krg_node_t node)
{
	struct krg_node_stat stat = { };
	struct krg_procfs_stat *from = krg_procfs_stat(net, node);
	int err = nla_put_u32(skb, KRG_A_NODE, node);

	if (IS_ERR(from)) {
		if (PTR_ERR(from) == -EINTR || PTR_ERR(from) == -ERESTARTSYS)
			return -EINTR;
		return err ?: nla_put_u32(skb, KRG_A_ERROR, -PTR_ERR(from));
	}
	view_convert_stat(&stat, from);
	kvfree(from);
	return err ?: nla_put(skb, KRG_A_STAT, sizeof(stat), &stat);
}

int nl_stat_get(struct sk_buff *skb, struct netlink_callback *cb)
{
	const size_t need = NLMSG_ALIGN(GENL_HDRLEN + NLMSG_HDRLEN) + nla_total_size(sizeof(u32)) +
			    nla_total_size(sizeof(struct krg_node_stat));
	struct view_dump *dump = *view_dump(cb);
	struct net *net = sock_net(cb->skb->sk);
	void *hdr;
	int err;

	/* Room is looked at first: what was asked of a node is not thrown away. */
	while (skb_tailroom(skb) >= need && view_next_node(dump)) {
		if (!nl_dump_begin(skb, cb, KRG_CMD_STAT_GET, &hdr))
			return -EMSGSIZE;
		err = view_put_stat(skb, net, dump->node);
		if (err) {
			genlmsg_cancel(skb, hdr);
			return err;
		}
		genlmsg_end(skb, hdr);
	}
	return skb->len;
}
