// SPDX-License-Identifier: GPL-2.0-only
/*
 * hog MIB: a process with that much memory, every page its own and without
 * a zero in it, that has nothing else to do. Prints its pid when it is there.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	size_t mib = argc == 2 ? strtoul(argv[1], NULL, 0) : 0;
	size_t words = mib << 17;
	uint64_t *mem, x = 88172645463325252ull;

	if (!mib) {
		fprintf(stderr, "usage: hog MIB\n");
		return 2;
	}
	mem = malloc(words * sizeof(*mem));
	if (!mem) {
		perror("hog");
		return 1;
	}
	/* xorshift64 never yields 0 (Marsaglia, Xorshift RNGs, 2003) */
	for (size_t i = 0; i < words; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		mem[i] = x;
	}
	printf("%d\n", getpid());
	fflush(stdout);
	for (;;)
		pause();
}
