// SPDX-License-Identifier: GPL-2.0-only
#include "host.hpp"
#include "wire.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

namespace lab
{

namespace
{

int connect_to(const std::string &path)
{
	sockaddr_un address{};
	address.sun_family = AF_UNIX;
	if (path.size() >= sizeof(address.sun_path))
		throw std::runtime_error("socket path too long: " + path);
	std::memcpy(address.sun_path, path.c_str(), path.size());
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof(address)) < 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	set_nonblocking(fd);
	return fd;
}

// A terminal in raw mode for as long as this lives.
class RawTerminal
{
public:
	explicit RawTerminal(bool wanted) : active_(wanted && tcgetattr(0, &saved_) == 0)
	{
		if (!active_)
			return;
		termios raw = saved_;
		cfmakeraw(&raw);
		tcsetattr(0, TCSADRAIN, &raw);
	}
	~RawTerminal()
	{
		if (active_)
			tcsetattr(0, TCSADRAIN, &saved_);
	}
	RawTerminal(const RawTerminal &) = delete;
	RawTerminal &operator=(const RawTerminal &) = delete;

private:
	termios saved_{};
	bool active_;
};

winsize window_size()
{
	winsize size{24, 80, 0, 0};
	for (const int fd : {0, 1, 2})
		if (ioctl(fd, TIOCGWINSZ, &size) == 0)
			break;
	return size;
}

bool write_all(int fd, std::string_view data)
{
	while (!data.empty()) {
		const ssize_t n = write(fd, data.data(), data.size());
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			pollfd wait{fd, POLLOUT, 0};
			poll(&wait, 1, -1);
			continue;
		}
		if (n < 0)
			return false;
		data.remove_prefix(static_cast<std::size_t>(n));
	}
	return true;
}

int catch_signals()
{
	sigset_t set;
	sigemptyset(&set);
	for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH})
		sigaddset(&set, number);
	sigprocmask(SIG_BLOCK, &set, nullptr);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

class Client
{
public:
	Client(const ExecOptions &options, int fd) : options_(options), channel_(fd), signals_(catch_signals()) {}

	int run(int argc, char **argv)
	{
		const RawTerminal raw(options_.pty);
		open_stream(argc, argv);
		while (!status_) {
			if (!step())
				fail("the node was stopped while the command ran");
		}
		return *status_;
	}

private:
	ExecOptions options_;
	Channel channel_;
	int signals_;
	bool input_open_ = true;
	std::uint32_t credit_ = kWindow;
	std::optional<int> status_;

	void open_stream(int argc, char **argv)
	{
		OpenRequest request;
		const winsize size = window_size();
		const char *term = std::getenv("TERM");
		request.pty = options_.pty;
		request.rows = size.ws_row;
		request.columns = size.ws_col;
		request.strings = options_.pty && term != nullptr ? term : "";
		request.strings.push_back('\0');
		for (int i = 0; i < argc; i++)
			request.strings.append(argv[i]).push_back('\0');
		if (request.strings.size() + 16 > kMaxPayload)
			return fail("the command line is too long");
		channel_.send(0, Type::Open, request.encode());
		if (options_.no_input)
			end_input();
	}

	void end_input()
	{
		input_open_ = false;
		channel_.send(0, Type::StdinEof);
	}

	// One round of waiting and serving; false when the supervisor is gone.
	bool step()
	{
		if (!channel_.flush() && status_)
			return true;
		std::array<pollfd, 3> set{{
		    {channel_.fd(), static_cast<short>(POLLIN | (channel_.wants_write() ? POLLOUT : 0)), 0},
		    {signals_, POLLIN, 0},
		    {input_open_ && credit_ > 0 ? 0 : -1, POLLIN, 0},
		}};
		if (poll(set.data(), set.size(), -1) < 0)
			return true;
		if (set[1].revents != 0)
			pass_signals();
		if (set[2].revents != 0)
			pass_input();
		const bool there =
		    set[0].revents == 0 || (set[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0 || channel_.receive();
		Frame frame;
		while (!status_ && channel_.next(frame))
			serve(frame);
		return there || status_.has_value();
	}

	void pass_signals()
	{
		signalfd_siginfo info;
		while (read(signals_, &info, sizeof(info)) == sizeof(info)) {
			if (info.ssi_signo == SIGWINCH) {
				const winsize size = window_size();
				const std::array<std::uint16_t, 2> payload{size.ws_row, size.ws_col};
				channel_.send(0, Type::Winch, {reinterpret_cast<const char *>(payload.data()), 4});
			} else {
				channel_.send_u32(0, Type::Signal, info.ssi_signo);
			}
		}
	}

	void pass_input()
	{
		std::array<char, kChunk> buffer; // NOLINT: read() fills it
		const ssize_t n = read(0, buffer.data(), std::min<std::size_t>(buffer.size(), credit_));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0)
			return end_input();
		credit_ -= static_cast<std::uint32_t>(n);
		channel_.send(0, Type::Stdin, {buffer.data(), static_cast<std::size_t>(n)});
	}

	void serve(const Frame &frame)
	{
		switch (frame.type) {
		case Type::Stdout:
		case Type::Stderr:
			if (!write_all(frame.type == Type::Stdout ? 1 : 2, frame.payload))
				status_ = 128 + SIGPIPE; // our reader is gone, and so shall the command
			channel_.send_credit(0, frame.type, static_cast<std::uint32_t>(frame.payload.size()));
			break;
		case Type::Credit:
			credit_ += get_u32(frame.payload, 2);
			break;
		case Type::Exit:
			status_ = static_cast<int>(get_u32(frame.payload));
			break;
		case Type::Fail:
			fail(frame.payload);
			break;
		default:
			break;
		}
	}

	void fail(const std::string &why)
	{
		dprintf(2, "lab exec: node %s: %s\n", options_.node.c_str(), why.c_str());
		status_ = kLabFailure;
	}
};

} // namespace

int exec_command(const ExecOptions &options, int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	const int fd = connect_to(options.socket);
	if (fd < 0) {
		dprintf(2, "lab exec: node %s is not running\n", options.node.c_str());
		return kLabFailure;
	}
	return Client(options, fd).run(argc, argv);
}

int ask(const std::string &socket, const std::string &verb, int timeout_seconds)
{
	const int fd = connect_to(socket);
	if (fd < 0) {
		std::puts("off");
		return 1;
	}
	Channel channel(fd);
	Type type = Type::Status;
	for (const auto &[word, meaning] : {std::pair{"wait", Type::Wait}, std::pair{"kill", Type::Kill},
					    std::pair{"pause", Type::Pause}, std::pair{"resume", Type::Resume}})
		type = verb == word ? meaning : type;
	channel.send(0, type);
	if (!channel.flush())
		return 1;
	for (;;) {
		pollfd wait{fd, POLLIN, 0};
		const int n = poll(&wait, 1, timeout_seconds * 1000);
		if (n == 0) {
			std::puts("timeout");
			return 1;
		}
		if (n < 0 || !channel.receive()) {
			std::puts("off");
			return type == Type::Kill ? 0 : 1;
		}
		Frame frame;
		if (!channel.next(frame) || frame.type != Type::Text)
			continue;
		std::puts(frame.payload.c_str());
		return type != Type::Wait || frame.payload == "ready" ? 0 : 1;
	}
}

} // namespace lab
