// SPDX-License-Identifier: GPL-2.0-only
/*
 * This node leaves the cluster in order: it guards nothing any more (the view says so),
 * gives back every copy, and makes sure that nothing it sent is still on its way. Then
 * it may go. Its users get errors for what they do not have.
 */
#include "kddm.h"

#define AGAIN_MS	10	/* after a round in which others had no time */

/* As wait_event(), for conditions that take locks. */
#define kddm_wait_for(queue, condition)							\
do {											\
	wait_queue_head_t *queue__ = (queue);						\
	DEFINE_WAIT_FUNC(wait__, woken_wake_function);					\
											\
	add_wait_queue(queue__, &wait__);						\
	while (!(condition))								\
		wait_woken(&wait__, TASK_IDLE, MAX_SCHEDULE_TIMEOUT);			\
	remove_wait_queue(queue__, &wait__);						\
} while (0)

/* Every copy once; waits for the outcome. */
static void flush_all(struct kddm_net *kn)
{
	struct kddm_batch batch = { .kn = kn, .op = KRG_KDDM_OP_FLUSH };
	struct krg_kddm_set *set = NULL;
	struct kddm_object *o;
	unsigned long index;

	while ((set = kddm_set_next(kn, set)))
		xa_for_each(&set->objects, index, o)
			kddm_batch_one(&batch, set, index, false);
	kddm_batch_wait(&batch);
}

/* Does the view say that we guard nothing, and do requests go on. */
static bool may_flush(struct kddm_net *kn)
{
	bool may;

	down_read(&kn->sem);
	may = kn->view.phase == KRG_KDDM_RUN && !kn->paused &&
	      !krg_kddm_map_has(&kn->view.guards, kn->view.self);
	up_read(&kn->sem);
	return may;
}

static bool pinged(struct kddm_net *kn, u32 epoch, u32 ping)
{
	bool over;

	down_read(&kn->sem);
	over = !kn->in || kn->view.epoch != epoch || kddm_ponged(kn, ping);
	up_read(&kn->sem);
	return over;
}

/* Nothing we sent is on its way. Return: false if the view changed meanwhile. */
static bool round_trip(struct kddm_net *kn)
{
	u32 epoch, ping;

	down_write(&kn->sem);
	epoch = kn->view.epoch;
	ping = kddm_ping_members(kn);
	up_write(&kn->sem);
	kddm_wait_for(&kn->wait, pinged(kn, epoch, ping));
	return READ_ONCE(kn->view.epoch) == epoch;
}

static bool nothing_left(struct kddm_net *kn)
{
	return !atomic_long_read(&kn->nr_objects);
}

/*
 * Locks: none. The membership waits for it (krg_cluster_leave_hold()); if the node drops
 * out meanwhile it ends as well.
 */
void kddm_leave_work(struct work_struct *work)
{
	struct kddm_net *kn = container_of(work, struct kddm_net, leave_work);

	while (READ_ONCE(kn->in)) {
		kddm_wait_for(&kn->wait, !READ_ONCE(kn->in) || READ_ONCE(kn->paused) ||
			      may_flush(kn));
		/* Without quorum nobody takes anything: the others count us among the dead. */
		if (READ_ONCE(kn->paused))
			break;
		if (!nothing_left(kn)) {
			flush_all(kn);
			/* What is held or was busy is tried again. */
			wait_event_timeout(kn->wait, nothing_left(kn), msecs_to_jiffies(AGAIN_MS));
		} else if (round_trip(kn) && nothing_left(kn)) {
			break;
		}
	}
	krg_cluster_leave_release(kn->net);
}
