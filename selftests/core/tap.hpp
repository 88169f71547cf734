/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include <cstdio>
#include <string>

namespace tap
{

inline int count, failed;

inline bool ok(bool good, const std::string &name)
{
	count++;
	failed += !good;
	std::printf("%sok %d - %s\n", good ? "" : "not ", count, name.c_str());
	std::fflush(stdout);
	return good;
}

inline int end()
{
	std::printf("1..%d\n", count);
	return failed != 0;
}

} // namespace tap
