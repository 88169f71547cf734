// SPDX-License-Identifier: GPL-2.0-only
/* Mounted when the cluster starts, gone when this node leaves: by mount(8). */
#define pr_fmt(fmt) "krg_mm: " fmt

#include <linux/kmod.h>
#include <linux/module.h>
#include <net/net_namespace.h>
#include "shmfs.h"

static char *shm = "/dev/shm";
module_param(shm, charp, 0444);
MODULE_PARM_DESC(shm, "where shared memory is mounted when the cluster starts; empty = nowhere");

#define WORDS_MAX	6

static char *const mount_env[] = { "HOME=/", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };

/* A command; its last word is where. */
static int run(const char *const *words, unsigned int count)
{
	char *argv[WORDS_MAX + 2] = {};

	memcpy(argv, words, count * sizeof(*words));
	argv[count] = shm;
	return call_usermodehelper(argv[0], argv, (char **)mount_env, UMH_WAIT_PROC);
}

static int mount_do(void)
{
	static const char *const words[] = {
		"/bin/mount", "-t", "krgshm", "-o", "nosuid,nodev", "krgshm",
	};

	return run(words, ARRAY_SIZE(words));
}

/* Lazily: who uses it gets errors, not this node's leaving delayed. */
static int mount_undo(void)
{
	static const char *const words[] = { "/bin/umount", "-l" };

	return run(words, ARRAY_SIZE(words));
}

void shmfs_mount_work(struct work_struct *work)
{
	struct shmfs *s = container_of(work, struct shmfs, mount_work);
	bool wanted = READ_ONCE(s->want_mounted);
	int err;

	if (wanted == s->mounted)
		goto release;
	/* Somebody may have unmounted it already. */
	if (!wanted && !READ_ONCE(s->sb))
		err = 0;
	else
		err = wanted ? mount_do() : mount_undo();
	if (err)
		pr_err("%s: %s failed (%d)\n", shm, wanted ? "mount" : "umount", err);
	s->mounted = wanted && !err;
release:
	if (!wanted && xchg(&s->leaving, 0))
		krg_cluster_leave_release(s->net);
}

/**
 * shmfs_mount_notify() - the cluster has started, or this node leaves it
 * @s: node; only that of the first namespace has a place where it is mounted
 * @wanted: which
 */
void shmfs_mount_notify(struct shmfs *s, bool wanted)
{
	if (!*shm || !net_eq(s->net, &init_net))
		return;
	WRITE_ONCE(s->want_mounted, wanted);
	queue_work(shmfs_wq, &s->mount_work);
}

/* This node leaves: when nothing is mounted any more. */
void shmfs_mount_leave(struct shmfs *s)
{
	krg_cluster_leave_hold(s->net);
	WRITE_ONCE(s->want_mounted, false);
	xchg(&s->leaving, 1);
	queue_work(shmfs_wq, &s->mount_work);
}

void shmfs_mount_end(struct shmfs *s)
{
	flush_work(&s->mount_work);
}
