// SPDX-License-Identifier: GPL-2.0-only
/*
 * krg_kddm_test: containers by hand (by_hand.h), lines for /dev/krg_kddm_test. SET is
 * a small number: sets from 100 on have small objects, from 200 on (page sized again)
 * their home on node SET - 200.
 *
 *   get SET OBJECT                 prints what it counts to
 *   add SET OBJECT                 counts one more
 *   readadd SET OBJECT             get, then add
 *   find SET OBJECT                as get, if a copy is here
 *   flush SET OBJECT TO            sync | remove SET OBJECT
 *   prefetch SET OBJECT COUNT      destroy SET      remove_range SET FIRST LAST
 *   hammer SET OBJECTS MS SEED     reads and adds at random; prints how many of each, errors
 *   mine SET OBJECTS               what this node added is there: prints objects lost
 *   forget SET                     what this node added, as far as "mine" knows
 *   counters SET                   NAME=VALUE a word
 *   lie NODE COUNT SEED            posts nonsense to it, about sets 6 and 7
 *
 * An object holds, in 64 bit words, a total and then how much of it each node has
 * added; who reads it checks that they agree. So a torn, stale or zeroed page shows.
 */
#define pr_fmt(fmt) "krg_kddm_test: " fmt

#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <krg/cluster.h>
#include <krg/kddm.h>
#include <krg/rpc.h>
#include "by_hand.h"

#define LINKER_PAGE	KRG_KDDM_LINKER_TEST
#define LINKER_SMALL	(KRG_KDDM_LINKER_TEST + 1)
#define SMALL_NODES	15		/* words of a small object after the total */

struct test_net {
	struct mutex lock;		/* content of objects on this node; added */
	struct xarray added;		/* set << 32 | object -> what this node added */
};

static unsigned int test_net_id;

static struct test_net *test_net(struct net *net)
{
	return net_generic(net, test_net_id);
}

static int page_fill(struct krg_kddm_set *set, u64 index, struct page *page, void **slot)
{
	if (!page)
		page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	*slot = page;
	return page ? 0 : -ENOMEM;
}

static struct page *page_page(struct krg_kddm_set *set, u64 index, void *slot)
{
	return slot;
}

static void page_free(struct krg_kddm_set *set, u64 index, void *slot)
{
	put_page(slot);
}

static int page_sync(struct krg_kddm_set *set, u64 index, void *slot)
{
	msleep(1);
	return index == 666 ? -ENOSPC : 0;
}

static const struct krg_kddm_linker page_linker = {
	.id = LINKER_PAGE,
	.name = "test",
	.size = PAGE_SIZE,
	.fill = page_fill,
	.page = page_page,
	.free = page_free,
	.sync = page_sync,
	.owner = THIS_MODULE,
};

static const struct krg_kddm_linker small_linker = {
	.id = LINKER_SMALL,
	.name = "test-small",
	.size = (1 + SMALL_NODES) * sizeof(u64),
	.owner = THIS_MODULE,
};

static bool is_small(unsigned int set)
{
	return set >= 100 && set < 200;
}

static struct krg_kddm_id set_id(unsigned int set)
{
	u64 linker = is_small(set) ? LINKER_SMALL : LINKER_PAGE;
	u64 home = set >= 200 ? set - 200 : KRG_KDDM_HASHED;

	return (struct krg_kddm_id) {
		.number = linker << KRG_KDDM_LINKER_SHIFT | home << KRG_KDDM_HOME_SHIFT | set,
	};
}

static u64 *words(unsigned int set, void *slot)
{
	return is_small(set) ? slot : page_address(slot);
}

static unsigned int nr_words(unsigned int set)
{
	return is_small(set) ? SMALL_NODES : PAGE_SIZE / sizeof(u64) - 1;
}

static int check(unsigned int set, const u64 *w)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 1; i <= nr_words(set); i++)
		sum += w[i];
	return sum == w[0] ? 0 : -EILSEQ;
}

static u64 key(unsigned int set, u64 object)
{
	return (u64)set << 32 | object;
}

static int add_one(struct test_net *tn, struct krg_kddm_set *s, unsigned int set, u64 object)
{
	unsigned int self = krg_self(krg_kddm_set_net(s));
	unsigned long mine;
	void *slot;
	u64 *w;
	int err;

	err = krg_kddm_grab(s, object, 0, &slot);
	if (err)
		return err;
	mutex_lock(&tn->lock);
	w = words(set, slot);
	err = check(set, w);
	w[0]++;
	w[1 + self]++;
	mine = xa_to_value(xa_load(&tn->added, key(set, object)) ?: xa_mk_value(0));
	xa_store(&tn->added, key(set, object), xa_mk_value(mine + 1), GFP_KERNEL);
	mutex_unlock(&tn->lock);
	krg_kddm_put(s, object, true);
	return err;
}

static int read_one(struct test_net *tn, struct krg_kddm_set *s, unsigned int set, u64 object,
		    bool find, u64 *total, u64 *mine)
{
	unsigned int self = krg_self(krg_kddm_set_net(s));
	void *slot;
	u64 *w;
	int err;

	err = find ? krg_kddm_find(s, object, &slot) : krg_kddm_get(s, object, 0, &slot);
	if (err)
		return err;
	mutex_lock(&tn->lock);
	w = words(set, slot);
	err = check(set, w);
	*total = w[0];
	if (mine)
		*mine = w[1 + self];
	mutex_unlock(&tn->lock);
	krg_kddm_put(s, object, false);
	return err;
}

static int do_hammer(struct test_net *tn, struct krg_kddm_set *s, unsigned int set,
		     unsigned int objects, unsigned int ms, unsigned int seed, struct answer *a)
{
	unsigned long end = jiffies + msecs_to_jiffies(ms), reads = 0, adds = 0, errors = 0;
	u64 *seen = kvcalloc(objects, sizeof(u64), GFP_KERNEL);
	struct rnd_state rnd;
	u64 total;
	u32 dice;
	int err = 0;

	if (!seen)
		return -ENOMEM;
	prandom_seed_state(&rnd, seed);
	while (time_before(jiffies, end) && err != -EILSEQ && err != -EINTR) {
		dice = prandom_u32_state(&rnd);
		if (dice & 0x300) {
			err = read_one(tn, s, set, (dice >> 10) % objects, false, &total, NULL);
			if (!err && total < seen[(dice >> 10) % objects])
				err = -EILSEQ;
			if (!err)
				seen[(dice >> 10) % objects] = total;
			reads += !err;
		} else {
			err = add_one(tn, s, set, (dice >> 10) % objects);
			adds += !err;
		}
		errors += err && err != -EILSEQ;
		cond_resched();
	}
	kvfree(seen);
	say(a, "reads=%lu adds=%lu errors=%lu\n", reads, adds, errors);
	return err == -EILSEQ ? err : 0;
}

/* What this node added must be in every object that is not lost. */
static int do_mine(struct test_net *tn, struct krg_kddm_set *s, unsigned int set,
		   unsigned int objects, struct answer *a)
{
	unsigned int i, lost = 0, wrong = 0;
	unsigned long added;
	u64 total, mine, sum = 0;
	int err;

	for (i = 0; i < objects; i++) {
		err = read_one(tn, s, set, i, false, &total, &mine);
		if (err == -EIO) {
			lost++;
			continue;
		}
		if (err)
			return err;
		added = xa_to_value(xa_load(&tn->added, key(set, i)) ?: xa_mk_value(0));
		if (added != mine)
			wrong++;
		sum += total;
	}
	say(a, "lost=%u wrong=%u sum=%llu\n", lost, wrong, sum);
	return wrong ? -EILSEQ : 0;
}

static void do_forget(struct test_net *tn, unsigned int set)
{
	unsigned long index;
	void *entry;

	xa_for_each(&tn->added, index, entry)
		if (index >> 32 == set)
			xa_erase(&tn->added, index);
}

static void do_counters(struct krg_kddm_set *s, struct answer *a)
{
	struct krg_kddm_counters c;

	krg_kddm_set_counters(s, &c);
	say(a, "hits=%llu misses=%llu sent=%llu received=%llu pages_sent=%llu pages_received=%llu",
	    c.hits, c.misses, c.sent, c.received, c.pages_sent, c.pages_received);
	say(a, " invalidated=%llu prefetched=%llu migratory=%llu residency=%llu lost=%llu\n",
	    c.invalidated, c.prefetched, c.migratory, c.residency, c.lost);
}

static u8 small_random(struct rnd_state *rnd, u8 below)
{
	u32 dice = prandom_u32_state(rnd);

	return dice & 0xf00 ? (u8)dice % below : (u8)dice;
}

static void put16(u16 v, u8 *p)
{
	__le16 x = cpu_to_le16(v);

	memcpy(p, &x, sizeof(x));
}

static void put32(u32 v, u8 *p)
{
	__le32 x = cpu_to_le32(v);

	memcpy(p, &x, sizeof(x));
}

static void put64(u64 v, u8 *p)
{
	__le64 x = cpu_to_le64(v);

	memcpy(p, &x, sizeof(x));
}

/*
 * A packet that is nearly one: most of its fields are such as can be. One of an @epoch to
 * come is kept until then, and all that follow it.
 */
static u32 lie(struct rnd_state *rnd, u32 epoch, u8 *out)
{
	u32 count = 1 + (prandom_u32_state(rnd) & 3), len = 16 + count * 40, i;
	u8 *r;

	prandom_bytes_state(rnd, out, PAGE_SIZE);
	out[0] = small_random(rnd, 6);
	out[1] = small_random(rnd, 16) ? 1 : out[1];
	put16(out[0] == 2 ? out[8] == 2 : count, out + 2);
	put32(epoch - !small_random(rnd, 8), out + 4);
	put32(out[0] == 1 ? 0 : small_random(rnd, 6), out + 8);
	put32(small_random(rnd, 16) ? 0 : out[12], out + 12);
	for (i = 0, r = out + 16; i < count && out[0] == 1; i++, r += 40) {
		r[0] = small_random(rnd, 21);
		r[1] = small_random(rnd, 6);
		r[2] = small_random(rnd, 3);
		put16(small_random(rnd, 9), r + 4);
		put16(small_random(rnd, 3), r + 6);
		put16(-small_random(rnd, 3), r + 8);
		put32(0, r + 10);
		put16(0, r + 14);
		put64(set_id(6 + small_random(rnd, 2)).number, r + 16);
		put64(small_random(rnd, 50), r + 24);
		if (small_random(rnd, 8))
			put64(0, r + 32);
	}
	return small_random(rnd, 8) ? len : prandom_u32_state(rnd) % PAGE_SIZE;
}

/* What a node that has gone mad would send to others. */
static int do_lie(struct net *net, unsigned int to, unsigned int count, unsigned int seed)
{
	struct rnd_state rnd;
	struct page *page;
	u8 *out = kmalloc(PAGE_SIZE, GFP_KERNEL);
	u32 len;
	int err = out ? 0 : -ENOMEM;

	prandom_seed_state(&rnd, seed);
	for (; count && !err; count--) {
		len = lie(&rnd, krg_epoch(net) + (count < 200), out);
		page = small_random(&rnd, 4) ? NULL : alloc_page(GFP_KERNEL);
		err = krg_rpc_post(net, to, KRG_SERVICE_KDDM, out, len, page);
		if (page)
			put_page(page);
		cond_resched();
	}
	kfree(out);
	return err;
}

static int do_set(struct net *net, const char *verb, unsigned int set, char *args,
		  struct answer *a)
{
	struct krg_kddm_set *s = krg_kddm_open(net, set_id(set));
	struct test_net *tn = test_net(net);
	unsigned int object = 0, x = 0, y = 0;
	u64 total;
	int n, err = 0;

	if (IS_ERR(s))
		return PTR_ERR(s);
	n = sscanf(args, "%u %u %u", &object, &x, &y);
	if (!strcmp(verb, "counters"))
		do_counters(s, a);
	else if (!strcmp(verb, "forget"))
		do_forget(tn, set);
	else if (n < 1)
		err = -EINVAL;
	else if (!strcmp(verb, "get") || !strcmp(verb, "find"))
		err = read_one(tn, s, set, object, *verb == 'f', &total, NULL) ?:
		      (say(a, "%llu\n", total), 0);
	else if (!strcmp(verb, "add"))
		err = add_one(tn, s, set, object);
	else if (!strcmp(verb, "readadd"))
		err = read_one(tn, s, set, object, false, &total, NULL) ?:
		      add_one(tn, s, set, object);
	else if (!strcmp(verb, "flush"))
		err = krg_kddm_flush(s, object, n > 1 ? (int)x : KRG_NODE_NONE, 0);
	else if (!strcmp(verb, "sync"))
		err = krg_kddm_sync(s, object, 0);
	else if (!strcmp(verb, "remove"))
		err = krg_kddm_remove(s, object, 0);
	else if (!strcmp(verb, "remove_range"))
		err = krg_kddm_remove_range(s, object, x, 0);
	else if (!strcmp(verb, "prefetch"))
		krg_kddm_prefetch(s, object, x);
	else if (!strcmp(verb, "mine"))
		err = do_mine(tn, s, set, object, a);
	else if (!strcmp(verb, "hammer") && n == 3 && object)
		err = do_hammer(tn, s, set, object, x, y, a);
	else
		err = -EINVAL;
	krg_kddm_close(s);
	return err;
}

static int do_command(struct net *net, char *line, struct answer *a)
{
	char *verb = strsep(&line, " ");
	char *args = line ?: verb + strlen(verb);
	char *number = strsep(&args, " ");
	unsigned int set;

	unsigned int count, seed;

	if (kstrtouint(number, 10, &set))
		return -EINVAL;
	if (!strcmp(verb, "lie"))
		return sscanf(args ?: "", "%u %u", &count, &seed) == 2 ?
		       do_lie(net, set, count, seed) : -EINVAL;
	if (!strcmp(verb, "destroy"))
		return krg_kddm_destroy(net, set_id(set));
	return do_set(net, verb, set, args ?: number + strlen(number), a);
}

BY_HAND_DEVICE("krg_kddm_test");

static int __net_init test_net_init(struct net *net)
{
	mutex_init(&test_net(net)->lock);
	xa_init(&test_net(net)->added);
	return 0;
}

static void __net_exit test_net_exit(struct net *net)
{
	xa_destroy(&test_net(net)->added);
}

static struct pernet_operations test_net_ops = {
	.init = test_net_init,
	.exit = test_net_exit,
	.id = &test_net_id,
	.size = sizeof(struct test_net),
};

static int __init test_init(void)
{
	int err = register_pernet_subsys(&test_net_ops);

	if (err)
		return err;
	err = krg_kddm_linker_register(&page_linker) ?: krg_kddm_linker_register(&small_linker);
	if (err)
		goto out;
	err = misc_register(&by_hand_dev);
	if (!err)
		return 0;
out:
	unregister_pernet_subsys(&test_net_ops);
	return err;
}

/* Sets hold this module: none is left. */
static void __exit test_exit(void)
{
	misc_deregister(&by_hand_dev);
	krg_kddm_linker_unregister(&page_linker);
	krg_kddm_linker_unregister(&small_linker);
	unregister_pernet_subsys(&test_net_ops);
}

module_init(test_init);
module_exit(test_exit);
MODULE_DESCRIPTION("krg: containers by hand, for tests");
MODULE_LICENSE("GPL");
