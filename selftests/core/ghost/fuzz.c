// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: any bytes are either read to the end or refused with a
 * reason, and nothing is touched that was not handed over. The mutator makes
 * half of its inputs' checksums right again, so that what lies behind them is
 * reached; a run starts from one good image of every kind (FUZZ_SEEDS=dir
 * writes them and ends).
 */
#include <stdio.h>
#include <stdlib.h>
#include "sample.h"

size_t LLVMFuzzerMutate(u8 *data, size_t len, size_t max);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t len, size_t max, unsigned int seed);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

size_t LLVMFuzzerCustomMutator(u8 *data, size_t len, size_t max, unsigned int seed)
{
	len = LLVMFuzzerMutate(data, len, max);
	if (seed & 1)
		image_reseal(data, len);
	return len;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const u32 kinds[] = { KRG_GHOST_GLOBAL, KRG_GHOST_NODE, KRG_GHOST_TASK,
				     KRG_GHOST_SHARED };
	const char *dir = getenv("FUZZ_SEEDS");
	struct image image;
	char name[4096];
	FILE *file;

	(void)argc;
	(void)argv;
	if (!dir)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		image_sample(&image, kinds[i], 1);
		snprintf(name, sizeof(name), "%s/kind%u", dir, kinds[i]);
		file = fopen(name, "w");
		if (!file || fwrite(image.data, image.len, 1, file) != 1 || fclose(file))
			exit(1);
		image_free(&image);
	}
	exit(0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct krg_ghost_reader reader;
	int err = image_read(data, len, 4096, &reader);

	if (err && !reader.error.text)
		abort();
	if (err && reader.error.offset > len)
		abort();
	return 0;
}
