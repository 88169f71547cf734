// SPDX-License-Identifier: GPL-2.0-only
/*
 * Futexes in shared files: which one an address is, the same on all nodes.
 *
 * The kernel's own futex code does the waiting and waking, on each node for those that
 * wait there. Two things are ours: the key of a word in a shared file is made from the
 * mapping alone, so no page has to come here for it; and who wakes goes on to other
 * nodes (futex_wake.c). Who may have waiters is known without being told: nodes that
 * have opened the file (holders), and they were known before they could map it; all
 * members if it is kept.
 *
 * The key of a wakeup that comes from another node has no address: it is what a kernel
 * thread gives as one. Threads that have no user memory call nothing else of this.
 *
 *   waiter				waker
 *     locks the bucket, reads		writes the word: by then no copy of the old value
 *     the word, queues itself		is left on any node
 *     sleeps				wakes here, then on the other holders
 *
 * So a waiter that read the old value has locked its bucket before the waker wrote, and
 * whoever wakes on its node finds it.
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <asm/syscall.h>
#include <krg/hook.h>
#include "shmfs.h"

#define ACCESS_READ	0u	/* enum futex_access */

static DEFINE_MUTEX(futex_lock);
static bool futex_on;		/* written under futex_lock */
static unsigned int futex_mounts;	/* futex_lock */

/* Those of page caches, unlike those the kernel gives to other inodes. */
u64 shmfs_futex_sequence(void)
{
	static atomic64_t last;

	return 1ull << 63 | atomic64_inc_return(&last);
}

/**
 * shmfs_futex_key() - the kernel's name of a word on this node
 * @inode: file
 * @at: byte of it
 * @key: filled
 */
void shmfs_futex_key(const struct inode *inode, u64 at, union futex_key *key)
{
	*key = FUTEX_KEY_INIT;
	key->shared.i_seq = atomic64_read(&inode->i_mapping->host->i_sequence);
	key->shared.pgoff = at >> PAGE_SHIFT;
	key->shared.offset = offset_in_page(at) | FUT_OFF_INODE;
}

static bool vma_allows(const struct vm_area_struct *vma, unsigned int access)
{
	return vma->vm_flags & (access == ACCESS_READ ? VM_READ | VM_WRITE : VM_WRITE);
}

static bool vma_place(const struct vm_area_struct *vma, unsigned long address,
		      struct shmfs_futex *f)
{
	struct inode *inode = file_inode(vma->vm_file);
	u64 page = vma->vm_pgoff + ((address - vma->vm_start) >> PAGE_SHIFT);

	/* Beyond the end there is nothing; the kernel says that better. */
	if (page >= DIV_ROUND_UP_ULL(i_size_read(inode), PAGE_SIZE))
		return false;
	ihold(inode);
	f->inode = inode;
	f->at = page << PAGE_SHIFT | offset_in_page(address);
	return true;
}

static bool place_find(const u32 __user *uaddr, unsigned int access, struct shmfs_futex *f)
{
	unsigned long address = (unsigned long)uaddr;
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	bool ours;

	if (!mm || address % sizeof(u32))
		return false;
	mmap_read_lock(mm);
	vma = vma_lookup(mm, address);
	ours = vma && shmfs_vma_shared(vma) && vma_allows(vma, access) &&
	       vma_place(vma, address, f);
	mmap_read_unlock(mm);
	return ours;
}

/**
 * shmfs_futex_find() - which word of a shared file an address is
 * @uaddr: address
 * @f: filled; then to be given to shmfs_futex_put()
 *
 * Context: process, may sleep. Return: false: it is something else.
 */
bool shmfs_futex_find(const u32 __user *uaddr, struct shmfs_futex *f)
{
	return place_find(uaddr, ACCESS_READ, f);
}

void shmfs_futex_put(struct shmfs_futex *f)
{
	iput(f->inode);
}

/**
 * shmfs_futex_others() - nodes that may have waiters in a file
 * @s: this node
 * @n: file
 * @mask: filled; not with this node
 *
 * Return: whether there are any.
 */
bool shmfs_futex_others(struct shmfs *s, const struct shmfs_node *n, struct krg_nodemask *mask)
{
	krg_node_t self = krg_self(s->net);
	bool any;

	down_read(&s->table_lock);
	any = self >= 0 && !n->dead;
	if (any && n->kept)
		krg_online_nodes(s->net, mask);
	else if (any)
		*mask = n->holders;
	up_read(&s->table_lock);
	if (!any)
		return false;
	__clear_bit(self, mask->bits);
	return !bitmap_empty(mask->bits, KRG_MAX_NODES);
}

/* The word of a lock with priority inheritance names a thread this node does not have. */
static bool owner_elsewhere(const u32 __user *uaddr)
{
	bool here;
	u32 word;

	if (get_user(word, uaddr) || !(word & FUTEX_TID_MASK))
		return false;
	rcu_read_lock();
	here = pid_task(find_vpid(word & FUTEX_TID_MASK), PIDTYPE_PID);
	rcu_read_unlock();
	return !here;
}

/*
 * Priority is inherited within a node. Only futex() comes here for a word it wants to
 * write to, so the task is in that.
 */
static bool pi_refused(const struct shmfs_futex *f, const u32 __user *uaddr)
{
	struct krg_nodemask others;
	unsigned long args[6];
	bool refuse;

	syscall_get_arguments(current, task_pt_regs(current), args);
	switch (args[1] & FUTEX_CMD_MASK) {
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
	case FUTEX_TRYLOCK_PI:
		refuse = owner_elsewhere(uaddr);
		break;
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_CMP_REQUEUE_PI:
		refuse = true;
		break;
	default:
		return false;
	}
	return refuse && shmfs_futex_others(shmfs_of_inode(f->inode), shmfs_node_of(f->inode),
					    &others);
}

/* Return: -ENOENT: not ours. */
static int key_ours(u32 __user *uaddr, union futex_key *key, unsigned int access)
{
	struct shmfs_futex f;
	int err = 0;

	if (current->flags & PF_KTHREAD && !current->mm) {
		*key = *(union futex_key __force *)uaddr;
		return 0;
	}
	if (!place_find(uaddr, access, &f))
		return -ENOENT;
	if (access != ACCESS_READ && pi_refused(&f, uaddr))
		err = -EOPNOTSUPP;
	if (access == ACCESS_READ)
		shmfs_robust_look(&f, uaddr);
	shmfs_futex_key(f.inode, f.at, key);
	shmfs_futex_put(&f);
	return err;
}

static int futex_key(u32 __user *uaddr, futex_key_flags_t flags, union futex_key *key,
		     unsigned int access);
static KRG_REDIRECT(key_redirect, get_futex_key, futex_key);

static int futex_key(u32 __user *uaddr, futex_key_flags_t flags, union futex_key *key,
		     unsigned int access)
{
	int err = flags & FLAGS_SHARED ? key_ours(uaddr, key, access) : -ENOENT;

	if (err == -ENOENT)
		err = krg_sym(get_futex_key)(uaddr, flags, key, access);
	krg_redirect_exit(&key_redirect);
	return err;
}

static int futex_start(void)
{
	int err = krg_redirect_add(&key_redirect);

	if (err)
		return err;
	err = shmfs_futex_wake_start();
	if (err)
		krg_redirect_del(&key_redirect);
	return err;
}

/**
 * shmfs_futex_use() - a file is opened: futexes may be in it
 *
 * Until then nobody's futexes come by here.
 *
 * Context: process, may sleep. Return: 0; as krg_redirect_add().
 */
int shmfs_futex_use(void)
{
	int err = 0;

	if (READ_ONCE(futex_on))
		return 0;
	mutex_lock(&futex_lock);
	if (!futex_on) {
		err = futex_start();
		if (!err)
			WRITE_ONCE(futex_on, true);
	}
	mutex_unlock(&futex_lock);
	return err;
}

static void futex_end_work(struct work_struct *work)
{
	mutex_lock(&futex_lock);
	if (!futex_mounts && futex_on) {
		shmfs_futex_wake_end();
		krg_redirect_del(&key_redirect);
		WRITE_ONCE(futex_on, false);
	}
	mutex_unlock(&futex_lock);
}

static DECLARE_WORK(futex_end, futex_end_work);

/* A file system has come, or is gone: with the last one nobody has such files. */
void shmfs_futex_mounted(bool yes)
{
	mutex_lock(&futex_lock);
	if (yes)
		futex_mounts++;
	else if (!--futex_mounts)
		queue_work(shmfs_wq, &futex_end);
	mutex_unlock(&futex_lock);
}

/* Nothing is mounted. */
void shmfs_futex_exit(void)
{
	flush_work(&futex_end);
}
