// SPDX-License-Identifier: GPL-2.0-only
/*
 * krg_order_test: a replicated list that only grows, with a checksum, by hand
 * (by_hand.h): lines for /dev/krg_order_test. What fails says with which error.
 *
 *   append VALUE           one item; prints its place
 *   storm STREAM COUNT     COUNT items one after the other; prints how many were done,
 *                          and the error that ended it early
 *   fill BYTES             a state so long
 *   state                  items, checksum, bytes, ends of nodes seen, items out of turn
 *   count NODE             items of a node
 *   wait COUNT TIMEOUT_MS  until there are so many items
 *   empty TIMEOUT_MS       until there are none
 *   barrier                then state
 *   wrong                  what no machine takes: prints the errors
 *   register               another machine
 *   spoil 0|1              this node can't be restored
 */
#define pr_fmt(fmt) "krg_order_test: " fmt

#include <linux/delay.h>
#include <linux/hash.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <krg/cluster.h>
#include <krg/order.h>
#include "by_hand.h"

#define STREAMS	8

struct op {
	u32 stream;	/* STREAMS: fill */
	u32 value;
};

/* All that is alike everywhere. */
struct state {
	u64 items;
	u64 sum;
	u64 ends;
	u64 odd;			/* items that weren't the next of their stream */
	u32 count[KRG_MAX_NODES];
	u32 last[KRG_MAX_NODES][STREAMS];
	u32 bytes;			/* that follow in a snapshot, each @fill */
	u8 fill;
};

struct node {
	struct mutex lock;
	struct state *state;
	bool spoilt;
};

static unsigned int test_net_id;

static struct node *node_of(struct net *net)
{
	return net_generic(net, test_net_id);
}

static void add_up(struct state *s, u64 what)
{
	s->sum = hash_64(s->sum ^ what, 64) + what;
}

static void item(struct state *s, krg_node_t origin, const struct op *op)
{
	u32 *last = &s->last[origin][op->stream];

	/* A stream counts up from 1; append uses stream 0 with any growing value. */
	s->odd += op->stream ? op->value != *last + 1 : op->value <= *last;
	*last = op->value;
	s->count[origin]++;
	s->items++;
	add_up(s, (u64)origin << 48 | (u64)op->stream << 32 | op->value);
}

static int test_apply(struct net *net, krg_node_t origin, const void *data, u32 len, void *result)
{
	struct node *n = node_of(net);
	const struct op *op = data;

	if (len != sizeof(*op) || op->stream > STREAMS)
		return -EINVAL;
	mutex_lock(&n->lock);
	if (op->stream == STREAMS) {
		n->state->bytes = op->value;
		n->state->fill = op->value / 7;
	} else {
		item(n->state, origin, op);
	}
	if (result)
		*(u64 *)result = n->state->items;
	mutex_unlock(&n->lock);
	return 0;
}

static void test_snapshot(struct net *net, struct krg_order_sink *sink)
{
	struct state *s = node_of(net)->state;
	u8 some[500];
	u32 left;

	krg_order_write(sink, s, sizeof(*s));
	memset(some, s->fill, sizeof(some));
	for (left = s->bytes; left; left -= min_t(u32, left, sizeof(some)))
		krg_order_write(sink, some, min_t(u32, left, sizeof(some)));
}

static int test_restore(struct net *net, const void *data, size_t len)
{
	struct node *n = node_of(net);
	const struct state *s = data;

	if (n->spoilt || len < sizeof(*s) || len != sizeof(*s) + s->bytes || n->state->items ||
	    memchr_inv(data + sizeof(*s), s->fill, s->bytes))
		return -EINVAL;
	mutex_lock(&n->lock);
	*n->state = *s;
	mutex_unlock(&n->lock);
	return 0;
}

static void test_dead(struct net *net, krg_node_t node)
{
	struct node *n = node_of(net);

	mutex_lock(&n->lock);
	memset(n->state->last[node], 0, sizeof(n->state->last[node]));
	n->state->ends++;
	add_up(n->state, ~(u64)node);
	mutex_unlock(&n->lock);
}

static void test_reset(struct net *net)
{
	struct node *n = node_of(net);

	mutex_lock(&n->lock);
	memset(n->state, 0, sizeof(*n->state));
	mutex_unlock(&n->lock);
}

static const struct krg_order_machine test_machine = {
	.id = KRG_ORDER_TEST,
	.name = "list",
	.max_op = 64,
	.apply = test_apply,
	.snapshot = test_snapshot,
	.restore = test_restore,
	.dead = test_dead,
	.reset = test_reset,
	.owner = THIS_MODULE,
};

static int do_submit(struct net *net, u32 stream, u32 value, struct answer *a)
{
	struct op op = { .stream = stream, .value = value };
	u64 place = 0;
	int err = krg_order_submit(net, KRG_ORDER_TEST, &op, sizeof(op), &place, true);

	if (!err && a)
		say(a, "%llu\n", place);
	return err;
}

static int do_storm(struct net *net, char *args, struct answer *a)
{
	unsigned int stream, count, first, i;
	int err = 0;

	if (sscanf(args, "%u %u", &stream, &count) != 2 || !stream || stream >= STREAMS)
		return -EINVAL;
	first = node_of(net)->state->last[krg_self(net)][stream] + 1;
	for (i = 0; i < count && !err; i++)
		err = do_submit(net, stream, first + i, NULL);
	if (err)
		say(a, "%u %pe\n", i - 1, ERR_PTR(err));
	else
		say(a, "%u\n", i);
	return 0;
}

static int do_state(struct net *net, struct answer *a)
{
	struct node *n = node_of(net);

	mutex_lock(&n->lock);
	say(a, "items=%llu sum=%llx bytes=%u ends=%llu odd=%llu\n", n->state->items, n->state->sum,
	    n->state->bytes, n->state->ends, n->state->odd);
	mutex_unlock(&n->lock);
	return 0;
}

static int do_count(struct net *net, char *args, struct answer *a)
{
	unsigned int node;

	if (kstrtouint(args, 10, &node) || node >= KRG_MAX_NODES)
		return -EINVAL;
	say(a, "%u\n", node_of(net)->state->count[node]);
	return 0;
}

static int do_wait(struct net *net, u64 least, u64 most, unsigned int limit)
{
	const u64 *items = &node_of(net)->state->items;
	unsigned long start = jiffies;

	while (READ_ONCE(*items) < least || READ_ONCE(*items) > most) {
		if (jiffies_to_msecs(jiffies - start) >= limit)
			return -ETIMEDOUT;
		if (msleep_interruptible(2))
			return -EINTR;
	}
	return 0;
}

static int do_wrong(struct net *net, struct answer *a)
{
	struct op op = { .stream = STREAMS + 1 };
	u8 *much = kzalloc(65, GFP_KERNEL);

	if (!much)
		return -ENOMEM;
	say(a, "%pe %pe %pe\n", ERR_PTR(krg_order_submit(net, 30, &op, sizeof(op), NULL, true)),
	    ERR_PTR(krg_order_submit(net, KRG_ORDER_TEST, much, 65, NULL, true)),
	    ERR_PTR(krg_order_submit(net, KRG_ORDER_TEST, &op, sizeof(op), NULL, true)));
	kfree(much);
	return 0;
}

static int do_register(void)
{
	static struct krg_order_machine other;
	int err;

	other = test_machine;
	other.id = KRG_ORDER_TEST - 1;
	err = krg_order_register(&other);
	if (!err)
		krg_order_unregister(&other);
	return err;
}

static int do_one(struct net *net, char *line, struct answer *a)
{
	char *verb = strsep(&line, " ");
	char *args = line ?: verb + strlen(verb);
	unsigned int value, limit;
	int err;

	if (!strcmp(verb, "storm"))
		return do_storm(net, args, a);
	if (!strcmp(verb, "state"))
		return do_state(net, a);
	if (!strcmp(verb, "count"))
		return do_count(net, args, a);
	if (!strcmp(verb, "wait") && sscanf(args, "%u %u", &value, &limit) == 2)
		return do_wait(net, value, U64_MAX, limit);
	if (!strcmp(verb, "wrong"))
		return do_wrong(net, a);
	if (!strcmp(verb, "register"))
		return do_register();
	if (!strcmp(verb, "barrier"))
		return krg_order_barrier(net, true) ?: do_state(net, a);
	err = kstrtouint(args, 10, &value);
	if (err)
		return err;
	if (!strcmp(verb, "empty"))
		return do_wait(net, 0, 0, value);
	if (!strcmp(verb, "spoil")) {
		node_of(net)->spoilt = value;
		return 0;
	}
	if (!strcmp(verb, "append"))
		return do_submit(net, 0, value, a);
	if (!strcmp(verb, "fill"))
		return do_submit(net, STREAMS, value, NULL);
	return -EINVAL;
}

static int do_command(struct net *net, char *line, struct answer *a)
{
	int err = do_one(net, line, a);

	if (err)
		say(a, "%pe\n", ERR_PTR(err));
	return err;
}

BY_HAND_DEVICE("krg_order_test");

static int __net_init test_net_init(struct net *net)
{
	struct node *n = node_of(net);

	mutex_init(&n->lock);
	n->state = kzalloc(sizeof(*n->state), GFP_KERNEL);
	return n->state ? 0 : -ENOMEM;
}

static void __net_exit test_net_exit(struct net *net)
{
	kfree(node_of(net)->state);
}

static struct pernet_operations test_net_ops = {
	.init = test_net_init,
	.exit = test_net_exit,
	.id = &test_net_id,
	.size = sizeof(struct node),
};

static int __init test_init(void)
{
	int err = register_pernet_subsys(&test_net_ops);

	if (err)
		return err;
	err = krg_order_register(&test_machine);
	if (err)
		goto unregister_pernet;
	err = misc_register(&by_hand_dev);
	if (!err)
		return 0;
	krg_order_unregister(&test_machine);
unregister_pernet:
	unregister_pernet_subsys(&test_net_ops);
	return err;
}

static void __exit test_exit(void)
{
	misc_deregister(&by_hand_dev);
	krg_order_unregister(&test_machine);
	unregister_pernet_subsys(&test_net_ops);
}

module_init(test_init);
module_exit(test_exit);
MODULE_DESCRIPTION("krg: a replicated list by hand, for tests");
MODULE_LICENSE("GPL");
