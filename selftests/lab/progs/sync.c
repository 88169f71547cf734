// SPDX-License-Identifier: GPL-2.0-only
/*
 * sync: what programs wait for each other with, in shared memory. In the current directory:
 *
 *   sync make FILE N             makes it; its barrier is for N
 *   sync count FILE THREADS TIMES   adds 1 under a mutex
 *   sync sum FILE                what that came to
 *   sync pingpong FILE WHO TIMES    takes turns with another (WHO 0 and 1), condition variable
 *   sync broadcast FILE GO       waits for a broadcast (GO 0), or makes it (1)
 *   sync barrier FILE ROUNDS     meets others; nobody may be a round ahead
 *   sync serials FILE            barriers that told somebody to be the serial one
 *   sync rwlock FILE WRITER TIMES   changes two numbers together, or sees them the same
 *   sync sem FILE GET|PUT TIMES  sem_wait() or sem_post() of one made by sem_init()
 *   sync named NAME GET|PUT TIMES   of one made by sem_open()
 *   sync hold FILE               locks the robust mutex, says "held", keeps it
 *   sync take FILE               locks it, says how that went, repairs and unlocks it
 *   sync wait FILE WORD BITS     FUTEX_WAIT while the word is 0; says how it ended
 *   sync waitv FILE WORD         the same by futex_waitv() with a private word before it
 *   sync wake FILE WORD NR BITS  sets nothing, wakes; says what the kernel returned
 *   sync requeue FILE W1 W2 WAKE MOVE VAL   FUTEX_CMP_REQUEUE from one word to another
 *   sync wakeop FILE W1 W2       wakes one at each, and adds 1 to the second word
 *   sync set FILE WORD VALUE     writes it
 *   sync timeouts FILE           waits that end by themselves: "ok"
 *   sync errors FILE             what must be refused, and how: "ok"
 *   sync pihold FILE, pitake FILE, pirequeue FILE    priority inheritance
 *   sync signals FILE            a wait with a handler that restarts, one that does not: "ok"
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "need.h"

#define PAGE	4096
#define WORDS	16

struct shared {
	pthread_mutex_t mutex;
	uint64_t counter;
	pthread_mutex_t cond_mutex;
	pthread_cond_t cond;
	int turn;
	int go;
	pthread_rwlock_t rwlock;
	volatile uint64_t a, b;
	_Alignas(PAGE) pthread_barrier_t barrier;
	_Atomic int arrived;
	_Atomic int serials;
	_Alignas(PAGE) pthread_mutex_t robust;
	sem_t sem;
	_Alignas(PAGE) uint32_t word[WORDS];
};

static struct shared *s;

static struct shared *map(const char *name, int flags)
{
	int fd = open(name, O_RDWR | flags, 0666);
	void *at;

	need(fd >= 0);
	if (flags)
		need(!ftruncate(fd, sizeof(struct shared)));
	at = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(at != MAP_FAILED);
	close(fd);
	return at;
}

static void make_mutex(pthread_mutex_t *m, int robust)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	need(!pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	if (robust)
		need(!pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	need(!pthread_mutex_init(m, &attr));
}

static void make(unsigned int n)
{
	pthread_condattr_t cond;
	pthread_barrierattr_t barrier;
	pthread_rwlockattr_t rwlock;

	make_mutex(&s->mutex, 0);
	make_mutex(&s->cond_mutex, 0);
	make_mutex(&s->robust, 1);
	pthread_condattr_init(&cond);
	need(!pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED));
	need(!pthread_cond_init(&s->cond, &cond));
	pthread_barrierattr_init(&barrier);
	need(!pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED));
	need(!pthread_barrier_init(&s->barrier, &barrier, n));
	pthread_rwlockattr_init(&rwlock);
	need(!pthread_rwlockattr_setpshared(&rwlock, PTHREAD_PROCESS_SHARED));
	need(!pthread_rwlock_init(&s->rwlock, &rwlock));
	need(!sem_init(&s->sem, 1, 0));
	puts("ok");
}

/* ---- what POSIX has */

static void *count_thread(void *times)
{
	int i;

	for (i = 0; i < *(int *)times; i++) {
		need(!pthread_mutex_lock(&s->mutex));
		s->counter++;
		need(!pthread_mutex_unlock(&s->mutex));
	}
	return NULL;
}

static void count(int threads, int times)
{
	pthread_t id[threads];
	int i;

	for (i = 0; i < threads; i++)
		need(!pthread_create(&id[i], NULL, count_thread, &times));
	for (i = 0; i < threads; i++)
		need(!pthread_join(id[i], NULL));
	puts("ok");
}

static void pingpong(int who, int times)
{
	int i;

	for (i = 0; i < times; i++) {
		need(!pthread_mutex_lock(&s->cond_mutex));
		while (s->turn != who)
			need(!pthread_cond_wait(&s->cond, &s->cond_mutex));
		s->turn = !who;
		need(!pthread_cond_signal(&s->cond));
		need(!pthread_mutex_unlock(&s->cond_mutex));
	}
	puts("ok");
}

static void broadcast(int go)
{
	need(!pthread_mutex_lock(&s->cond_mutex));
	if (go) {
		s->go = 1;
		need(!pthread_cond_broadcast(&s->cond));
	}
	while (!s->go)
		need(!pthread_cond_wait(&s->cond, &s->cond_mutex));
	need(!pthread_mutex_unlock(&s->cond_mutex));
	puts("ok");
}

static void barrier(int rounds)
{
	int i, ret;

	for (i = 0; i < rounds; i++) {
		atomic_fetch_add(&s->arrived, 1);
		ret = pthread_barrier_wait(&s->barrier);
		need(!ret || ret == PTHREAD_BARRIER_SERIAL_THREAD);
		if (ret)
			atomic_fetch_add(&s->serials, 1);
		/* All have come; nobody goes on before this was seen. */
		need(atomic_load(&s->arrived) % 3 == 0);
		ret = pthread_barrier_wait(&s->barrier);
		need(!ret || ret == PTHREAD_BARRIER_SERIAL_THREAD);
	}
	puts("ok");
}

static void rwlock(int writer, int times)
{
	int i;

	for (i = 0; i < times; i++) {
		need(!(writer ? pthread_rwlock_wrlock : pthread_rwlock_rdlock)(&s->rwlock));
		if (writer) {
			s->a++;
			s->b++;
		}
		need(s->a == s->b);
		need(!pthread_rwlock_unlock(&s->rwlock));
	}
	puts("ok");
}

static void semaphore(sem_t *sem, const char *what, int times)
{
	int i;

	for (i = 0; i < times; i++)
		need(!(strcmp(what, "GET") ? sem_post : sem_wait)(sem));
	puts("ok");
}

static void named(const char *name, const char *what, int times)
{
	sem_t *sem = sem_open(name, O_CREAT, 0600, 0);

	need(sem != SEM_FAILED);
	semaphore(sem, what, times);
}

static void hold(void)
{
	need(!pthread_mutex_lock(&s->robust));
	puts("held");
	fflush(stdout);
	for (;;)
		pause();
}

static void take(void)
{
	int err = pthread_mutex_lock(&s->robust);

	printf("%s\n", err == EOWNERDEAD ? "EOWNERDEAD" : err ? strerror(err) : "ok");
	if (err == EOWNERDEAD)
		need(!pthread_mutex_consistent(&s->robust));
	need(!pthread_mutex_unlock(&s->robust));
}

/* ---- futex() */

static long futex(uint32_t *at, int op, uint32_t val, const void *timeout, uint32_t *at2,
		  uint32_t val3)
{
	return syscall(SYS_futex, at, op, val, timeout, at2, val3);
}

static const char *outcome(long ret)
{
	if (ret >= 0)
		return "woken";
	return errno == EAGAIN ? "EAGAIN" : errno == ETIMEDOUT ? "ETIMEDOUT" :
	       errno == EINTR ? "EINTR" : strerror(errno);
}

static void raw_wait(int word, uint32_t bits)
{
	long ret = futex(&s->word[word], FUTEX_WAIT_BITSET, 0, NULL, NULL, bits);

	puts(outcome(ret));
}

static void raw_waitv(int word)
{
	uint32_t own = 7;
	struct futex_waitv v[2] = {
		{ .val = 7, .uaddr = (uintptr_t)&own, .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG },
		{ .val = 0, .uaddr = (uintptr_t)&s->word[word], .flags = FUTEX_32 },
	};
	long ret = syscall(SYS_futex_waitv, v, 2, 0, NULL, 0);

	printf("%s %ld\n", outcome(ret), ret);
}

static void raw_wake(int word, int nr, uint32_t bits)
{
	printf("%ld\n", futex(&s->word[word], FUTEX_WAKE_BITSET, nr, NULL, NULL, bits));
}

static void raw_requeue(int from, int to, int nr, long move, uint32_t val)
{
	long ret = futex(&s->word[from], FUTEX_CMP_REQUEUE, nr, (void *)move, &s->word[to], val);

	if (ret < 0)
		puts(outcome(ret));
	else
		printf("%ld\n", ret);
}

static void raw_wake_op(int first, int second)
{
	int op = FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0);

	printf("%ld", futex(&s->word[first], FUTEX_WAKE_OP, 1, (void *)1, &s->word[second], op));
	printf(" %u\n", s->word[second]);
}

/* ---- by themselves */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static struct timespec after(clockid_t clock, long ms)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

/* It took 0.3 s: not less, and not what a lost wakeup would take. */
#define timed(call)							\
	do {								\
		double from = now(), took;				\
		need(call);						\
		took = now() - from;					\
		need(took > 0.299 && took < 5);				\
	} while (0)

static void timeouts(void)
{
	struct timespec rel = { .tv_nsec = 300000000 }, t = after(CLOCK_REALTIME, 300);

	timed(sem_timedwait(&s->sem, &t) == -1 && errno == ETIMEDOUT);
	need(!pthread_mutex_lock(&s->cond_mutex));
	t = after(CLOCK_REALTIME, 300);
	timed(pthread_cond_timedwait(&s->cond, &s->cond_mutex, &t) == ETIMEDOUT);
	t = after(CLOCK_REALTIME, 300);
	timed(pthread_mutex_timedlock(&s->cond_mutex, &t) == ETIMEDOUT);
	need(!pthread_mutex_unlock(&s->cond_mutex));
	timed(futex(&s->word[0], FUTEX_WAIT, 0, &rel, NULL, 0) == -1 && errno == ETIMEDOUT);
	t = after(CLOCK_MONOTONIC, 300);
	timed(futex(&s->word[0], FUTEX_WAIT_BITSET, 0, &t, NULL, 1) == -1 && errno == ETIMEDOUT);
	t = after(CLOCK_REALTIME, 300);
	timed(futex(&s->word[0], FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &t, NULL, 1) == -1 &&
	      errno == ETIMEDOUT);
	puts("ok");
}

static void errors(const char *name)
{
	uint32_t *odd = (uint32_t *)((char *)s->word + 2);
	int fd = open(name, O_RDONLY);
	char *end = mmap(NULL, 2 * sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED,
			 open(name, O_RDWR), 0);
	uint32_t *ro = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, offsetof(struct shared, word));
	char *none = mmap(NULL, PAGE, PROT_NONE, MAP_SHARED, fd, 0);

	need(futex(odd, FUTEX_WAIT, 0, NULL, NULL, 0) == -1 && errno == EINVAL);
	need(futex(odd, FUTEX_WAKE, 1, NULL, NULL, 0) == -1 && errno == EINVAL);
	need(futex((uint32_t *)none, FUTEX_WAKE, 1, NULL, NULL, 0) == -1 && errno == EFAULT);
	need(futex((uint32_t *)none, FUTEX_WAIT, 0, NULL, NULL, 0) == -1 && errno == EFAULT);
	need(!munmap(none, PAGE));
	need(futex((uint32_t *)none, FUTEX_WAKE, 1, NULL, NULL, 0) == -1 && errno == EFAULT);
	need(futex((uint32_t *)(end + sizeof(*s)), FUTEX_WAKE, 1, NULL, NULL, 0) == -1 &&
	     errno == EFAULT);
	need(futex((uint32_t *)-4096l, FUTEX_WAKE, 1, NULL, NULL, 0) == -1 && errno == EFAULT);
	need(futex((uint32_t *)0xffff888000000000, FUTEX_WAKE, 1, NULL, NULL, 0) == -1 &&
	     errno == EFAULT);
	need(futex(&s->word[1], FUTEX_WAIT_BITSET, 0, NULL, NULL, 0) == -1 && errno == EINVAL);
	need(futex(&s->word[1], FUTEX_WAKE_BITSET, 1, NULL, NULL, 0) == -1 && errno == EINVAL);
	need(futex(&s->word[1], FUTEX_WAIT, 1, NULL, NULL, 0) == -1 && errno == EAGAIN);
	need(futex(&s->word[1], FUTEX_CMP_REQUEUE, 1, (void *)1, &s->word[2], 1) == -1 &&
	     errno == EAGAIN);
	need(futex(&s->word[1], FUTEX_CMP_REQUEUE, -1, (void *)1, &s->word[2], 0) == -1 &&
	     errno == EINVAL);
	/* Reading is enough to wait and to wake. */
	need(!futex(ro, FUTEX_WAKE, 1, NULL, NULL, 0));
	need(futex(ro, FUTEX_WAIT, 1, NULL, NULL, 0) == -1 && errno == EAGAIN);
	need(futex(ro, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == -1 && errno == EFAULT);
	puts("ok");
}

static volatile sig_atomic_t hits;

static void on_signal(int sig)
{
	(void)sig;
	hits++;
}

/* Wakes who waits without a handler's help: the signals come from a timer. */
static void signals(void)
{
	struct itimerspec soon = { .it_value.tv_nsec = 300000000 };
	struct sigaction act = { .sa_handler = on_signal };
	struct timespec t;
	timer_t timer;
	long ret;

	need(!timer_create(CLOCK_MONOTONIC, NULL, &timer));
	need(!sigaction(SIGALRM, &act, NULL));
	need(!timer_settime(timer, 0, &soon, NULL));
	ret = futex(&s->word[0], FUTEX_WAIT, 0, NULL, NULL, 0);
	need(ret == -1 && errno == EINTR && hits == 1);
	need(!timer_settime(timer, 0, &soon, NULL));
	need(sem_wait(&s->sem) == -1 && errno == EINTR && hits == 2);
	act.sa_flags = SA_RESTART;
	need(!sigaction(SIGALRM, &act, NULL));
	need(!timer_settime(timer, 0, &soon, NULL));
	t = after(CLOCK_MONOTONIC, 1000);
	ret = futex(&s->word[0], FUTEX_WAIT_BITSET, 0, &t, NULL, 1);
	need(ret == -1 && (errno == ETIMEDOUT || errno == EINTR) && hits == 3);
	puts("ok");
}

static void pi_hold(void)
{
	need(!futex(&s->word[8], FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	puts("held");
	fflush(stdout);
	pause();
}

static void pi_take(void)
{
	long ret = futex(&s->word[8], FUTEX_LOCK_PI, 0, NULL, NULL, 0);

	puts(ret ? strerror(errno) : "ok");
	if (!ret)
		need(!futex(&s->word[8], FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
}

static void pi_requeue(void)
{
	struct timespec t = after(CLOCK_MONOTONIC, 300);
	long ret = futex(&s->word[9], FUTEX_WAIT_REQUEUE_PI, 0, &t, &s->word[10], 0);

	puts(ret ? strerror(errno) : "ok");
	ret = futex(&s->word[9], FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &s->word[10], 0);
	puts(ret ? strerror(errno) : "ok");
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	long n[5] = {};
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 3; i < argc && i < 8; i++)
		n[i - 3] = strtol(argv[i], NULL, 0);
	if (!strcmp(what, "named"))
		return named(argv[2], argv[3], n[1]), 0;
	need(*what);
	s = map(argv[2], strcmp(what, "make") ? 0 : O_CREAT | O_TRUNC);
#define is(name) else if (!strcmp(what, name))
	if (!strcmp(what, "make"))
		make(n[0]);
	is("count") count(n[0], n[1]);
	is("sum") printf("%ju\n", (uintmax_t)s->counter);
	is("pingpong") pingpong(n[0], n[1]);
	is("broadcast") broadcast(n[0]);
	is("barrier") barrier(n[0]);
	is("serials") printf("%d\n", s->serials);
	is("rwlock") rwlock(n[0], n[1]);
	is("sem") semaphore(&s->sem, argv[3], n[1]);
	is("hold") hold();
	is("take") take();
	is("wait") raw_wait(n[0], n[1]);
	is("waitv") raw_waitv(n[0]);
	is("wake") raw_wake(n[0], n[1], n[2]);
	is("requeue") raw_requeue(n[0], n[1], n[2], n[3], n[4]);
	is("wakeop") raw_wake_op(n[0], n[1]);
	is("set") s->word[n[0]] = n[1];
	is("timeouts") timeouts();
	is("errors") errors(argv[2]);
	is("signals") signals();
	is("pihold") pi_hold();
	is("pitake") pi_take();
	is("pirequeue") pi_requeue();
	else
		return 2;
	return 0;
}
