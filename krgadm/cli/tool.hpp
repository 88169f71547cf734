// SPDX-License-Identifier: GPL-2.0-only
// What all tools share: how they speak, and what they are called.
#pragma once

#include "out/output.hpp"
#include "util/result.hpp"
#include <CLI/CLI.hpp>
#include <string>

namespace krgadm
{

inline constexpr int exit_failed = 1; ///< it could not be done
inline constexpr int exit_usage = 2;  ///< it was not understood

/// One tool, started by its own name or as a word of krgadm.
struct Tool {
	const char *name;
	int (*main)(int argc, char **argv);
};

/// "NAME: text" on stderr; the exit status.
int complain(const std::string &name, const std::string &text, int status = exit_failed);
int complain(const std::string &name, const Error &error);
/// "NAME (krg) VERSION" on stdout.
int print_version(const std::string &name);

/// State of one run of krgadm that its commands share.
struct Run {
	bool json = false;
	int status = 0;
};

/// Gives @command its --json and makes @body its work.
void set_body(CLI::App *command, Run &run, std::function<int(Output &)> body);

// The commands of krgadm, a file each.
void add_cluster(CLI::App &app, Run &run);
void add_nodes(CLI::App &app, Run &run);
void add_ps(CLI::App &app, Run &run);
void add_top(CLI::App &app, Run &run);
void add_events(CLI::App &app, Run &run);
void add_key(CLI::App &app, Run &run);
void add_boot(CLI::App &app, Run &run);
void add_unload(CLI::App &app, Run &run);
void add_features(CLI::App &app, Run &run);
void add_checkpoint(CLI::App &app, Run &run);
void add_unsupported(CLI::App &app, Run &run);

// Tools with an argument syntax of their own.
int checkpoint_main(int argc, char **argv);
int restart_main(int argc, char **argv);
int run_main(int argc, char **argv);
int unsupported_main(int argc, char **argv);

} // namespace krgadm
