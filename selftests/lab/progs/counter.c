// SPDX-License-Identifier: GPL-2.0-only
/*
 * counter N FILE: adds up a pseudo-random sequence of N numbers, over a buffer
 * of 1 MiB of its heap, and writes the sums to FILE as it goes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define WORDS (1u << 17)

int main(int argc, char **argv)
{
	unsigned long n = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	uint64_t x = 88172645463325252ull, sum = 0;
	uint64_t *buf = calloc(WORDS, sizeof(*buf));
	FILE *out = argc > 2 ? fopen(argv[2], "w") : NULL;

	if (!out || !buf)
		return 2;
	for (unsigned long i = 0; i < n; i++) {
		for (int k = 0; k < 100000; k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			buf[x % WORDS] += x;
			sum += buf[(x >> 20) % WORDS];
		}
		fprintf(out, "%lu %llx\n", i, (unsigned long long)sum);
		fflush(out);
	}
	fclose(out);
	return 0;
}
