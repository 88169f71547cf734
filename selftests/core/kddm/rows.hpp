/* SPDX-License-Identifier: GPL-2.0-only */
/* Which rules the tests followed, kept in $ROWS/NAME for the test `rows`. */
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include "world.hpp"

inline void rows_save(const char *name)
{
	const char *dir = std::getenv("ROWS");
	if (!dir)
		return;
	std::FILE *f = std::fopen((std::string(dir) + "/rows." + name).c_str(), "w");
	if (!f)
		return;
	for (unsigned i = 0; i < 512; i++)
		if (kddm::World::used[i])
			std::fprintf(f, "%u %lu\n", i, kddm::World::used[i]);
	std::fclose(f);
}
