// SPDX-License-Identifier: GPL-2.0-only
/*
 * krg_cluster_test: membership by hand (by_hand.h), lines for /dev/krg_cluster_test.
 * Where one fails, the answer says why.
 *
 *   key TEXT             configure SESSION NODE MAX_NODES NB_NODES_MIN DEV
 *   start [NODE…]        add NODE…        del NODE…       stop
 *   nodes (NODE:STATE a word)             status
 *   wait STATE COUNT TIMEOUT_MS   (until COUNT nodes are in STATE; prints ms)
 */
#define pr_fmt(fmt) "krg_cluster_test: " fmt

#include <linux/delay.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <krg/cluster.h>
#include <krg/rpc.h>
#include "by_hand.h"

static const char *const states[] = { "absent", "present", "online", "leaving", "failed" };

static int do_configure(struct net *net, char *args, struct netlink_ext_ack *extack)
{
	struct krg_cluster_config cfg = {};

	if (sscanf(args, "%u %u %u %u %15s", &cfg.session, &cfg.node, &cfg.max_nodes,
		   &cfg.nb_nodes_min, cfg.net_dev) != 5)
		return -EINVAL;
	return krg_cluster_configure(net, &cfg, extack);
}

static int parse_nodes(char *args, struct krg_nodemask *mask)
{
	unsigned int node;
	char *word;

	bitmap_zero(mask->bits, KRG_MAX_NODES);
	while ((word = strsep(&args, " "))) {
		if (!*word)
			continue;
		if (kstrtouint(word, 10, &node) || node >= KRG_MAX_NODES)
			return -EINVAL;
		__set_bit(node, mask->bits);
	}
	return 0;
}

static int do_nodes(struct net *net, struct answer *a)
{
	struct krg_cluster_snapshot *s = krg_cluster_snapshot(net);
	unsigned int i;

	if (IS_ERR(s))
		return PTR_ERR(s);
	for (i = 0; i < s->nr; i++)
		say(a, "%s%d:%s", i ? " " : "", s->nodes[i].node,
		    states[s->nodes[i].state]);
	say(a, "\n");
	kvfree(s);
	return 0;
}

static int do_status(struct net *net, struct answer *a)
{
	struct krg_cluster_snapshot *s = krg_cluster_snapshot(net);

	if (IS_ERR(s))
		return PTR_ERR(s);
	say(a, "%s online=%u present=%u failed=%u%s\n", s->up ? "up" : "down", s->online,
	    s->present, s->failed, s->up && !s->quorate ? " no-quorum" : "");
	kvfree(s);
	return 0;
}

static unsigned int count(struct net *net, const char *state)
{
	unsigned int n, found = 0;

	for (n = 0; n < KRG_MAX_NODES; n++)
		found += !strcmp(states[krg_cluster_state(net, n)], state);
	return found;
}

static int do_wait(struct net *net, char *args, struct answer *a)
{
	unsigned long start = jiffies;
	unsigned int want, limit;
	char state[16];

	if (sscanf(args, "%15s %u %u", state, &want, &limit) != 3)
		return -EINVAL;
	while (count(net, state) != want) {
		if (jiffies_to_msecs(jiffies - start) >= limit)
			return -ETIMEDOUT;
		if (msleep_interruptible(10))
			return -EINTR;
	}
	say(a, "%u\n", jiffies_to_msecs(jiffies - start));
	return 0;
}

static int do_command(struct net *net, char *line, struct answer *a)
{
	struct netlink_ext_ack extack = {};
	char *verb = strsep(&line, " ");
	char *args = line ?: verb + strlen(verb);
	struct krg_nodemask mask;
	int err = -EINVAL;

	if (!strcmp(verb, "key"))
		err = krg_rpc_set_key(net, args, strlen(args));
	else if (!strcmp(verb, "configure"))
		err = do_configure(net, args, &extack);
	else if (!strcmp(verb, "nodes"))
		err = do_nodes(net, a);
	else if (!strcmp(verb, "status"))
		err = do_status(net, a);
	else if (!strcmp(verb, "wait"))
		err = do_wait(net, args, a);
	else if (!strcmp(verb, "stop"))
		err = krg_cluster_stop(net, 0, 0, &extack);
	else if (!strcmp(verb, "start") && !*args)
		err = krg_cluster_start(net, NULL, 0, 0, &extack);
	else if (!parse_nodes(args, &mask) && !strcmp(verb, "start"))
		err = krg_cluster_start(net, &mask, 0, 0, &extack);
	else if (!strcmp(verb, "add"))
		err = krg_cluster_add(net, &mask, 0, &extack);
	else if (!strcmp(verb, "del"))
		err = krg_cluster_del(net, &mask, 0, &extack);
	if (extack._msg)
		say(a, "%s\n", extack._msg);
	return err;
}

BY_HAND_DEVICE("krg_cluster_test");
module_misc_device(by_hand_dev);
MODULE_DESCRIPTION("krg: membership by hand, for tests");
MODULE_LICENSE("GPL");
