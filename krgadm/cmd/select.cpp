// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/select.hpp"
#include <chrono>
#include <fmt/format.h>
#include <thread>

namespace krgadm
{

using Clock = std::chrono::steady_clock;

// Presence changes with beacons, twice a second.
static constexpr auto look_again = std::chrono::milliseconds(100);

void add_selector(CLI::App *command, Selector &selector, bool total)
{
	command->add_option("-n,--nodes", selector.list, "These nodes")->type_name("LIST");
	command->add_option("-c,--count", selector.count, total ? "The N lowest" : "N: this one and the lowest others")
	    ->type_name("N")
	    ->check(CLI::Range(1, KRG_NODES));
	if (total)
		command->add_option("-t,--total", selector.total, "Until there are N in all")
		    ->type_name("N")
		    ->check(CLI::Range(1, KRG_NODES));
	command->add_flag("-a,--all", selector.all, "All of them");
}

NodeSet in_state(const std::vector<krg_node> &nodes, uint32_t state, bool others)
{
	NodeSet set;

	for (const auto &node : nodes)
		if (node.state == state && !(others && node.self))
			set.set(node.node);
	return set;
}

std::optional<NodeSet> lowest(const NodeSet &nodes, size_t count)
{
	NodeSet set;

	for (size_t node = 0; node < nodes.size() && set.count() < count; node++)
		if (nodes[node])
			set.set(node);
	if (set.count() < count)
		return std::nullopt;
	return set;
}

static NodeSet reachable(const std::vector<krg_node> &nodes)
{
	return in_state(nodes, KRG_NODE_STATE_PRESENT, false) | in_state(nodes, KRG_NODE_STATE_ONLINE, false);
}

Result<void> wait_present(Client &client, const NodeSet &wanted, unsigned seconds)
{
	const auto until = Clock::now() + std::chrono::seconds(seconds);

	for (;;) {
		auto nodes = client.nodes();
		if (!nodes)
			return nodes.error();
		const NodeSet missing = wanted & ~reachable(*nodes);
		if (missing.none())
			return {};
		if (seconds && Clock::now() >= until)
			return Error{fmt::format("nodes not present after {} s: {}", seconds, format_nodes(missing))};
		std::this_thread::sleep_for(look_again);
	}
}

static Result<NodeSet> first_present(Client &client, unsigned count, unsigned wait)
{
	const auto until = Clock::now() + std::chrono::seconds(wait);

	for (;;) {
		auto nodes = client.nodes();
		if (!nodes)
			return nodes.error();
		NodeSet self;
		for (const auto &node : *nodes)
			if (node.self)
				self.set(node.node);
		const NodeSet others = reachable(*nodes) & ~self;
		if (auto set = lowest(others, count - 1))
			return *set | self;
		if (Clock::now() >= until)
			return Error{
			    fmt::format("cluster start: only {} of {} nodes are present", others.count() + 1, count)};
		std::this_thread::sleep_for(look_again);
	}
}

Result<NodeSet> choose_start(Client &client, const Selector &selector, unsigned wait)
{
	if (selector.given() > 1)
		return Error{"cluster start: give one of -n, -c and -a"};
	if (selector.count)
		return first_present(client, selector.count, wait);
	if (selector.list.empty())
		return NodeSet{};
	auto nodes = parse_nodes(selector.list);
	if (nodes && wait)
		if (auto done = wait_present(client, *nodes, wait); !done)
			return Error{"cluster start: " + done.error().text};
	return nodes;
}

} // namespace krgadm
