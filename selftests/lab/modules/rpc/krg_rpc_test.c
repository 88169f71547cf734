// SPDX-License-Identifier: GPL-2.0-only
/*
 * krg_rpc_test: rpc by hand (by_hand.h), lines for /dev/krg_rpc_test:
 *
 *   key TEXT                      setup SELF ADDR        shutdown
 *   incarnation                   peer NODE ADDR INC     del NODE      up NODE
 *   epoch N                       echo NODE LANE LEN COUNT   (ns a call, median)
 *   plain NODE                    (a service that may not block and has epochs)
 *   block NODE TIMEOUT_MS         (one call to a handler that waits)
 *   crowd NODE N                  (N such calls, each in its thread)
 *   blocked | release | over      (handlers waiting now; let them go; crowd calls ended, their last error)
 *   all NODE…                     (multicast echo; prints how many answered)
 *   stream NODE LEN COUNT         (one-ways by the bulk lane, then a call; MiB/s)
 *   post NODE RUN COUNT LEN       (posts, each second one with a page; RUN is a new number)
 *   posted NODE RUN               (how many of them came from NODE, and how many were wrong)
 *   load NODE THREADS             (calls, one-ways and cancels until the module goes or `calm`)
 *   calm                          counters NODE LANE
 */
#define pr_fmt(fmt) "krg_rpc_test: " fmt

#include <linux/inet.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <net/net_namespace.h>
#include <krg/rpc.h>
#include "by_hand.h"

#define TEST_BLOCK	(KRG_SERVICE_TEST + 0)
#define TEST_PLAIN	(KRG_SERVICE_TEST + 1)
#define TEST_SINK	(KRG_SERVICE_TEST + 2)
#define TEST_LATER	(KRG_SERVICE_TEST + 3)
#define TEST_POSTS	(KRG_SERVICE_TEST + 4)

static atomic_t blocked, crowd_over, crowd_error, loaders;
static atomic64_t sunk;
static bool released, calm;
static struct workqueue_struct *test_wq;
static DECLARE_WAIT_QUEUE_HEAD(block_wait);

static int test_block(struct krg_rpc_request *req)
{
	int err;

	atomic_inc(&blocked);
	err = wait_event_interruptible(block_wait, READ_ONCE(released));
	atomic_dec(&blocked);
	return err ? -EINTR : krg_rpc_reply(req, req->data, req->len);
}

static int test_plain(struct krg_rpc_request *req)
{
	return krg_rpc_reply(req, req->data, req->len);
}

static int test_sink(struct krg_rpc_request *req)
{
	atomic64_add(req->len, &sunk);
	return 0;
}

struct later {
	struct work_struct work;
	struct krg_rpc_request *req;
};

static void later_work(struct work_struct *work)
{
	struct later *later = container_of(work, struct later, work);

	krg_rpc_reply(later->req, "later", 5);
	krg_rpc_finish(later->req, 0);
	kfree(later);
}

static int test_later(struct krg_rpc_request *req)
{
	struct later *later = kmalloc(sizeof(*later), GFP_KERNEL);

	if (!later)
		return -ENOMEM;
	later->req = req;
	INIT_WORK(&later->work, later_work);
	queue_work(test_wq, &later->work);
	return KRG_RPC_LATER;
}

struct post {
	u32 run, number;
	u8 fill[];
};

/* What came of a run from a node to a namespace. */
struct posted {
	struct list_head link;
	const struct net *net;
	krg_node_t from;
	u32 run, count, wrong;
};

static LIST_HEAD(posts);
static DEFINE_MUTEX(posts_lock);

static struct posted *posts_find(const struct net *net, krg_node_t from, u32 run)
{
	struct posted *p;

	list_for_each_entry(p, &posts, link)
		if (p->net == net && p->from == from && p->run == run)
			return p;
	p = kzalloc(sizeof(*p), GFP_KERNEL | __GFP_NOFAIL);
	p->net = net;
	p->from = from;
	p->run = run;
	list_add(&p->link, &posts);
	return p;
}

static u8 post_byte(u32 number)
{
	return number * 41 + 7;
}

static bool post_right(struct krg_rpc_request *req, u32 expected)
{
	const struct post *post = req->data;
	u8 byte = post_byte(post->number);

	if (post->number != expected || !req->oneway || !req->page != !(post->number & 1) ||
	    memchr_inv(post->fill, byte, req->len - sizeof(*post)))
		return false;
	return !req->page || !memchr_inv(page_address(req->page), byte, PAGE_SIZE);
}

static int test_posts(struct krg_rpc_request *req)
{
	const struct post *post = req->data;
	struct posted *p;
	struct page *page;

	if (req->len < sizeof(*post))
		return -EINVAL;
	mutex_lock(&posts_lock);
	p = posts_find(req->net, req->from, post->run);
	p->wrong += !post_right(req, p->count++);
	mutex_unlock(&posts_lock);
	/* Some stay with the request. */
	page = post->number & 2 ? krg_rpc_take_page(req) : NULL;
	if (page)
		__free_page(page);
	return 0;
}

static const struct krg_rpc_service services[] = {
	{ TEST_BLOCK, "test block", 4096, 4096, KRG_RPC_MAY_BLOCK, test_block, THIS_MODULE },
	{ TEST_PLAIN, "test plain", 65536, 65536, 0, test_plain, THIS_MODULE },
	{ TEST_SINK, "test sink", KRG_RPC_MAX_BULK, 0, 0, test_sink, THIS_MODULE },
	{ TEST_LATER, "test later", 64, 64, 0, test_later, THIS_MODULE },
	{ TEST_POSTS, "test posts", 4096, 0, KRG_RPC_POSTS | KRG_RPC_ANY_EPOCH, test_posts,
	  THIS_MODULE },
};

static int post_one(struct net *net, int node, struct post *post, u32 len)
{
	struct page *page = NULL;
	int err;

	memset(post->fill, post_byte(post->number), len);
	if (post->number & 1) {
		page = alloc_page(GFP_KERNEL);
		if (!page)
			return -ENOMEM;
		memset(page_address(page), post_byte(post->number), PAGE_SIZE);
	}
	/* Some alone, some that wait for what follows; the last of all for do_post(). */
	if (post->number & 4)
		err = krg_rpc_post_more(net, node, TEST_POSTS, post, sizeof(*post) + len, page);
	else
		err = krg_rpc_post(net, node, TEST_POSTS, post, sizeof(*post) + len, page);
	if (page)
		put_page(page);
	return err;
}

static int do_post(struct net *net, const char *args)
{
	struct post *post;
	u32 node, count, len;
	int err = 0;

	post = kzalloc(sizeof(*post) + 4096, GFP_KERNEL);
	if (!post)
		return -ENOMEM;
	if (sscanf(args, "%u %u %u %u", &node, &post->run, &count, &len) != 4 || len > 4096)
		err = -EINVAL;
	for (; !err && post->number < count; post->number++)
		err = post_one(net, node, post, len);
	kfree(post);
	krg_rpc_push(net, node);
	return err;
}

static int do_posted(struct net *net, const char *args, struct answer *a)
{
	struct posted *p;
	u32 node, run;

	if (sscanf(args, "%u %u", &node, &run) != 2)
		return -EINVAL;
	mutex_lock(&posts_lock);
	p = posts_find(net, node, run);
	say(a, "%u %u\n", p->count, p->wrong);
	mutex_unlock(&posts_lock);
	return 0;
}

static int parse_addr(const char *text, struct sockaddr_storage *addr)
{
	struct sockaddr_in *in = (struct sockaddr_in *)addr;

	memset(addr, 0, sizeof(*addr));
	in->sin_family = AF_INET;
	return in4_pton(text, -1, (u8 *)&in->sin_addr, -1, NULL) ? 0 : -EINVAL;
}

static int do_setup(struct net *net, const char *args)
{
	struct krg_rpc_node_config cfg = { .session = 7, .transport = "tcp" };
	char ip[32];
	int err;

	if (sscanf(args, "%d %31s", &cfg.self, ip) != 2)
		return -EINVAL;
	err = parse_addr(ip, &cfg.addr);
	return err ?: krg_rpc_node_setup(net, &cfg);
}

static int do_peer(struct net *net, const char *args)
{
	struct sockaddr_storage addr;
	char ip[32];
	int node, err;
	u64 inc;

	if (sscanf(args, "%d %31s %llx", &node, ip, &inc) != 3)
		return -EINVAL;
	err = parse_addr(ip, &addr);
	return err ?: krg_rpc_peer_add(net, node, &addr, inc);
}

static int cmp_u64(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static int echo_once(struct net *net, int node, u16 service, const u8 *data, u32 len, int lane)
{
	struct krg_rpc_opts opts = { .lane = lane, .interruptible = true };
	struct krg_rpc_reply rep;
	int err;

	err = krg_rpc_call(net, node, service, data, len, &rep, &opts);
	if (err)
		return err;
	err = rep.status;
	if (!err && (rep.len != len || memcmp(rep.data, data, len)))
		err = -EBADMSG;
	krg_rpc_reply_free(&rep);
	return err;
}

static int do_echo(struct net *net, const char *args, struct answer *a)
{
	unsigned int node, lane, len, count, i;
	u64 *times, t;
	u8 *data;
	int err = 0;

	if (sscanf(args, "%u %u %u %u", &node, &lane, &len, &count) != 4 || !count ||
	    count > 100000 || len > KRG_RPC_MAX_BULK)
		return -EINVAL;
	data = kvmalloc(len + 1, GFP_KERNEL);
	times = kvcalloc(count, sizeof(*times), GFP_KERNEL);
	if (!data || !times)
		err = -ENOMEM;
	for (i = 0; data && i < len; i++)
		data[i] = i * 7 + node;
	for (i = 0; !err && i < count; i++) {
		t = ktime_get_ns();
		err = echo_once(net, node, KRG_SERVICE_ECHO, data, len, lane);
		times[i] = ktime_get_ns() - t;
	}
	if (!err) {
		sort(times, count, sizeof(*times), cmp_u64, NULL);
		say(a, "%llu\n", times[count / 2]);
	}
	kvfree(times);
	kvfree(data);
	return err;
}

static int do_block(struct net *net, int node, u32 ms)
{
	struct krg_rpc_opts opts = { .interruptible = true, .timeout_ms = ms };
	struct krg_rpc_reply rep;
	int err;

	err = krg_rpc_call(net, node, TEST_BLOCK, "block", 5, &rep, &opts);
	err = err ?: rep.status;
	krg_rpc_reply_free(&rep);
	return err;
}

struct helper {
	struct net *net;
	int node;
	u32 seed;
};

static int crowd_thread(void *data)
{
	struct helper *h = data;
	int err = do_block(h->net, h->node, KRG_RPC_FOREVER);

	if (err)
		atomic_set(&crowd_error, err);
	put_net(h->net);
	kfree(h);
	atomic_inc(&crowd_over);
	module_put_and_kthread_exit(0);
	return 0;
}

static int load_thread(void *data)
{
	struct helper *h = data;
	struct krg_rpc_opts opts = { .timeout_ms = 5000 };
	struct krg_rpc_reply rep;
	static u8 buf[8192];
	u32 n = 0;

	while (!READ_ONCE(calm)) {
		opts.lane = n & 1;
		opts.timeout_ms = n % 5 == 4 ? 2 : 5000;
		switch (n++ % 5) {
		case 0:
			echo_once(h->net, h->node, TEST_PLAIN, buf, (n * h->seed) % sizeof(buf), opts.lane);
			break;
		case 1:
			krg_rpc_send(h->net, h->node, TEST_SINK, buf, (n * h->seed) % sizeof(buf), &opts);
			break;
		case 2:
			krg_rpc_call(h->net, h->node, TEST_LATER, buf, 8, &rep, &opts);
			krg_rpc_reply_free(&rep);
			break;
		default:
			krg_rpc_call(h->net, h->node, TEST_BLOCK, buf, 16, &rep, &opts);
			krg_rpc_reply_free(&rep);
			break;
		}
		cond_resched();
	}
	put_net(h->net);
	kfree(h);
	atomic_dec(&loaders);
	module_put_and_kthread_exit(0);
	return 0;
}

static int start_threads(struct net *net, const char *args, int (*fn)(void *))
{
	struct task_struct *task;
	struct helper *h;
	int node, n;

	if (sscanf(args, "%d %d", &node, &n) != 2 || n < 1 || n > 4096)
		return -EINVAL;
	while (n--) {
		h = kzalloc(sizeof(*h), GFP_KERNEL);
		if (!h)
			return -ENOMEM;
		h->net = get_net(net);
		h->node = node;
		h->seed = n * 2 + 1;
		__module_get(THIS_MODULE);
		if (fn == load_thread)
			atomic_inc(&loaders);
		task = kthread_run(fn, h, "krg_rpc_crowd");
		if (IS_ERR(task)) {
			module_put(THIS_MODULE);
			put_net(net);
			kfree(h);
			return PTR_ERR(task);
		}
	}
	return 0;
}

static void count_answer(krg_node_t node, int err, const struct krg_rpc_reply *rep, void *data)
{
	int *answers = data;

	if (!err && !rep->status && rep->len == 3)
		(*answers)++;
}

static int do_all(struct net *net, char *args, struct answer *a)
{
	struct krg_rpc_opts opts = { .timeout_ms = 5000 };
	struct krg_nodemask mask = { };
	int answers = 0, err;
	unsigned int node;
	char *word;

	while ((word = strsep(&args, " "))) {
		if (kstrtouint(word, 10, &node) || node >= KRG_MAX_NODES)
			return -EINVAL;
		__set_bit(node, mask.bits);
	}
	err = krg_rpc_multicast_call(net, &mask, KRG_SERVICE_ECHO, "all", 3, count_answer, &answers,
				     &opts);
	say(a, "%d %d\n", answers, err);
	return 0;
}

static int do_stream(struct net *net, const char *args, struct answer *a)
{
	struct krg_rpc_opts opts = { .lane = KRG_LANE_BULK };
	unsigned int node, len, count, i;
	u64 start = ktime_get_ns(), ns;
	void *data;
	int err = 0;

	if (sscanf(args, "%u %u %u", &node, &len, &count) != 3 || len > KRG_RPC_MAX_BULK)
		return -EINVAL;
	data = kvzalloc(len, GFP_KERNEL);
	if (!data)
		return -ENOMEM;
	for (i = 0; !err && i < count; i++)
		err = krg_rpc_send(net, node, TEST_SINK, data, len, &opts);
	err = err ?: echo_once(net, node, TEST_PLAIN, data, 1, KRG_LANE_BULK);
	ns = ktime_get_ns() - start;
	kvfree(data);
	say(a, "%llu\n", (u64)len * count * 1000 / max(ns, 1ull) * 1000 / 1024 * 1000 / 1024);
	return err;
}

static int do_counters(struct net *net, const char *args, struct answer *a)
{
	struct krg_rpc_counters c;
	unsigned int node, lane;
	int err;

	if (sscanf(args, "%u %u", &node, &lane) != 2)
		return -EINVAL;
	err = krg_rpc_counters(net, node, lane, &c);
	if (!err)
		say(a, "tx %llu rx %llu calls %llu served %llu timeouts %llu cancelled %llu late %llu stale %llu lost %llu garbage %llu connects %llu stalls %llu queued %llu in_flight %llu\n",
		    c.tx_frames, c.rx_frames, c.calls, c.served, c.timeouts, c.cancelled, c.late,
		    c.stale, c.lost, c.garbage, c.connects, c.stalls, c.queued, c.in_flight);
	return err;
}

static int do_command(struct net *net, char *line, struct answer *a)
{
	char *cmd = strsep(&line, " ");
	char *args = line ?: "";
	int node = -1, ms = 0;
	u8 mac[KRG_RPC_FINGERPRINT];
	int err;

	sscanf(args, "%d %d", &node, &ms);
	if (!strcmp(cmd, "key"))
		return krg_rpc_set_key(net, args, strlen(args));
	if (!strcmp(cmd, "setup"))
		return do_setup(net, args);
	if (!strcmp(cmd, "shutdown"))
		return krg_rpc_node_shutdown(net), 0;
	if (!strcmp(cmd, "peer"))
		return do_peer(net, args);
	if (!strcmp(cmd, "del"))
		return krg_rpc_peer_del(net, node);
	if (!strcmp(cmd, "up"))
		return krg_rpc_peer_is_up(net, node) ? 0 : -ENOTCONN;
	if (!strcmp(cmd, "epoch"))
		return krg_rpc_set_epoch(net, node), 0;
	if (!strcmp(cmd, "echo"))
		return do_echo(net, args, a);
	if (!strcmp(cmd, "plain"))
		return echo_once(net, node, TEST_PLAIN, "plain", 5, 0);
	if (!strcmp(cmd, "block"))
		return do_block(net, node, ms);
	if (!strcmp(cmd, "crowd"))
		return start_threads(net, args, crowd_thread);
	if (!strcmp(cmd, "load"))
		return start_threads(net, args, load_thread);
	if (!strcmp(cmd, "all"))
		return do_all(net, args, a);
	if (!strcmp(cmd, "stream"))
		return do_stream(net, args, a);
	if (!strcmp(cmd, "post"))
		return do_post(net, args);
	if (!strcmp(cmd, "posted"))
		return do_posted(net, args, a);
	if (!strcmp(cmd, "counters"))
		return do_counters(net, args, a);
	if (!strcmp(cmd, "release")) {
		WRITE_ONCE(released, true);
		wake_up_all(&block_wait);
		return 0;
	}
	if (!strcmp(cmd, "hold")) {
		WRITE_ONCE(released, false);
		atomic_set(&crowd_over, 0);
		atomic_set(&crowd_error, 0);
		return 0;
	}
	if (!strcmp(cmd, "calm")) {
		WRITE_ONCE(calm, node < 0);
		return 0;
	}
	if (!strcmp(cmd, "incarnation"))
		say(a, "%llx\n", krg_rpc_incarnation(net));
	else if (!strcmp(cmd, "blocked"))
		say(a, "%d\n", atomic_read(&blocked));
	else if (!strcmp(cmd, "loaders"))
		say(a, "%d\n", atomic_read(&loaders));
	else if (!strcmp(cmd, "over"))
		say(a, "%d %d\n", atomic_read(&crowd_over), atomic_read(&crowd_error));
	else if (!strcmp(cmd, "fingerprint")) {
		err = krg_rpc_fingerprint(net, mac);
		say(a, "%*phN\n", 8, mac);
		return err;
	} else
		return -EOPNOTSUPP;
	return 0;
}

BY_HAND_DEVICE("krg_rpc_test");

static int __init test_init(void)
{
	int err, i;

	test_wq = alloc_workqueue("krg_rpc_test", 0, 0);
	if (!test_wq)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(services); i++) {
		err = krg_rpc_register(&services[i]);
		if (err)
			goto unregister;
	}
	err = misc_register(&by_hand_dev);
	if (!err)
		return 0;
unregister:
	while (i--)
		krg_rpc_unregister(&services[i]);
	destroy_workqueue(test_wq);
	return err;
}

static void __exit test_exit(void)
{
	struct posted *p, *next;

	misc_deregister(&by_hand_dev);
	WRITE_ONCE(released, true);
	wake_up_all(&block_wait);
	for (int i = 0; i < ARRAY_SIZE(services); i++)
		krg_rpc_unregister(&services[i]);
	list_for_each_entry_safe(p, next, &posts, link)
		kfree(p);
	destroy_workqueue(test_wq);
}

module_init(test_init);
module_exit(test_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("krg: rpc by hand, for selftests");
