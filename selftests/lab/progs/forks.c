// SPDX-License-Identifier: GPL-2.0-only
/*
 * forks COUNT JOBS FIRST END	JOBS processes side by side make COUNT children and as many threads,
 *				whose numbers, as /proc has them, should be FIRST to END - 1;
 *				COUNT 0: until SIGTERM
 * forks keep FIRST END		makes children that stay until no more can be made, then ends them
 * forks tid NR[,NR]		makes a child with this pid (most nested namespace first)
 * forks time COUNT		makes COUNT children that execute /bin/true
 *
 * Prints what came of it on one line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS_MAX 64
#define KEEP_MAX 1000

static struct totals {
	unsigned long made, outside, failed, error;
} *totals;
static long first, end;
static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

/* The number of the current thread where /proc was mounted. */
static long number(void)
{
	char link[64] = "";
	const char *last;

	if (readlink("/proc/thread-self", link, sizeof(link) - 1) < 0)
		return -1;
	last = strrchr(link, '/');
	return last ? strtol(last + 1, NULL, 10) : -1;
}

static int outside(void)
{
	long nr = number();

	return nr < first || nr >= end;
}

static void *thread(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)outside();
}

/* Exit status of a child: how many of its two numbers are outside; 3: no thread. */
static int child(void)
{
	pthread_t t;
	void *bad;

	if (pthread_create(&t, NULL, thread, NULL))
		return 3;
	pthread_join(t, &bad);
	return outside() + (int)(intptr_t)bad;
}

static void fail(struct totals *sum, int error)
{
	sum->failed++;
	sum->error = error;
}

static void job(struct totals *sum, unsigned long count)
{
	int status;
	pid_t pid;

	while (!stopped && (!count || sum->made + sum->failed < count)) {
		pid = fork();
		if (!pid)
			_exit(child());
		if (pid < 0) {
			fail(sum, errno);
			continue;
		}
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (!WIFEXITED(status) || WEXITSTATUS(status) > 2) {
			fail(sum, EAGAIN);
			continue;
		}
		sum->made++;
		sum->outside += WEXITSTATUS(status);
	}
}

static int jobs(unsigned long count, unsigned long n)
{
	struct sigaction act = { .sa_handler = stop };
	struct totals all = { 0 };
	unsigned long i;
	pid_t pid[JOBS_MAX];

	sigaction(SIGTERM, &act, NULL);
	for (i = 0; i < n; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			job(&totals[i], count);
			_exit(0);
		}
	}
	while (!count && !stopped)
		pause();
	for (i = 0; i < n; i++) {
		if (!count)
			kill(pid[i], SIGTERM);
		while (waitpid(pid[i], NULL, 0) < 0 && errno == EINTR)
			;
		all.made += totals[i].made;
		all.outside += totals[i].outside;
		all.failed += totals[i].failed;
		all.error = all.error ? all.error : totals[i].error;
	}
	printf("made %lu outside %lu failed %lu error %lu\n", all.made, all.outside, all.failed,
	       all.error);
	return 0;
}

static int keep(void)
{
	static pid_t pids[KEEP_MAX];
	unsigned int n = 0, bad = 0, i;
	int error = 0;

	while (n < KEEP_MAX && !error) {
		pids[n] = fork();
		if (!pids[n]) {
			pause();
			_exit(0);
		}
		if (pids[n] < 0) {
			error = errno;
			break;
		}
		bad += pids[n] < first || pids[n] >= end;
		n++;
	}
	for (i = 0; i < n; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	printf("made %u outside %u error %s\n", n, bad, strerrorname_np(error));
	return 0;
}

static int with_tid(char *list)
{
	pid_t tid[8];
	struct clone_args args = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)tid };
	char *word;
	int status;
	long pid;

	for (word = strtok(list, ","); word && args.set_tid_size < 8; word = strtok(NULL, ","))
		tid[args.set_tid_size++] = atoi(word);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0) {
		printf("%s\n", strerrorname_np(errno));
		return 1;
	}
	if (!pid) {
		printf("%ld %ld\n", syscall(SYS_getpid), number());
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return !WIFEXITED(status) || WEXITSTATUS(status);
}

static int timed(unsigned long count)
{
	struct timespec a, b;
	unsigned long i;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < count; i++) {
		pid_t pid = fork();

		if (!pid) {
			execl("/bin/true", "true", NULL);
			_exit(127);
		}
		waitpid(pid, NULL, 0);
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%.1f\n", ((b.tv_sec - a.tv_sec) * 1e6 + (b.tv_nsec - a.tv_nsec) / 1e3) / count);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long n;

	totals = mmap(NULL, JOBS_MAX * sizeof(*totals), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (totals == MAP_FAILED)
		return 2;
	if (argc == 3 && !strcmp(argv[1], "tid"))
		return with_tid(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "time"))
		return timed(strtoul(argv[2], NULL, 10));
	if (argc < 4)
		return 2;
	first = strtol(argv[argc - 2], NULL, 10);
	end = strtol(argv[argc - 1], NULL, 10);
	if (argc == 4 && !strcmp(argv[1], "keep"))
		return keep();
	n = strtoul(argv[2], NULL, 10);
	if (argc != 5 || !n || n > JOBS_MAX)
		return 2;
	return jobs(strtoul(argv[1], NULL, 10), n);
}
