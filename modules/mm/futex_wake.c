// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wakeups go on to other nodes: first who waits here, then holder after holder until
 * enough are woken; for "all", all at once. Why none is lost: futex.c.
 *
 * Whoever waits for an answer may be interrupted, and a task that exits does not wait at
 * all: then a post takes the rest, which arrives as long as the other node lives. It may
 * wake one too many; that futexes do, as their manual says.
 *
 * On the wire: struct wire_wake, request or post, answered by struct wire_woken. Change
 * log: 1, as below.
 */
#include <linux/sched/signal.h>
#include <krg/hook.h>
#include <krg/rpc.h>
#include "shmfs.h"

#define ALL	1024	/* who wakes more means all of them */
#define TURN	8u	/* one wakeup in so many begins with the other nodes */

struct wire_wake {
	__le64 ino;
	__le64 at;		/* byte of the file */
	__le32 nr;
	__le32 bitset;
};

struct wire_woken {
	__le32 nr;
	__le32 pad;
};

static_assert(sizeof(struct wire_wake) == 24);
static_assert(sizeof(struct wire_woken) == 8);

/* Wakeups of one call. */
struct wake {
	struct shmfs *s;
	struct shmfs_node *n;
	struct wire_wake wire;
	unsigned int heard;	/* of how many nodes, "all" only */
	int woken;
};

/* It comes before whatever else this node does there. */
static void wake_post(const struct wake *w, krg_node_t node)
{
	atomic64_inc(&w->s->wakes_sent);
	krg_rpc_post(w->s->net, node, KRG_SERVICE_SHM, &w->wire, sizeof(w->wire), NULL);
}

static void wake_count(struct wake *w, krg_node_t node, const struct krg_rpc_reply *rep)
{
	const struct wire_woken *woken = rep->data;
	u32 nr = !rep->status && rep->len == sizeof(*woken) ? le32_to_cpu(woken->nr) : 0;

	if (nr) {
		clear_bit(node, w->n->quiet.bits);
		WRITE_ONCE(w->n->woken, node);
	} else {
		set_bit(node, w->n->quiet.bits);
	}
	w->woken = min_t(u64, (u64)w->woken + nr, INT_MAX);
	/* Waits there with priority inheritance: what this was meant for, no one knows. */
	if (rep->status == -EINVAL && !w->woken)
		w->woken = -EINVAL;
}

static const struct krg_rpc_opts wake_opts = {
	.interruptible = true, .timeout_ms = KRG_RPC_FOREVER,
};

static void wake_ask(struct wake *w, krg_node_t node)
{
	struct krg_rpc_reply rep;

	atomic64_inc(&w->s->wakes_sent);
	if (krg_rpc_call(w->s->net, node, KRG_SERVICE_SHM, &w->wire, sizeof(w->wire), &rep,
			 &wake_opts))
		wake_post(w, node);
	else
		wake_count(w, node, &rep);
	krg_rpc_reply_free(&rep);
}

static void wake_heard(krg_node_t node, int err, const struct krg_rpc_reply *rep, void *data)
{
	struct wake *w = data;

	w->heard++;
	if (err)
		wake_post(w, node);
	else
		wake_count(w, node, rep);
}

static void wake_post_all(const struct wake *w, const struct krg_nodemask *nodes)
{
	krg_node_t node;

	krg_for_each_node(node, nodes)
		wake_post(w, node);
}

static void wake_all(struct wake *w, const struct krg_nodemask *nodes)
{
	atomic64_add(bitmap_weight(nodes->bits, KRG_MAX_NODES), &w->s->wakes_sent);
	krg_rpc_multicast_call(w->s->net, nodes, KRG_SERVICE_SHM, &w->wire, sizeof(w->wire),
			       wake_heard, w, &wake_opts);
	if (!w->heard)
		wake_post_all(w, nodes);
}

/* In turn; those without waiters last time come last. */
static krg_node_t wake_next(const struct shmfs_node *n, const struct krg_nodemask *left)
{
	struct krg_nodemask lively;
	krg_node_t node;

	if (!bitmap_andnot(lively.bits, left->bits, n->quiet.bits, KRG_MAX_NODES))
		lively = *left;
	node = find_next_bit(lively.bits, KRG_MAX_NODES, READ_ONCE(n->woken) + 1);
	if (node >= KRG_MAX_NODES)
		node = find_first_bit(lively.bits, KRG_MAX_NODES);
	return node;
}

static void wake_some(struct wake *w, struct krg_nodemask *left, int nr)
{
	krg_node_t node;

	while (w->woken >= 0 && w->woken < nr) {
		node = wake_next(w->n, left);
		if (node >= KRG_MAX_NODES)
			break;
		__clear_bit(node, left->bits);
		w->wire.nr = cpu_to_le32(nr - w->woken);
		wake_ask(w, node);
	}
}

/* Return: how many were woken on other nodes; -EINVAL. */
static int wake_there(const struct shmfs_futex *f, int nr, u32 bitset)
{
	struct shmfs_node *n = shmfs_node_of(f->inode);
	struct wake w = {
		.s = shmfs_of_inode(f->inode), .n = n,
		.wire = {
			.ino = cpu_to_le64(n->ino), .at = cpu_to_le64(f->at),
			.nr = cpu_to_le32(nr), .bitset = cpu_to_le32(bitset),
		},
	};
	struct krg_nodemask others;

	if (!shmfs_futex_others(w.s, n, &others))
		return 0;
	if (current->flags & PF_EXITING)
		wake_post_all(&w, &others);
	else if (nr >= ALL)
		wake_all(&w, &others);
	else
		wake_some(&w, &others, nr);
	return w.woken;
}

/* Those here are woken without a message, but not always before those elsewhere. */
static int wake_ours(const struct shmfs_futex *f, u32 __user *uaddr, unsigned int flags, int nr,
		     u32 bitset)
{
	struct shmfs_node *n = shmfs_node_of(f->inode);
	bool others_first = !(atomic_inc_return(&n->wakes) % TURN);
	int there = others_first ? wake_there(f, nr, bitset) : 0;
	int here = 0;

	if (there < nr)
		here = krg_sym(futex_wake)(uaddr, flags, nr - max(there, 0), bitset);
	if (here < 0)
		return here;
	if (!others_first && here < nr)
		there = wake_there(f, nr - here, bitset);
	return here ? min_t(s64, (s64)here + max(there, 0), nr) : min(there, nr);
}

static int futex_wake_everywhere(u32 __user *uaddr, unsigned int flags, int nr, u32 bitset);
static KRG_REDIRECT(wake_redirect, futex_wake, futex_wake_everywhere);

static int futex_wake_everywhere(u32 __user *uaddr, unsigned int flags, int nr, u32 bitset)
{
	bool none = !bitset || (!nr && flags & FLAGS_STRICT);
	struct shmfs_futex f;
	int ret;

	if (flags & FLAGS_SHARED && !none && shmfs_futex_find(uaddr, &f)) {
		/* The kernel wakes one at least. */
		ret = wake_ours(&f, uaddr, flags, max(nr, 1), bitset);
		shmfs_futex_put(&f);
	} else {
		ret = krg_sym(futex_wake)(uaddr, flags, nr, bitset);
	}
	krg_redirect_exit(&wake_redirect);
	return ret;
}

/* @done of @nr were found here. Return: how many there were with those of other nodes. */
static int wake_rest(u32 __user *uaddr, unsigned int flags, s64 nr, int done)
{
	struct shmfs_futex f;
	int there;

	if (done < 0 || done >= nr || !(flags & FLAGS_SHARED) || !shmfs_futex_find(uaddr, &f))
		return done;
	there = wake_there(&f, min_t(s64, nr - done, INT_MAX), FUTEX_BITSET_MATCH_ANY);
	shmfs_futex_put(&f);
	return min_t(s64, (s64)done + max(there, 0), INT_MAX);
}

/*
 * Waiters elsewhere are not moved to the other word but woken: they find what they waited
 * for, or wait at that word by themselves.
 */
#ifdef KRG_HAVE_FUTEX_FLAGS
static int futex_requeue_everywhere(u32 __user *uaddr1, unsigned int flags1, u32 __user *uaddr2,
				    unsigned int flags2, int nr_wake, int nr_requeue,
				    u32 *cmpval, int requeue_pi);
static KRG_REDIRECT(requeue_redirect, futex_requeue, futex_requeue_everywhere);

static int futex_requeue_everywhere(u32 __user *uaddr1, unsigned int flags1, u32 __user *uaddr2,
				    unsigned int flags2, int nr_wake, int nr_requeue,
				    u32 *cmpval, int requeue_pi)
{
	int ret = krg_sym(futex_requeue)(uaddr1, flags1, uaddr2, flags2, nr_wake, nr_requeue,
					 cmpval, requeue_pi);

	if (!requeue_pi)
		ret = wake_rest(uaddr1, flags1, (s64)nr_wake + nr_requeue, ret);
	krg_redirect_exit(&requeue_redirect);
	return ret;
}
#else
static int futex_requeue_everywhere(u32 __user *uaddr1, unsigned int flags, u32 __user *uaddr2,
				    int nr_wake, int nr_requeue, u32 *cmpval, int requeue_pi);
static KRG_REDIRECT(requeue_redirect, futex_requeue, futex_requeue_everywhere);

static int futex_requeue_everywhere(u32 __user *uaddr1, unsigned int flags, u32 __user *uaddr2,
				    int nr_wake, int nr_requeue, u32 *cmpval, int requeue_pi)
{
	int ret = krg_sym(futex_requeue)(uaddr1, flags, uaddr2, nr_wake, nr_requeue, cmpval,
					 requeue_pi);

	if (!requeue_pi)
		ret = wake_rest(uaddr1, flags, (s64)nr_wake + nr_requeue, ret);
	krg_redirect_exit(&requeue_redirect);
	return ret;
}
#endif

static int futex_wake_op_everywhere(u32 __user *uaddr1, unsigned int flags, u32 __user *uaddr2,
				    int nr_wake, int nr_wake2, int op);
static KRG_REDIRECT(wake_op_redirect, futex_wake_op, futex_wake_op_everywhere);

/* The kernel does not say whom it woke, nor whether it was to wake at the second word. */
static int futex_wake_op_everywhere(u32 __user *uaddr1, unsigned int flags, u32 __user *uaddr2,
				    int nr_wake, int nr_wake2, int op)
{
	s64 most = (s64)max(nr_wake, 1) + max(nr_wake2, 1);
	s64 ret = krg_sym(futex_wake_op)(uaddr1, flags, uaddr2, nr_wake, nr_wake2, op);

	if (ret >= 0 && ret < most) {
		ret += wake_rest(uaddr1, flags, max(nr_wake, 1), 0);
		ret += wake_rest(uaddr2, flags, max(nr_wake2, 1), 0);
		ret = min3(ret, most, (s64)INT_MAX);
	}
	krg_redirect_exit(&wake_op_redirect);
	return ret;
}

static struct krg_redirect *const redirects[] = {
	&wake_redirect, &requeue_redirect, &wake_op_redirect,
};

int shmfs_futex_wake_start(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(redirects); i++) {
		err = krg_redirect_add(redirects[i]);
		if (err)
			goto del;
	}
	return 0;

del:
	while (i--)
		krg_redirect_del(redirects[i]);
	return err;
}

void shmfs_futex_wake_end(void)
{
	unsigned int i = ARRAY_SIZE(redirects);

	while (i--)
		krg_redirect_del(redirects[i]);
}

/* Locks: table_lock. Return: false: nobody here has ever looked at the file. */
static bool wake_key(struct shmfs *s, const struct wire_wake *w, union futex_key *key)
{
	const struct shmfs_node *n = shmfs_node(s, le64_to_cpu(w->ino));

	if (!n || !n->inode || !S_ISREG(n->mode))
		return false;
	shmfs_futex_key(n->inode, le64_to_cpu(w->at), key);
	return true;
}

/**
 * shmfs_futex_wake_here() - wake who waits on this node
 * @key: where
 * @nr: at most so many
 * @bitset: those that wait for one of these
 *
 * Context: a kernel thread without user memory. Return: how many; -EINVAL.
 */
int shmfs_futex_wake_here(union futex_key *key, int nr, u32 bitset)
{
	return krg_sym(futex_wake)((u32 __user __force *)key, FLAGS_SIZE_32 | FLAGS_SHARED, nr,
				   bitset);
}

static int wake_serve(struct krg_rpc_request *req)
{
	const struct wire_wake *w = req->data;
	struct shmfs *s = shmfs_of(req->net);
	struct wire_woken woken = {};
	union futex_key key;
	bool known;
	int ret;

	if (req->len != sizeof(*w) || req->page || le64_to_cpu(w->at) % sizeof(u32) ||
	    le64_to_cpu(w->at) >= MAX_LFS_FILESIZE || !w->bitset ||
	    (s32)le32_to_cpu(w->nr) <= 0)
		return -EPROTO;
	atomic64_inc(&s->wakes_served);
	down_read(&s->table_lock);
	known = wake_key(s, w, &key);
	up_read(&s->table_lock);
	ret = known ? shmfs_futex_wake_here(&key, le32_to_cpu(w->nr), le32_to_cpu(w->bitset)) : 0;
	/* Nobody has opened a file here, so nobody waits. */
	if (ret == -EFAULT)
		ret = 0;
	if (ret < 0 || req->oneway)
		return min(ret, 0);
	/* They go first: they will ask for the page. */
	cond_resched();
	woken.nr = cpu_to_le32(ret);
	return krg_rpc_reply(req, &woken, sizeof(woken));
}

const struct krg_rpc_service shmfs_futex_service = {
	.id = KRG_SERVICE_SHM,
	.name = "shm",
	.max_request = sizeof(struct wire_wake),
	.max_reply = sizeof(struct wire_woken),
	.flags = KRG_RPC_POSTS | KRG_RPC_ANY_EPOCH,
	.handle = wake_serve,
	.owner = THIS_MODULE,
};
