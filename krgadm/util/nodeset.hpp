// SPDX-License-Identifier: GPL-2.0-only
// Sets of nodes as users write them: 1,3-5.
#pragma once

#include "util/result.hpp"
#include <bitset>
#include <krg.h>
#include <string>

namespace krgadm
{

using NodeSet = std::bitset<KRG_NODES>;

/// "1,3-5" to a set; the error names the piece that is wrong.
Result<NodeSet> parse_nodes(const std::string &list);
/// The other way, shortest form.
std::string format_nodes(const NodeSet &nodes);
krg_nodeset to_wire(const NodeSet &nodes);

} // namespace krgadm
