// SPDX-License-Identifier: GPL-2.0-only
/*
 * torn MIB OUT: counts generations in every page of MIB MiB, page after page,
 * until a file `stop` is there. A page of another generation than the count
 * says, found at any time, is a page that was saved at another moment than the
 * rest. Two areas that a fork would leave out hold what they held; children
 * were never had. Writes "ok" or what is wrong to OUT.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define WORDS (PAGE / sizeof(unsigned long))

static const char *out;

static void say(const char *text)
{
	FILE *f = fopen(out, "w");

	fprintf(f, "%s\n", text);
	fclose(f);
	exit(strcmp(text, "ok") != 0);
}

static unsigned char *area(int advice)
{
	unsigned char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || madvise(p, PAGE, advice))
		say("cannot set up");
	memset(p, 0x5a, PAGE);
	return p;
}

static int kept(const unsigned char *p)
{
	return p[0] == 0x5a && !memcmp(p, p + 1, PAGE - 1);
}

static void no_children(void)
{
	struct rusage usage, none = { 0 };

	getrusage(RUSAGE_CHILDREN, &usage);
	if (memcmp(&usage, &none, sizeof(none)))
		say("used by children: not nothing");
	if (waitpid(-1, NULL, __WALL | WNOHANG) != -1 || errno != ECHILD)
		say("has a child");
}

int main(int argc, char **argv)
{
	size_t pages = argc == 4 ? strtoul(argv[1], NULL, 10) << 8 : 0, i;
	unsigned char *dont = NULL, *wipe = NULL;
	unsigned long gen, *mem;

	if (!pages)
		return 2;
	out = argv[2];
	if (!strcmp(argv[3], "advice")) {
		dont = area(MADV_DONTFORK);
		wipe = area(MADV_WIPEONFORK);
	}
	mem = aligned_alloc(PAGE, pages * PAGE);
	memset(mem, 0, pages * PAGE);
	for (gen = 1; access("stop", F_OK); gen++) {
		for (i = 0; i < pages; i++) {
			if (mem[i * WORDS] != gen - 1 || mem[i * WORDS + WORDS - 1] != gen - 1)
				say("torn");
			mem[i * WORDS] = gen;
			mem[i * WORDS + WORDS - 1] = gen;
		}
	}
	no_children();
	if (dont && (!kept(dont) || !kept(wipe)))
		say("what a fork leaves out was lost");
	say("ok");
}
