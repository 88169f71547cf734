// SPDX-License-Identifier: GPL-2.0-only
/*
 * posix: POSIX shared memory as shm_open(3), shm_unlink(3), ftruncate(2), mmap(2),
 * munmap(2), mprotect(2), msync(2) say it is, error paths included.
 *
 *   posix list           the tests below, a name a line
 *   posix test NAME      one of them: "ok", or where it went wrong
 *   posix make NAME MODE SIZE, look NAME, unlink NAME
 *                        for two nodes: an object with a word of ours in its last bytes;
 *                        its mode, owner, size and that word, or what shm_open() says
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../need.h"
#include "../signal_at.h"

#define PAGE 4096l
#define NAME "/posix.test"

static int make(off_t size)
{
	int fd;

	shm_unlink(NAME);
	fd = shm_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600);
	need(fd >= 0);
	need(!ftruncate(fd, size));
	return fd;
}

static char *map(int fd, size_t size, int prot)
{
	char *at = mmap(NULL, size, prot, MAP_SHARED, fd, 0);

	need(at != MAP_FAILED);
	return at;
}

/* In a child, as somebody else. */
static void as_nobody(void (*what)(void))
{
	pid_t pid = fork();
	int status;

	need(pid >= 0);
	if (!pid) {
		need(!setgid(65534) && !setuid(65534));
		what();
		_exit(0);
	}
	need(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status));
}

/* ---- tests */

static void test_open(void)
{
	mode_t old = umask(027);
	struct stat st;
	int fd, fd2;
	char c;

	shm_unlink(NAME);
	fd = shm_open(NAME, O_RDWR | O_CREAT, 0666);
	umask(old);
	need(fd >= 0 && !fstat(fd, &st));
	need(S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0640);
	need(st.st_size == 0 && st.st_uid == geteuid() && st.st_gid == getegid());
	need(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	need((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
	need(!ftruncate(fd, PAGE) && pwrite(fd, "x", 1, 0) == 1);
	/* O_CREAT of what is there changes nothing, not the mode either. */
	fd2 = shm_open(NAME, O_RDWR | O_CREAT, 0777);
	need(fd2 >= 0 && !fstat(fd2, &st) && st.st_size == PAGE && (st.st_mode & 07777) == 0640);
	need(pread(fd2, &c, 1, 0) == 1 && c == 'x');
	need(!close(fd2));
	/* The slash in front may be left out, with Linux' C library. */
	fd2 = shm_open(NAME + 1, O_RDONLY, 0);
	need(fd2 >= 0 && !close(fd2));
	fd2 = shm_open(NAME, O_RDWR | O_TRUNC, 0);
	need(fd2 >= 0 && !fstat(fd, &st) && st.st_size == 0);
	need(!close(fd) && !close(fd2) && !shm_unlink(NAME));
}

static void open_as_nobody(void)
{
	fails(shm_open(NAME, O_RDONLY, 0), EACCES);
	fails(shm_open(NAME, O_RDWR, 0), EACCES);
	fails(shm_open(NAME, O_RDWR | O_CREAT, 0666), EACCES);
	fails(shm_unlink(NAME), EACCES);
	need(!access("/dev/shm" NAME ".r", R_OK));
	fails(shm_open(NAME ".r", O_RDWR, 0), EACCES);
	fails(shm_open(NAME ".r", O_RDONLY | O_TRUNC, 0), EACCES);
}

static void test_open_errors(void)
{
	char name[NAME_MAX + 3];
	struct rlimit files, few;
	int fd, dir;

	fd = make(PAGE);
	fails(shm_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	fails(shm_open("/posix.absent", O_RDWR, 0600), ENOENT);
	fails(shm_open("", O_RDWR | O_CREAT, 0600), EINVAL);
	fails(shm_open("/", O_RDWR | O_CREAT, 0600), EINVAL);
	fails(shm_open("/a/b", O_RDWR | O_CREAT, 0600), EINVAL);
	memset(name, 'n', sizeof(name));
	name[0] = '/';
	name[NAME_MAX + 2] = 0;
	fails(shm_open(name, O_RDWR | O_CREAT, 0600), ENAMETOOLONG);
	need(!getrlimit(RLIMIT_NOFILE, &files));
	few = (struct rlimit){ .rlim_cur = fd + 1, .rlim_max = files.rlim_max };
	need(!setrlimit(RLIMIT_NOFILE, &few));
	fails(shm_open(NAME, O_RDWR, 0), EMFILE);
	need(!setrlimit(RLIMIT_NOFILE, &files));
	shm_unlink(NAME ".r");
	dir = shm_open(NAME ".r", O_RDWR | O_CREAT, 0600);
	need(dir >= 0 && !fchmod(dir, 0644) && !close(dir));
	as_nobody(open_as_nobody);
	/* Both are as they were. */
	need(!access("/dev/shm" NAME, F_OK) && !access("/dev/shm" NAME ".r", F_OK));
	need(!shm_unlink(NAME ".r") && !shm_unlink(NAME) && !close(fd));
}

static void test_unlink(void)
{
	int fd = make(PAGE), fd2;
	char *a = map(fd, PAGE, PROT_READ | PROT_WRITE), *b;
	char name[NAME_MAX + 3];

	a[0] = 'a';
	need(!shm_unlink(NAME));
	fails(shm_open(NAME, O_RDWR, 0), ENOENT);
	fails(shm_unlink(NAME), ENOENT);
	need(a[0] == 'a' && (a[1] = 'b') == 'b');
	/* The same name is another object now. */
	fd2 = shm_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600);
	need(fd2 >= 0 && !ftruncate(fd2, PAGE));
	b = map(fd2, PAGE, PROT_READ | PROT_WRITE);
	need(b[0] == 0 && b[1] == 0);
	b[0] = 'c';
	need(a[0] == 'a' && !close(fd) && a[1] == 'b' && !munmap(a, PAGE));
	need(b[0] == 'c' && !shm_unlink(NAME) && !close(fd2));
	fails(shm_unlink(""), ENOENT);
	memset(name, 'n', sizeof(name));
	name[0] = '/';
	name[NAME_MAX + 2] = 0;
	fails(shm_unlink(name), ENAMETOOLONG);
}

static void test_truncate(void)
{
	int fd = make(2 * PAGE), ro;
	char *a = map(fd, 4 * PAGE, PROT_READ | PROT_WRITE);
	struct rlimit any, little;
	struct stat st;
	long i;

	for (i = 0; i < 2 * PAGE; i++)
		need(a[i] == 0);
	memset(a, 'x', 2 * PAGE);
	need(signal_at(a + 2 * PAGE, 0) == SIGBUS && signal_at(a + 3 * PAGE, 1) == SIGBUS);
	need(!ftruncate(fd, PAGE + 7));
	need(a[PAGE + 6] == 'x' && a[PAGE + 7] == 0);
	need(!ftruncate(fd, 4 * PAGE));
	for (i = PAGE + 7; i < 4 * PAGE; i++)
		need(a[i] == 0);
	need(a[0] == 'x' && !fstat(fd, &st) && st.st_size == 4 * PAGE);
	fails(ftruncate(fd, -1), EINVAL);
	fails(ftruncate(-1, 0), EBADF);
	need(!getrlimit(RLIMIT_FSIZE, &any) && signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	little = (struct rlimit){ .rlim_cur = 8 * PAGE, .rlim_max = any.rlim_max };
	need(!setrlimit(RLIMIT_FSIZE, &little));
	fails(ftruncate(fd, 9 * PAGE), EFBIG);
	need(!setrlimit(RLIMIT_FSIZE, &any));
	ro = shm_open(NAME, O_RDONLY, 0);
	need(ro >= 0);
	fails(ftruncate(ro, 0), EINVAL);
	need(!fstat(fd, &st) && st.st_size == 4 * PAGE && a[0] == 'x');
	need(!close(ro) && !ftruncate(fd, 0) && signal_at(a, 0) == SIGBUS);
	need(!shm_unlink(NAME) && !close(fd));
}

static void test_map(void)
{
	int fd = make(4 * PAGE), ro = shm_open(NAME, O_RDONLY, 0);
	char *a = map(fd, 4 * PAGE, PROT_READ | PROT_WRITE), *b = map(ro, 4 * PAGE, PROT_READ), *c;

	need(a != b);
	a[PAGE] = 'a';
	need(b[PAGE] == 'a' && signal_at(b, 1) == SIGSEGV);
	c = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
	need(c != MAP_FAILED && c[0] == 'a' && (c[1] = 'b') == 'b' && a[PAGE + 1] == 'b');
	c = mmap(a + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, PAGE);
	need(c == a + 2 * PAGE && c[0] == 'a');
	/* A private mapping of what was opened for reading may be written to. */
	c = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, ro, PAGE);
	need(c != MAP_FAILED && c[0] == 'a');
	c[0] = 'p';
	need(a[PAGE] == 'a');
	c = mmap(NULL, PAGE, PROT_NONE, MAP_SHARED, fd, 0);
	need(c != MAP_FAILED && signal_at(c, 0) == SIGSEGV);
	need(!mprotect(c, PAGE, PROT_READ) && c[0] == 0 && signal_at(c, 1) == SIGSEGV);
	/* A mapping outlives its descriptor; of unmapped pages nothing is left. */
	need(!close(fd) && !close(ro) && (a[5] = 'q') == 'q' && b[5] == 'q');
	need(!munmap(a + PAGE, PAGE) && signal_at(a + PAGE, 0) == SIGSEGV && a[5] == 'q');
	need(!munmap(a, 4 * PAGE) && !munmap(a, 4 * PAGE) && b[5] == 'q');
	need(!shm_unlink(NAME) && b[5] == 'q');
}

static void *try_map(size_t size, int prot, int flags, int fd, off_t offset)
{
	return mmap(NULL, size, prot, flags, fd, offset);
}

static void test_map_errors(void)
{
	int fd = make(4 * PAGE), ro = shm_open(NAME, O_RDONLY, 0);
	int wo = open("/dev/shm" NAME, O_WRONLY), rw = PROT_READ | PROT_WRITE;
	char *a = map(fd, 4 * PAGE, rw), *b = map(ro, PAGE, PROT_READ);

	need(ro >= 0 && wo >= 0);
	fails(try_map(PAGE, rw, MAP_SHARED, ro, 0), EACCES);
	fails(try_map(PAGE, PROT_READ, MAP_SHARED, wo, 0), EACCES);
	fails(try_map(PAGE, PROT_READ, MAP_PRIVATE, wo, 0), EACCES);
	fails(mprotect(b, PAGE, rw), EACCES);
	fails(try_map(0, rw, MAP_SHARED, fd, 0), EINVAL);
	fails(try_map(PAGE, rw, MAP_SHARED, fd, 100), EINVAL);
	fails(try_map(PAGE, rw, 0, fd, 0), EINVAL);
	fails(try_map(PAGE, rw, MAP_SHARED, -1, 0), EBADF);
	fails(try_map(1ul << 62, rw, MAP_SHARED, fd, 0), ENOMEM);
	fails(try_map(PAGE, rw, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0), EOPNOTSUPP);
	fails(mmap(a, PAGE, rw, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0), EEXIST);
	fails(mmap(a + 1, PAGE, rw, MAP_SHARED | MAP_FIXED, fd, 0), EINVAL);
	fails(munmap(a + 1, PAGE), EINVAL);
	fails(munmap(a, 0), EINVAL);
	fails(mprotect(a + 1, PAGE, PROT_READ), EINVAL);
	fails(msync(a + 1, PAGE, MS_SYNC), EINVAL);
	fails(msync(a, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	need(!munmap(b, PAGE));
	fails(msync(b, PAGE, MS_SYNC), ENOMEM);
	fails(mprotect(b, PAGE, PROT_READ), ENOMEM);
	/* Beyond the end it may be mapped, not touched. */
	b = mmap(NULL, PAGE, rw, MAP_SHARED, fd, 64 * PAGE);
	need(b != MAP_FAILED && signal_at(b, 0) == SIGBUS);
	need(!ftruncate(fd, 65 * PAGE) && signal_at(b, 1) == 0 && b[0] == 1);
	need(!msync(a, 4 * PAGE, MS_SYNC | MS_INVALIDATE));
	need(!close(fd) && !close(ro) && !close(wo));
	need(!shm_unlink(NAME));
}

/* A descriptor that was passed on or inherited is as good as one that was opened. */
static void test_inherit(void)
{
	int fd = make(PAGE), status;
	char *a = map(fd, PAGE, PROT_READ | PROT_WRITE), buf[32];
	pid_t pid = fork();

	if (!pid) {
		a[0] = 'f';
		snprintf(buf, sizeof(buf), "%d", fd);
		need(!fcntl(fd, F_SETFD, 0));
		execl("/bin/sh", "sh", "-c", "printf g >&$0", buf, NULL);
		_exit(1);
	}
	need(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status));
	need(a[0] == 'g');
	pid = fork();
	if (!pid) {
		snprintf(buf, sizeof(buf), "/dev/fd/%d", fd);
		/* Closed on exec, as shm_open() has it. */
		execl("/bin/sh", "sh", "-c", "[ ! -e $0 ]", buf, NULL);
		_exit(1);
	}
	need(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status));
	need(!shm_unlink(NAME));
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "open", test_open },	   { "open-errors", test_open_errors },
	{ "unlink", test_unlink }, { "truncate", test_truncate },
	{ "map", test_map },	   { "map-errors", test_map_errors },
	{ "inherit", test_inherit },
};

/* ---- for two nodes */

static void do_make(const char *name, mode_t mode, off_t size)
{
	mode_t old = umask(0);
	int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, mode);

	umask(old);
	need(fd >= 0 && !ftruncate(fd, size));
	memcpy(map(fd, size, PROT_READ | PROT_WRITE) + size - 4, "ours", 4);
}

static void do_look(const char *name)
{
	int fd = shm_open(name, O_RDONLY, 0);
	struct stat st;

	if (fd < 0) {
		printf("%s\n", strerror(errno));
		return;
	}
	need(!fstat(fd, &st));
	printf("%o %u %ld %.4s\n", st.st_mode & 07777, st.st_uid, (long)st.st_size,
	       map(fd, st.st_size, PROT_READ) + st.st_size - 4);
}

static int run_test(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (strcmp(name, tests[i].name))
			continue;
		tests[i].run();
		printf("ok\n");
		return 0;
	}
	return 2;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	size_t i;

	if (argc == 2 && !strcmp(what, "list"))
		for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
			printf("%s\n", tests[i].name);
	else if (argc == 3 && !strcmp(what, "test"))
		return run_test(argv[2]);
	else if (argc == 5 && !strcmp(what, "make"))
		do_make(argv[2], strtoul(argv[3], NULL, 8), strtol(argv[4], NULL, 10));
	else if (argc == 3 && !strcmp(what, "look"))
		do_look(argv[2]);
	else if (argc == 3 && !strcmp(what, "unlink"))
		need(!shm_unlink(argv[2]));
	else
		return 2;
	return 0;
}
