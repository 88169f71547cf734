// SPDX-License-Identifier: GPL-2.0-only
// Which nodes a command means: -n LIST, -c N, -t N, -a.
#pragma once

#include "cli/tool.hpp"
#include "nl/client.hpp"
#include <optional>

namespace krgadm
{

struct Selector {
	std::string list;
	unsigned count = 0;
	unsigned total = 0;
	bool all = false;

	unsigned given() const { return !list.empty() + !!count + !!total + all; }
};

/// The options; @total: also -t.
void add_selector(CLI::App *command, Selector &selector, bool total);

/// Nodes in @state (one of KRG_NODE_STATE_*), without this node if @others.
NodeSet in_state(const std::vector<krg_node> &nodes, uint32_t state, bool others);
/// The @count lowest of @nodes; empty if there are fewer.
std::optional<NodeSet> lowest(const NodeSet &nodes, size_t count);

/// Waits until all of @wanted are present or online; seconds 0: for ever.
Result<void> wait_present(Client &client, const NodeSet &wanted, unsigned seconds);

/// The nodes to start with; none: all. Always with this node.
Result<NodeSet> choose_start(Client &client, const Selector &selector, unsigned wait);

} // namespace krgadm
