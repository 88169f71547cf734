// SPDX-License-Identifier: GPL-2.0-only
/*
 * files N DIR: every 20 ms, N times, writes through an appending descriptor, a
 * duplicate that shares its offset with another, and a deleted file; then
 * checks all of it and writes "ok" to DIR/res.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what)
{
	int fd = open("res", O_WRONLY | O_CREAT | O_TRUNC, 0644);

	dprintf(fd, "WRONG %s: %s\n", what, strerror(errno));
	exit(1);
}

static void pause_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&t, &t))
		if (errno != EINTR)
			fail("nanosleep");
}

int main(int argc, char **argv)
{
	long n = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	int append, one, two, gone, null;
	char line[32], back[32];
	struct stat st;

	if (!n || chdir(argv[2]))
		return 2;
	umask(027);
	append = open("append", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
	one = open("shared", O_RDWR | O_CREAT | O_TRUNC, 0644);
	two = fcntl(one, F_DUPFD_CLOEXEC, 40);
	gone = open("gone", O_RDWR | O_CREAT | O_TRUNC, 0644);
	null = open("/dev/null", O_RDWR);
	if (append < 0 || one < 0 || two != 40 || gone < 0 || null < 0 || unlink("gone"))
		fail("setup");
	for (long i = 0; i < n; i++) {
		int len = snprintf(line, sizeof(line), "%09ld\n", i);

		if (write(append, line, len) != len || write(i & 1 ? one : two, line, len) != len ||
		    write(gone, line, len) != len || write(null, line, len) != len)
			fail("write");
		pause_ms(20);
	}
	if (lseek(one, 0, SEEK_CUR) != n * 10 || lseek(two, 0, SEEK_CUR) != n * 10)
		fail("shared offset");
	for (long i = 0; i < n; i++) {
		snprintf(line, sizeof(line), "%09ld\n", i);
		if (pread(gone, back, 10, i * 10) != 10 || memcmp(back, line, 10))
			fail("deleted file");
		if (pread(one, back, 10, i * 10) != 10 || memcmp(back, line, 10))
			fail("shared file");
	}
	if (fstat(append, &st) || st.st_size != n * 10 || !(fcntl(append, F_GETFL) & O_APPEND))
		fail("appended file");
	if (!(fcntl(two, F_GETFD) & FD_CLOEXEC) || fcntl(one, F_GETFD) & FD_CLOEXEC)
		fail("close on exec");
	if (umask(0) != 027)
		fail("umask");
	int fd = open("res", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	dprintf(fd, "ok\n");
	return 0;
}
