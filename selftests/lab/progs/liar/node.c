// SPDX-License-Identifier: GPL-2.0-only
/* The node as its test module and its log show it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <time.h>

#include "liar.h"

#define MEMORY_NOISE	48	/* MiB that come and go by themselves */

void die(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", self.doing);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* 0 and what came out, or the error number. */
int ctl(const char *command, char *out, size_t size)
{
	int fd = open("/dev/krg_rpc_test", O_RDWR), err = 0;
	ssize_t n = 0;

	if (fd < 0 || setns(self.node_ns, CLONE_NEWNET))
		die("/dev/krg_rpc_test: %m");
	if (write(fd, command, strlen(command)) < 0)
		err = errno;
	else if (out)
		n = read(fd, out, size - 1);
	if (out)
		out[n > 0 ? n : 0] = '\0';
	if (setns(self.own_ns, CLONE_NEWNET))
		die("setns: %m");
	close(fd);
	return err;
}

long counter(u8 lane, const char *name)
{
	char command[32], text[512], word[32];
	const char *at;

	snprintf(command, sizeof(command), "counters %d %d", self.ident.from, lane);
	snprintf(word, sizeof(word), "%s ", name);
	if (ctl(command, text, sizeof(text)))
		die("no counters: %m");
	at = strstr(text, word);
	return at ? strtol(at + strlen(word), NULL, 10) : -1;
}

static int blocked(void)
{
	char text[32];

	return ctl("blocked", text, sizeof(text)) ? -1 : atoi(text);
}

/* Has the node logged since it was last asked that it dropped us for @why? */
bool log_says(const char *why)
{
	char line[1024], want[256];
	ssize_t n;

	snprintf(want, sizeof(want), "sent garbage: %s\n", why);
	while ((n = read(self.log, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
		line[n > 0 ? n : 0] = '\0';
		if (strstr(line, want))
			return true;
	}
	return false;
}

static long available_mib(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long kib = 0;

	while (f && fgets(line, sizeof(line), f) && sscanf(line, "MemAvailable: %ld", &kib) != 1)
		;
	if (f)
		fclose(f);
	return kib / 1024;
}

struct before before(u8 lane)
{
	return (struct before){ counter(lane, "garbage"), blocked(), available_mib() };
}

/* Nothing of the liar's goes on there: no handler, no bytes kept for it. */
void nothing_left(u8 lane, const struct before *b)
{
	double end = now() + WIRE_PATIENCE / 1000;

	while (blocked() != b->handlers || counter(lane, "queued") ||
	       counter(lane, "in_flight") || available_mib() < b->available - MEMORY_NOISE) {
		if (now() > end)
			die("lane %d: left behind: %d handlers, %ld bytes queued, %ld in flight, %ld MiB",
			    lane, blocked() - b->handlers, counter(lane, "queued"),
			    counter(lane, "in_flight"), b->available - available_mib());
		usleep(20000);
	}
}

/* The same for what is no lie: it is not counted as one. */
void nothing_wrong(u8 lane, const struct before *b)
{
	nothing_left(lane, b);
	if (counter(lane, "garbage") != b->garbage)
		die("lane %d: counted as garbage", lane);
}
