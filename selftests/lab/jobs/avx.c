// SPDX-License-Identifier: GPL-2.0-only
/*
 * avx ROUNDS OUT: keeps a running value in AVX registers while an interval
 * timer's handler interrupts it, and writes both sums to OUT. The sum in the
 * registers depends on every round, so a register lost at any moment shows.
 * The handler counts; that it fired at all is checked, how often is not: that
 * depends on the machine's speed.
 */
#include <immintrin.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

static volatile sig_atomic_t ticks;

static void tick(int sig)
{
	(void)sig;
	ticks++;
}

__attribute__((target("avx2")))
static void churn(uint64_t rounds, uint64_t sum[4])
{
	__m256i a = _mm256_set_epi64x(1, 2, 3, 4);
	__m256i b = _mm256_set_epi64x(11, 13, 17, 19);

	for (uint64_t i = 0; i < rounds; i++) {
		a = _mm256_add_epi64(a, _mm256_mul_epu32(a, b));
		b = _mm256_xor_si256(b, _mm256_srli_epi64(a, 7));
		/* Keeps both in registers across the round. */
		__asm__ volatile("" : "+x"(a), "+x"(b));
	}
	_mm256_storeu_si256((__m256i *)sum, _mm256_xor_si256(a, b));
}

int main(int argc, char **argv)
{
	struct itimerval every = { { 0, 20000 }, { 0, 20000 } };
	struct sigaction sa = { .sa_handler = tick, .sa_flags = SA_RESTART };
	uint64_t sum[4];
	FILE *out;

	if (argc != 3)
		return 2;
	if (sigaction(SIGALRM, &sa, NULL) || setitimer(ITIMER_REAL, &every, NULL)) {
		perror("avx");
		return 1;
	}
	churn(strtoull(argv[1], NULL, 0), sum);
	out = fopen(argv[2], "w");
	if (!out || !ticks)
		return 1;
	fprintf(out, "%016llx %016llx %016llx %016llx\n", (unsigned long long)sum[0],
		(unsigned long long)sum[1], (unsigned long long)sum[2], (unsigned long long)sum[3]);
	return fclose(out) ? 1 : 0;
}
