// SPDX-License-Identifier: GPL-2.0-only
// krgadm nodes: status, add, del.
#include "cmd/select.hpp"
#include "nl/client.hpp"
#include <fmt/format.h>

namespace krgadm
{

namespace
{

int show(Output &out, const Selector &selector)
{
	auto client = Client::open("nodes status");
	if (!client)
		return complain("krgadm", client.error());
	auto nodes = client->nodes();
	if (!nodes)
		return complain("krgadm", nodes.error());
	auto wanted = selector.list.empty() ? Result<NodeSet>(NodeSet().set()) : parse_nodes(selector.list);
	if (!wanted)
		return complain("krgadm", wanted.error());
	out.set("nodes", Json::array());
	for (const auto &node : *nodes) {
		if (!wanted->test(node.node))
			continue;
		out.line(fmt::format("{}:{}", node.node, node_state_name(node.state)));
		out.add("nodes", {{"id", node.node},
				  {"state", node_state_name(node.state)},
				  {"address", node.address},
				  {"self", node.self}});
	}
	return 0;
}

bool one_selector(const Selector &selector)
{
	return selector.given() == 1;
}

int report(Output &out, const char *key, const NodeSet &nodes)
{
	out.set(key, Json::array());
	for (size_t node = 0; node < nodes.size(); node++)
		if (nodes[node])
			out.add(key, node);
	return 0;
}

// How many to add: -c says it, -t by what is online already.
Result<NodeSet> choose_add(Client &client, const Selector &selector)
{
	if (!selector.list.empty()) {
		auto nodes = parse_nodes(selector.list);
		if (nodes)
			if (auto done = wait_present(client, *nodes, 0); !done)
				return done.error();
		return nodes;
	}
	auto nodes = client.nodes();
	if (!nodes)
		return nodes.error();
	const NodeSet present = in_state(*nodes, KRG_NODE_STATE_PRESENT, false);
	const size_t online = in_state(*nodes, KRG_NODE_STATE_ONLINE, false).count();
	if (selector.all || (selector.count && present.none()))
		return present;
	if (selector.total && selector.total < online)
		return Error{fmt::format("nodes add: {} nodes are online already", online)};
	if (selector.total == online)
		return NodeSet{};
	const size_t count = selector.count ? selector.count : selector.total - online;
	if (auto set = lowest(present, count))
		return *set;
	return Error{"Not enough nodes to add. Aborting."};
}

int add(Output &out, const Selector &selector)
{
	if (!one_selector(selector))
		return complain("krgadm", "nodes add: give one of -n, -c, -t and -a");
	auto client = Client::open("nodes add");
	if (!client)
		return complain("krgadm", client.error());
	auto nodes = choose_add(*client, selector);
	if (!nodes)
		return complain("krgadm", nodes.error());
	if (nodes->none()) {
		if (!selector.total)
			out.line("No present node to add.");
		return report(out, "added", *nodes);
	}
	if (auto done = client->add(*nodes, 0); !done)
		return complain("krgadm", done.error());
	return report(out, "added", *nodes);
}

Result<NodeSet> choose_del(Client &client, const Selector &selector)
{
	if (!selector.list.empty())
		return parse_nodes(selector.list);
	auto nodes = client.nodes();
	if (!nodes)
		return nodes.error();
	const NodeSet others = in_state(*nodes, KRG_NODE_STATE_ONLINE, true);
	if (selector.all)
		return others;
	const size_t online = in_state(*nodes, KRG_NODE_STATE_ONLINE, false).count();
	if (selector.total > online)
		return Error{"Not enough nodes to remove. Aborting."};
	if (auto set = lowest(others, selector.count ? selector.count : online - selector.total))
		return *set;
	return Error{"Not enough nodes to remove. Aborting."};
}

int del(Output &out, const Selector &selector)
{
	if (!one_selector(selector))
		return complain("krgadm", "nodes del: give one of -n, -c, -t and -a");
	auto client = Client::open("nodes del");
	if (!client)
		return complain("krgadm", client.error());
	auto nodes = choose_del(*client, selector);
	if (!nodes)
		return complain("krgadm", nodes.error());
	if (nodes->any())
		if (auto done = client->del(*nodes, 0); !done)
			return complain("krgadm", done.error());
	return report(out, "removed", *nodes);
}

void add_show(CLI::App *command, Run &run, const std::shared_ptr<Selector> &selector)
{
	command->add_option("-n,--nodes", selector->list, "These nodes")->type_name("LIST");
	command->add_flag("-a,--all", selector->all, "All of them (the default)");
	set_body(command, run, [selector](Output &out) { return show(out, *selector); });
}

} // namespace

void add_nodes(CLI::App &app, Run &run)
{
	auto shown = std::make_shared<Selector>();
	auto *nodes = app.add_subcommand("nodes", "Show nodes, add them to the cluster or take them out");
	nodes->require_subcommand(0, 1);
	add_show(nodes, run, shown);
	add_show(nodes->add_subcommand("status", "One line a node"), run, shown);

	auto added = std::make_shared<Selector>();
	auto *adds = nodes->add_subcommand("add", "Present nodes join the cluster");
	add_selector(adds, *added, true);
	set_body(adds, run, [added](Output &out) { return add(out, *added); });

	auto removed = std::make_shared<Selector>();
	auto *dels = nodes->add_subcommand("del", "Nodes leave the cluster");
	add_selector(dels, *removed, true);
	set_body(dels, run, [removed](Output &out) { return del(out, *removed); });
}

} // namespace krgadm
