// SPDX-License-Identifier: GPL-2.0-only
/*
 * sleeper MS FILE: sleeps, polls and waits on a futex for MS each, expecting
 * every call to end for its time-out alone, and writes "ok".
 */
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long ms = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
	unsigned int word = 0;
	int good = 1;

	if (!ms || !freopen(argv[2], "w", stdout))
		return 2;
	setvbuf(stdout, NULL, _IONBF, 0);
	if (nanosleep(&t, NULL))
		good = printf("nanosleep %d\n", errno) < 0;
	printf("slept\n");
	if (poll(NULL, 0, ms))
		good = printf("poll %d\n", errno) < 0;
	printf("polled\n");
	if (!syscall(SYS_futex, &word, FUTEX_WAIT, 0, &t) || errno != ETIMEDOUT)
		good = printf("futex %d\n", errno) < 0;
	printf("%s\n", good ? "ok" : "WRONG");
	return !good;
}
