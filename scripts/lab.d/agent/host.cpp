// SPDX-License-Identifier: GPL-2.0-only
//
// lab-host: the host side of one lab node. Called by scripts/lab only.
//   lab-host node SOCKET CONSOLE-LOG QEMU ARG…
//   lab-host exec SOCKET NODE [-i] [-n] -- CMD…
//   lab-host status|kill|pause|resume SOCKET
//   lab-host wait SOCKET SECONDS
#include "host.hpp"

#include "wire.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string_view>

namespace
{

int usage()
{
	std::fprintf(stderr, "lab-host: called with wrong arguments; use scripts/lab\n");
	return 2;
}

int exec_main(int argc, char **argv)
{
	lab::ExecOptions options{.socket = argv[2], .node = argv[3]};
	int at = 4;
	for (; at < argc && std::string_view(argv[at]) != "--"; at++) {
		if (std::string_view(argv[at]) == "-i")
			options.pty = true;
		else if (std::string_view(argv[at]) == "-n")
			options.no_input = true;
		else
			return usage();
	}
	if (at + 1 >= argc)
		return usage();
	return lab::exec_command(options, argc - at - 1, argv + at + 1);
}

int run(int argc, char **argv)
{
	const std::string_view verb = argc > 2 ? argv[1] : "";
	if (verb == "node" && argc > 4)
		return lab::supervise(argv[2], argv[3], argc - 4, argv + 4);
	if (verb == "exec" && argc > 5)
		return exec_main(argc, argv);
	if (verb == "wait" && argc == 4)
		return lab::ask(argv[2], "wait", std::atoi(argv[3]));
	if ((verb == "status" || verb == "kill" || verb == "pause" || verb == "resume") && argc == 3)
		return lab::ask(argv[2], std::string(verb), 30);
	return usage();
}

} // namespace

int main(int argc, char **argv)
{
	try {
		return run(argc, argv);
	} catch (const std::exception &error) {
		std::fprintf(stderr, "lab: %s\n", error.what());
		return lab::kLabFailure;
	}
}
