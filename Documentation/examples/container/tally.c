// SPDX-License-Identifier: GPL-2.0-only
/*
 * tally NAME TIMES     adds 1 TIMES times to two counters that all nodes share, one under
 *                      the container's lock, one atomically; prints both
 * tally NAME destroy
 */
#include <errno.h>
#include <inttypes.h>
#include <krg/container.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tally {
	uint64_t locked; /* guarded by the container's lock */
	uint64_t atomic;
};

static int die(void)
{
	fprintf(stderr, "tally: %s\n", krg_container_error());
	return 1;
}

/* Whoever comes first makes it. */
static int create_or_open(const char *name, struct krg_container **out)
{
	int err;

	do {
		err = krg_container_create(name, sizeof(struct tally), 0600, out);
		if (err == -EEXIST)
			err = krg_container_open(name, 0, out);
	} while (err == -ENOENT); /* destroyed in between */
	return err;
}

static int lock(struct krg_container *c)
{
	int err = krg_container_lock(c);

	/* An owner died: a counter is right whatever it was doing. */
	return err == -EOWNERDEAD ? krg_container_consistent(c) : err;
}

int main(int argc, char **argv)
{
	struct krg_container *c;
	struct tally *t;
	void *at;
	long times;

	if (argc != 3) {
		fprintf(stderr, "usage: tally NAME TIMES|destroy\n");
		return 2;
	}
	if (!strcmp(argv[2], "destroy"))
		return krg_container_destroy(argv[1]) ? die() : 0;
	if (create_or_open(argv[1], &c) || krg_container_map(c, &at))
		return die();
	t = at;
	for (times = strtol(argv[2], NULL, 10); times > 0; times--) {
		if (lock(c))
			return die();
		t->locked++;
		if (krg_container_unlock(c) ||
		    krg_container_add(c, offsetof(struct tally, atomic), 8, 1, NULL))
			return die();
	}
	printf("%" PRIu64 " %" PRIu64 "\n", t->locked, t->atomic);
	krg_container_close(c);
	return 0;
}
