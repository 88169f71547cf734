// SPDX-License-Identifier: GPL-2.0-only
/* Telling the lies one by one. What for: liar.h. */
#include <fcntl.h>
#include <signal.h>

#include "liar.h"

#define SESSION		7
#define LOG_PATIENCE	30	/* seconds: the log takes 3 lines in 5 */

struct self self = { .doing = "begin" };

/* Each reason's line is to be seen once. Where the log had enough, the lie is told again. */
static bool why_seen(const char *why)
{
	static const char *seen[32];
	int i;

	for (i = 0; seen[i]; i++)
		if (!strcmp(seen[i], why))
			return true;
	if (log_says(why))
		seen[i] = why;
	return seen[i];
}

static void tell(const struct lie *lie, u8 lane)
{
	long garbage = counter(lane, "garbage"), connects = counter(lane, "connects");
	struct wire w;

	hello(&w, lane);
	served(&w);
	if (counter(lane, "connects") != connects + 1)
		die("not one connection more");
	if (lie->tell)
		lie->tell(&w);
	else
		tell_field(&w, lie);
	dropped(&w);
	wire_close(&w);
	if (counter(lane, "garbage") != garbage + 1)
		die("lane %d: garbage counted %ld times", lane, counter(lane, "garbage") - garbage);
}

static void tell_until_logged(const struct lie *lie, u8 lane)
{
	struct pollfd p = { .fd = self.log, .events = POLLIN };
	double end = now() + LOG_PATIENCE;
	struct before b = before(lane);

	self.doing = lie->name;
	tell(lie, lane);
	while (!why_seen(lie->why)) {
		if (now() > end)
			die("the log does not say \"%s\"", lie->why);
		poll(&p, 1, 1000);
		if (!why_seen(lie->why))
			tell(lie, lane);
	}
	nothing_left(lane, &b);
}

static void tell_odd(const struct lie *lie, u8 lane)
{
	struct before b = before(lane);
	struct wire w;

	self.doing = lie->name;
	hello(&w, lane);
	lie->tell(&w);
	served(&w);
	wire_close(&w);
	nothing_wrong(lane, &b);
}

/* Frames that stop half-way, in the header and in the payload, again and again. */
static void tell_truncated(u8 lane)
{
	struct before b = before(lane);
	u8 header[KRG_FRAME_HEADER];
	struct krg_frame f;
	struct wire w;

	self.doing = "cut short";
	for (int i = 0; i < 200; i++) {
		hello(&w, lane);
		f = request(&w, ECHO, lane_max[lane]);
		krg_frame_encode(&f, header);
		wire_write(&w, header, i % 4 ? KRG_FRAME_HEADER : 1 + i % 47);
		if (i % 4)
			wire_write(&w, payload, f.length * (i % 3) / 3);
		if (i % 2) {
			shutdown(w.fd, SHUT_WR);
			dropped(&w);
		}
		wire_close(&w);
	}
	nothing_wrong(lane, &b);
}

/* Who holds the key must still say who it is, and to whom it talks. */
static void tell_identities(void)
{
	struct krg_hs_ident ids[] = {
		self.ident, self.ident, self.ident, self.ident, self.ident, self.ident,
		self.ident,
	};
	struct wire w;

	self.doing = "a wrong name in the handshake";
	ids[0].session++;
	ids[1].lane = LANES;
	ids[2].from = ids[2].to;
	ids[3].to++;
	ids[4].from_incarnation++;
	ids[5].to_incarnation++;
	ids[6].from = ids[6].to - 1;
	for (u32 i = 0; i < ARRAY_SIZE(ids); i++) {
		if (wire_open(&w, &self.addr, self.key, &ids[i]))
			die("number %u is welcome", i);
		wire_close(&w);
	}
}

/* A second connection of the same lane: the node forgets the first, and serves this one. */
static void tell_takeover(u8 lane)
{
	struct before was = before(lane);
	struct wire a, b;

	self.doing = "a second connection";
	hello(&a, lane);
	served(&a);
	hello(&b, lane);
	dropped(&a);
	served(&b);
	wire_close(&a);
	wire_close(&b);
	nothing_wrong(lane, &was);
}

static void all_lies(void)
{
	const struct lie *lie;

	for (u8 lane = 0; lane < LANES; lane++) {
		for (lie = oddities; lie->name; lie++)
			tell_odd(lie, lane);
		/* One of each kind first: the log takes three lines in five seconds. */
		for (lie = fields; lie->name; lie++)
			if (!why_seen(lie->why))
				tell_until_logged(lie, lane);
		for (lie = fields; lie->name; lie++)
			tell_until_logged(lie, lane);
		for (lie = lies; lie->name; lie++)
			tell_until_logged(lie, lane);
		tell_truncated(lane);
		tell_takeover(lane);
	}
	tell_until_logged(&long_reply, 0);
	tell_until_logged(&ack_ahead, 0);
	tell_identities();
}

/* Takes the lanes over from who is named, and leaves: that one's connections are cut. */
static void all_hello(void)
{
	struct wire w;

	self.doing = "hello";
	for (u8 lane = 0; lane < LANES; lane++) {
		hello(&w, lane);
		wire_close(&w);
	}
}

static void begin(char **argv)
{
	char path[64];

	signal(SIGPIPE, SIG_IGN);
	self.addr.sin_family = AF_INET;
	self.addr.sin_port = htons(WIRE_PORT);
	self.key = argv[3];
	self.epoch = strtoul(argv[4], NULL, 10);
	self.ident = (struct krg_hs_ident){
		.session = SESSION,
		.from = strtoul(argv[5], NULL, 10),
		.from_incarnation = strtoull(argv[6], NULL, 16),
		.to = strtoul(argv[7], NULL, 10),
		.to_incarnation = strtoull(argv[8], NULL, 16),
	};
	snprintf(path, sizeof(path), "/run/netns/%s", argv[2]);
	self.own_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	self.node_ns = open(path, O_RDONLY | O_CLOEXEC);
	self.log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (inet_pton(AF_INET, argv[1], &self.addr.sin_addr) != 1 || self.own_ns < 0 ||
	    self.node_ns < 0 || self.log < 0)
		die("%s, %s: %m", argv[1], path);
	lseek(self.log, 0, SEEK_END);
}

int main(int argc, char **argv)
{
	if (argc == 10 && !strcmp(argv[9], "lies")) {
		begin(argv);
		all_lies();
		return 0;
	}
	if (argc == 10 && !strcmp(argv[9], "hello")) {
		begin(argv);
		all_hello();
		return 0;
	}
	if (argc == 13 && !strcmp(argv[9], "fuzz")) {
		begin(argv);
		return fuzz(atoi(argv[10]), atoi(argv[11]), strtoul(argv[12], NULL, 10));
	}
	fprintf(stderr, "usage: see liar.h\n");
	return 2;
}
