// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scenarios on the simulated network, and seeded random ones:
 *   scenarios [SEEDS [FIRST]]	SEEDS random histories (default 60)
 */
#include <stdlib.h>

#include "modules/cluster/core/lease.h"
#include "sim.h"
#include "tap.h"

#define DETECT_MS 5000

static struct krg_mask range(unsigned int from, unsigned int to)
{
	struct krg_mask s = {};

	for (; from <= to; from++)
		krg_mask_add(&s, from);
	return s;
}

static struct sim *cluster(unsigned int nodes, u64 seed)
{
	struct sim *s = sim_new(nodes, nodes > 16 ? 64 : 16, seed);
	struct krg_mask all = range(0, nodes - 1);
	unsigned int i;

	for (i = 0; i < nodes; i++)
		sim_boot(s, i);
	sim_run(s, 3000);
	sim_op(s, nodes / 2, KRG_OP_START, &all);
	sim_run(s, 2000);
	return s;
}

/* Every live machine in @who sees @node as @state. */
static bool all_see(struct sim *s, unsigned int nodes, unsigned int node, u8 state)
{
	unsigned int i;

	for (i = 0; i < nodes; i++)
		if (i != node && sim_node(s, i)->alive && sim_node(s, i)->m.member[node].state != state)
			return false;
	return true;
}

static bool all_online(struct sim *s, unsigned int nodes)
{
	unsigned int i;

	for (i = 0; i < nodes; i++)
		if (!all_see(s, nodes, i, KRG_NODE_ONLINE) || !krg_in_cluster(&sim_node(s, i)->m))
			return false;
	return true;
}

static void finish(struct sim *s, bool good, const char *name)
{
	const char *broken = sim_broken(s);

	if (broken)
		printf("# %s\n", broken);
	ok(good && !broken, "%s", name);
	sim_free(s);
}

static void test_start(void)
{
	unsigned int n, sizes[] = { 1, 2, 3, 16, 64 };

	for (n = 0; n < ARRAY_SIZE(sizes); n++) {
		struct sim *s = cluster(sizes[n], n + 1);
		char name[64];

		snprintf(name, sizeof(name), "%u nodes start", sizes[n]);
		finish(s, all_online(s, sizes[n]) && !sim_op_status(s, sizes[n] / 2), name);
	}
}

static void test_start_waits(void)
{
	struct sim *s = sim_new(3, 4, 5);
	struct krg_mask all = range(0, 2);
	bool waits;

	sim_boot(s, 0);
	sim_boot(s, 1);
	sim_run(s, 3000);
	sim_op(s, 0, KRG_OP_START, &all);
	sim_run(s, 3000);
	waits = sim_op_status(s, 0) == -EINPROGRESS;
	sim_boot(s, 2);
	sim_run(s, 3000);
	finish(s, waits && all_online(s, 3) && !sim_op_status(s, 0), "start waits for a chosen node that is absent");
}

static void test_two_starts(void)
{
	unsigned int seed, good = 0;

	for (seed = 0; seed < 20; seed++) {
		struct sim *s = sim_new(6, 8, seed + 1);
		struct krg_mask all = range(0, 5);
		unsigned int i;

		for (i = 0; i < 6; i++)
			sim_boot(s, i);
		sim_run(s, 3000);
		sim_op(s, 1, KRG_OP_START, &all);
		sim_run(s, sim_random(s, 10));
		sim_op(s, 4, KRG_OP_START, &all);
		sim_run(s, 12000);
		good += all_online(s, 6) && !sim_broken(s);
		sim_free(s);
	}
	ok(good == 20, "two starts at one moment make one cluster (%u of 20)", good);
}

static void test_detection(void)
{
	unsigned int n, victim, sizes[] = { 2, 3, 8, 64 };
	u64 worst = 0;
	bool good = true;

	for (n = 0; n < ARRAY_SIZE(sizes); n++) {
		for (victim = 0; victim < sizes[n]; victim += sizes[n] > 8 ? 21 : 1) {
			struct sim *s = cluster(sizes[n], victim + 100);
			u64 t;

			sim_loss(s, 0.02);
			sim_run(s, 1000 + sim_random(s, 500));
			sim_kill(s, victim);
			for (t = 0; t < 20000 && !all_see(s, sizes[n], victim, KRG_NODE_FAILED); t += 10)
				sim_run(s, 10);
			if (t > worst)
				worst = t;
			if (t > DETECT_MS || sim_broken(s)) {
				printf("# %u nodes, victim %u: %llu ms, %s\n", sizes[n], victim,
				       (unsigned long long)t, sim_broken(s) ? sim_broken(s) : "");
				good = false;
			}
			sim_free(s);
		}
	}
	ok(good, "a lost node is failed on all others within %d ms (worst %llu)", DETECT_MS,
	   (unsigned long long)worst);
}

static void test_reboot(void)
{
	unsigned int victim;

	for (victim = 0; victim < 2; victim++) {
		struct sim *s = cluster(2, 9 + victim);
		struct krg_mask mask = range(victim, victim);
		bool present, noquorum;

		sim_kill(s, victim);
		sim_run(s, 6000);
		noquorum = sim_node(s, !victim)->m.view.quorate == (victim == 1);
		sim_boot(s, victim);
		sim_run(s, 4000);
		present = all_see(s, 2, victim, KRG_NODE_PRESENT);
		sim_op(s, !victim, KRG_OP_ADD, &mask);
		sim_run(s, 3000);
		finish(s, noquorum && present && all_online(s, 2) && !sim_op_status(s, !victim),
		       victim ? "two nodes, the higher dies, reboots, is added" :
				"two nodes, the lower dies, reboots, is added");
	}
}

static void test_fast_reboot(void)
{
	struct sim *s = cluster(4, 77);
	struct krg_mask mask = range(2, 2);
	bool failed;

	sim_kill(s, 2);
	sim_run(s, 100);
	sim_boot(s, 2);
	sim_run(s, 1800);
	failed = sim_notices(s, KRG_NOTICE_REBORN) > 0;
	sim_op(s, 0, KRG_OP_ADD, &mask);
	sim_run(s, 4000);
	finish(s, failed && all_online(s, 4), "a node that reboots faster than its lease is failed first, then added");
}

static void test_split(void)
{
	struct sim *s = cluster(4, 12);
	bool minority, majority, dissolved;
	struct krg_mask mask = range(2, 3);

	sim_split(s, 0xc);
	sim_run(s, 6000);
	majority = sim_node(s, 0)->m.view.quorate && sim_node(s, 1)->m.view.quorate &&
		   sim_node(s, 0)->m.member[2].state == KRG_NODE_FAILED;
	minority = !sim_node(s, 2)->m.view.quorate && krg_in_cluster(&sim_node(s, 2)->m) &&
		   sim_node(s, 2)->m.member[0].state == KRG_NODE_FAILED;
	sim_heal(s);
	sim_run(s, 5000);
	dissolved = !krg_in_cluster(&sim_node(s, 2)->m) && !krg_in_cluster(&sim_node(s, 3)->m) &&
		    sim_node(s, 0)->m.member[2].state == KRG_NODE_PRESENT;
	sim_op(s, 3, KRG_OP_ADD, &mask);
	sim_run(s, 4000);
	ok(majority && minority, "a split in half: the side of the lowest keeps quorum, the other knows it has not");
	ok(dissolved, "the split ends: the side without quorum dissolves");
	finish(s, all_online(s, 4), "and is added again");
}

static void test_one_link(void)
{
	struct sim *s = cluster(5, 31);
	unsigned int in = 0, i;

	sim_cut(s, 2, 3, true);
	sim_cut(s, 3, 2, true);
	sim_run(s, 15000);
	for (i = 0; i < 5; i++)
		in += krg_in_cluster(&sim_node(s, i)->m);
	finish(s, in == 4 && sim_node(s, 0)->m.view.quorate, "one link between two nodes cut: one of them goes, four stay");
}

static void test_deaf(void)
{
	struct sim *s = cluster(5, 32);
	unsigned int i;
	bool good;

	for (i = 0; i < 4; i++)
		sim_cut(s, i, 4, true);
	sim_run(s, 8000);
	good = all_see(s, 4, 4, KRG_NODE_FAILED) && sim_node(s, 0)->m.view.quorate;
	finish(s, good, "a node that is heard but hears nobody is failed");
}

static void test_stop(void)
{
	struct sim *s = cluster(5, 40);
	unsigned int i;
	bool good = true;

	sim_loss(s, 0.1);
	sim_op(s, 3, KRG_OP_STOP, NULL);
	sim_run(s, 8000);
	for (i = 0; i < 5; i++)
		good = good && !krg_in_cluster(&sim_node(s, i)->m);
	good = good && !sim_op_status(s, 3) && !sim_notices(s, KRG_NOTICE_LOST) && !sim_notices(s, KRG_NOTICE_EVICTED);
	finish(s, good, "stop: every node leaves, nobody is failed");
}

/* Everybody alive has left and knows what its machine is to do now. */
static bool all_left_for(struct sim *s, unsigned int nodes, u8 flags)
{
	unsigned int i;

	for (i = 0; i < nodes; i++) {
		const struct krg_membership *m = &sim_node(s, i)->m;

		if (sim_node(s, i)->alive && (krg_in_cluster(m) || m->view.flags != flags))
			return false;
	}
	return true;
}

static void test_switch_off(void)
{
	struct krg_mask all = range(0, 4), late = range(5, 5);
	struct sim *s = cluster(5, 42);
	bool good;

	sim_loss(s, 0.1);
	sim_op_flags(s, 3, KRG_OP_STOP, NULL, 0x10);
	sim_run(s, 8000);
	good = all_left_for(s, 5, 0x10) && !sim_op_status(s, 3);
	sim_op(s, 1, KRG_OP_START, &all);
	sim_run(s, 5000);
	good = good && all_online(s, 5) && !sim_node(s, 4)->m.view.flags;
	sim_op(s, 2, KRG_OP_STOP, NULL);
	sim_run(s, 8000);
	finish(s, good && all_left_for(s, 5, 0), "switch off: every node hears it, a new cluster forgets it");

	s = cluster(5, 43);
	sim_op_flags(s, 3, KRG_OP_STOP, NULL, 0x20);
	sim_run(s, 30);
	sim_kill(s, 0);
	sim_run(s, 15000);
	finish(s, all_left_for(s, 5, 0x20), "switch off: the coordinator dies meanwhile");

	s = cluster(5, 44);
	sim_op(s, 2, KRG_OP_STOP, NULL);
	sim_run(s, 10);
	sim_op_flags(s, 1, KRG_OP_STOP, NULL, 0x10);
	sim_run(s, 10);
	sim_op_flags(s, 4, KRG_OP_STOP, NULL, 0x20);
	sim_run(s, 8000);
	good = sim_node(s, 0)->m.view.flags && all_left_for(s, 5, sim_node(s, 0)->m.view.flags);
	finish(s, good, "switch off: asked for while all leave, all agree");

	s = cluster(6, 45);
	sim_op(s, 0, KRG_OP_DEL, &late);
	sim_run(s, 4000);
	sim_op_flags(s, 3, KRG_OP_STOP, NULL, 0x10);
	sim_run(s, 20);
	sim_op(s, 0, KRG_OP_ADD, &late);
	sim_run(s, 8000);
	good = !krg_in_cluster(&sim_node(s, 5)->m) && !sim_node(s, 5)->m.view.flags;
	finish(s, good && all_left_for(s, 5, 0x10), "switch off: nobody is taken in meanwhile");
}

static void test_del(void)
{
	struct sim *s = cluster(5, 41);
	struct krg_mask mask = range(0, 1);
	bool out, back;

	sim_op(s, 0, KRG_OP_DEL, &mask);
	sim_run(s, 4000);
	out = !sim_op_status(s, 0) && all_see(s, 5, 0, KRG_NODE_PRESENT) &&
	      sim_node(s, 4)->m.member[1].state == KRG_NODE_PRESENT && !krg_in_cluster(&sim_node(s, 0)->m);
	sim_op(s, 0, KRG_OP_ADD, &mask);
	sim_run(s, 4000);
	back = all_online(s, 5) && !sim_op_status(s, 0);
	finish(s, out && back, "the coordinator and another leave in order, and are added again");
}

static void test_forget(void)
{
	struct sim *s = cluster(3, 43);
	struct krg_mask mask = range(0, 1);
	bool lost, regained;

	sim_kill(s, 0);
	sim_kill(s, 1);
	sim_run(s, 6000);
	lost = !sim_node(s, 2)->m.view.quorate;
	sim_op(s, 2, KRG_OP_ADD, &mask);
	sim_run(s, 1000);
	lost = lost && sim_op_status(s, 2) == -ENOLINK;
	sim_op(s, 2, KRG_OP_DEL, &mask);
	sim_run(s, 2000);
	regained = sim_node(s, 2)->m.view.quorate && all_see(s, 3, 0, KRG_NODE_ABSENT);
	finish(s, lost && regained, "without quorum nobody is admitted; removing the dead by hand regains it");
}

static void test_duplicate(void)
{
	struct sim *s = sim_new(3, 4, 51);
	struct krg_mask all = range(0, 1);
	struct sim_node *second = sim_node(s, 2);
	bool refused;

	second->id = 1;
	second->duplicate = true;
	sim_boot(s, 0);
	sim_boot(s, 1);
	sim_run(s, 3000);
	sim_boot(s, 2);
	sim_run(s, 3000);
	sim_op(s, 2, KRG_OP_START, &all);
	sim_run(s, 1000);
	refused = sim_op_status(s, 2) == -EADDRINUSE && second->m.duplicate.ip == sim_node(s, 1)->m.addr.ip;
	finish(s, refused && sim_notices(s, KRG_NOTICE_DUPLICATE), "a second machine with the same id is told the other's address");
}

static void test_exists(void)
{
	struct sim *s = sim_new(4, 4, 52);
	struct krg_mask some = range(0, 1), others = range(2, 3);
	unsigned int i;

	for (i = 0; i < 4; i++)
		sim_boot(s, i);
	sim_run(s, 3000);
	sim_op(s, 0, KRG_OP_START, &some);
	sim_run(s, 2000);
	sim_op(s, 2, KRG_OP_START, &others);
	sim_run(s, 1000);
	finish(s, sim_op_status(s, 2) == -EEXIST && !krg_in_cluster(&sim_node(s, 2)->m),
	       "a second cluster in the session is refused");
}

static void test_autostart(void)
{
	struct sim *s = sim_new(4, 4, 53);
	unsigned int i;
	bool early;

	for (i = 0; i < 4; i++) {
		sim_boot(s, i);
		sim_node(s, i)->m.nb_nodes_min = 4;
		if (i == 2)
			sim_run(s, 4000);
	}
	early = krg_in_cluster(&sim_node(s, 0)->m);
	sim_run(s, 4000);
	finish(s, !early && all_online(s, 4), "nb_nodes_min starts the cluster when that many are present");
}

/* What holds once everything is mended: at most one cluster, and all agree. */
static bool settled(struct sim *s, unsigned int nodes)
{
	struct sim_node *first = NULL;
	unsigned int i, n;

	for (i = 0; i < nodes; i++) {
		struct sim_node *a = sim_node(s, i);

		if (!a->alive || !krg_in_cluster(&a->m))
			continue;
		if (!first)
			first = a;
		if (a->m.epoch != first->m.epoch || a->m.view.quorate != first->m.view.quorate) {
			printf("# nodes %u and %u differ: epochs %u and %u\n", a->id, first->id, a->m.epoch,
			       first->m.epoch);
			return false;
		}
		for (n = 0; n < nodes; n++)
			if (a->m.view.node[n].state != first->m.view.node[n].state ||
			    (krg_view_member(&a->m.view, n) && !sim_node(s, n)->alive)) {
				printf("# node %u: node %u in state %u, for %u in %u\n", a->id, n,
				       a->m.view.node[n].state, first->id, first->m.view.node[n].state);
				return false;
			}
	}
	return true;
}

static void disturb(struct sim *s, unsigned int nodes)
{
	unsigned int a = sim_random(s, nodes);
	struct krg_mask mask = {};
	unsigned int i;

	for (i = 0; i < nodes; i++)
		if (sim_random(s, 3) == 0)
			krg_mask_add(&mask, i);
	switch (sim_random(s, 10)) {
	case 0:
	case 1:
		sim_kill(s, a);
		break;
	case 2:
	case 3:
		for (i = 0; i < nodes; i++)
			if (!sim_node(s, i)->alive && sim_random(s, 2))
				sim_boot(s, i);
		break;
	case 4:
		sim_split(s, sim_random(s, 0));
		break;
	case 5:
		sim_cut(s, a, sim_random(s, nodes), true);
		break;
	case 6:
		sim_heal(s);
		break;
	case 7:
		if (!sim_node(s, a)->alive)
			break;
		for (i = 0; i < nodes; i++)
			if (!sim_node(s, i)->alive || sim_node(s, a)->m.member[i].state == KRG_NODE_ABSENT ||
			    sim_node(s, a)->m.member[i].state == KRG_NODE_FAILED)
				krg_mask_del(&mask, i);
		krg_mask_add(&mask, a);
		sim_op(s, a, krg_in_cluster(&sim_node(s, a)->m) ? KRG_OP_ADD : KRG_OP_START, &mask);
		break;
	case 8:
		if (sim_node(s, a)->alive && sim_random(s, 4) == 0)
			sim_op(s, a, KRG_OP_STOP, NULL);
		break;
	case 9:
		if (sim_node(s, a)->alive)
			sim_op(s, a, KRG_OP_DEL, &mask);
		break;
	}
}

static bool random_history(u64 seed)
{
	unsigned int sizes[] = { 2, 3, 4, 5, 7, 12, 24, 64 };
	unsigned int nodes = sizes[seed % ARRAY_SIZE(sizes)];
	unsigned int rounds = nodes > 16 ? 2 : 8, steps, i;
	struct sim *s = cluster(nodes, seed + 1000);
	bool good = true;

	while (rounds-- && good) {
		sim_loss(s, (double)sim_random(s, 4) * 0.05);
		for (steps = 1 + sim_random(s, 8); steps; steps--) {
			disturb(s, nodes);
			sim_run(s, sim_random(s, 3) ? sim_random(s, 1000) : sim_random(s, 8000));
		}
		sim_loss(s, 0);
		sim_heal(s);
		for (i = 0; i < nodes; i++)
			if (sim_node(s, i)->alive) {
				struct krg_event ev = { .type = KRG_EV_CANCEL, .now = sim_node(s, i)->m.now };
				static struct krg_out out;

				krg_membership_event(&sim_node(s, i)->m, &ev, &out);
			}
		sim_run(s, 20000);
		good = settled(s, nodes) && !sim_broken(s);
	}
	if (!good)
		printf("# seed %llu, %u nodes: %s\n", (unsigned long long)seed, nodes,
		       sim_broken(s) ? sim_broken(s) : "not settled");
	sim_free(s);
	return good;
}

int main(int argc, char **argv)
{
	unsigned int seeds = argc > 1 ? (unsigned int)atoi(argv[1]) : 60;
	unsigned int first = argc > 2 ? (unsigned int)atoi(argv[2]) : 0;
	unsigned int seed, good = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (getenv("TRACE"))
		sim_trace(true);
	if (argc > 2) {
		for (seed = first; seed < first + seeds; seed++)
			good += random_history(seed);
		return good != seeds;
	}
	printf("1..27\n");
	test_start();
	test_start_waits();
	test_two_starts();
	test_detection();
	test_reboot();
	test_fast_reboot();
	test_split();
	test_one_link();
	test_deaf();
	test_stop();
	test_switch_off();
	test_del();
	test_forget();
	test_duplicate();
	test_exists();
	test_autostart();
	for (seed = 0; seed < seeds; seed++)
		good += random_history(seed);
	ok(good == seeds, "%u random histories of up to 64 nodes: agreement, leases, one quorum", seeds);
	return tap_end(27);
}
