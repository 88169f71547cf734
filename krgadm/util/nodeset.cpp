// SPDX-License-Identifier: GPL-2.0-only
#include "util/nodeset.hpp"
#include "util/parse.hpp"
#include <fmt/format.h>
#include <sstream>

namespace krgadm
{

static Result<NodeSet> bad(const std::string &list, const std::string &piece)
{
	return Error{fmt::format("'{}' in '{}' is no node id or range of 0..{}", piece, list, KRG_NODES - 1)};
}

Result<NodeSet> parse_nodes(const std::string &list)
{
	NodeSet nodes;
	std::istringstream pieces(list + ",");
	std::string piece;

	while (std::getline(pieces, piece, ',')) {
		const auto dash = piece.find('-');
		const auto first = parse_number<unsigned>(piece.substr(0, dash), KRG_NODES - 1);
		const auto last =
		    dash == std::string::npos ? first : parse_number<unsigned>(piece.substr(dash + 1), KRG_NODES - 1);
		if (!first || !last || *first > *last)
			return bad(list, piece);
		for (unsigned node = *first; node <= *last; node++)
			nodes.set(node);
	}
	return nodes;
}

std::string format_nodes(const NodeSet &nodes)
{
	std::string list;

	for (size_t node = 0; node < nodes.size(); node++) {
		if (!nodes[node])
			continue;
		const size_t first = node;
		while (node + 1 < nodes.size() && nodes[node + 1])
			node++;
		list += fmt::format("{}{}", list.empty() ? "" : ",", first);
		if (node > first)
			list += fmt::format("-{}", node);
	}
	return list;
}

krg_nodeset to_wire(const NodeSet &nodes)
{
	krg_nodeset wire{};

	for (size_t node = 0; node < nodes.size(); node++)
		if (nodes[node])
			wire.bytes[node / 8] |= static_cast<uint8_t>(1U << (node % 8));
	return wire;
}

} // namespace krgadm
