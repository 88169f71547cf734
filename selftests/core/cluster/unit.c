// SPDX-License-Identifier: GPL-2.0-only
/* Parameters, wire format, quorum, the table of moves: one function at a time. */
#include <stdlib.h>

#include "modules/cluster/core/config.h"
#include "modules/cluster/core/quorum.h"
#include "modules/cluster/core/wire.h"
#include "tap.h"

static const char *refused(const char *line)
{
	static struct krg_config_words w;
	struct krg_config_values v;
	struct krg_config_error err = {};

	memset(&w, 0, sizeof(w));
	krg_config_line(&w, line);
	return krg_config_check(&w, &v, &err) ? err.name : "";
}

static void test_config(void)
{
	static const struct {
		const char *line;
		const char *bad;
	} cases[] = {
		{ "session_id=1 node_id=0", "" },
		{ "quiet session_id=255 node_id=63 ro", "" },
		{ "session_id=0 node_id=1", "session_id" },
		{ "session_id=256 node_id=1", "session_id" },
		{ "session_id=-1 node_id=1", "session_id" },
		{ "session_id= node_id=1", "session_id" },
		{ "session_id=1x node_id=1", "session_id" },
		{ "session_id=4294967297 node_id=1", "session_id" },
		{ "session_id=11111111111111111111111111111111 node_id=1", "session_id" },
		{ "node_id=1", "session_id" },
		{ "session_id=1", "node_id" },
		{ "session_id=1 node_id=256", "node_id" },
		{ "session_id=1 node_id=64", "node_id" },
		{ "session_id=1 node_id=255 max_nodes=256", "" },
		{ "session_id=1 node_id=1 max_nodes=48", "max_nodes" },
		{ "session_id=1 node_id=0 max_nodes=1", "max_nodes" },
		{ "session_id=1 node_id=0 max_nodes=512", "max_nodes" },
		{ "session_id=1 autonodeid=1", "" },
		{ "session_id=1 autonodeid=0", "node_id" },
		{ "session_id=1 autonodeid=2", "autonodeid" },
		{ "session_id=1 node_id=1 nb_nodes_min=65", "nb_nodes_min" },
		{ "session_id=1 node_id=1 nb_nodes_min=4", "" },
		{ "session_id=1 node_id=1 net_dev=", "net_dev" },
		{ "session_id=1 node_id=1 net_dev=a-name-that-is-too-long", "net_dev" },
		{ "session_id=1 node_id=1 transport=rdma", "transport" },
		{ "session_id=1 node_id=1 transport=udp", "transport" },
		{ "session_id=1 node_id=1 transport=tcp", "" },
		{ "session_id=9 session_id=1 node_id=1", "" },
		{ "x=\"session_id=1 node_id=1\"", "session_id" },
		{ "session_id=1 -- node_id=1", "node_id" },
		{ "my_session_id=1 node_id=1", "session_id" },
	};
	unsigned int i;
	bool good = true;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *bad = refused(cases[i].line);

		if (strcmp(bad, cases[i].bad)) {
			printf("# '%s': refused '%s', not '%s'\n", cases[i].line, bad, cases[i].bad);
			good = false;
		}
	}
	ok(good, "%zu command lines: taken, or refused for the right word", ARRAY_SIZE(cases));
}

static struct krg_mask set(const char *nodes)
{
	struct krg_mask s = {};

	for (; *nodes; nodes++)
		krg_mask_add(&s, *nodes - '0');
	return s;
}

static void test_quorum(void)
{
	unsigned int voters, a;
	bool good = true;
	struct krg_mask v, alive, proven;

	for (voters = 1; voters < 128; voters++) {
		v = (struct krg_mask){ { voters } };
		for (a = 0; a < 128; a++) {
			struct krg_mask one = { { a } }, other = { { ~a & 127 } };

			if (krg_quorum_holds(&v, &one) + krg_quorum_holds(&v, &other) != 1)
				good = false;
		}
	}
	ok(good, "of any two halves of any voters exactly one has quorum");
	v = set("12");
	alive = set("2");
	proven = set("");
	ok(!krg_quorum_holds(&v, &alive) && !krg_quorum_regained(&v, &alive, &proven), "the higher of two has none");
	proven = set("1");
	ok(krg_quorum_regained(&v, &alive, &proven), "until the lower is proven dead");
}

static void test_moves(void)
{
	unsigned int from, to, legal = 0;

	for (from = 0; from < 8; from++)
		for (to = 0; to < 8; to++)
			legal += krg_state_may_move(from, to);
	ok(legal == 11 && !krg_state_may_move(KRG_NODE_ONLINE, KRG_NODE_PRESENT) &&
	   !krg_state_may_move(KRG_NODE_FAILED, KRG_NODE_ONLINE) &&
	   !krg_state_may_move(KRG_NODE_ABSENT, KRG_NODE_ONLINE), "eleven legal moves, no short cuts");
}

static u64 rng = 88172645463325252ull;

static u64 rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static void fill_beacon(struct krg_beacon *b)
{
	unsigned int i;

	memset(b, 0, sizeof(*b));
	b->session = 1 + rnd() % 255;
	b->max_nodes = 2u << rnd() % 8;
	b->node = rnd() % b->max_nodes;
	b->state = KRG_NODE_PRESENT + rnd() % 3;
	b->quorate = rnd() & 1;
	b->lease_ms = rnd();
	b->incarnation = rnd() | 1;
	b->addr.ip = rnd() | 1;
	b->addr.port = rnd();
	b->stamp = rnd();
	b->epoch = rnd();
	for (i = 0; i < 4; i++) {
		b->members.w[i] = rnd();
		b->suspects.w[i] = rnd();
		b->leased.w[i] = rnd();
	}
	for (i = 0; i < b->max_nodes; i++)
		b->echo[i] = rnd();
}

static void test_beacon_wire(void)
{
	static struct krg_beacon a, b;
	unsigned int i, j;
	bool good = true, cut = true;

	for (i = 0; i < 500; i++) {
		u64 *buf = malloc(KRG_BEACON_BYTES_MAX);
		int len;

		fill_beacon(&a);
		len = krg_beacon_encode(&a, buf, KRG_BEACON_BYTES_MAX) + KRG_BEACON_MAC;
		memset((char *)buf + len - KRG_BEACON_MAC, 0, KRG_BEACON_MAC);
		if (krg_beacon_decode(buf, len, &b) || memcmp(&a, &b, sizeof(a)))
			good = false;
		for (j = 0; j < (unsigned int)len; j++) {
			/* Exactly that many bytes, so that ASan sees a byte too much read. */
			void *shorter = aligned_alloc(8, (j + 7) & ~7u);

			memcpy(shorter, buf, j);
			if (!krg_beacon_decode(shorter, j, &b))
				cut = false;
			free(shorter);
			if (j > 200)
				j += 31;
		}
		free(buf);
	}
	ok(good, "beacons survive the wire");
	ok(cut, "a beacon cut short is refused");
}

static void test_msg_wire(void)
{
	static struct krg_view v, out;
	struct krg_msg m = {}, n;
	u64 *buf = malloc(KRG_MSG_BYTES_MAX);
	unsigned int i;
	bool good = true;
	int len;

	for (i = 0; i < KRG_NODES; i++) {
		v.node[i].state = i % 2 ? KRG_NODE_ONLINE : i % 4 ? KRG_NODE_FAILED : KRG_NODE_LEAVING;
		v.node[i].incarnation = rnd() | 1;
		v.node[i].addr.ip = rnd() | 1;
	}
	v.epoch = 7;
	v.quorate = true;
	v.voters = set("135");
	m.type = KRG_MSG_COMMIT;
	m.epoch = 7;
	m.node = KRG_NO_NODE;
	m.view = &v;
	len = krg_msg_encode(&m, buf, KRG_MSG_BYTES_MAX);
	ok(len == (int)KRG_MSG_BYTES_MAX && !krg_msg_decode(buf, len, &n, &out) && !memcmp(&v, &out, sizeof(v)),
	   "a view of 256 nodes survives the wire");
	for (i = 0; i < (unsigned int)len; i++)
		if (!krg_msg_decode(buf, i, &n, &out))
			good = false;
	ok(good, "a message cut short is refused");
	for (i = 0; i < 200000; i++) {
		u32 size = rnd() % 512;
		u64 *junk = aligned_alloc(8, (size + 8) & ~7u);
		u32 j;

		memcpy(junk, buf, size);
		for (j = 0; j < 3 && size; j++)
			((u8 *)junk)[rnd() % size] = rnd();
		krg_msg_decode(junk, size, &n, &out);
		krg_beacon_decode(junk, size, (struct krg_beacon[]){ {} });
		free(junk);
	}
	ok(true, "200000 damaged messages read without a fault");
	free(buf);
}

int main(void)
{
	printf("1..10\n");
	test_config();
	test_quorum();
	test_moves();
	test_beacon_wire();
	test_msg_wire();
	return tap_end(10);
}
