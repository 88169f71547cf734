// SPDX-License-Identifier: GPL-2.0-only
/*
 * The user-mode side of selftests/lab/hook.sh. Each command prints what went
 * wrong and exits 1, or exits 0.
 *
 *   intercepted CONTROL  has itself intercepted through CONTROL (the test
 *                        module's parameter) and tries everything around it
 *   plain SECONDS        its own getpid() must never be anything but its own
 *   dispatch SECONDS     uses the kernel's own user dispatch all the time
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_OFF 0
#define PR_SYS_DISPATCH_ON 1
#endif
#define DISPATCH_ALLOW 0
#define DISPATCH_BLOCK 1

#define TEST_PID 424242		/* the test module's answer */
#define DISPATCHED 777		/* our SIGSYS handler's answer */

static int failures;
static volatile char selector = DISPATCH_ALLOW;
static volatile sig_atomic_t dispatched;

static void check(bool ok, const char *what)
{
	if (!ok) {
		printf("failed: %s\n", what);
		failures++;
	}
}

static long raw_getpid(void)
{
	return syscall(SYS_getpid);
}

/* The kernel's own record of who we are, which no interception changes. */
static long proc_pid(void)
{
	char buf[32] = "";

	return readlink("/proc/self", buf, sizeof(buf) - 1) > 0 ? atol(buf) : -1;
}

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	selector = DISPATCH_ALLOW;
	dispatched = info->si_syscall;
	uc->uc_mcontext.gregs[REG_RAX] = DISPATCHED;
}

static bool dispatch_set(unsigned long mode)
{
	return !prctl(PR_SET_SYSCALL_USER_DISPATCH, mode, 0, 0,
		      mode == PR_SYS_DISPATCH_ON ? (long)&selector : 0);
}

/* One getppid() that the kernel's own dispatch must turn into SIGSYS. */
static bool dispatch_once(void)
{
	long ret;

	dispatched = -1;
	selector = DISPATCH_BLOCK;
	ret = syscall(SYS_getppid);
	selector = DISPATCH_ALLOW;
	return ret == DISPATCHED && dispatched == SYS_getppid;
}

static void catch_sigsys(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	sigaction(SIGSYS, &sa, NULL);
}

static int control(const char *path, long pid)
{
	char text[32];
	int fd = open(path, O_WRONLY);
	int len = snprintf(text, sizeof(text), "%ld", pid);
	int err = fd < 0 || write(fd, text, len) != len ? errno : 0;

	close(fd);
	return err;
}

static void *thread_plain(void *pid)
{
	return (void *)(long)(raw_getpid() == (long)pid);
}

static void try_children(long self)
{
	pthread_t thread;
	void *ok = NULL;
	int status = -1;
	pid_t child = fork();

	if (!child)
		_exit(raw_getpid() == proc_pid() ? 0 : 1);
	waitpid(child, &status, 0);
	check(status == 0, "a child is not intercepted");
	check(!pthread_create(&thread, NULL, thread_plain, (void *)self) &&
	      !pthread_join(thread, &ok) && ok, "a new thread is not intercepted");
}

static void try_dispatch(void)
{
	catch_sigsys();
	check(dispatch_set(PR_SYS_DISPATCH_ON), "prctl on");
	check(raw_getpid() == TEST_PID, "intercepted with the kernel's dispatch on");
	check(dispatch_once(), "the kernel's dispatch works when intercepted");
	check(dispatch_set(PR_SYS_DISPATCH_OFF), "prctl off");
	check(raw_getpid() == TEST_PID, "intercepted after prctl off");
}

/* Interception goes, the kernel's dispatch stays, and the other way round. */
static void try_clear(const char *path, long self)
{
	check(dispatch_set(PR_SYS_DISPATCH_ON), "prctl on again");
	check(!control(path, -self), "cleared");
	check(raw_getpid() == self, "not intercepted any more");
	check(dispatch_once(), "the kernel's dispatch outlives interception");
	check(!control(path, self), "set on top of the kernel's dispatch");
	check(dispatch_once(), "the kernel's dispatch comes first");
	check(raw_getpid() == TEST_PID, "intercepted on top of it");
	check(dispatch_set(PR_SYS_DISPATCH_OFF), "prctl off again");
	check(raw_getpid() == TEST_PID, "intercepted without it");
}

static int cmd_intercepted(const char *self_path, const char *path)
{
	long self = raw_getpid();
	int status = -1;
	pid_t child;

	check(self == proc_pid(), "getpid before");
	check(!control(path, self), "set");
	check(raw_getpid() == TEST_PID, "intercepted");
	check(syscall(SYS_getppid) == getppid() && proc_pid() == self, "other calls are native");
	check(control(path, self) == EEXIST, "a second interception is refused");
	try_children(self);
	try_dispatch();
	try_clear(path, self);
	fflush(stdout);
	child = fork();
	if (!child) {
		control(path, syscall(SYS_gettid));
		if (raw_getpid() != TEST_PID)
			_exit(2);
		execl(self_path, self_path, "plain", "0", NULL);
		_exit(3);
	}
	waitpid(child, &status, 0);
	check(status == 0, "execve ends interception");
	/* And exit intercepted: the test looks whether that was noticed. */
	check(raw_getpid() == TEST_PID, "still intercepted");
	return failures ? 1 : 0;
}

static int cmd_plain(int seconds)
{
	time_t end = time(NULL) + seconds;
	long self = proc_pid();
	unsigned long i;

	do {
		for (i = 0; i < 1000; i++)
			if (raw_getpid() != self) {
				printf("failed: getpid of a task that is not intercepted\n");
				return 1;
			}
	} while (time(NULL) < end);
	return 0;
}

static int cmd_dispatch(int seconds)
{
	time_t end = time(NULL) + seconds;
	long self = raw_getpid();

	catch_sigsys();
	check(dispatch_set(PR_SYS_DISPATCH_ON), "prctl on");
	while (!failures && time(NULL) < end) {
		check(raw_getpid() == self, "an allowed call goes through");
		check(dispatch_once(), "a blocked call is SIGSYS");
	}
	check(dispatch_set(PR_SYS_DISPATCH_OFF), "prctl off");
	return failures ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "intercepted"))
		return cmd_intercepted(argv[0], argv[2]);
	if (argc == 3 && !strcmp(argv[1], "plain"))
		return cmd_plain(atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "dispatch"))
		return cmd_dispatch(atoi(argv[2]));
	fprintf(stderr, "usage: hook_user intercepted CONTROL | plain SECONDS | dispatch SECONDS\n");
	return 2;
}
