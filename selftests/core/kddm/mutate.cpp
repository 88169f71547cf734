// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is the explorer able to fail? Each test breaks one rule of the protocol (leaves
 * out an action, or turns a condition) and wants it found. The linker gives us
 * the two places to do it (--wrap): the code under test is the kernel's own.
 */
#include <cstdio>
#include <cstdlib>

#include "bounds.hpp"

using namespace kddm;

namespace
{

struct Mutation {
	const char *what;
	unsigned rule; /* in which rule */
	int act;       /* this action is left out; -1: none */
	int guard;     /* or this condition, in any rule, */
	bool value;    /* is this */
	size_t where;  /* in which world it is looked for: index into all_bounds(false) */
};

const Mutation *now;

} // namespace

extern "C" {
int __real_krg_kddm_act(struct krg_kddm_step *s, unsigned act);
bool __real_krg_kddm_guard(const struct krg_kddm_step *s, unsigned guard);
int __wrap_krg_kddm_act(struct krg_kddm_step *s, unsigned act);
bool __wrap_krg_kddm_guard(const struct krg_kddm_step *s, unsigned guard);

int __wrap_krg_kddm_act(struct krg_kddm_step *s, unsigned act)
{
	if (now && now->act == static_cast<int>(act) && s->out->rule[s->out->rules - 1] == now->rule)
		return 0;
	return __real_krg_kddm_act(s, act);
}

bool __wrap_krg_kddm_guard(const struct krg_kddm_step *s, unsigned guard)
{
	if (now && now->guard == static_cast<int>(guard))
		return now->value;
	return __real_krg_kddm_guard(s, guard);
}
}

#define LEAVE_OUT(rule, act) rule, KRG_KDDM_DO_##act, -1, false
#define TURN(guard, value) 0, -1, KRG_KDDM_IF_##guard, value

namespace
{

int failed, count;

void found(const char *what, const Bounds &b)
{
	Found f = explore(b);

	failed += f.good();
	std::printf("%sok %d - %s: %s after %u steps, %zu states\n", f.good() ? "not " : "", ++count, what,
		    f.good() ? "not found" : f.broken.c_str(), f.depth, f.states);
	std::fflush(stdout);
}

} // namespace

int main()
{
	enum {
		READ_WRITE = 0,
		EVERY = 1,
		SLOW = 2,
		DEATH = 6,
		LEAVE = 10,
		JOIN_DEATH = 12,
		LEAVE_DEATH = 13,
		AGAIN = 14
	};
	static const Mutation all[] = {
	    {"a sharer keeps its mapping after INV", LEAVE_OUT(140, UNMAP), READ_WRITE},
	    {"INV does not wait for a reader", TURN(LET_GO, true), READ_WRITE},
	    {"the owner stays writable when it shares", LEAVE_OUT(121, PROTECT), READ_WRITE},
	    {"a new owner does not wait for ACKs", TURN(OWN_SOME, false), READ_WRITE},
	    {"a new owner forgets to count its ACKs", LEAVE_OUT(110, EARLY), READ_WRITE},
	    {"an ACK is not sent", LEAVE_OUT(140, SEND_ACK), READ_WRITE},
	    {"the manager serves no other after its own miss", TURN(SHARE_MANAGER, false), READ_WRITE},
	    {"a request is dropped instead of put off", LEAVE_OUT(125, DEFER_GET), READ_WRITE},
	    {"FWD_GRAB put off is forgotten", LEAVE_OUT(174, REDO_LAST), READ_WRITE},
	    {"a reader's copy is not in the directory", LEAVE_OUT(220, DIR_DROP), EVERY},
	    {"the sharer is not told that its DROP came", LEAVE_OUT(220, SEND_DROPPED), EVERY},
	    {"what was granted is taken before its user had it", LEAVE_OUT(104, FILL), READ_WRITE},
	    {"a failed linker blocks the object", LEAVE_OUT(36, FILL_FAILED), SLOW},
	    {"the witness does not remember", LEAVE_OUT(160, WITNESS), DEATH},
	    {"a copy on its way is lost with the old view", TURN(DRAIN_CONTENT, false), DEATH},
	    {"a vanished object is taken for untouched", TURN(BUILD_LOST, false), DEATH},
	    {"copies are not reported", TURN(SOMETHING, false), DEATH},
	    {"nobody is made owner", TURN(BUILD_OTHER, false), DEATH},
	    {"the new witness is not told", LEAVE_OUT(370, WITNESS_TELL), LEAVE_DEATH},
	    {"guardians never forget", LEAVE_OUT(380, GO), JOIN_DEATH},
	};
	std::vector<Bounds> bounds = all_bounds(false);

	std::printf("1..%zu\n", std::size(all) + 1);
	for (const Mutation &m : all) {
		now = &m;
		found(m.what, bounds[m.where]);
		now = nullptr;
	}
	bounds[AGAIN].rules.tell_again = false;
	found("who died and came again is taken for who it was", bounds[AGAIN]);
	return failed != 0;
}
