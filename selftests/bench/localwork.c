// SPDX-License-Identifier: GPL-2.0-only
/*
 * localwork: how many instructions ordinary local work takes, the kernel's
 * included, on a node whose time stamp counter counts them (LAB_ACCEL=icount;
 * elsewhere it refuses to run).
 *
 *   localwork ROUNDS	-> a line a kind: "KIND MEDIAN" of one piece of work
 *
 * The median of many short pieces: what a timer tick, a heartbeat or another
 * thread takes falls into few of them and is not the work's own.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#define PAGES 64
#define PAGE 4096

static const char *self;
static int ends[2];

static void must(int good, const char *what)
{
	if (!good)
		err(1, "%s", what);
}

/* Calls of each part of the kernel that krg redirects or may redirect. */
static void system_calls(void)
{
	char buf[1024];
	struct stat st;
	int fd;

	for (int i = 0; i < 16; i++)
		syscall(SYS_getppid);
	must(write(ends[1], "x", 1) == 1 && read(ends[0], buf, 1) == 1, "pipe");
	must(!kill(getpid(), 0), "kill");
	must(!stat("/usr/bin", &st), "stat");
	must(sigprocmask(SIG_BLOCK, NULL, (sigset_t *)buf) == 0, "sigprocmask");
	fd = open("/proc/self/stat", O_RDONLY);
	must(fd >= 0 && read(fd, buf, sizeof(buf)) > 0 && !close(fd), "/proc/self/stat");
	must(waitpid(-1, NULL, WNOHANG) < 0, "waitpid");
}

static void faults(void)
{
	char *mem = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	must(mem != MAP_FAILED, "mmap");
	for (size_t i = 0; i < PAGES; i++)
		((volatile char *)mem)[i * PAGE] = 1;
	must(!munmap(mem, PAGES * PAGE), "munmap");
}

static void fork_exec(void)
{
	int status;
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (!pid) {
		execl(self, self, "nothing", (char *)NULL);
		_exit(127);
	}
	must(waitpid(pid, &status, 0) == pid && !status, "child");
}

/* 2 n instructions take 2 n ticks and little more, or the counter counts something else. */
static int counts_instructions(void)
{
	const uint64_t n = 100000;
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 5; i++) {
		uint64_t left = n, t = __rdtsc();

		asm volatile("1: dec %0; jnz 1b" : "+r"(left) : : "cc");
		t = __rdtsc() - t;
		if (t < least)
			least = t;
	}
	return least >= 2 * n && least < 2 * n + n / 100;
}

static const struct {
	const char *name;
	void (*work)(void);
	int divisor;	/* rounds of the cheap ones for one of this */
} kinds[] = {
	{ "syscalls", system_calls, 1 },
	{ "faults", faults, 1 },
	{ "forkexec", fork_exec, 4 },
};

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	long rounds = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
	uint64_t *ticks;

	if (argc == 2 && !strcmp(argv[1], "nothing"))
		return 0;
	if (rounds < 20)
		errx(2, "usage: localwork ROUNDS (at least 20)");
	if (!counts_instructions())
		errx(1, "the time stamp counter does not count instructions here");
	/* The same addresses each time: the same page tables to fill. */
	if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE)) {
		must(personality(ADDR_NO_RANDOMIZE) >= 0, "personality");
		execv("/proc/self/exe", argv);
		err(1, "exec");
	}
	self = argv[0];
	ticks = calloc(rounds, sizeof(*ticks));
	must(ticks && !pipe(ends), "pipe");
	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		long n = rounds / kinds[k].divisor;

		kinds[k].work();
		for (long i = 0; i < n; i++) {
			uint64_t t = __rdtsc();

			kinds[k].work();
			ticks[i] = __rdtsc() - t;
		}
		qsort(ticks, n, sizeof(*ticks), ascending);
		printf("%s %lu\n", kinds[k].name, ticks[n / 2]);
	}
	return 0;
}
