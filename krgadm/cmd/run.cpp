// SPDX-License-Identifier: GPL-2.0-only
// krgcr-run: start a program so that it can be checkpointed, in a session of
// its own.
#include "cli/tool.hpp"
#include "util/fd.hpp"
#include "util/options.hpp"
#include "util/signals.hpp"
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <sys/wait.h>

namespace krgadm
{

namespace
{

constexpr const char *usage = "Usage: krgcr-run [OPTION]… [--] PROGRAM [ARGUMENT]…\n"
			      "Run PROGRAM as an application that can be checkpointed.\n"
			      "\n"
			      "  -b, --background     do not wait for it\n"
			      "  -o, --output FILE    write its session's id to FILE\n"
			      "  -q, --quiet          print nothing\n"
			      "  -s, --synchronize    with -b: return when it has closed its file 4\n"
			      "  -n, --no-capability  without the capability CHECKPOINTABLE (not supported yet)\n"
			      "  -h, --help           print this\n"
			      "      --version        print the version\n";

constexpr int ready_fd = 4;

struct Options {
	bool background = false;
	bool quiet = false;
	bool synchronize = false;
	bool without_capability = false;
	std::string output;
};

std::vector<Option> option_table(Options &o)
{
	const auto set = [](bool &flag) {
		return [&flag](const std::string &) {
			flag = true;
			return std::string();
		};
	};

	return {
	    {'b', "background", Option::none, set(o.background)},
	    {'o', "output", Option::required,
	     [&o](const std::string &text) {
		     o.output = text;
		     return std::string();
	     }},
	    {'q', "quiet", Option::none, set(o.quiet)},
	    {'s', "synchronize", Option::none, set(o.synchronize)},
	    {'n', "no-capability", Option::none, set(o.without_capability)},
	};
}

struct Pipe {
	Fd read;
	Fd write;
};

Result<Pipe> make_pipe()
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return Error::system("pipe");
	return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// Never returns. What fails before the program runs goes through @failed.
[[noreturn]] void become(const std::vector<std::string> &command, const Fd &failed, const Fd *ready)
{
	std::vector<char *> argv;

	for (const auto &word : command)
		argv.push_back(const_cast<char *>(word.c_str()));
	argv.push_back(nullptr);
	setsid();
	// dup2() onto itself would leave close-on-exec set.
	const bool ok = !ready || (ready->get() == ready_fd ? !fcntl(ready_fd, F_SETFD, 0)
							    : dup2(ready->get(), ready_fd) == ready_fd);
	if (ok)
		execvp(argv[0], argv.data());
	const int error = errno;
	[[maybe_unused]] const auto told = write(failed.get(), &error, sizeof(error));
	_exit(127);
}

Result<pid_t> start(const std::vector<std::string> &command, Pipe *ready)
{
	auto failed = make_pipe();
	int error = 0;

	if (!failed)
		return failed.error();
	// Out of the way of the file the program knows as its fourth.
	Fd report(fcntl(failed->write.get(), F_DUPFD_CLOEXEC, ready_fd + 1));
	failed->write.reset();
	const pid_t child = fork();
	if (child < 0)
		return Error::system("fork");
	if (!child)
		become(command, report, ready ? &ready->write : nullptr);
	report.reset();
	ssize_t got;
	do
		got = read(failed->read.get(), &error, sizeof(error));
	while (got < 0 && errno == EINTR);
	if (got != sizeof(error))
		return child;
	waitpid(child, nullptr, 0);
	return Error::system(command[0], error);
}

// It is made before the program: who can't be told its number does not get it started.
Result<void> write_session(const File &file, const std::string &path, pid_t session)
{
	if (fprintf(file.get(), "%d\n", session) < 0 || fflush(file.get()))
		return Error::system(path);
	return {};
}

void wait_ready(Pipe &ready)
{
	char byte;

	ready.write.reset();
	while (read(ready.read.get(), &byte, 1) > 0 || errno == EINTR)
		errno = 0;
}

int run(const Options &options, const std::vector<std::string> &command)
{
	// From before the child exists no signal meant for it may end us instead.
	std::optional<Interruptible> interruptible;
	if (!options.background)
		interruptible.emplace();
	const bool synchronize = options.background && options.synchronize;
	auto ready = make_pipe();
	if (!ready)
		return complain("krgcr-run", ready.error());
	const File output(options.output.empty() ? nullptr : fopen(options.output.c_str(), "we"));
	if (!options.output.empty() && !output)
		return complain("krgcr-run", Error::system(options.output));
	auto child = start(command, synchronize ? &*ready : nullptr);
	if (!child)
		return complain("krgcr-run", child.error());
	if (output)
		if (auto done = write_session(output, options.output, *child); !done) {
			kill(*child, SIGKILL);
			waitpid(*child, nullptr, 0);
			return complain("krgcr-run", done.error());
		}
	if (!options.quiet) {
		fmt::print("Running application {}\n", *child);
		fflush(stdout);
	}
	if (synchronize)
		wait_ready(*ready);
	if (options.background)
		return 0;
	const int status = wait_relaying(*child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : exit_failed;
}

} // namespace

int run_main(int argc, char **argv)
{
	Options options;
	const auto parsed = parse_options("krgcr-run", argc, argv, usage, option_table(options), true);

	if (parsed.exit)
		return *parsed.exit;
	if (parsed.operands.empty())
		return complain("krgcr-run", "which program?", exit_usage);
	if (options.without_capability)
		return complain("krgcr-run", "-n: not supported yet: there are no capability sets");
	return run(options, parsed.operands);
}

} // namespace krgadm
