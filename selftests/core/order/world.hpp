/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A cluster of nodes around the pure code of the order: channels, views, users, a
 * machine whose state is the history of all that was applied. Whoever drives it
 * chooses what happens next; what must hold is checked as it happens.
 */
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core.hpp"

namespace world
{

/* One item of the history: an operation of a life of a node, or the end of a node. */
struct Item {
	u16 dead;
	u16 node;
	u32 life;
	u64 op;
	bool operator==(const Item &) const = default;
};

struct Op {
	u32 life;
	u32 node;
	u64 op;
};

struct Entry {
	u8 kind = 0;
	u16 origin = 0;
	u32 serial = 0;
	Op op{};
	krg_order_view view{};
};

struct View {
	u32 epoch = 0;
	bool quorate = true;
	krg_mask members{};
	std::vector<u32> life; /* of each node, then */
	[[nodiscard]] bool has(unsigned n, u32 l) const { return krg_mask_has(&members, n) && life[n] == l; }
};

struct Message {
	u32 life; /* of the sender */
	std::vector<u64> words;
	u32 bytes;
};

struct Node {
	bool alive = true;
	bool dirty = false;   /* something happened since the last pump */
	bool gave_up = false; /* an operation of this life was dropped */
	u32 life = 1;
	u64 submitted = 0; /* in this life */
	krg_order o{};
	std::map<u64, Entry> log;
	std::map<u64, Op> own; /* under way */
	std::vector<Item> history;
	std::vector<u64> tx, rx; /* snapshots */
	std::deque<std::pair<u16, Message>> held;
	View seen;
	std::optional<View> pending;
};

/* A broken invariant. */
struct Broken {
	std::string what;
};

class World
{
public:
	explicit World(unsigned nodes, bool auto_pump = true);

	/* What may happen. */
	void deliver(unsigned from, unsigned to);
	void install(unsigned n);
	void submit(unsigned n);
	void pump(unsigned n);
	void die(unsigned n);				    /* at once; a later view tells the others */
	void lose(unsigned from, unsigned to, size_t);	    /* of what a dead node sent, but the first so many */
	void boot(unsigned n);				    /* another life, in no cluster */
	void leave(unsigned n);				    /* finds out that it is in no cluster any more */
	void decide(const krg_mask &members, bool quorate); /* who is in it, or was, will be told */

	[[nodiscard]] bool may_deliver(unsigned from, unsigned to) const;
	[[nodiscard]] bool may_submit(unsigned n) const;
	[[nodiscard]] bool current(unsigned n) const; /* alive, and in the last view */
	[[nodiscard]] unsigned size() const { return nodes.size(); }
	[[nodiscard]] const std::deque<Message> &channel(unsigned from, unsigned to) const
	{
		return channels[from * size() + to];
	}
	void settle(); /* all that is under way arrives */
	void check_quiet() const;
	[[nodiscard]] u64 hash() const;

	std::vector<Node> nodes;
	View view; /* the last one decided */
	u64 messages = 0, done = 0, dropped = 0, restored = 0;

private:
	std::vector<std::deque<Message>> channels;
	bool auto_pump;

	std::deque<Message> &to(unsigned from, unsigned n) { return channels[from * size() + n]; }
	void event(unsigned n, Event &ev);
	void perform(unsigned n, const krg_order_out &out, const krg_order_msg *msg);
	void handle(unsigned n, unsigned from, const Message &m);
	void send(unsigned n, const krg_order_action &act);
	void post(unsigned n, unsigned to, krg_order_msg &msg);
	void append(unsigned n, const krg_order_action &act, const krg_order_msg *msg);
	void apply(unsigned n, const Entry &e);
	void remember(unsigned n, const Item &item);
	void take(unsigned n);
	void restore(unsigned n);
	void finished(unsigned n, u64 own);
	void purge(unsigned n);
	void dropped_own(unsigned n, u64 first, u64 last);
	void check_lives(unsigned n) const;
};

krg_mask all(unsigned nodes);

} // namespace world
