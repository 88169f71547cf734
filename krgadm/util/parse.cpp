// SPDX-License-Identifier: GPL-2.0-only
#include "util/parse.hpp"
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>

namespace krgadm
{

std::optional<int> parse_signal(const std::string &text)
{
	if (const auto number = parse_number<int>(text, 64, 1))
		return number;
	const std::string name = text.rfind("SIG", 0) == 0 ? text.substr(3) : text;
	for (int sig = 1; sig < 32; sig++) {
		const char *known = sigabbrev_np(sig);
		if (known && name == known)
			return sig;
	}
	return std::nullopt;
}

std::string read_file(const std::string &path)
{
	std::ifstream file(path);
	std::ostringstream text;

	text << file.rdbuf();
	return text.str();
}

} // namespace krgadm
