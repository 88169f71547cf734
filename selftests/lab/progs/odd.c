// SPDX-License-Identifier: GPL-2.0-only
/*
 * odd KIND: tells the kernel something about itself that a checkpoint cannot
 * save, makes the file `ready`, and waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/membarrier.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
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

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		long (*set)(void);
	} kinds[] = {
		{ "landlock", landlock }, { "keyring", keyring }, { "numa", numa },
		{ "numa-area", numa_area }, { "pkey", pkey }, { "membarrier", membarrier },
		{ "cpu", cpu },
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
