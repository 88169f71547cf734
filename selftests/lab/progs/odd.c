// SPDX-License-Identifier: GPL-2.0-only
/*
 * odd KIND: tells the kernel something about itself that a checkpoint cannot
 * save, makes the file `ready`, and waits.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/membarrier.h>
#include <linux/mempolicy.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static long landlock(void)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_BLOCK };
	long fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_landlock_restrict_self, fd, 0))
		return -1;
	return close(fd);
}

static long keyring(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1);
}

static long numa(void)
{
	unsigned long nodes = 1;

	return syscall(SYS_set_mempolicy, MPOL_BIND, &nodes, 8);
}

static long numa_area(void)
{
	void *area = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long nodes = 1;

	return syscall(SYS_mbind, area, 4096, MPOL_BIND, &nodes, 8, 0);
}

static long pkey(void)
{
	return syscall(SYS_pkey_alloc, 0, 0);
}

static long membarrier(void)
{
	return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
}

static long cpu(void)
{
	return prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0);
}

static long seccomp(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog all = { .len = 1, .filter = &allow };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all, 0, 0);
}

static long io_uring(void)
{
	struct io_uring_params params = { 0 };

	return syscall(SYS_io_uring_setup, 4, &params);
}

static long timer(void)
{
	timer_t id;

	return timer_create(CLOCK_MONOTONIC, NULL, &id);
}

static long undo(void)
{
	int id = semget(IPC_PRIVATE, 1, 0600);
	struct sembuf up = { .sem_op = 1, .sem_flg = SEM_UNDO };
	long ret = id < 0 ? -1 : semop(id, &up, 1);

	return ret;
}

static long deadline(void)
{
	/* struct sched_attr, whose header does not go with libc's. */
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { sizeof(attr), 6, 0, 0, 0, 10000000, 100000000, 100000000 };

	return syscall(SYS_sched_setattr, 0, &attr, 0);
}

static long uts(void)
{
	return unshare(CLONE_NEWUTS);
}

static long root(void)
{
	return chroot("/tmp");
}

static long ldt(void)
{
	struct user_desc seg = { .entry_number = 0, .limit = 100, .seg_32bit = 1 };

	return syscall(SYS_modify_ldt, 1, &seg, sizeof(seg));
}

static int file(int flags)
{
	int fd = open("a file", O_RDWR | O_CREAT | flags, 0600);

	return fd < 0 || ftruncate(fd, 4096) ? -1 : fd;
}

static long mapped(int flags, int fd)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags, fd, 0) == MAP_FAILED ? -1 : 0;
}

static long shared(void)
{
	return mapped(MAP_SHARED | MAP_ANONYMOUS, -1);
}

static long mapping(void)
{
	return mapped(MAP_SHARED, file(0));
}

static long path(void)
{
	return open("/tmp", O_PATH);
}

static long async(void)
{
	int ends[2];

	return pipe(ends) ? -1 : fcntl(ends[0], F_SETFL, O_ASYNC);
}

static long whole_lock(void)
{
	return flock(file(0), LOCK_EX);
}

static long range_lock(void)
{
	struct flock all = { .l_type = F_WRLCK };

	return fcntl(file(0), F_SETLK, &all);
}

static long event_fd(void)
{
	return eventfd(0, 0);
}

static long epoll(void)
{
	return epoll_create1(0);
}

static long timer_fd(void)
{
	return timerfd_create(CLOCK_MONOTONIC, 0);
}

static long faults(void)
{
	void *area = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register reg = {
		.range = { .start = (unsigned long)area, .len = 4096 },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_api api = { .api = UFFD_API };
	long fd = syscall(SYS_userfaultfd, 0);

	return fd < 0 || ioctl(fd, UFFDIO_API, &api) ? -1 : ioctl(fd, UFFDIO_REGISTER, &reg);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		long (*set)(void);
	} kinds[] = {
		{ "landlock", landlock }, { "keyring", keyring }, { "numa", numa },
		{ "numa-area", numa_area }, { "pkey", pkey }, { "membarrier", membarrier },
		{ "cpu", cpu }, { "seccomp", seccomp }, { "io_uring", io_uring }, { "timer", timer },
		{ "undo", undo }, { "deadline", deadline }, { "uts", uts }, { "root", root },
		{ "ldt", ldt }, { "shared", shared }, { "mapping", mapping }, { "path", path },
		{ "async", async }, { "whole-lock", whole_lock }, { "range-lock", range_lock },
		{ "eventfd", event_fd }, { "epoll", epoll }, { "timerfd", timer_fd },
		{ "faults", faults },
	};
	size_t i;

	for (i = 0; argc == 2 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(argv[1], kinds[i].name))
			continue;
		if (kinds[i].set() < 0) {
			fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
			return 1;
		}
		close(open("ready", O_WRONLY | O_CREAT, 0600));
		for (;;)
			pause();
	}
	return 2;
}
