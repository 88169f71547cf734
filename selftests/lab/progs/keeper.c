// SPDX-License-Identifier: GPL-2.0-only
/*
 * keeper TENTHS FILE: sets what a process can set about itself, then computes for
 * TENTHS tenths of a second of CPU time, and on until its limit on CPU time says so.
 * Asks for everything all the while, and writes what is not as it was set, then "ok" if
 * nothing was: limits, umask, directory, name, slack, dumpable, interval timers that
 * count CPU time, which never steps back.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t ticks[2], over;
static const int which[2] = { ITIMER_VIRTUAL, ITIMER_PROF };
static int wrong;

static void on_signal(int sig)
{
	if (sig == SIGXCPU)
		over = 1;
	else
		ticks[sig == SIGPROF]++;
}

#define EXPECT(what) \
	do { \
		if (!(what)) { \
			printf("%d: %s\n", __LINE__, #what); \
			wrong = 1; \
		} \
	} while (0)

static double cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct rlimit limits[RLIM_NLIMITS];
static char directory[PATH_MAX];

static void set(int resource, rlim_t soft, rlim_t hard)
{
	limits[resource] = (struct rlimit){ soft, hard };
	EXPECT(!setrlimit(resource, &limits[resource]));
}

static void set_all(rlim_t seconds)
{
	const struct itimerval every = { { 0, 10000 }, { 0, 10000 } };

	for (int i = 0; i < RLIM_NLIMITS; i++)
		getrlimit(i, &limits[i]);
	set(RLIMIT_NOFILE, 99, 200);
	set(RLIMIT_CORE, 4096, 1 << 20);
	set(RLIMIT_FSIZE, 1 << 30, 1L << 40);
	set(RLIMIT_CPU, seconds, seconds + 60);
	EXPECT(!mkdir("deep", 0700) && !chdir("deep") && getcwd(directory, sizeof(directory)));
	umask(031);
	prctl(PR_SET_NAME, "kept name");
	prctl(PR_SET_TIMERSLACK, 77777);
	prctl(PR_SET_DUMPABLE, 0);
	for (int i = 0; i < 2; i++)
		setitimer(which[i], &every, NULL);
}

static void check_all(void)
{
	struct rlimit limit;
	struct itimerval timer;
	char text[PATH_MAX];

	for (int i = 0; i < RLIM_NLIMITS; i++)
		/* From then on the kernel itself moves the soft one, a second at a time. */
		EXPECT(!getrlimit(i, &limit) && limit.rlim_max == limits[i].rlim_max &&
		       (limit.rlim_cur == limits[i].rlim_cur || (i == RLIMIT_CPU && over)));
	EXPECT(getcwd(text, sizeof(text)) && !strcmp(text, directory));
	EXPECT(umask(031) == 031);
	EXPECT(!prctl(PR_GET_NAME, text) && !strcmp(text, "kept name"));
	EXPECT(prctl(PR_GET_TIMERSLACK) == 77777);
	EXPECT(prctl(PR_GET_DUMPABLE) == 0);
	for (int i = 0; i < 2; i++)
		EXPECT(!getitimer(which[i], &timer) && timer.it_interval.tv_usec == 10000);
}

static int before[2];

static bool ticked(void)
{
	return ticks[0] - before[0] > 4 && ticks[1] - before[1] > 4;
}

static bool limited(void)
{
	return over;
}

/* Computes until END of its CPU time, or until it has seen ENOUGH. */
static void compute(double end, bool (*enough)(void))
{
	struct rusage usage = { 0 }, now;
	double last = cpu_time();

	while (last < end && !wrong && !(enough && enough())) {
		for (volatile int i = 0; i < 100000; i++)
			;
		EXPECT(cpu_time() >= last);
		last = cpu_time();
		getrusage(RUSAGE_SELF, &now);
		EXPECT(now.ru_minflt >= usage.ru_minflt && now.ru_maxrss >= usage.ru_maxrss &&
		       now.ru_nvcsw + now.ru_nivcsw >= usage.ru_nvcsw + usage.ru_nivcsw);
		usage = now;
		check_all();
	}
	EXPECT(!enough || enough());
}

int main(int argc, char **argv)
{
	const int tenths = argc > 2 ? atoi(argv[1]) : 0;
	const rlim_t seconds = tenths / 10 + 2;
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	if (!tenths || !freopen(argv[2], "w", stdout))
		return 2;
	sigaction(SIGVTALRM, &act, NULL);
	sigaction(SIGPROF, &act, NULL);
	sigaction(SIGXCPU, &act, NULL);
	set_all(seconds);
	compute(tenths / 10., NULL);
	/*
	 * It is not moved any more. The kernel counts ticks, of which an emulated machine
	 * misses many: timers and limit have a minute of what the scheduler counts.
	 */
	before[0] = ticks[0];
	before[1] = ticks[1];
	compute((double)seconds + 60, ticked);
	compute((double)seconds + 60, limited);
	EXPECT(cpu_time() > (double)seconds - 1);
	printf(wrong ? "WRONG\n" : "ok\n");
	return wrong;
}
