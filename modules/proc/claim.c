// SPDX-License-Identifier: GPL-2.0-only
/*
 * One pid, one process in the whole cluster: who restarts one claims its pid,
 * then asks every other online node whether it is in use there.
 *
 *	ASKING --> HELD		nobody has it: the task may be made
 *	   |
 *	   +-----> LOST		a lower node asked meanwhile and got the pid
 *
 * Of two nodes that restart the same pid at once, at least one is asked after
 * it has claimed, since each claims before it asks. Asked while ASKING, the
 * lower node refuses and the higher one gives in; asked while HELD, both
 * refuse. So never do both go on, and nobody waits for the other.
 *
 * A claim ends when the task is there, or will not be: from then on the pid
 * itself tells.
 *
 * A node that fails while it is asked does not count: what ran there is gone.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/list.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/ratelimit.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <net/net_namespace.h>
#include <krg/cluster.h>

#include "proc.h"
#include "wire.h"

#define CLAIM_TIMEOUT_MS	10000	/* a lost node is known to be after KRG_DETECT_MS */
#define CLAIM_RETRY_MS		50	/* after a broken connection or a change of epoch */

static DEFINE_SPINLOCK(claims_lock);
static LIST_HEAD(claims);	/* claims_lock */

static struct proc_claim *claim_find(pid_t pid)
{
	struct proc_claim *claim;

	list_for_each_entry(claim, &claims, node)
		if (claim->pid == pid)
			return claim;
	return NULL;
}

/* May @from have the pid, as far as restarts here are concerned? */
static bool claim_yield(pid_t pid, krg_node_t from)
{
	struct proc_claim *claim;
	bool yield = true;

	spin_lock(&claims_lock);
	claim = claim_find(pid);
	if (claim && claim->state == CLAIM_ASKING && from < krg_self(&init_net)) {
		claim->state = CLAIM_LOST;
		claim->winner = from;
	} else if (claim && claim->state != CLAIM_LOST) {
		yield = false;
	}
	spin_unlock(&claims_lock);
	return yield;
}

/* Does anything live under this pid? What is being killed does not. */
static bool claim_pid_lives(pid_t pid, char (*comm)[TASK_COMM_LEN])
{
	struct task_struct *task;
	bool lives = false;

	rcu_read_lock();
	task = pid_task(find_pid_ns(pid, &init_pid_ns), PIDTYPE_PID);
	if (task) {
		lives = !(READ_ONCE(task->signal->flags) & SIGNAL_GROUP_EXIT) &&
			atomic_read(&task->signal->live);
		get_task_comm(*comm, task);
	}
	rcu_read_unlock();
	return lives;
}

static int claim_serve(struct krg_rpc_request *req)
{
	const struct proc_wire_ask *ask = req->data;
	struct proc_wire_answer answer = {};
	enum proc_pid_use use = PROC_PID_FREE;
	char comm[TASK_COMM_LEN] = "";
	u32 pid;

	if (!net_eq(req->net, &init_net))
		return -EOPNOTSUPP;
	if (req->len != sizeof(*ask) || ask->reserved)
		return -EPROTO;
	pid = le32_to_cpu(ask->pid);
	if (!pid || pid >= PID_MAX_LIMIT)
		return -EPROTO;
	/* In this order: a claim ends only after its task can be found. */
	if (!claim_yield(pid, req->from))
		use = PROC_PID_RESTARTING;
	else if (claim_pid_lives(pid, &comm))
		use = PROC_PID_USED;
	answer.use = cpu_to_le32(use);
	static_assert(sizeof(comm) == sizeof(answer.comm));
	memcpy(answer.comm, comm, sizeof(answer.comm));
	return krg_rpc_reply(req, &answer, sizeof(answer));
}

static const struct krg_rpc_service claim_service = {
	.id = PROC_SERVICE_CLAIM,
	.name = "proc_claim",
	.max_request = sizeof(struct proc_wire_ask),
	.max_reply = sizeof(struct proc_wire_answer),
	.handle = claim_serve,
	.owner = THIS_MODULE,
};

struct claim_question {
	struct proc_ghost *g;
	pid_t pid;
	struct krg_nodemask answered;
	int err;
};

static int claim_read(struct claim_question *q, krg_node_t node, const struct krg_rpc_reply *rep)
{
	const struct proc_wire_answer *answer = rep->data;

	if (rep->status)
		return proc_why(q->g, rep->status,
				"node %d cannot tell whether pid %d is in use there (error %d)",
				node, q->pid, -rep->status);
	if (rep->len != sizeof(*answer) || answer->comm[PROC_WIRE_COMM - 1] ||
	    le32_to_cpu(answer->use) > PROC_PID_RESTARTING) {
		pr_warn_ratelimited("node %d sent a malformed answer about a pid\n", node);
		return proc_why(q->g, -EPROTO, "node %d sent a malformed answer", node);
	}
	switch ((enum proc_pid_use)le32_to_cpu(answer->use)) {
	case PROC_PID_FREE:
		return 0;
	case PROC_PID_USED:
		return proc_why(q->g, -EEXIST, "pid %d is in use by %s on node %d", q->pid,
				answer->comm, node);
	case PROC_PID_RESTARTING:
		break;
	}
	return proc_why(q->g, -EEXIST, "pid %d is being restarted on node %d", q->pid, node);
}

static void claim_result(krg_node_t node, int err, const struct krg_rpc_reply *rep, void *data)
{
	struct claim_question *q = data;

	switch (err) {
	case 0:
		err = claim_read(q, node, rep);
		break;
	case -EHOSTDOWN:
		err = 0;
		break;
	case -EINTR:
		break;
	case -ETIMEDOUT:
		proc_why(q->g, 0, "node %d does not say whether pid %d is in use there", node,
			 q->pid);
		break;
	case -EOPNOTSUPP:
		proc_why(q->g, 0, "krg_proc is not loaded on node %d: pid %d may be in use there",
			 node, q->pid);
		break;
	default:
		return;		/* asked again */
	}
	__set_bit(node, q->answered.bits);
	q->err = q->err ?: err;
}

/* The nodes online now that have not answered yet. */
static bool claim_others(const struct claim_question *q, struct krg_nodemask *todo)
{
	krg_online_nodes(&init_net, todo);
	__clear_bit(krg_self(&init_net), todo->bits);
	return bitmap_andnot(todo->bits, todo->bits, q->answered.bits, KRG_MAX_NODES);
}

static int claim_ask_all(struct claim_question *q)
{
	const struct proc_wire_ask ask = { .pid = cpu_to_le32(q->pid) };
	unsigned long end = jiffies + msecs_to_jiffies(CLAIM_TIMEOUT_MS);
	struct krg_rpc_opts opts = { .interruptible = true };
	struct krg_nodemask todo;
	long left;
	int err;

	while (krg_cluster_is_up(&init_net) && claim_others(q, &todo)) {
		left = max(1L, (long)(end - jiffies));
		opts.timeout_ms = jiffies_to_msecs(left);
		err = krg_rpc_multicast_call(&init_net, &todo, PROC_SERVICE_CLAIM, &ask,
					     sizeof(ask), claim_result, q, &opts);
		if (q->err)
			return q->err;
		if (err && left == 1)
			return proc_why(q->g, err, "not every node can be asked about pid %d",
					q->pid);
		if (err)
			schedule_timeout_interruptible(msecs_to_jiffies(CLAIM_RETRY_MS));
		if (signal_pending(current))
			return -EINTR;
	}
	return 0;
}

static int claim_settle(struct proc_claim *claim, struct proc_ghost *g)
{
	int err = 0;

	spin_lock(&claims_lock);
	if (claim->state == CLAIM_LOST)
		err = -EEXIST;
	else
		claim->state = CLAIM_HELD;
	spin_unlock(&claims_lock);
	if (err)
		proc_why(g, err, "pid %d is being restarted on node %d", claim->pid,
			 claim->winner);
	return err;
}

/**
 * proc_claim() - the right to make a task with this pid
 * @claim: not claimed
 * @pid: the pid
 * @g: gets the reason of an error
 *
 * Of the other nodes only: whether the pid is free here the kernel says.
 *
 * Context: process, sleeps interruptibly.
 * Return: 0, then proc_claim_end(); -EEXIST in use or being restarted; -EINTR; -ETIMEDOUT,
 * -EOPNOTSUPP a node does not answer, or cannot.
 */
int proc_claim(struct proc_claim *claim, pid_t pid, struct proc_ghost *g)
{
	struct claim_question q = { .g = g, .pid = pid };
	bool taken;
	int err;

	claim->pid = pid;
	claim->state = CLAIM_ASKING;
	spin_lock(&claims_lock);
	taken = claim_find(pid);
	if (!taken)
		list_add(&claim->node, &claims);
	spin_unlock(&claims_lock);
	if (taken)
		return proc_why(g, -EEXIST, "pid %d is being restarted", pid);
	err = claim_ask_all(&q) ?: claim_settle(claim, g);
	if (err)
		proc_claim_end(claim);
	return err;
}

/**
 * proc_claim_end() - the task is there, or will not be
 * @claim: claimed
 */
void proc_claim_end(struct proc_claim *claim)
{
	spin_lock(&claims_lock);
	list_del(&claim->node);
	spin_unlock(&claims_lock);
}

int proc_claim_init(void)
{
	return krg_rpc_register(&claim_service);
}

void proc_claim_exit(void)
{
	krg_rpc_unregister(&claim_service);
}
