// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/modules.hpp"
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

namespace krgadm
{

Result<void> run_kmod(const char *program, std::vector<std::string> args)
{
	std::string name = program;
	std::vector<char *> argv = {name.data()};
	pid_t pid = 0;
	int status = 0;

	for (auto &arg : args)
		argv.push_back(arg.data());
	argv.push_back(nullptr);
	if (const int err = posix_spawnp(&pid, program, nullptr, nullptr, argv.data(), environ))
		return Error::system(program, err);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status)
		return Error{name + " " + args.front() + " failed; the kernel log says why"};
	return {};
}

} // namespace krgadm
