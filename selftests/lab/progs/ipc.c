// SPDX-License-Identifier: GPL-2.0-only
/*
 * ipc: what programs do with System V shared memory.
 *
 *   ipc list                    the tests below, a name a line
 *   ipc test NAME               one of them, on one node: "ok", or where it went wrong
 *   ipc get KEY SIZE FLAGS      shmget(): the id, or the error's name. FLAGS: mode in
 *                               octal after letters: c(reate), e(xclusive), h(uge)
 *   ipc put ID PAGES SEED       fills it
 *   ipc check ID PAGES SEED     compares
 *   ipc touch ID PAGE           reads one byte: prints it, or SIGBUS
 *   ipc add ID TIMES            adds 1 to the first word, atomically
 *   ipc pass ID 0|1 TIMES       takes turns with another, by futex
 *   ipc sum ID                  the first word
 *   ipc at ID                   attaches for reading and writing: "ok", or the error's name
 *   ipc rmid ID                 removes it: the same
 *   ipc set ID MODE             new mode: the same
 *   ipc stat ID                 mode nattch size cpid lpid cuid, and whether times are set
 *   ipc hold ID                 attaches; then for each line of input: fork (a child that
 *                               stays), exec (itself), detach, look (first byte), end
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "need.h"
#include "signal_at.h"

#define PAGE 4096ul

static void fill(void *at, size_t size, uint64_t seed)
{
	uint64_t *w = at;
	size_t i;

	for (i = 0; i < size / 8; i++)
		w[i] = (seed + i) * 0x9e3779b97f4a7c15ull;
}

static int same(const void *at, size_t size, uint64_t seed)
{
	const uint64_t *w = at;
	size_t i;

	for (i = 0; i < size / 8; i++)
		if (w[i] != (seed + i) * 0x9e3779b97f4a7c15ull)
			return 0;
	return 1;
}

static int make(size_t size)
{
	int id = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);

	need(id >= 0);
	return id;
}

static char *attach(int id)
{
	char *at = shmat(id, NULL, 0);

	need(at != (void *)-1);
	return at;
}

static struct shmid_ds stat_of(int id)
{
	struct shmid_ds ds;

	need(!shmctl(id, IPC_STAT, &ds));
	return ds;
}

static void gone(int id)
{
	struct shmid_ds ds;

	need(shmctl(id, IPC_STAT, &ds) == -1 && (errno == EINVAL || errno == EIDRM));
	need(shmat(id, NULL, 0) == (void *)-1 && (errno == EINVAL || errno == EIDRM));
}

/* Soon: other nodes are asked first, and nobody waits for them when a process ends. */
static void gone_soon(int id)
{
	struct shmid_ds ds;
	int i;

	for (i = 0; i < 1000 && !shmctl(id, IPC_STAT, &ds); i++)
		usleep(10000);
	gone(id);
}

static int child_ok(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

static key_t free_key(void)
{
	key_t key = 0x4b000000 + getpid();

	need(shmget(key, 0, 0) == -1 && errno == ENOENT);
	return key;
}

static void test_get(void)
{
	key_t key = free_key();
	int id;

	fails(shmget(key, 100, 0600), ENOENT);
	fails(shmget(key, 0, IPC_CREAT | 0600), EINVAL);
	fails(shmget(key, SIZE_MAX, IPC_CREAT | 0600), EINVAL);
	id = shmget(key, 100, IPC_CREAT | 0600);
	need(id >= 0);
	need(shmget(key, 100, 0) == id && shmget(key, 0, 0) == id);
	need(shmget(key, 50, IPC_CREAT | 0600) == id);
	fails(shmget(key, 101, 0), EINVAL);
	fails(shmget(key, 100, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	fails(shmget(key, 1000, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	need(!shmctl(id, IPC_RMID, NULL));
	gone(id);
	fails(shmget(key, 100, 0), ENOENT);
	fails(shmctl(id, IPC_RMID, NULL), EINVAL);
}

static void test_memory(void)
{
	const size_t size = 300 * PAGE;
	int id = make(size);
	char *a = attach(id), *b = attach(id);

	need(a != b);
	need(!a[0] && !a[size - 1]);
	fill(a, size, 7);
	need(same(b, size, 7));
	need(stat_of(id).shm_nattch == 2);
	need(!shmdt(a));
	need(signal_at(a, 0) == SIGSEGV);
	need(stat_of(id).shm_nattch == 1);
	need(!shmctl(id, IPC_RMID, NULL));
	need(stat_of(id).shm_perm.mode & SHM_DEST);
	need(stat_of(id).shm_perm.__key == IPC_PRIVATE);
	need(same(b, size, 7));
	b[5] = 1;
	need(!shmdt(b));
	gone(id);
}

/* A page that is only read so far becomes writable for one process at a time. */
static void test_fork(void)
{
	int id = make(3 * PAGE);
	char *a = attach(id);
	pid_t pid;

	need(!a[PAGE]);
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		need(stat_of(id).shm_nattch == 2);
		a[PAGE] = 42;
		_exit(0);
	}
	need(child_ok(pid));
	need(a[PAGE] == 42);
	need(stat_of(id).shm_nattch == 1 && stat_of(id).shm_lpid == pid);
	pid = fork();
	if (!pid) {
		execlp("true", "true", NULL);
		_exit(1);
	}
	need(child_ok(pid) && stat_of(id).shm_nattch == 1);
	need(!shmctl(id, IPC_RMID, NULL));
	pid = fork();
	if (!pid) {
		a[7] = 8;
		_exit(0);
	}
	need(!shmdt(a) && child_ok(pid));
	gone_soon(id);
}

static void test_readonly(void)
{
	int id = make(2 * PAGE);
	char *r = shmat(id, NULL, SHM_RDONLY), *w = attach(id);

	need(r != (void *)-1);
	need(signal_at(r, 1) == SIGSEGV);
	need(!*r);
	*w = 9;
	need(*r == 9);
	fails(mprotect(r, PAGE, PROT_READ | PROT_WRITE), EACCES);
	need(!shmdt(r) && !shmdt(w) && !shmctl(id, IPC_RMID, NULL));
}

static void test_address(void)
{
	int id = make(4 * PAGE), id2 = make(PAGE);
	/* Volatile: memory twice, as the compiler does not expect it. */
	volatile char *v;
	char *a = attach(id), *at = a + 64 * PAGE * 16, *b;

	fails(shmat(id, a + 1, 0), EINVAL);
	fails(shmat(id, a, 0), EINVAL);
	fails(shmat(id, NULL, SHM_REMAP), EINVAL);
	fails(shmat(-1, NULL, 0), EINVAL);
	fails(shmat(id + 1000, NULL, 0), EINVAL);
	munmap(at, 16 * PAGE);
	need(shmat(id, at + 100, SHM_RND) == at);
	v = a;
	*v = 5;
	v = at;
	need(*v == 5);
	b = shmat(id2, at + PAGE, SHM_REMAP);
	need(b == at + PAGE);
	*b = 6;
	need(!a[PAGE] && stat_of(id2).shm_nattch == 1);
	need(!shmdt(b));
	fails(shmdt(b), EINVAL);
	fails(shmdt(a + 1), EINVAL);
	/* What REMAP has left of the first, on both sides. */
	need(!shmdt(at) && stat_of(id).shm_nattch == 1);
	need(signal_at(at + 3 * PAGE, 0) == SIGSEGV);
	need(!shmdt(a) && !shmctl(id, IPC_RMID, NULL) && !shmctl(id2, IPC_RMID, NULL));
}

static void test_unmap(void)
{
	int id = make(8 * PAGE);
	char *a = attach(id), *b;

	need(!munmap(a + 2 * PAGE, PAGE));
	need(stat_of(id).shm_nattch == 2);
	need(!munmap(a, PAGE));
	need(!shmdt(a) && !stat_of(id).shm_nattch);
	a = attach(id);
	a[5 * PAGE] = 3;
	b = mremap(a, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, a + 4096 * PAGE);
	need(b == a + 4096 * PAGE && b[5 * PAGE] == 3 && stat_of(id).shm_nattch == 1);
	need(!mprotect(b + PAGE, PAGE, PROT_READ) && stat_of(id).shm_nattch == 3);
	need(!mprotect(b, 8 * PAGE, PROT_READ | PROT_WRITE));
	b[PAGE] = 4;
	need(!madvise(b, 8 * PAGE, MADV_DONTNEED) && b[PAGE] == 4 && b[5 * PAGE] == 3);
	need(!madvise(b + 5 * PAGE, PAGE, MADV_REMOVE) && !b[5 * PAGE]);
	need(!munmap(b, 8 * PAGE) && !stat_of(id).shm_nattch);
	need(!shmctl(id, IPC_RMID, NULL));
}

static void test_beyond(void)
{
	int id = make(PAGE + 10);
	char *a = attach(id);

	need(stat_of(id).shm_segsz == PAGE + 10);
	a[2 * PAGE - 1] = 1;
	need(a[2 * PAGE - 1] == 1);
	need(!shmdt(a) && !shmctl(id, IPC_RMID, NULL));
}

static void test_stat(void)
{
	time_t now = time(NULL);
	int id = make(PAGE);
	struct shmid_ds ds = stat_of(id);
	char *a;

	need(ds.shm_perm.uid == geteuid() && ds.shm_perm.cgid == getegid());
	need((ds.shm_perm.mode & 0777) == 0600 && ds.shm_segsz == PAGE);
	need(ds.shm_cpid == getpid() && !ds.shm_lpid && !ds.shm_nattch);
	need(!ds.shm_atime && !ds.shm_dtime && ds.shm_ctime >= now);
	a = attach(id);
	ds = stat_of(id);
	need(ds.shm_atime >= now && ds.shm_lpid == getpid() && !ds.shm_dtime);
	need(!shmdt(a));
	ds = stat_of(id);
	need(ds.shm_dtime >= now && !ds.shm_nattch);
	ds.shm_perm.mode = 0640;
	ds.shm_perm.uid = 12;
	ds.shm_perm.gid = 13;
	need(!shmctl(id, IPC_SET, &ds));
	ds = stat_of(id);
	need((ds.shm_perm.mode & 0777) == 0640 && ds.shm_perm.uid == 12 && ds.shm_perm.gid == 13);
	need(ds.shm_perm.cuid == geteuid());
	ds.shm_perm.uid = -1;
	fails(shmctl(id, IPC_SET, &ds), EINVAL);
	fails(shmctl(id, IPC_SET, (void *)1), EFAULT);
	fails(shmctl(id, IPC_STAT, (void *)1), EFAULT);
	fails(shmctl(id, 12345, &ds), EINVAL);
	fails(shmctl(-1, IPC_STAT, &ds), EINVAL);
	need(!shmctl(id, IPC_RMID, NULL));
}

static void test_info(void)
{
	int id = make(5 * PAGE), index, max, seen = 0;
	struct shminfo limits;
	struct shm_info info;
	struct shmid_ds ds;
	char *a = attach(id);

	memset(a, 1, 5 * PAGE);
	max = shmctl(0, IPC_INFO, (struct shmid_ds *)&limits);
	need(max >= 0 && limits.shmmin == 1 && limits.shmmni > 0);
	need(shmctl(0, SHM_INFO, (struct shmid_ds *)&info) == max);
	need(info.used_ids >= 1 && info.shm_tot >= 5 && info.shm_rss >= 5);
	for (index = 0; index <= max; index++)
		if (shmctl(index, SHM_STAT, &ds) == id)
			seen++;
	need(seen == 1);
	need(!shmdt(a) && !shmctl(id, IPC_RMID, NULL));
}

static void test_lock(void)
{
	int id = make(3 * PAGE);
	char *a = attach(id);

	memset(a, 1, 3 * PAGE);
	need(!shmctl(id, SHM_LOCK, NULL));
	need(stat_of(id).shm_perm.mode & SHM_LOCKED);
	need(!shmctl(id, SHM_UNLOCK, NULL));
	need(!(stat_of(id).shm_perm.mode & SHM_LOCKED) && a[PAGE] == 1);
	need(!shmctl(id, SHM_LOCK, NULL));
	need(!mlock(a, 3 * PAGE) && !shmdt(a) && !shmctl(id, IPC_RMID, NULL));
	gone(id);
}

/* As somebody else. */
static void as_nobody(int id, key_t key)
{
	struct shmid_ds ds = { .shm_perm.mode = 0666 };

	need(!setgid(65534) && !setuid(65534));
	fails(shmat(id, NULL, 0), EACCES);
	need(shmat(id, NULL, SHM_RDONLY) != (void *)-1);
	fails(shmget(key, 0, 0200), EACCES);
	need(shmget(key, 0, 0400) == id);
	fails(shmctl(id, IPC_SET, &ds), EPERM);
	fails(shmctl(id, IPC_RMID, NULL), EPERM);
	fails(shmctl(id, SHM_LOCK, NULL), EPERM);
	_exit(0);
}

static void test_rights(void)
{
	key_t key = free_key();
	struct shmid_ds ds;
	int id = shmget(key, PAGE, IPC_CREAT | 0604);
	pid_t pid;

	need(id >= 0);
	pid = fork();
	if (!pid)
		as_nobody(id, key);
	need(child_ok(pid));
	ds = stat_of(id);
	ds.shm_perm.mode = 0600;
	need(!shmctl(id, IPC_SET, &ds));
	pid = fork();
	if (!pid) {
		need(!setgid(65534) && !setuid(65534));
		fails(shmctl(id, IPC_STAT, &ds), EACCES);
		fails(shmat(id, NULL, SHM_RDONLY), EACCES);
		_exit(0);
	}
	need(child_ok(pid) && !shmctl(id, IPC_RMID, NULL));
}

/* Huge pages are refused, not given to this node alone. */
static void test_huge(void)
{
	fails(shmget(IPC_PRIVATE, 1 << 21, SHM_HUGETLB | IPC_CREAT | 0600), EOPNOTSUPP);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "get", test_get },	     { "memory", test_memory },	  { "fork", test_fork },
	{ "readonly", test_readonly }, { "address", test_address }, { "unmap", test_unmap },
	{ "beyond", test_beyond },   { "stat", test_stat },	  { "info", test_info },
	{ "lock", test_lock },	     { "rights", test_rights },	  { "huge", test_huge },
};

#define TESTS (sizeof(tests) / sizeof(tests[0]))

/* A result as the scenario reads it. */
static int say(long ret)
{
	if (ret == -1)
		printf("%s\n", strerrorname_np(errno));
	else
		printf("ok\n");
	return ret == -1;
}

static int do_get(const char *key, const char *size, const char *flags)
{
	int flg = strtol(flags + strcspn(flags, "01234567"), NULL, 8), id;

	if (strchr(flags, 'c'))
		flg |= IPC_CREAT;
	if (strchr(flags, 'e'))
		flg |= IPC_EXCL;
	if (strchr(flags, 'h'))
		flg |= SHM_HUGETLB;
	id = shmget(strtoul(key, NULL, 0), strtoul(size, NULL, 0), flg);
	if (id < 0)
		return say(-1);
	printf("%d\n", id);
	return 0;
}

static int do_check(int id, size_t pages, uint64_t seed)
{
	char *at = shmat(id, NULL, SHM_RDONLY);

	need(at != (void *)-1);
	need(same(at, pages * PAGE, seed));
	printf("ok\n");
	return 0;
}

static int do_touch(int id, size_t page)
{
	char *at = attach(id);
	int sig = signal_at(at + page * PAGE, 0);

	if (sig)
		printf("%s\n", sig == SIGBUS ? "SIGBUS" : "SIGSEGV");
	else
		printf("%d\n", at[page * PAGE]);
	return 0;
}

static int do_add(int id, long times)
{
	atomic_ulong *word = (void *)attach(id);

	while (times--)
		atomic_fetch_add(word, 1);
	return 0;
}

/* Two take turns: 0 and 1. Who is to be woken and is not ends after 20 s. */
static int do_pass(int id, unsigned int who, long times)
{
	const struct timespec limit = { .tv_sec = 20 };
	volatile unsigned int *turn = (volatile unsigned int *)attach(id);

	while (times--) {
		while (*turn != who)
			if (syscall(SYS_futex, turn, FUTEX_WAIT, !who, &limit) && errno == ETIMEDOUT)
				return 1;
		*turn = !who;
		need(syscall(SYS_futex, turn, FUTEX_WAKE, 1) >= 0);
	}
	return 0;
}

static int do_set(int id, const char *mode)
{
	struct shmid_ds ds;

	if (shmctl(id, IPC_STAT, &ds))
		return say(-1);
	ds.shm_perm.mode = strtol(mode, NULL, 8);
	return say(shmctl(id, IPC_SET, &ds));
}

static int do_stat(int id)
{
	struct shmid_ds ds;

	if (shmctl(id, IPC_STAT, &ds))
		return say(-1);
	printf("%o %lu %zu %d %d %u %d%d%d\n", ds.shm_perm.mode, ds.shm_nattch, ds.shm_segsz,
	       ds.shm_cpid, ds.shm_lpid, ds.shm_perm.cuid, !!ds.shm_atime, !!ds.shm_dtime,
	       !!ds.shm_ctime);
	return 0;
}

static void hold_fork(void)
{
	pid_t pid = fork();

	need(pid >= 0);
	while (!pid)
		pause();
}

static int do_hold(char **argv, int id)
{
	char *at = attach(id);
	char line[80];

	printf("held\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		if (!strcmp(line, "fork"))
			hold_fork();
		else if (!strcmp(line, "exec"))
			execv(argv[0], argv);
		else if (!strcmp(line, "detach"))
			need(!shmdt(at));
		else if (!strcmp(line, "look"))
			printf("%d\n", *at);
		else if (!strcmp(line, "end"))
			return 0;
		fflush(stdout);
	}
	return 0;
}

static int run_test(const char *name)
{
	size_t i;

	for (i = 0; i < TESTS; i++)
		if (!strcmp(tests[i].name, name)) {
			tests[i].run();
			printf("ok\n");
			return 0;
		}
	return 2;
}

static int run_list(void)
{
	size_t i;

	for (i = 0; i < TESTS; i++)
		printf("%s\n", tests[i].name);
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "ipc: see the head of its source\n");
	return 2;
}

static int run_id(char **argv, int argc, const char *what, int id)
{
	if (!strcmp(what, "sum"))
		return printf("%lu\n", *(unsigned long *)attach(id)) < 0;
	if (!strcmp(what, "at"))
		return say((long)shmat(id, NULL, 0));
	if (!strcmp(what, "rmid"))
		return say(shmctl(id, IPC_RMID, NULL));
	if (!strcmp(what, "stat"))
		return do_stat(id);
	if (!strcmp(what, "hold"))
		return do_hold(argv, id);
	if (argc < 4)
		return usage();
	if (!strcmp(what, "touch"))
		return do_touch(id, strtoul(argv[3], NULL, 0));
	if (!strcmp(what, "add"))
		return do_add(id, strtol(argv[3], NULL, 0));
	if (!strcmp(what, "set"))
		return do_set(id, argv[3]);
	if (argc < 5)
		return usage();
	if (!strcmp(what, "pass"))
		return do_pass(id, strtoul(argv[3], NULL, 0), strtol(argv[4], NULL, 0));
	if (!strcmp(what, "check"))
		return do_check(id, strtoul(argv[3], NULL, 0), strtoul(argv[4], NULL, 0));
	if (strcmp(what, "put"))
		return usage();
	fill(attach(id), strtoul(argv[3], NULL, 0) * PAGE, strtoul(argv[4], NULL, 0));
	return say(0);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "list"))
		return run_list();
	if (argc == 3 && !strcmp(argv[1], "test"))
		return run_test(argv[2]);
	if (argc == 5 && !strcmp(argv[1], "get"))
		return do_get(argv[2], argv[3], argv[4]);
	if (argc < 3)
		return usage();
	return run_id(argv, argc, argv[1], atoi(argv[2]));
}
