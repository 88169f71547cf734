// SPDX-License-Identifier: GPL-2.0-only
//
// lab-agent: runs the commands of `lab exec` inside a node. It hangs on a
// virtio-serial port alone, so it works without network and without krg's
// modules, and it runs before ordinary tasks so that a busy node still answers.
#include "wire.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <list>
#include <poll.h>
#include <sched.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace
{

using namespace lab;

class Fd
{
public:
	Fd() = default;
	explicit Fd(int fd) : fd_(fd) {}
	~Fd() { reset(); }
	Fd(Fd &&other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
	Fd &operator=(Fd &&other) noexcept
	{
		std::swap(fd_, other.fd_);
		return *this;
	}
	void reset()
	{
		if (fd_ >= 0)
			close(fd_);
		fd_ = -1;
	}
	[[nodiscard]] int get() const { return fd_; }
	explicit operator bool() const { return fd_ >= 0; }

private:
	int fd_ = -1;
};

// One output of a command: what is readable, as far as the client has credit.
struct Output {
	Fd fd;
	Type type{};
	std::uint32_t credit = kWindow;
	int slot = -1; // in the poll set, -1 when not waited for
};

struct Command {
	std::uint32_t stream = 0;
	pid_t pid = -1;
	bool pty = false;
	bool client_gone = false;
	bool exited = false;
	std::uint32_t status = 0;
	Fd input;
	std::string pending; // input not yet taken
	bool input_ended = false;
	int input_slot = -1;
	std::array<Output, 2> outputs;
};

struct Ends {
	Fd ours;
	Fd theirs;
};

Ends make_pipe(bool we_read)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return {};
	const int ours = fds[we_read ? 0 : 1];
	set_nonblocking(ours);
	return {Fd(ours), Fd(fds[we_read ? 1 : 0])};
}

Ends make_pty(const OpenRequest &request)
{
	Fd ours(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
	int number = 0;
	const int unlock = 0;
	if (!ours || ioctl(ours.get(), TIOCSPTLCK, &unlock) < 0 || ioctl(ours.get(), TIOCGPTN, &number) < 0)
		return {};
	const std::string name = "/dev/pts/" + std::to_string(number);
	Fd theirs(open(name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
	if (!theirs)
		return {};
	const winsize size{request.rows, request.columns, 0, 0};
	ioctl(theirs.get(), TIOCSWINSZ, &size);
	return {std::move(ours), std::move(theirs)};
}

[[noreturn]] void run_command(const OpenRequest &request, int in, int out, int err)
{
	std::vector<char *> argv;
	std::string strings = request.strings;
	for (std::size_t at = 0; at < strings.size(); at += std::strlen(&strings[at]) + 1)
		argv.push_back(&strings[at]);
	if (*argv.front() != '\0')
		setenv("TERM", argv.front(), 1);
	argv.push_back(nullptr);

	setsid();
	if (request.pty)
		ioctl(in, TIOCSCTTY, 0);
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, nullptr);
	signal(SIGPIPE, SIG_DFL);
	if (const Fd score(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)); score)
		(void)!write(score.get(), "0", 1);
	if (chdir("/root") < 0 && chdir("/") < 0)
		_exit(kLabFailure);
	execvp(argv[1], &argv[1]);
	const int why = errno;
	dprintf(2, "lab exec: %s: %s\n", argv[1], std::strerror(why));
	_exit(why == ENOENT ? 127 : 126);
}

class Agent
{
public:
	explicit Agent(int port) : port_(port)
	{
		sigset_t child;
		sigemptyset(&child);
		sigaddset(&child, SIGCHLD);
		sigprocmask(SIG_BLOCK, &child, nullptr);
		children_ = Fd(signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
		port_.send_sync();
		port_.send(0, Type::Hello);
	}

	void run()
	{
		for (;;) {
			collect();
			const int timeout = draining() ? 0 : -1;
			if (poll(set_.data(), set_.size(), timeout) < 0 && errno != EINTR)
				return;
			serve_port();
			reap();
			for (Command &command : commands_) {
				feed(command);
				for (Output &output : command.outputs)
					drain(command, output);
			}
			finish();
			if (!port_.flush())
				usleep(100'000); // the host side is away: nothing to lose
		}
	}

private:
	Channel port_;
	Fd children_;
	bool synced_ = false;
	std::list<Command> commands_;
	std::vector<pollfd> set_;

	int watch(int fd, short events)
	{
		set_.push_back({fd, events, 0});
		return static_cast<int>(set_.size()) - 1;
	}

	void collect()
	{
		set_.clear();
		watch(port_.fd(), static_cast<short>(POLLIN | (port_.wants_write() ? POLLOUT : 0)));
		watch(children_.get(), POLLIN);
		for (Command &command : commands_) {
			command.input_slot = -1;
			if (command.input && !command.pending.empty())
				command.input_slot = watch(command.input.get(), POLLOUT);
			for (Output &output : command.outputs)
				output.slot = output.fd && output.credit > 0 ? watch(output.fd.get(), POLLIN) : -1;
		}
	}

	// An exited command ends once its outputs have nothing more to give.
	bool draining() const
	{
		return std::any_of(commands_.begin(), commands_.end(), [](const Command &command) {
			return command.exited && std::none_of(command.outputs.begin(), command.outputs.end(),
							      [](const Output &o) { return o.fd && o.credit == 0; });
		});
	}

	void serve_port()
	{
		if ((set_[0].revents & (POLLIN | POLLHUP)) == 0)
			return;
		if (!port_.receive())
			usleep(100'000);
		if (port_.take_sync())
			synced_ = true;
		Frame frame;
		while (synced_ && port_.next(frame))
			serve(frame);
	}

	Command *find(std::uint32_t stream)
	{
		const auto it = std::find_if(commands_.begin(), commands_.end(),
					     [&](const Command &c) { return c.stream == stream; });
		return it == commands_.end() ? nullptr : &*it;
	}

	void serve(const Frame &frame)
	{
		if (frame.type == Type::Ping)
			port_.send(0, Type::Pong);
		if (frame.type == Type::Open)
			start(frame);
		Command *command = find(frame.stream);
		if (command == nullptr)
			return;
		switch (frame.type) {
		case Type::Stdin:
			if (command->input)
				command->pending += frame.payload;
			else
				port_.send_credit(command->stream, Type::Stdin,
						  static_cast<std::uint32_t>(frame.payload.size()));
			break;
		case Type::StdinEof:
			command->input_ended = true;
			break;
		case Type::Credit:
			for (Output &output : command->outputs)
				if (output.type == static_cast<Type>(get_u16(frame.payload)))
					output.credit += get_u32(frame.payload, 2);
			break;
		case Type::Winch:
			if (command->pty && command->input) {
				const winsize size{get_u16(frame.payload), get_u16(frame.payload, 2), 0, 0};
				ioctl(command->input.get(), TIOCSWINSZ, &size);
			}
			break;
		case Type::Signal:
			if (!command->exited)
				kill(-command->pid, static_cast<int>(get_u32(frame.payload)));
			break;
		case Type::Hangup:
			command->client_gone = true;
			if (!command->exited)
				kill(-command->pid, SIGKILL);
			command->input.reset();
			for (Output &output : command->outputs)
				output.fd.reset();
			break;
		default:
			break;
		}
	}

	void start(const Frame &frame)
	{
		OpenRequest request;
		if (!OpenRequest::decode(frame.payload, request))
			return fail(frame.stream, "malformed request");
		Ends in;
		Ends out;
		Ends err;
		if (request.pty) {
			in = make_pty(request);
			out.ours = Fd(fcntl(in.ours.get(), F_DUPFD_CLOEXEC, 0));
		} else {
			in = make_pipe(false);
			out = make_pipe(true);
			err = make_pipe(true);
		}
		if (!in.ours || !out.ours || (!request.pty && !err.ours))
			return fail(frame.stream, std::strerror(errno));
		const pid_t pid = fork();
		if (pid < 0)
			return fail(frame.stream, std::strerror(errno));
		if (pid == 0)
			run_command(request, in.theirs.get(), request.pty ? in.theirs.get() : out.theirs.get(),
				    request.pty ? in.theirs.get() : err.theirs.get());
		Command command;
		command.stream = frame.stream;
		command.pid = pid;
		command.pty = request.pty;
		command.input = std::move(in.ours);
		command.outputs[0].fd = std::move(out.ours);
		command.outputs[0].type = Type::Stdout;
		command.outputs[1].fd = std::move(err.ours);
		command.outputs[1].type = Type::Stderr;
		commands_.push_back(std::move(command));
	}

	void fail(std::uint32_t stream, const std::string &why)
	{
		port_.send(stream, Type::Stderr, "lab exec: cannot start a command in the node: " + why + "\n");
		port_.send_u32(stream, Type::Exit, kLabFailure);
	}

	void feed(Command &command)
	{
		if (!command.input)
			return;
		if (!command.pending.empty()) {
			const ssize_t n = write(command.input.get(), command.pending.data(), command.pending.size());
			if (n < 0 && errno == EAGAIN)
				return;
			const std::size_t taken = n < 0 ? command.pending.size() : static_cast<std::size_t>(n);
			command.pending.erase(0, taken);
			port_.send_credit(command.stream, Type::Stdin, static_cast<std::uint32_t>(taken));
			if (n < 0)
				return command.input.reset();
		}
		if (command.pending.empty() && command.input_ended) {
			if (command.pty) {
				command.pending = "\4";
				command.input_ended = false;
			} else {
				command.input.reset();
			}
		}
	}

	void drain(Command &command, Output &output)
	{
		if (output.slot < 0 || !output.fd ||
		    (set_[static_cast<std::size_t>(output.slot)].revents & (POLLIN | POLLHUP | POLLERR)) == 0)
			return;
		std::array<char, kChunk> buffer; // NOLINT: read() fills it
		const ssize_t n =
		    read(output.fd.get(), buffer.data(), std::min<std::size_t>(buffer.size(), output.credit));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0)
			return output.fd.reset();
		output.credit -= static_cast<std::uint32_t>(n);
		port_.send(command.stream, output.type, {buffer.data(), static_cast<std::size_t>(n)});
	}

	void reap()
	{
		signalfd_siginfo info;
		while (read(children_.get(), &info, sizeof(info)) > 0)
			continue;
		for (Command &command : commands_) {
			int status = 0;
			if (command.exited || waitpid(command.pid, &status, WNOHANG) != command.pid)
				continue;
			command.exited = true;
			command.status = static_cast<std::uint32_t>(WIFSIGNALED(status) ? 128 + WTERMSIG(status)
											: WEXITSTATUS(status));
			// What the poll before this said may be older than the last output.
			for (Output &output : command.outputs)
				output.slot = output.fd ? output.slot : -1;
			just_exited_ = true;
		}
	}

	bool just_exited_ = false;

	// A daemon may keep the pipes open for ever: the end is the command's own
	// exit plus all it had written by then.
	void finish()
	{
		if (just_exited_) {
			just_exited_ = false; // poll once more first
			return;
		}
		for (auto it = commands_.begin(); it != commands_.end();) {
			const bool quiet =
			    it->exited &&
			    std::all_of(it->outputs.begin(), it->outputs.end(), [&](const Output &output) {
				    return !output.fd || (output.slot >= 0 &&
							  set_[static_cast<std::size_t>(output.slot)].revents == 0);
			    });
			if (!quiet) {
				++it;
				continue;
			}
			if (!it->client_gone)
				port_.send_u32(it->stream, Type::Exit, it->status);
			it = commands_.erase(it);
		}
	}
};

int open_port()
{
	const std::string base = "/sys/class/virtio-ports";
	DIR *dir = opendir(base.c_str());
	if (dir == nullptr)
		return -1;
	int fd = -1;
	while (const dirent *entry = readdir(dir)) {
		std::array<char, 32> name{};
		const Fd attribute(open((base + "/" + entry->d_name + "/name").c_str(), O_RDONLY | O_CLOEXEC));
		if (!attribute || read(attribute.get(), name.data(), name.size() - 1) <= 0)
			continue;
		if (std::string_view(name.data()).starts_with("krg.lab"))
			fd = open((std::string("/dev/") + entry->d_name).c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
	}
	closedir(dir);
	return fd;
}

void run_before_others()
{
	const sched_param parameters{.sched_priority = 50};
	sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &parameters);
	if (const Fd score(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)); score)
		(void)!write(score.get(), "-1000", 5);
}

} // namespace

int main()
{
	signal(SIGPIPE, SIG_IGN);
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("USER", "root", 1);
	setenv("LANG", "C.UTF-8", 1);
	run_before_others();
	const int port = open_port();
	if (port < 0) {
		std::fprintf(stderr, "lab-agent: no virtio-serial port named krg.lab\n");
		return 1;
	}
	Agent(port).run();
	return 1;
}
