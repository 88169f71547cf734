// SPDX-License-Identifier: GPL-2.0-only
//
// pingpong: the user-level baseline R1 and R4. A plain blocking TCP program, as
// anyone would write it.
//
//   pingpong serve PORT                             answers until killed
//   pingpong HOST PORT REQUEST REPLY COUNT          prints the median round trip in us
#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace
{

[[noreturn]] void die(const char *what)
{
	std::perror(what);
	std::exit(1);
}

class Socket
{
public:
	explicit Socket(int fd) : fd_(fd)
	{
		if (fd < 0)
			die("socket");
	}
	~Socket() { ::close(fd_); }
	Socket(const Socket &) = delete;
	Socket &operator=(const Socket &) = delete;
	[[nodiscard]] int fd() const { return fd_; }
	void no_delay() const
	{
		const int one = 1;
		if (::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one))
			die("TCP_NODELAY");
	}
	// False when the peer has closed.
	[[nodiscard]] bool read_all(void *buf, size_t len) const
	{
		auto *p = static_cast<char *>(buf);
		while (len) {
			const ssize_t n = ::read(fd_, p, len);
			if (n <= 0)
				return false;
			p += n;
			len -= static_cast<size_t>(n);
		}
		return true;
	}
	[[nodiscard]] bool write_all(const void *buf, size_t len) const
	{
		const auto *p = static_cast<const char *>(buf);
		while (len) {
			const ssize_t n = ::write(fd_, p, len);
			if (n <= 0)
				return false;
			p += n;
			len -= static_cast<size_t>(n);
		}
		return true;
	}

private:
	int fd_;
};

struct Hello {
	uint32_t request, reply;
};

constexpr uint32_t max_message = 1U << 20;

sockaddr_in address(const char *host, const char *port)
{
	sockaddr_in a{};
	a.sin_family = AF_INET;
	a.sin_port = htons(static_cast<uint16_t>(std::atoi(port)));
	if (::inet_pton(AF_INET, host, &a.sin_addr) != 1)
		die(host);
	return a;
}

void serve_one(const Socket &peer)
{
	Hello h{};
	peer.no_delay();
	if (!peer.read_all(&h, sizeof h) || h.request > max_message || h.reply > max_message)
		return;
	std::vector<char> in(h.request), out(h.reply, 'r');
	while (peer.read_all(in.data(), in.size()))
		if (!peer.write_all(out.data(), out.size()))
			return;
}

int serve(const char *port)
{
	const Socket listener(::socket(AF_INET, SOCK_STREAM, 0));
	const int one = 1;
	::setsockopt(listener.fd(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	const sockaddr_in a = address("0.0.0.0", port);
	if (::bind(listener.fd(), reinterpret_cast<const sockaddr *>(&a), sizeof a) || ::listen(listener.fd(), 8))
		die("bind");
	for (;;)
		serve_one(Socket(::accept(listener.fd(), nullptr, nullptr)));
}

int ping(char **argv)
{
	const Socket peer(::socket(AF_INET, SOCK_STREAM, 0));
	const sockaddr_in a = address(argv[1], argv[2]);
	const Hello h{static_cast<uint32_t>(std::atoi(argv[3])), static_cast<uint32_t>(std::atoi(argv[4]))};
	const int count = std::atoi(argv[5]);
	if (count <= 0 || h.request > max_message || h.reply > max_message)
		return 2;
	if (::connect(peer.fd(), reinterpret_cast<const sockaddr *>(&a), sizeof a))
		die("connect");
	peer.no_delay();
	std::vector<char> out(h.request, 'q'), in(h.reply);
	std::vector<double> us;
	if (!peer.write_all(&h, sizeof h))
		die("write");
	for (int i = 0; i < count; i++) {
		const auto t = std::chrono::steady_clock::now();
		if (!peer.write_all(out.data(), out.size()) || !peer.read_all(in.data(), in.size()))
			die("peer");
		us.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - t).count());
	}
	std::nth_element(us.begin(), us.begin() + count / 2, us.end());
	std::printf("%.1f\n", us[static_cast<size_t>(count) / 2]);
	return 0;
}

} // namespace

int main(int argc, char **argv)
{
	if (argc == 3 && !std::strcmp(argv[1], "serve"))
		return serve(argv[2]);
	if (argc == 6)
		return ping(argv);
	std::fprintf(stderr, "usage: pingpong serve PORT | pingpong HOST PORT REQUEST REPLY COUNT\n");
	return 2;
}
