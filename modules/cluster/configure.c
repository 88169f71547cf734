// SPDX-License-Identifier: GPL-2.0-only
/*
 * Becoming a node: parameters and boot words, or a caller's configuration,
 * against the interfaces that are there.
 */
#define pr_fmt(fmt) "krg_cluster: " fmt

#include <linux/in.h>
#include <linux/inetdevice.h>
#include <linux/init.h>
#include <linux/moduleparam.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <krg/extack.h>
#include <krg/hook.h>
#include "cluster.h"
#include "core/config.h"
#include "core/wire.h"

static char *session_id;
module_param(session_id, charp, 0444);
MODULE_PARM_DESC(session_id, "session, 1..255: nodes with the same one and the same key find each other");
static char *node_id;
module_param(node_id, charp, 0444);
MODULE_PARM_DESC(node_id, "this node's id, 0..255, below max_nodes");
static char *autonodeid;
module_param(autonodeid, charp, 0444);
MODULE_PARM_DESC(autonodeid, "1: the node id is the last byte of net_dev's address");
static char *net_dev;
module_param(net_dev, charp, 0444);
MODULE_PARM_DESC(net_dev, "interface to use (default: the first with an IPv4 address)");
static char *nb_nodes_min;
module_param(nb_nodes_min, charp, 0444);
MODULE_PARM_DESC(nb_nodes_min, "start the cluster by itself when that many nodes are present");
static char *max_nodes;
module_param(max_nodes, charp, 0444);
MODULE_PARM_DESC(max_nodes, "node ids of the session are below it; power of two (default 64)");
static char *transport;
module_param(transport, charp, 0444);
MODULE_PARM_DESC(transport, "tcp");

/**
 * cluster_config_from_words() - what parameters and the boot command line say
 * @cfg: filled
 *
 * Return: 0, or -EINVAL after a line that says what is wrong.
 */
int cluster_config_from_words(struct krg_cluster_config *cfg)
{
	const char *const given[KRG_SETTINGS] = {
		[KRG_SET_SESSION]	= session_id,
		[KRG_SET_NODE]		= node_id,
		[KRG_SET_AUTONODEID]	= autonodeid,
		[KRG_SET_NET_DEV]	= net_dev,
		[KRG_SET_NB_NODES_MIN]	= nb_nodes_min,
		[KRG_SET_MAX_NODES]	= max_nodes,
		[KRG_SET_TRANSPORT]	= transport,
	};
	struct krg_config_words *words = kzalloc(sizeof(*words), GFP_KERNEL);
	struct krg_config_values v;
	struct krg_config_error bad;
	unsigned int i;
	int err;

	if (!words)
		return -ENOMEM;
	krg_config_line(words, *krg_data(saved_command_line));
	/* Of node_id and autonodeid, what is given here replaces both of the boot line. */
	if (node_id)
		words->given[KRG_SET_AUTONODEID] = false;
	if (autonodeid)
		words->given[KRG_SET_NODE] = false;
	for (i = 0; i < KRG_SETTINGS; i++)
		if (given[i])
			krg_config_give(words, i, given[i], strlen(given[i]));
	err = krg_config_check(words, &v, &bad);
	if (err)
		pr_err("not loaded: %s%s%s: %s\n", bad.name, bad.value ? "=" : "", bad.value ?: "",
		       bad.why);
	kfree(words);
	if (err)
		return err;
	memset(cfg, 0, sizeof(*cfg));
	cfg->session = v.session;
	cfg->node = v.node;
	cfg->autonodeid = v.autonodeid;
	cfg->max_nodes = v.max_nodes;
	cfg->nb_nodes_min = v.nb_nodes_min;
	strscpy(cfg->net_dev, v.net_dev, sizeof(cfg->net_dev));
	strscpy(cfg->transport, v.transport, sizeof(cfg->transport));
	return 0;
}

static int check_values(const struct krg_cluster_config *cfg, struct netlink_ext_ack *extack)
{
	if (cfg->session < KRG_SESSION_MIN || cfg->session > KRG_SESSION_MAX)
		return krg_extack_err(extack, -EINVAL,
				      "session_id=%u: must be 1..255", cfg->session);
	if (cfg->max_nodes < 2 || cfg->max_nodes > KRG_MAX_NODES || !is_power_of_2(cfg->max_nodes))
		return krg_extack_err(extack, -EINVAL,
				      "max_nodes=%u: must be a power of two, 2..256",
				      cfg->max_nodes);
	if (!cfg->autonodeid && cfg->node >= cfg->max_nodes)
		return krg_extack_err(extack, -EINVAL,
				      "node_id=%u: must be below max_nodes=%u",
				      cfg->node, cfg->max_nodes);
	if (cfg->nb_nodes_min > cfg->max_nodes)
		return krg_extack_err(extack, -EINVAL,
				      "nb_nodes_min=%u: must be at most max_nodes=%u",
				      cfg->nb_nodes_min, cfg->max_nodes);
	if (!strcmp(cfg->transport, "rdma"))
		return krg_extack_err(extack, -EOPNOTSUPP,
				      "transport=rdma: not supported yet, use tcp");
	if (cfg->transport[0] && strcmp(cfg->transport, "tcp"))
		return krg_extack_err(extack, -EINVAL, "transport=%s: must be tcp", cfg->transport);
	return 0;
}

static const struct in_ifaddr *first_address(const struct net_device *dev)
{
	struct in_device *in_dev = __in_dev_get_rtnl(dev);
	const struct in_ifaddr *ifa;

	if (!in_dev)
		return NULL;
	in_dev_for_each_ifa_rtnl(ifa, in_dev)
		if (!(ifa->ifa_flags & IFA_F_SECONDARY))
			return ifa;
	return NULL;
}

/* The interface meant, and its address. Under rtnl. */
static struct net_device *find_dev(struct cluster *c, const struct in_ifaddr **ifa,
				   struct netlink_ext_ack *extack)
{
	struct net_device *dev;

	*ifa = NULL;
	if (c->cfg.net_dev[0]) {
		dev = __dev_get_by_name(c->net, c->cfg.net_dev);
		if (!dev)
			krg_extack_msg(extack, "net_dev=%s: no such interface", c->cfg.net_dev);
		return dev;
	}
	for_each_netdev(c->net, dev) {
		if ((dev->flags & (IFF_UP | IFF_LOOPBACK)) != IFF_UP)
			continue;
		*ifa = first_address(dev);
		if (*ifa)
			return dev;
	}
	krg_extack_msg(extack, "net_dev: not given, and no interface has an IPv4 address");
	return NULL;
}

/* Return: index of the interface, or -errno. */
static int resolve(struct cluster *c, struct netlink_ext_ack *extack)
{
	const struct in_ifaddr *ifa;
	struct net_device *dev = find_dev(c, &ifa, extack);
	u8 last;

	if (!dev)
		return -ENODEV;
	if (!ifa)
		ifa = first_address(dev);
	if (!ifa)
		return krg_extack_err(extack, -EADDRNOTAVAIL,
				      "net_dev=%s: the interface has no IPv4 address", dev->name);
	c->ip = ifa->ifa_local;
	c->broadcast = ifa->ifa_broadcast ?: ifa->ifa_local | ~ifa->ifa_mask;
	strscpy(c->cfg.net_dev, dev->name, sizeof(c->cfg.net_dev));
	if (!c->cfg.autonodeid)
		return dev->ifindex;
	last = ntohl(c->ip) & 0xff;
	if (last >= c->cfg.max_nodes)
		return krg_extack_err(extack, -EINVAL,
				      "autonodeid=1: address %pI4 of %s makes node id %u, must be below max_nodes=%u",
				      &c->ip, dev->name, last, c->cfg.max_nodes);
	c->cfg.node = last;
	return dev->ifindex;
}

void cluster_free(struct cluster *c)
{
	kvfree(c->m);
	kvfree(c->out);
	kvfree(c->beacon);
	kvfree(c->view);
	kvfree(c->wire);
	kvfree(c->rx_wire);
	c->m = NULL;
	c->out = NULL;
	c->beacon = NULL;
	c->view = NULL;
	c->wire = NULL;
	c->rx_wire = NULL;
}

static int alloc_memory(struct cluster *c)
{
	c->m = kvzalloc(sizeof(*c->m), GFP_KERNEL);
	c->out = kvzalloc(sizeof(*c->out), GFP_KERNEL);
	c->beacon = kvzalloc(sizeof(*c->beacon), GFP_KERNEL);
	c->view = kvzalloc(sizeof(*c->view), GFP_KERNEL);
	c->wire = kvzalloc(KRG_MSG_BYTES_MAX, GFP_KERNEL);
	c->rx_wire = kvzalloc(KRG_BEACON_BYTES_MAX, GFP_KERNEL);
	if (c->m && c->out && c->beacon && c->view && c->wire && c->rx_wire)
		return 0;
	cluster_free(c);
	return -ENOMEM;
}

static int configure(struct cluster *c, const struct krg_cluster_config *cfg,
		     struct netlink_ext_ack *extack)
{
	int ifindex, err;

	if (c->configured)
		return krg_extack_err(extack, -EBUSY, "this is node %u of session %u already",
				      c->cfg.node, c->cfg.session);
	c->cfg = *cfg;
	if (!c->cfg.max_nodes)
		c->cfg.max_nodes = KRG_MAX_NODES_DEFAULT;
	err = check_values(&c->cfg, extack);
	if (err)
		return err;
	rtnl_lock();
	ifindex = resolve(c, extack);
	rtnl_unlock();
	if (ifindex < 0)
		return ifindex;
	err = alloc_memory(c);
	if (err)
		return err;
	c->m->max_nodes = c->cfg.max_nodes;
	c->m->self = c->cfg.node;
	err = cluster_udp_open(c, ifindex);
	if (err) {
		cluster_free(c);
		return krg_extack_err(extack, err, "cannot listen on UDP port %u of %s: error %d",
				      KRG_BEACON_PORT, c->cfg.net_dev, err);
	}
	/* Pairs with cluster_configured(): who sees it sees all the rest. */
	smp_store_release(&c->configured, true);
	list_add_tail(&c->link, &cluster_list);
	cluster_start(c);
	pr_info("node %u of session %u at %pI4 on %s\n", c->cfg.node, c->cfg.session, &c->ip,
		c->cfg.net_dev);
	return 0;
}

/**
 * krg_cluster_configure() - make a namespace a node
 * @net: namespace; it has the interface @cfg names
 * @cfg: who it is; copied
 * @extack: gets the reason if it is refused
 *
 * The node is heard once krg_rpc_set_key() has been called for @net.
 *
 * Context: process. Locks: not under rtnl.
 * Return: 0; -EINVAL a value out of range; -EOPNOTSUPP transport; -ENODEV no
 * such interface; -EADDRNOTAVAIL it has no address; -EADDRINUSE the beacon port
 * is taken; -EBUSY configured already; -ENOMEM.
 */
int krg_cluster_configure(struct net *net, const struct krg_cluster_config *cfg,
			  struct netlink_ext_ack *extack)
{
	int err;

	mutex_lock(&cluster_list_lock);
	err = configure(cluster_of(net), cfg, extack);
	mutex_unlock(&cluster_list_lock);
	return err;
}
EXPORT_SYMBOL_GPL(krg_cluster_configure);
