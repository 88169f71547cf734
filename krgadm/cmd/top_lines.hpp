// SPDX-License-Identifier: GPL-2.0-only
// The lines of krgadm top, for a terminal of any width.
#pragma once

#include "cmd/top_model.hpp"

namespace krgadm
{

/// Wide enough for everything.
constexpr size_t batch_width = 120;

struct Bar {
	size_t column;
	size_t width;
	double per_cent;
};

/// A node's line, and where its bars are.
struct NodeLine {
	std::string text;
	std::vector<Bar> bars;
};

NodeLine node_line(const TopNode &node, size_t width);

/// The columns of the list that fit, and its lines.
class ProcessLines
{
public:
	explicit ProcessLines(size_t width);
	std::string head(bool threads) const;
	std::string line(const TopProcess &process, Users &users) const;

private:
	unsigned shown_ = 0; ///< a bit a column
};

} // namespace krgadm
