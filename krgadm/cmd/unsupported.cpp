// SPDX-License-Identifier: GPL-2.0-only
// What the contract names and this version cannot do: said, not pretended.
#include "cli/tool.hpp"
#include <array>
#include <filesystem>
#include <string_view>

namespace krgadm
{

namespace
{

struct Word {
	const char *parent; ///< nullptr: of krgadm itself
	const char *name;
	const char *help;
};

constexpr std::array words = {
    Word{"nodes", "drain", "Move guests and movable processes away"},
    Word{"nodes", "undrain", "Let processes come again"},
    Word{nullptr, "why", "Can a process move, and if not, why"},
    Word{nullptr, "run", "Start a command on the best node"},
};

} // namespace

void add_unsupported(CLI::App &app, Run &run)
{
	for (const auto &word : words) {
		auto *parent = word.parent ? app.get_subcommand(word.parent) : &app;
		auto *command = parent->add_subcommand(word.name, std::string(word.help) + " (not supported yet)");
		const std::string name = (word.parent ? std::string(word.parent) + " " : "") + word.name;
		command->prefix_command();
		command->callback([&run, name] { run.status = complain("krgadm", name + ": not supported yet"); });
	}
}

int unsupported_main(int argc, char **argv)
{
	const std::string name = std::filesystem::path(argv[0]).filename().string();
	const std::string_view word = argc > 1 ? argv[1] : "";

	if (word == "--version")
		return print_version(name);
	if (word == "--help") {
		printf("Usage: %s …\nNot supported yet by this version of krg.\n", name.c_str());
		return 0;
	}
	return complain(name, "not supported yet");
}

} // namespace krgadm
