// SPDX-License-Identifier: GPL-2.0-only
//
// The supervisor of one node: QEMU's parent. It owns the other ends of the
// node's serial console, agent port and QMP monitor, so it knows at every
// moment whether the node can still answer, and tells clients when it cannot.
//
//            hello         QMP: reset, or port closed
//   booting ------> ready  -----------------> booting
//      |              | no word for too long       ^
//      |              +----------> silent ---------+  (a word: ready again)
//      +------+-------+  "Kernel panic" on the console
//             v
//         panicked: QEMU's CPUs stopped, everything kept to be looked at
#include "host.hpp"
#include "wire.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <list>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace lab
{

namespace
{

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

enum class State { Booting, Ready, Silent, Panicked, Stopped };

const char *name_of(State state)
{
	switch (state) {
	case State::Booting:
		return "booting";
	case State::Ready:
		return "ready";
	case State::Silent:
		return "silent";
	case State::Panicked:
		return "panicked";
	case State::Stopped:
		return "stopped";
	}
	return "unknown";
}

std::system_error os_error(const std::string &what)
{
	return {errno, std::generic_category(), what};
}

struct Pair {
	int ours = -1;
	int theirs = -1;
};

Pair make_pair_of_sockets()
{
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		throw os_error("socketpair");
	fcntl(fds[0], F_SETFD, FD_CLOEXEC);
	set_nonblocking(fds[0]);
	return {fds[0], fds[1]};
}

int listen_at(const std::string &path)
{
	sockaddr_un address{};
	address.sun_family = AF_UNIX;
	if (path.size() >= sizeof(address.sun_path))
		throw std::runtime_error("socket path too long: " + path);
	std::memcpy(address.sun_path, path.c_str(), path.size());
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(path.c_str());
	if (fd < 0 || bind(fd, reinterpret_cast<sockaddr *>(&address), sizeof(address)) < 0 || listen(fd, 128) < 0)
		throw os_error(path);
	return fd;
}

// Copies the console to its log and notices a panic in it.
class Console
{
public:
	Console(int fd, const std::string &log)
	    : fd_(fd), log_(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644))
	{
		if (log_ < 0)
			throw os_error(log);
	}
	[[nodiscard]] int fd() const { return fd_; }
	// True when what was read says the kernel panicked.
	bool pump()
	{
		static constexpr std::string_view mark = "Kernel panic - not syncing";
		std::array<char, 16 * 1024> buffer; // NOLINT: read() fills it
		bool panic = false;
		for (ssize_t n = 0; (n = read(fd_, buffer.data(), buffer.size())) > 0;) {
			(void)!write(log_, buffer.data(), static_cast<std::size_t>(n));
			tail_.append(buffer.data(), static_cast<std::size_t>(n));
			if (tail_.find(mark) != std::string::npos) {
				panic = true;
				tail_.clear();
			} else if (tail_.size() > mark.size()) {
				tail_.erase(0, tail_.size() - mark.size());
			}
		}
		return panic;
	}

private:
	int fd_;
	int log_;
	std::string tail_;
};

struct Client {
	explicit Client(int fd) : channel(fd) {}
	Channel channel;
	std::uint32_t stream = 0; // 0 until it opens a command
	bool waiting = false;
	bool done = false; // close once everything is sent
	bool gone = false;
};

class Supervisor
{
public:
	Supervisor(const std::string &socket, const std::string &console, char **argv)
	    : socket_(socket), agent_pair_(make_pair_of_sockets()), qmp_pair_(make_pair_of_sockets()),
	      console_pair_(make_pair_of_sockets()), agent_(agent_pair_.ours), console_(console_pair_.ours, console),
	      listener_(listen_at(socket))
	{
		start_qemu(argv);
		tell_qemu("qmp_capabilities");
	}

	int run()
	{
		while (!qemu_ended_) {
			collect();
			poll(set_.data(), set_.size(), timeout());
			serve_qmp();
			serve_console();
			serve_agent();
			serve_clients();
			check_silence();
			sweep_clients();
			if (!agent_.flush())
				agent_.forget_output();
			int status = 0;
			qemu_ended_ = waitpid(qemu_, &status, WNOHANG) == qemu_;
		}
		console_.pump();
		change(State::Stopped);
		unlink(socket_.c_str());
		return 0;
	}

private:
	std::string socket_;
	Pair agent_pair_;
	Pair qmp_pair_;
	Pair console_pair_;
	Channel agent_;
	Console console_;
	int listener_;
	pid_t qemu_ = -1;
	int qemu_fd_ = -1;
	bool qemu_ended_ = false;
	State state_ = State::Booting;
	std::string qmp_in_;
	std::list<Client> clients_;
	std::uint32_t last_stream_ = 0;
	std::vector<pollfd> set_;
	Clock::time_point heard_ = Clock::now();
	Clock::time_point pinged_ = Clock::now();
	std::optional<Clock::time_point> stop_at_; // a panicked node has until then to print

	// How long a node may owe an answer; generous, as emulation on a busy
	// machine is slow.
	static constexpr seconds kSilence{90};
	static constexpr seconds kPing{5};

	void start_qemu(char **argv)
	{
		// QEMU is told these numbers on its command line.
		static constexpr std::array<int, 3> numbers{10, 11, 12};
		qemu_ = fork();
		if (qemu_ < 0)
			throw os_error("fork");
		if (qemu_ == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			const std::array<int, 3> fds{agent_pair_.theirs, qmp_pair_.theirs, console_pair_.theirs};
			for (std::size_t i = 0; i < fds.size(); i++) {
				const int high = fcntl(fds[i], F_DUPFD, 20);
				dup2(high, numbers[i]);
				close(high);
			}
			execvp(argv[0], argv);
			dprintf(2, "lab: %s: %s\n", argv[0], std::strerror(errno));
			_exit(127);
		}
		close(agent_pair_.theirs);
		close(qmp_pair_.theirs);
		close(console_pair_.theirs);
		qemu_fd_ = static_cast<int>(syscall(SYS_pidfd_open, qemu_, 0));
	}

	void tell_qemu(const std::string &command)
	{
		const std::string line = R"({"execute":")" + command + "\"}\n";
		(void)!write(qmp_pair_.ours, line.data(), line.size());
	}

	// ---- the poll set: qmp, console, agent, listener, qemu, clients

	void collect()
	{
		set_.clear();
		const auto agent_events = static_cast<short>(POLLIN | (agent_.wants_write() ? POLLOUT : 0));
		set_.push_back({qmp_pair_.ours, POLLIN, 0});
		set_.push_back({console_.fd(), POLLIN, 0});
		set_.push_back({agent_.fd(), agent_events, 0});
		set_.push_back({listener_, POLLIN, 0});
		set_.push_back({qemu_fd_, POLLIN, 0});
		for (const Client &client : clients_)
			set_.push_back({client.channel.fd(),
					static_cast<short>(POLLIN | (client.channel.wants_write() ? POLLOUT : 0)), 0});
	}

	[[nodiscard]] int timeout() const
	{
		if (stop_at_)
			return 100;
		return has_streams() ? 1000 : -1;
	}

	[[nodiscard]] bool readable(std::size_t slot) const
	{
		return (set_[slot].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
	}

	// ---- what the node does

	void change(State state)
	{
		state_ = state;
		if (state == State::Booting)
			stop_at_.reset();
		if (state == State::Booting || state == State::Panicked || state == State::Stopped)
			fail_streams(state == State::Booting ? "went down" : name_of(state));
		for (Client &client : clients_)
			answer_waiter(client);
		sweep_clients();
	}

	void fail_streams(const std::string &how)
	{
		for (Client &client : clients_) {
			if (client.stream == 0 || client.done)
				continue;
			client.channel.send(0, Type::Fail, "the node " + how + " while the command ran");
			client.done = true;
		}
	}

	void serve_qmp()
	{
		if (!readable(0))
			return;
		std::array<char, 4096> buffer; // NOLINT: read() fills it
		const ssize_t n = read(qmp_pair_.ours, buffer.data(), buffer.size());
		if (n <= 0)
			return;
		qmp_in_.append(buffer.data(), static_cast<std::size_t>(n));
		for (std::size_t end = 0; (end = qmp_in_.find('\n')) != std::string::npos; qmp_in_.erase(0, end + 1)) {
			const std::string_view line(qmp_in_.data(), end);
			if (line.find("\"event\": \"RESET\"") != std::string_view::npos)
				change(State::Booting);
			if (line.find("VSERPORT_CHANGE") != std::string_view::npos &&
			    line.find("\"open\": false") != std::string_view::npos && state_ != State::Panicked)
				change(State::Booting); // its agent ended: going down, or starting anew
		}
	}

	void serve_console()
	{
		if (readable(1) && console_.pump()) {
			stop_at_ = Clock::now() + seconds(2);
			change(State::Panicked);
		}
		// A panicked kernel spins for ever: don't pay for that.
		if (stop_at_ && Clock::now() >= *stop_at_) {
			tell_qemu("stop");
			stop_at_.reset();
			change(State::Panicked);
		}
	}

	void serve_agent()
	{
		if (!readable(2) || !agent_.receive())
			return;
		if (agent_.take_sync()) {
			fail_streams("'s agent restarted");
			agent_.forget_output();
			agent_.send_sync();
			agent_.send(0, Type::Hello);
		}
		heard_ = Clock::now();
		Frame frame;
		while (agent_.next(frame)) {
			if (frame.type == Type::Hello || state_ == State::Silent)
				change(State::Ready);
			to_client(frame);
		}
	}

	void to_client(const Frame &frame)
	{
		const auto it = std::find_if(clients_.begin(), clients_.end(), [&](const Client &client) {
			return client.stream == frame.stream && !client.done;
		});
		if (frame.stream == 0 || it == clients_.end())
			return;
		it->channel.send(0, frame.type, frame.payload);
		it->done = frame.type == Type::Exit;
	}

	[[nodiscard]] bool has_streams() const
	{
		return std::any_of(clients_.begin(), clients_.end(),
				   [](const Client &client) { return client.stream != 0; });
	}

	void check_silence()
	{
		const auto now = Clock::now();
		if (!has_streams() || state_ != State::Ready)
			return;
		if (now - pinged_ >= kPing) {
			agent_.send(0, Type::Ping);
			pinged_ = now;
		}
		if (now - heard_ < kSilence)
			return;
		for (const Client &client : clients_)
			if (client.stream != 0)
				agent_.send(client.stream, Type::Hangup); // should it come back
		fail_streams("gave no answer for " + std::to_string(kSilence.count()) + " s");
		change(State::Silent);
	}

	// ---- clients

	void serve_clients()
	{
		std::size_t slot = 5;
		for (Client &client : clients_) {
			if (slot == set_.size())
				break;
			if (readable(slot++) && !client.channel.receive())
				client.gone = true;
			Frame frame;
			while (client.channel.next(frame))
				from_client(client, frame);
		}
		if (!readable(3))
			return;
		for (int fd = 0; (fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;)
			clients_.emplace_back(fd);
	}

	void from_client(Client &client, const Frame &frame)
	{
		switch (frame.type) {
		case Type::Open:
			open_stream(client, frame);
			break;
		case Type::Status:
			client.channel.send(0, Type::Text, name_of(state_));
			client.done = true;
			break;
		case Type::Wait:
			client.waiting = true;
			answer_waiter(client);
			break;
		case Type::Kill:
			kill(qemu_, SIGKILL); // the end of the connection is the answer
			break;
		case Type::Pause:
		case Type::Resume:
			tell_qemu(frame.type == Type::Pause ? "stop" : "cont");
			client.channel.send(0, Type::Text, name_of(state_));
			client.done = true;
			break;
		default:
			if (client.stream != 0 && !client.done)
				agent_.send(client.stream, frame.type, frame.payload);
			break;
		}
	}

	void open_stream(Client &client, const Frame &frame)
	{
		if (state_ != State::Ready) {
			client.channel.send(0, Type::Fail, std::string("the node is ") + name_of(state_));
			client.done = true;
			return;
		}
		if (!has_streams())
			heard_ = Clock::now();
		client.stream = ++last_stream_;
		agent_.send(client.stream, Type::Open, frame.payload);
	}

	void answer_waiter(Client &client)
	{
		// A panicked kernel is still telling why.
		const bool settled =
		    state_ == State::Ready || state_ == State::Stopped || (state_ == State::Panicked && !stop_at_);
		if (!client.waiting || client.done || !settled)
			return;
		client.channel.send(0, Type::Text, name_of(state_));
		client.done = true;
	}

	void sweep_clients()
	{
		for (auto it = clients_.begin(); it != clients_.end();) {
			if (!it->channel.flush())
				it->gone = true;
			if (it->gone && it->stream != 0 && !it->done)
				agent_.send(it->stream, Type::Hangup);
			const bool over = it->gone || (it->done && !it->channel.wants_write());
			it = over ? clients_.erase(it) : std::next(it);
		}
	}
};

} // namespace

int supervise(const std::string &socket, const std::string &console, int /*argc*/, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	return Supervisor(socket, console, argv).run();
}

} // namespace lab
