// SPDX-License-Identifier: GPL-2.0-only
/*
 * forge FILE SEED: changes one to three fields of records in a file of a checkpoint and
 * makes all checksums right again: what somebody could write who knows the format.
 * Prints what it changed. Status 3: there is nothing to change.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sample.h"

static u64 state;

/* SplitMix64 (Steele, Lea, Flood 2014). */
static u64 any(u64 below)
{
	u64 z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (z ^ z >> 31) % below;
}

/* What a check may have forgotten. */
static u64 nasty(u64 old)
{
	static const u64 values[] = {
		0, 1, ~0ull, 1ull << 63, ~0ull >> 1, 0x7ffffffff000ull, 0x800000000000ull,
		0xffff888000000000ull, 0xffffffff81000000ull, 4096, 4095, 1ull << 31,
		0xffffffffull, 0x7fffffffull, 1ull << 20, 63, 64, 65,
	};

	switch (any(4)) {
	case 0:
		return old ^ 1ull << any(64);
	case 1:
		return old + any(17) - 8;
	case 2:
		return old ^ any(256);
	default:
		return values[any(sizeof(values) / sizeof(values[0]))];
	}
}

static void change(u8 *payload, u32 len, const char *name)
{
	u32 width = 1u << any(4), at;
	u64 field = 0;

	while (width > len)
		width /= 2;
	at = any(len / width) * width;
	memcpy(&field, payload + at, width);
	field = nasty(field);
	memcpy(payload + at, &field, width);
	printf("%s+%u: %u bytes %#llx\n", name, at, width,
	       width == 8 ? field : field & ((1ull << 8 * width) - 1));
}

/* Types are equally likely: there may be a hundred areas to one set of registers. */
static int forge(struct image *image, u32 nr)
{
	struct krg_ghost_record head;
	size_t starts[64], start, end;
	u16 types[64];
	u32 nr_types = 0, seen[64] = { 0 };

	for (u32 n = 1; n < nr; n++) {
		u32 t = 0;

		start = image_record(image, n, &end);
		memcpy(&head, image->data + start, sizeof(head));
		if (le16_to_cpu(head.type) == KRG_GHOST_R_INDEX)
			break;
		while (t < nr_types && types[t] != le16_to_cpu(head.type))
			t++;
		if (t == nr_types && nr_types++ == 64)
			return 3;
		types[t] = le16_to_cpu(head.type);
		/* One of them, each as likely. */
		if (!any(++seen[t]))
			starts[t] = start;
	}
	if (!nr_types)
		return 3;
	for (u32 times = 1 + any(3); times; times--) {
		u32 t = any(nr_types);

		memcpy(&head, image->data + starts[t], sizeof(head));
		change(image->data + starts[t] + sizeof(head), le32_to_cpu(head.length),
		       krg_ghost_row_name(types[t]));
	}
	return 0;
}

/* Records of a file that is known to be good. */
static u32 records(const struct image *image)
{
	size_t end = 0;
	u32 nr = 0;

	while (end < image->len)
		image_record(image, nr++, &end);
	return nr;
}

int main(int argc, char **argv)
{
	struct image image = { 0 };
	FILE *file;
	int status;

	if (argc != 3)
		return 2;
	state = strtoull(argv[2], NULL, 0);
	file = fopen(argv[1], "r+");
	if (!file || fseek(file, 0, SEEK_END))
		return 2;
	image.len = image.size = ftell(file);
	image.data = malloc(image.size);
	rewind(file);
	if (!image.data || fread(image.data, 1, image.len, file) != image.len)
		return 2;
	status = forge(&image, records(&image));
	if (status)
		return status;
	image_reseal(image.data, image.len);
	rewind(file);
	return fwrite(image.data, 1, image.len, file) != image.len || fclose(file);
}
