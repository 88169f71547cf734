// SPDX-License-Identifier: GPL-2.0-only
// Options of the tools whose syntax is Kerrighed's: getopt_long's, where a
// value that may be left out must be attached (-k9, --kill=9).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace krgadm
{

struct Option {
	char letter; ///< 0: only the long name
	const char *name;
	enum Value { none, required, optional } value;
	/// Takes the value ("" if none); returns what is wrong with it, or "".
	std::function<std::string(const std::string &)> take;
};

struct Parsed {
	std::vector<std::string> operands;
	std::optional<int> exit; ///< --help, --version or an error was dealt with
};

/// @usage: printed by --help and -h. @stop_early: options end at the first operand.
Parsed parse_options(const std::string &name, int argc, char **argv, const std::string &usage,
		     const std::vector<Option> &options, bool stop_early = false);

} // namespace krgadm
