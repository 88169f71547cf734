// SPDX-License-Identifier: GPL-2.0-only
/*
 * shm: what programs do with shared memory. In the current directory, names given:
 *
 *   shm list                    the tests below, a name a line
 *   shm test NAME               one of them, on one node: "ok", or where it went wrong
 *   shm put FILE PAGES SEED     makes it, through memory, filled by SEED
 *   shm check FILE PAGES SEED   reads it, through memory, and compares
 *   shm read FILE PAGES SEED    the same by read()
 *   shm write FILE PAGE SEED    fills one page, through memory
 *   shm add FILE WHO TIMES      adds 1 to a word of its own and to a common one under a
 *                               lock made of atomic operations, TIMES times
 *   shm sum FILE                the common word
 *   shm futex FILE 0 TIMES      futex system calls on a page that "add" uses elsewhere
 *   shm append FILE WHO TIMES   lines "WHO N", one write() each, with O_APPEND
 *   shm touch FILE PAGE         reads one byte: prints it, or SIGBUS
 *   shm hold FILE               maps and keeps it; prints "held", then the first byte
 *                               for each line of input
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "need.h"
#include "signal_at.h"

#define PAGE 4096ul

/* Does touching @at raise SIGBUS. */
static int bus_at(volatile char *at, int write)
{
	int sig = signal_at(at, write);

	need(sig != SIGSEGV);
	return sig == SIGBUS;
}

static int make(const char *name, size_t size)
{
	int fd;

	unlink(name);
	fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0666);
	need(fd >= 0);
	need(!ftruncate(fd, size));
	return fd;
}

static char *map_with(int fd, size_t size, int prot, int flags)
{
	char *at = mmap(NULL, size, prot, flags, fd, 0);

	need(at != MAP_FAILED);
	return at;
}

static char *map(int fd, size_t size)
{
	return map_with(fd, size, PROT_READ | PROT_WRITE, MAP_SHARED);
}

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

static int blank(const char *at, size_t size)
{
	return !*at && !memcmp(at, at + 1, size - 1);
}

static int child_ok(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

/* ---- tests */

static void test_map(void)
{
	int fd = make("t.map", 40 * PAGE);
	char *a = map(fd, 40 * PAGE), *b = map(fd, 40 * PAGE), *buf = malloc(40 * PAGE);

	need(blank(a, 40 * PAGE));
	fill(a, 40 * PAGE, 1);
	need(same(b, 40 * PAGE, 1));
	need(pread(fd, buf, 40 * PAGE, 0) == 40 * PAGE && same(buf, 40 * PAGE, 1));
	fill(buf, 40 * PAGE, 2);
	need(pwrite(fd, buf, 40 * PAGE, 0) == 40 * PAGE);
	need(same(a, 40 * PAGE, 2) && same(b, 40 * PAGE, 2));
	need(!munmap(a, 40 * PAGE) && same(b, 40 * PAGE, 2));
	need(!unlink("t.map") && same(b, 40 * PAGE, 2));
}

static void test_bus(void)
{
	int fd = make("t.bus", 2 * PAGE + 10);
	char *a = map(fd, 8 * PAGE);

	fill(a, 2 * PAGE, 1);
	a[2 * PAGE + 5] = 'x';
	a[2 * PAGE + 20] = 'y';
	need(bus_at(a + 3 * PAGE, 0) && bus_at(a + 7 * PAGE, 1));
	need(!ftruncate(fd, 8 * PAGE));
	a[7 * PAGE] = 7;
	need(!ftruncate(fd, 100));
	need(bus_at(a + PAGE, 0) && bus_at(a + 2 * PAGE, 1) && bus_at(a + 7 * PAGE, 0));
	need(!ftruncate(fd, 8 * PAGE));
	need(same(a, 96, 1) && blank(a + 100, 8 * PAGE - 100));
	need(!ftruncate(fd, 0) && bus_at(a, 1));
	need(!unlink("t.bus"));
}

static void test_fork(void)
{
	int fd = make("t.fork", 4 * PAGE);
	char *a = map(fd, 4 * PAGE);
	char *p = map_with(fd, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	pid_t pid;

	a[0] = 'a';
	need(p[0] == 'a');
	p[0] = 'p';
	a[0] = 'b';
	need(p[0] == 'p' && p[1] == 0);
	need(p[PAGE] == 0);
	a[PAGE] = 'c';
	need(p[PAGE] == 'c');
	pid = fork();
	if (!pid) {
		need(a[0] == 'b' && p[0] == 'p');
		a[1] = 'x';
		p[0] = 'q';
		fill(a + 2 * PAGE, 2 * PAGE, 3);
		_exit(0);
	}
	need(child_ok(pid));
	need(a[1] == 'x' && p[0] == 'p' && same(a + 2 * PAGE, 2 * PAGE, 3));
	need(!unlink("t.fork"));
}

static void test_calls(void)
{
	int fd = make("t.calls", 64 * PAGE);
	unsigned char seen[64];
	char *a, *b;

	a = map_with(fd, 32 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE);
	need(!mincore(a, 32 * PAGE, seen));
	fill(a, 32 * PAGE, 1);
	need(!msync(a, 32 * PAGE, MS_SYNC) && !msync(a, 32 * PAGE, MS_ASYNC));
	need(!mlock(a, 32 * PAGE) && !munlock(a, 32 * PAGE));
	b = mremap(a, 32 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
	need(b != MAP_FAILED && same(b, 32 * PAGE, 1) && blank(b + 32 * PAGE, 32 * PAGE));
	fill(b + 32 * PAGE, 32 * PAGE, 2);
	b = mremap(b, 64 * PAGE, 16 * PAGE, 0);
	need(b != MAP_FAILED && same(b, 16 * PAGE, 1));
	need(!madvise(b, 16 * PAGE, MADV_DONTNEED) && same(b, 16 * PAGE, 1));
	need(!mprotect(b, 16 * PAGE, PROT_READ) && same(b, 16 * PAGE, 1));
	need(!mprotect(b, 16 * PAGE, PROT_READ | PROT_WRITE));
	fill(b, 16 * PAGE, 4);
	need(!fsync(fd) && !fdatasync(fd));
	need(!unlink("t.calls"));
}

static void test_buffer(void)
{
	int fd = make("t.buffer", 64 * PAGE), other = make("t.other", 0), ends[2];
	char *a = map(fd, 64 * PAGE), *buf = malloc(16 * PAGE);
	void *volatile nowhere = (void *)8;
	struct iovec from, to;

	fill(buf, 16 * PAGE, 5);
	need(write(other, buf, 16 * PAGE) == 16 * PAGE);
	need(pread(other, a, 16 * PAGE, 0) == 16 * PAGE && same(a, 16 * PAGE, 5));
	need(pwrite(other, a, 16 * PAGE, 16 * PAGE) == 16 * PAGE);
	need(pread(other, buf, 16 * PAGE, 16 * PAGE) == 16 * PAGE && same(buf, 16 * PAGE, 5));
	/* The buffer is the file itself. */
	need(pread(fd, a + 32 * PAGE, 16 * PAGE, 0) == 16 * PAGE);
	need(same(a + 32 * PAGE, 16 * PAGE, 5));
	need(pwrite(fd, a, 16 * PAGE, 48 * PAGE) == 16 * PAGE);
	need(same(a + 48 * PAGE, 16 * PAGE, 5));
	need(!pipe(ends));
	need(write(ends[1], a, PAGE) == PAGE && read(ends[0], a + 16 * PAGE, PAGE) == PAGE);
	need(same(a + 16 * PAGE, PAGE, 5));
	from = (struct iovec){ a, PAGE };
	to = (struct iovec){ a + 20 * PAGE, PAGE };
	need(process_vm_readv(getpid(), &to, 1, &from, 1, 0) == PAGE);
	need(same(a + 20 * PAGE, PAGE, 5));
	need(sendfile(ends[1], fd, &(off_t){ 0 }, PAGE) == PAGE);
	need(read(ends[0], buf, PAGE) == PAGE && same(buf, PAGE, 5));
	need(write(ends[1], a, PAGE) == PAGE);
	need(splice(ends[0], NULL, fd, &(loff_t){ 24 * PAGE }, PAGE, 0) == PAGE);
	need(same(a + 24 * PAGE, PAGE, 5));
	need(write(fd, nowhere, 10) == -1 && errno == EFAULT);
	need(pread(fd, nowhere, 10, 0) == -1 && errno == EFAULT);
	need(!unlink("t.buffer") && !unlink("t.other"));
}

static void *mutex_add(void *arg)
{
	pthread_mutex_t *m = arg;
	long *count = (long *)(m + 1);
	int i;

	for (i = 0; i < 20000; i++) {
		pthread_mutex_lock(m);
		++*count;
		pthread_mutex_unlock(m);
	}
	return NULL;
}

static void test_futex(void)
{
	int fd = make("t.futex", PAGE);
	char *at = map(fd, PAGE);
	pthread_mutex_t *m = (pthread_mutex_t *)at;
	uint32_t *word = (uint32_t *)(at + 2048);
	struct timespec soon = { .tv_nsec = 20000000 };
	pthread_mutexattr_t attr;
	pid_t pid;

	need(!pthread_mutexattr_init(&attr));
	need(!pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	need(!pthread_mutex_init(m, &attr));
	pid = fork();
	if (!pid) {
		mutex_add(m);
		_exit(0);
	}
	mutex_add(m);
	need(child_ok(pid) && *(long *)(m + 1) == 40000);
	need(syscall(SYS_futex, word, FUTEX_WAIT, 1, NULL) == -1 && errno == EAGAIN);
	need(syscall(SYS_futex, word, FUTEX_WAIT, 0, &soon) == -1 && errno == ETIMEDOUT);
	pid = fork();
	if (!pid) {
		/* Another mapping of it at another address. */
		word = (uint32_t *)(map(fd, PAGE) + 2048);
		__atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
		while (!syscall(SYS_futex, word, FUTEX_WAKE, 1))
			if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == 2)
				break;
		_exit(0);
	}
	while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == 0)
		syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL);
	__atomic_store_n(word, 2, __ATOMIC_SEQ_CST);
	need(child_ok(pid));
	need(!unlink("t.futex"));
}

static void test_space(void)
{
	struct statvfs st;
	uint64_t left, i;
	char *a, *buf;
	ssize_t got;
	int fd;

	need(!statvfs(".", &st));
	left = st.f_bfree;
	need(left > 64);
	fd = make("t.space", 0);
	need(posix_fallocate(fd, 0, (left - 10) * PAGE) == 0);
	need(posix_fallocate(fd, 0, (left + 10) * PAGE) == ENOSPC);
	need(!statvfs(".", &st) && st.f_bfree == 10);
	need(!ftruncate(fd, (left + 100) * PAGE));
	a = map(fd, (left + 100) * PAGE);
	for (i = left - 10; i < left; i++)
		a[i * PAGE] = 1;
	need(bus_at(a + (left + 50) * PAGE, 1));
	need(!unlink("t.space") && !munmap(a, (left + 100) * PAGE) && !close(fd));
	fd = make("t.space", 0);
	/* The deleted one goes when its last user has gone, soon after. */
	while (!statvfs(".", &st) && st.f_bfree != left)
		usleep(1000);
	need(posix_fallocate(fd, 0, (left - 2) * PAGE) == 0);
	buf = calloc(5, PAGE);
	got = pwrite(fd, buf, 5 * PAGE, (left - 2) * PAGE);
	need(got == 2 * PAGE);
	need(pwrite(fd, buf, PAGE, left * PAGE) == -1 && errno == ENOSPC);
	need(!ftruncate(fd, 0) && !statvfs(".", &st) && st.f_bfree == left);
	need(!unlink("t.space"));
}

static void test_sparse(void)
{
	int fd = make("t.sparse", 0);
	char *buf = malloc(8 * PAGE), *a;
	struct stat st;

	need(!ftruncate(fd, 1ll << 40) && !fstat(fd, &st));
	need(st.st_size == 1ll << 40 && st.st_blocks == 0);
	fill(buf, 8 * PAGE, 1);
	need(pwrite(fd, buf, 8 * PAGE, 1ll << 39) == 8 * PAGE);
	need(!fstat(fd, &st) && st.st_blocks == 64);
	need(lseek(fd, 0, SEEK_DATA) == 1ll << 39);
	need(lseek(fd, 1ll << 39, SEEK_HOLE) == (1ll << 39) + 8 * (long)PAGE);
	need(lseek(fd, (1ll << 39) + 8 * PAGE, SEEK_DATA) == -1 && errno == ENXIO);
	need(lseek(fd, 0, SEEK_END) == 1ll << 40);
	need(pread(fd, buf, PAGE, 1ll << 38) == PAGE && blank(buf, PAGE));
	need(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			(1ll << 39) + 100, 3 * PAGE));
	need(!fstat(fd, &st) && st.st_blocks == 48);
	fill(buf, 8 * PAGE, 1);
	memset(buf + 100, 0, 3 * PAGE);
	a = malloc(8 * PAGE);
	need(pread(fd, a, 8 * PAGE, 1ll << 39) == 8 * PAGE && !memcmp(a, buf, 8 * PAGE));
	need(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE) == -1 && errno == EOPNOTSUPP);
	need(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 1ll << 40, 4 * PAGE));
	need(!fstat(fd, &st) && st.st_size == 1ll << 40 && st.st_blocks == 80);
	need(!ftruncate(fd, 10) && !fstat(fd, &st) && st.st_blocks == 0);
	need(!unlink("t.sparse"));
}

/* A hole takes what is shared of a page; cutting the file takes private copies too. */
static void test_private(void)
{
	int fd = make("t.private", 3 * PAGE);
	char *shared = map(fd, 3 * PAGE);
	char *own = map_with(fd, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	fill(shared, 3 * PAGE, 1);
	own[PAGE] = own[2 * PAGE] = 'p';
	need(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 3 * PAGE));
	need(blank(shared, 3 * PAGE) && blank(own, PAGE));
	need(own[PAGE] == 'p' && own[2 * PAGE] == 'p');
	need(!ftruncate(fd, 2 * PAGE) && own[PAGE] == 'p');
	need(bus_at(own + 2 * PAGE, 0));
	need(!munmap(own, 3 * PAGE) && !munmap(shared, 3 * PAGE) && !unlink("t.private"));
}

static void test_files(void)
{
	char path[64], buf[16];
	struct stat st;
	int fd, fd2;

	fd = make("t.file", 0);
	need(open("t.file", O_RDWR | O_CREAT | O_EXCL, 0666) == -1 && errno == EEXIST);
	fd2 = open("t.file", O_WRONLY | O_APPEND);
	need(write(fd, "abc", 3) == 3 && write(fd2, "def", 3) == 3);
	need(pread(fd, buf, 16, 0) == 6 && !memcmp(buf, "abcdef", 6));
	need(!link("t.file", "t.file2") && !fstat(fd, &st) && st.st_nlink == 2);
	need(!rename("t.file2", "t.file3") && access("t.file2", F_OK) == -1);
	need(!unlink("t.file") && !unlink("t.file3") && !fstat(fd, &st) && st.st_nlink == 0);
	need(pread(fd, buf, 16, 0) == 6 && !memcmp(buf, "abcdef", 6));
	need(!close(fd) && !close(fd2));
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	need(fd >= 0 && write(fd, "tmp", 3) == 3);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	need(!linkat(AT_FDCWD, path, AT_FDCWD, "t.tmp", AT_SYMLINK_FOLLOW));
	need(!close(fd));
	fd = open("t.tmp", O_RDWR | O_TRUNC);
	need(fd >= 0 && !fstat(fd, &st) && st.st_size == 0 && st.st_nlink == 1);
	need(!fchmod(fd, 0640) && !fchown(fd, 12, 34));
	need(!fstat(fd, &st) && (st.st_mode & 07777) == 0640);
	need(st.st_uid == 12 && st.st_gid == 34);
	need(!futimens(fd, (struct timespec[2]){ { 5, 6 }, { 7, 8 } }));
	need(!fstat(fd, &st) && st.st_atime == 5 && st.st_mtim.tv_nsec == 8);
	need(!unlink("t.tmp"));
	need(mknod("t.fifo", S_IFIFO | 0600, 0) == -1 && errno == EOPNOTSUPP);
	need(open("t.tmp", O_RDONLY | O_DIRECT) == -1);
}

static void test_append(void)
{
	struct statvfs fs;
	struct stat st;
	int fd = open("t.append", O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0600);
	char *a = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	off_t most;
	int rest;

	need(fd >= 0 && a != MAP_FAILED && !munmap(a + PAGE, PAGE));
	need(write(fd, "begun", 5) == 5);
	need(write(fd, a + PAGE, 10) == -1 && errno == EFAULT);
	need(!fstat(fd, &st) && st.st_size == 5);
	need(write(fd, a + PAGE - 3, 10) == 3 && !fstat(fd, &st) && st.st_size == 8);
	/* All the room but a page and a half: a write of three pages is short. */
	need(!fstatvfs(fd, &fs));
	most = (fs.f_bavail - 1) * PAGE + PAGE / 2;
	need(!fallocate(fd, 0, 0, most) && !munmap(a, PAGE));
	a = map_with(-1, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
	need(!fstat(fd, &st) && write(fd, a, 3 * PAGE) == (long)(2 * PAGE - PAGE / 2));
	need(write(fd, a, 1) == -1 && errno == ENOSPC);
	/* What is allocated behind the end is room too. */
	need(!ftruncate(fd, PAGE) && !fallocate(fd, FALLOC_FL_KEEP_SIZE, PAGE, 2 * PAGE));
	rest = make("t.rest", 0);
	need(!fstatvfs(fd, &fs) && !fallocate(rest, 0, 0, fs.f_bavail * PAGE));
	need(write(fd, a, 3 * PAGE) == 2 * (long)PAGE && !fstat(fd, &st));
	need(st.st_size == 3 * (long)PAGE && write(fd, a, 1) == -1 && errno == ENOSPC);
	need(!close(rest) && !unlink("t.rest"));
	need(!close(fd) && !unlink("t.append"));
}

static int later(struct timespec a, struct timespec b)
{
	return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

static void test_times(void)
{
	int fd = make("t.times", PAGE);
	char *a = map(fd, PAGE);
	struct stat st, old;

	need(!fstat(fd, &old));
	usleep(20000);
	need(pwrite(fd, "x", 1, 9) == 1 && !fstat(fd, &st));
	need(later(st.st_mtim, old.st_mtim) && later(st.st_ctim, old.st_ctim));
	usleep(20000);
	a[10] = 'y';
	need(!munmap(a, PAGE) && !fsync(fd));
	/* What cp -p does; and it stays so when it is closed. */
	need(pwrite(fd, "z", 1, 9) == 1);
	need(!futimens(fd, (struct timespec[2]){ { 5, 6 }, { 7, 8 } }) && !close(fd));
	usleep(300000);
	need(!stat("t.times", &st) && st.st_mtim.tv_sec == 7 && st.st_mtim.tv_nsec == 8);
	fd = open("t.times", O_RDWR);
	need(pwrite(fd, "z", 1, 9) == 1 && !close(fd));
	need(!utimensat(AT_FDCWD, "t.times", (struct timespec[2]){ { 5, 6 }, { 9, 8 } }, 0));
	usleep(300000);
	need(!stat("t.times", &st) && st.st_mtim.tv_sec == 9 && st.st_mtim.tv_nsec == 8);
	/* Rights that change later do not hide when it was written to. */
	fd = open("t.times", O_RDWR);
	need(pwrite(fd, "z", 1, 9) == 1 && !fstat(fd, &old) && later(old.st_mtim, st.st_mtim));
	usleep(20000);
	need(!fchmod(fd, 0640) && !fstat(fd, &st) && !later(old.st_mtim, st.st_mtim));
	need(!later(st.st_mtim, old.st_mtim) && later(st.st_ctim, old.st_ctim) && !close(fd));
	usleep(300000);
	need(!stat("t.times", &st) && st.st_mtim.tv_sec == old.st_mtim.tv_sec);
	need(st.st_mtim.tv_nsec == old.st_mtim.tv_nsec && !unlink("t.times"));
}

static void test_names(void)
{
	char name[300];
	struct stat st;
	int i;

	need(!mkdir("t.d", 0755) && !mkdir("t.d/e", 0755) && !stat("t.d", &st));
	need(st.st_nlink == 3);
	need(rmdir("t.d") == -1 && errno == ENOTEMPTY);
	need(rename("t.d", "t.d/e/f") == -1 && errno == EINVAL);
	need(!rename("t.d/e", "t.e") && !stat("t.d", &st) && st.st_nlink == 2);
	need(!symlink("../t.e", "t.d/l") && !stat("t.d/l", &st) && S_ISDIR(st.st_mode));
	need(readlink("t.d/l", name, sizeof(name)) == 6);
	for (i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "t.e/file %d", i);
		close(make(name, i));
	}
	for (i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "t.d/l/file %d", i);
		need(!stat(name, &st) && st.st_size == i && !unlink(name));
	}
	memset(name, 'n', sizeof(name));
	name[255] = 0;
	close(make(name, 1));
	need(!unlink(name));
	name[255] = 'n';
	name[256] = 0;
	need(open(name, O_CREAT | O_RDWR, 0600) == -1 && errno == ENAMETOOLONG);
	close(make("t.a", 1));
	close(make("t.b", 2));
	need(renameat2(AT_FDCWD, "t.a", AT_FDCWD, "t.b", RENAME_NOREPLACE) == -1);
	need(errno == EEXIST);
	need(!renameat2(AT_FDCWD, "t.a", AT_FDCWD, "t.b", RENAME_EXCHANGE));
	need(!stat("t.a", &st) && st.st_size == 2);
	need(!rename("t.a", "t.b") && !stat("t.b", &st) && st.st_size == 2);
	need(rename("t.b", "t.e") == -1 && errno == EISDIR);
	need(rename("t.e", "t.b") == -1 && errno == ENOTDIR);
	need(!unlink("t.b") && !unlink("t.d/l") && !rmdir("t.d") && !rmdir("t.e"));
}

static void test_rights(void)
{
	int fd = make("t.rights", 0);
	pid_t pid;

	need(!fchmod(fd, 0600));
	pid = fork();
	if (!pid) {
		need(!setgid(65534) && !setuid(65534));
		need(open("t.rights", O_RDONLY) == -1 && errno == EACCES);
		need(unlink("t.rights") == -1 && errno == EPERM);
		need(chmod("t.rights", 0777) == -1 && errno == EPERM);
		close(make("t.mine", 0));
		need(!unlink("t.mine"));
		_exit(0);
	}
	need(child_ok(pid));
	need(!unlink("t.rights"));
}

static void test_sem(void)
{
	sem_t *sem;
	pid_t pid;

	sem_unlink("/t.sem");
	sem = sem_open("/t.sem", O_CREAT | O_EXCL, 0600, 0);
	need(sem != SEM_FAILED);
	pid = fork();
	if (!pid) {
		sem_t *mine = sem_open("/t.sem", 0);

		need(mine != SEM_FAILED && !sem_wait(mine));
		_exit(0);
	}
	need(!sem_post(sem) && child_ok(pid));
	need(sem_trywait(sem) == -1 && errno == EAGAIN);
	need(!sem_close(sem) && !sem_unlink("/t.sem"));
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "map", test_map },	   { "bus", test_bus },	      { "fork", test_fork },
	{ "calls", test_calls },   { "buffer", test_buffer }, { "futex", test_futex },
	{ "space", test_space },   { "sparse", test_sparse }, { "private", test_private },
	{ "times", test_times },   { "append", test_append }, { "files", test_files },
	{ "names", test_names },   { "rights", test_rights }, { "sem", test_sem },
};

/* ---- for several nodes */

static int open_file(const char *name)
{
	int fd = open(name, O_RDWR);

	need(fd >= 0);
	return fd;
}

static void do_put(const char *file, size_t pages, uint64_t seed)
{
	fill(map(make(file, pages * PAGE), pages * PAGE), pages * PAGE, seed);
}

static void do_check(const char *file, size_t pages, uint64_t seed)
{
	int fd = open_file(file);
	struct stat st;

	need(!fstat(fd, &st) && (size_t)st.st_size == pages * PAGE);
	need(same(map(fd, pages * PAGE), pages * PAGE, seed));
}

static void do_read(const char *file, size_t pages, uint64_t seed)
{
	char *buf = malloc(pages * PAGE);

	need(read(open_file(file), buf, pages * PAGE) == (ssize_t)(pages * PAGE));
	need(same(buf, pages * PAGE, seed));
}

static void do_write(const char *file, size_t page, uint64_t seed)
{
	fill(map(open_file(file), (page + 1) * PAGE) + page * PAGE, PAGE, seed);
}

static void do_add(const char *file, unsigned int who, long times)
{
	uint64_t *w = (uint64_t *)map(open_file(file), PAGE);
	atomic_uint *lock = (atomic_uint *)&w[500];

	while (times--) {
		while (atomic_exchange(lock, 1))
			while (atomic_load(lock))
				;
		w[1]++;
		atomic_store(lock, 0);
		atomic_fetch_add((_Atomic uint64_t *)&w[2], 1);
		w[10 + who]++;
	}
}

static void do_futex(const char *file, long times)
{
	uint32_t *word = (uint32_t *)(map(open_file(file), PAGE) + 3000);

	while (times--) {
		need(syscall(SYS_futex, word, FUTEX_WAKE, 1) == 0);
		need(syscall(SYS_futex, word, FUTEX_WAIT, 1, NULL) == -1 && errno == EAGAIN);
		__atomic_store_n(word, 0, __ATOMIC_SEQ_CST);
	}
}

static void do_sum(const char *file)
{
	uint64_t *w = (uint64_t *)map(open_file(file), PAGE), own = 0;
	int i;

	for (i = 10; i < 100; i++)
		own += w[i];
	printf("%lu %lu %lu\n", w[1], w[2], own);
}

static void do_append(const char *file, const char *who, long times)
{
	int fd = open(file, O_WRONLY | O_APPEND | O_CREAT, 0666);
	char line[64];
	long i;
	int len;

	need(fd >= 0);
	for (i = 0; i < times; i++) {
		len = snprintf(line, sizeof(line), "%s %ld\n", who, i);
		need(write(fd, line, len) == len);
	}
}

static void do_touch(const char *file, size_t page)
{
	char *at = map(open_file(file), (page + 1) * PAGE) + page * PAGE;

	if (bus_at(at, 0))
		printf("SIGBUS\n");
	else
		printf("%d\n", *at);
}

static void do_hold(const char *file)
{
	volatile char *at = map(open_file(file), PAGE);
	char line[16];

	printf("held\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		printf("%d\n", *at);
		fflush(stdout);
	}
}

static int is(const char *a, const char *b)
{
	return !strcmp(a, b);
}

static int run_test(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (!is(name, tests[i].name))
			continue;
		tests[i].run();
		printf("ok\n");
		return 0;
	}
	return 2;
}

static int run_list(void)
{
	size_t i;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		printf("%s\n", tests[i].name);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t a = argc > 3 ? strtoull(argv[3], NULL, 0) : 0;
	uint64_t b = argc > 4 ? strtoull(argv[4], NULL, 0) : 0;

	if (argc == 2 && is(argv[1], "list"))
		return run_list();
	if (argc == 3 && is(argv[1], "test"))
		return run_test(argv[2]);
	if (argc == 3 && is(argv[1], "sum"))
		do_sum(argv[2]);
	else if (argc == 3 && is(argv[1], "hold"))
		do_hold(argv[2]);
	else if (argc == 4 && is(argv[1], "touch"))
		do_touch(argv[2], a);
	else if (argc == 5 && is(argv[1], "put"))
		do_put(argv[2], a, b);
	else if (argc == 5 && is(argv[1], "check"))
		do_check(argv[2], a, b);
	else if (argc == 5 && is(argv[1], "read"))
		do_read(argv[2], a, b);
	else if (argc == 5 && is(argv[1], "write"))
		do_write(argv[2], a, b);
	else if (argc == 5 && is(argv[1], "add"))
		do_add(argv[2], a, b);
	else if (argc == 5 && is(argv[1], "futex"))
		do_futex(argv[2], b);
	else if (argc == 5 && is(argv[1], "append"))
		do_append(argv[2], argv[3], b);
	else
		return 2;
	return 0;
}
