// SPDX-License-Identifier: GPL-2.0-only
/*
 * avxtimer SECONDS FILE: holds values in all YMM (or XMM) registers across a
 * loop in which an interval timer's handler runs on an alternate stack. Writes
 * "ok TICKS" when every register kept its value, the ticks came, the mask and
 * the handler are as they were.
 */
#include <immintrin.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t ticks;
static volatile sig_atomic_t off_stack;
static char altstack[65536];

static void on_tick(int sig)
{
	char here;

	(void)sig;
	if (&here < altstack || &here >= altstack + sizeof(altstack))
		off_stack = 1;
	ticks++;
}

/* Loops until `ticks` reaches the goal; returns whether no register changed. */
__attribute__((target("avx"), noinline)) static int hold(int goal)
{
	float in[16][8], out[16][8];

	for (int i = 0; i < 16; i++)
		for (int j = 0; j < 8; j++)
			in[i][j] = (float)(i * 8 + j + 1);
	memset(out, 0, sizeof(out));
	__asm__ volatile("vmovups 0x00(%0), %%ymm0\n vmovups 0x20(%0), %%ymm1\n"
			 "vmovups 0x40(%0), %%ymm2\n vmovups 0x60(%0), %%ymm3\n"
			 "vmovups 0x80(%0), %%ymm4\n vmovups 0xa0(%0), %%ymm5\n"
			 "vmovups 0xc0(%0), %%ymm6\n vmovups 0xe0(%0), %%ymm7\n"
			 "vmovups 0x100(%0), %%ymm8\n vmovups 0x120(%0), %%ymm9\n"
			 "vmovups 0x140(%0), %%ymm10\n vmovups 0x160(%0), %%ymm11\n"
			 "vmovups 0x180(%0), %%ymm12\n vmovups 0x1a0(%0), %%ymm13\n"
			 "vmovups 0x1c0(%0), %%ymm14\n vmovups 0x1e0(%0), %%ymm15\n"
			 "1: pause\n cmpl %3, %2\n jl 1b\n"
			 "vmovups %%ymm0, 0x00(%1)\n vmovups %%ymm1, 0x20(%1)\n"
			 "vmovups %%ymm2, 0x40(%1)\n vmovups %%ymm3, 0x60(%1)\n"
			 "vmovups %%ymm4, 0x80(%1)\n vmovups %%ymm5, 0xa0(%1)\n"
			 "vmovups %%ymm6, 0xc0(%1)\n vmovups %%ymm7, 0xe0(%1)\n"
			 "vmovups %%ymm8, 0x100(%1)\n vmovups %%ymm9, 0x120(%1)\n"
			 "vmovups %%ymm10, 0x140(%1)\n vmovups %%ymm11, 0x160(%1)\n"
			 "vmovups %%ymm12, 0x180(%1)\n vmovups %%ymm13, 0x1a0(%1)\n"
			 "vmovups %%ymm14, 0x1c0(%1)\n vmovups %%ymm15, 0x1e0(%1)\n"
			 "vzeroupper\n"
			 :
			 : "r"(in), "r"(out), "m"(ticks), "r"(goal)
			 : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
			   "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
			   "xmm15");
	return !memcmp(in, out, sizeof(in));
}

int main(int argc, char **argv)
{
	int goal = argc > 2 ? atoi(argv[1]) * 50 : 0;
	struct itimerval every = { { 0, 20000 }, { 0, 20000 } };
	stack_t ss = { .ss_sp = altstack, .ss_size = sizeof(altstack) };
	struct sigaction sa = { .sa_handler = on_tick, .sa_flags = SA_ONSTACK | SA_RESTART };
	sigset_t usr2, now;
	int good;

	if (!goal || !freopen(argv[2], "w", stdout))
		return 2;
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	sigprocmask(SIG_BLOCK, &usr2, NULL);
	sigaltstack(&ss, NULL);
	sigaction(SIGALRM, &sa, NULL);
	/* Two queued signals with values have to arrive later, in order, once unblocked. */
	sigqueue(getpid(), SIGUSR2, (union sigval){ .sival_int = 77 });
	setitimer(ITIMER_REAL, &every, NULL);
	good = hold(goal);
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	sigprocmask(SIG_BLOCK, NULL, &now);
	siginfo_t info;
	if (sigwaitinfo(&usr2, &info) != SIGUSR2 || info.si_value.sival_int != 77)
		good = 0;
	if (!sigismember(&now, SIGUSR2) || off_stack)
		good = 0;
	printf("%s\n", good ? "ok" : "WRONG");
	return !good;
}
