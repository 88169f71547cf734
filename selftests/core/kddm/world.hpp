/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A cluster of nodes that run the kernel's own protocol code, one step at a time.
 * Whoever drives it (explorer, simulator, unit tests) chooses what happens next;
 * the world plays the callers of the core: users, linkers, channels, membership.
 * After each step it knows whether an invariant was broken.
 *
 * Bytes of an object are a version: 0 as the linker makes it, each store one more.
 */
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core.hpp"

namespace kddm
{

enum class Kind : uint8_t { None, Read, Write, Prefetch, Find, Flush, Sync, Remove, JobSync, JobRemove };
enum class Stage : uint8_t { Idle, Waiting, Holding };

/* One user on a node, or at a manager one thing to be done for a node. */
struct User {
	Kind kind = Kind::None;
	Stage stage = Stage::Idle;
	uint8_t object = 0;
	bool asked = false; /* its own SYNC or REMOVE is under way */
	uint16_t node = KRG_KDDM_NOBODY;
};

/* An object on a node, and what the node's memory has of it. */
struct Copy {
	krg_kddm_object o{};
	uint32_t version = 0;
	uint8_t mapped = 0; /* local users may: 0 nothing, 1 read, 2 write */
	bool filling = false;
	uint8_t woken = 0; /* users to try again */
};

struct Packet {
	krg_kddm_msg msg{};
	uint32_t epoch = 0;
	uint32_t version = 0;
	uint8_t view = 0;	   /* a message of the view */
	krg_kddm_view_past past{}; /* with its END */
	std::vector<krg_kddm_gap> gaps;
	uint8_t object = 0;
};

struct View {
	uint32_t epoch = 0;
	krg_kddm_map members{};
	krg_kddm_map guards{};
	krg_kddm_map left{};
	krg_kddm_map again{};
};

struct Node {
	bool alive = false;
	krg_kddm_view view{};
	std::vector<krg_kddm_gap> gaps;
	std::map<unsigned, Copy> copies; /* absent: nothing to know */
	std::deque<User> users;		 /* the first are slots, then jobs */
	unsigned learned = 0;		 /* views it knows of */
};

/* What kinds of step there are. */
enum class Do : uint8_t {
	Deliver,
	Start,
	Put,
	GiveUp,
	Store,
	Release,
	Filled,
	FillFails,
	Learn,
	Kill,
	Leave,
	Left,
	Join,
	Again
};

struct Choice {
	Do what{};
	uint16_t a = 0;
	uint16_t b = 0;
	uint8_t c = 0;
};

struct Rules {
	unsigned nodes = 3;
	unsigned objects = 1;
	unsigned slots = 1;	 /* users on a node at once */
	unsigned start = 0;	 /* nodes in the first view; 0 = all */
	int home = -1;		 /* home of the set; -1 = hashed */
	uint64_t set = 1;	 /* its number: decides who guards what */
	bool release_now = true; /* what was granted goes as soon as its users have it */
	bool fill_now = true;	 /* the linker never waits */
	bool tell_again = true;	 /* nodes are told who died and came again */
};

class World
{
public:
	explicit World(const Rules &rules);
	~World();
	World(const World &) = delete;
	World &operator=(const World &) = delete;

	const Rules rules;
	std::vector<Node> node;
	std::vector<std::vector<Packet>> channel; /* [from * nodes + to] */
	std::vector<uint32_t> busy;		  /* channels that were not empty, for who draws one */
	std::vector<View> views;		  /* as the cluster decided them */
	std::vector<uint32_t> latest;		  /* version last stored */
	std::vector<bool> written;		  /* was it ever filled since untouched */
	int leaving = -1;
	unsigned deaths = 0;
	unsigned over_reported = 0; /* objects called lost that were never filled */
	unsigned lost = 0;	    /* objects called lost */
	uint64_t messages = 0;
	std::map<int, unsigned> sent; /* by type */
	unsigned errors = 0;	      /* operations that ended with an error */
	std::string broken;	      /* the first broken invariant */
	std::vector<std::string> *log = nullptr;

	/* Nothing broken so far. */
	[[nodiscard]] bool good() const { return broken.empty(); }
	void step(const Choice &choice);
	[[nodiscard]] bool deliverable(unsigned from, unsigned to) const;
	[[nodiscard]] bool quiet() const;
	[[nodiscard]] bool under_way(unsigned object) const;
	/* Invariants of a state with nothing under way; everything that was begun has ended. */
	void check_quiet(bool ended);
	void check_object(unsigned object);
	[[nodiscard]] krg_kddm_env env(unsigned n, unsigned object);
	Copy &copy(unsigned n, unsigned object);
	[[nodiscard]] const Copy *find(unsigned n, unsigned object) const;
	[[nodiscard]] bool member(unsigned n) const;
	[[nodiscard]] bool may_start(unsigned n) const;
	/* May it die or leave: somebody stays who knows of the set. */
	[[nodiscard]] bool may_die(unsigned n) const;
	/* Is something on its way to it from who died and came again in the view it learns next. */
	[[nodiscard]] bool may_be_late(unsigned n) const;
	/* Has a node that leaves nothing any more. */
	[[nodiscard]] bool may_go(unsigned n) const;
	[[nodiscard]] std::string describe(const Choice &choice) const;
	[[nodiscard]] std::string picture() const;
	void fail(const std::string &why);
	void forget_idle(unsigned n, unsigned object);
	/* One event by hand, with its consequences. */
	int event(unsigned n, unsigned object, krg_kddm_msg msg, uint32_t version = 0);
	void install(unsigned object); /* the home node has this object from the start */

	static uint64_t used[512]; /* how often each rule was followed */
	static unsigned most_actions, most_rules;

private:
	krg_kddm_map *spare_ = nullptr;
	std::deque<krg_kddm_map> maps_;
	std::map<std::pair<uint64_t, unsigned>, krg_kddm_place> places_;
	void refill();
	krg_kddm_place place(const krg_kddm_map &guards, unsigned object);
	int run(unsigned n, unsigned object, const krg_kddm_msg &msg, uint32_t version);
	void act(unsigned n, unsigned object, const krg_kddm_action &a);
	void post(unsigned from, unsigned to, const Packet &p);
	void calm(unsigned n, unsigned object);
	void wake(unsigned n, unsigned object, uint8_t whom, int status);
	void attempt(unsigned n, User &u);
	void attempt_job(unsigned n, User &u);
	void deliver(unsigned from, unsigned to);
	void carry(Packet &p);
	void learn_gaps(unsigned n, const std::vector<krg_kddm_gap> &gaps);
	void view_todo(unsigned n, unsigned todo);
	void view_event(unsigned n, uint8_t type, unsigned from, uint32_t epoch,
			const krg_kddm_view_past *past = nullptr);
	void view_send(unsigned n, uint8_t type);
	void view_objects(unsigned n, uint8_t type);
	void view_change(unsigned n, bool late);
	void die(unsigned n);
	void come(unsigned n);
	View &change(const krg_kddm_map &members, const krg_kddm_map &guards);
	void drop_jobs(unsigned n);
	void check_lost(unsigned n, unsigned object);
	void note(const std::string &line);
};

std::string text(const krg_kddm_msg &msg);
const char *kind_name(Kind kind);

} // namespace kddm
