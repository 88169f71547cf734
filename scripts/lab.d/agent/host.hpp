// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>

namespace lab
{

// Run a node's QEMU until it ends; listen for clients on the socket.
int supervise(const std::string &socket, const std::string &console, int argc, char **argv);

// Client side: run a command in the node, or ask its supervisor something.
struct ExecOptions {
	std::string socket;
	std::string node;
	bool pty = false;
	bool no_input = false;
};
int exec_command(const ExecOptions &options, int argc, char **argv);
int ask(const std::string &socket, const std::string &verb, int timeout_seconds);

} // namespace lab
