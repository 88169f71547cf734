// SPDX-License-Identifier: GPL-2.0-only
// User-level TCP round trips, the measure rpc is held against.
//   rpc_pingpong serve ADDR PORT        one client, until it closes
//   rpc_pingpong ADDR PORT LEN COUNT    median round trip in ns
#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace
{
[[noreturn]] void die(const char *what)
{
	perror(what);
	std::exit(1);
}

sockaddr_in address(const char *ip, const char *port)
{
	sockaddr_in in{};
	in.sin_family = AF_INET;
	in.sin_port = htons(static_cast<uint16_t>(std::atoi(port)));
	if (inet_pton(AF_INET, ip, &in.sin_addr) != 1)
		die(ip);
	return in;
}

bool whole(int fd, char *buf, size_t len)
{
	for (size_t got = 0; got < len;) {
		ssize_t n = read(fd, buf + got, len - got);
		if (n <= 0)
			return false;
		got += static_cast<size_t>(n);
	}
	return true;
}

int serve(int fd, sockaddr_in in)
{
	int one = 1;
	char buf[65536];
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, reinterpret_cast<sockaddr *>(&in), sizeof(in)) || listen(fd, 1))
		die("bind");
	int conn = accept(fd, nullptr, nullptr);
	if (conn < 0)
		die("accept");
	setsockopt(conn, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (ssize_t n; (n = read(conn, buf, sizeof(buf))) > 0;)
		if (write(conn, buf, static_cast<size_t>(n)) != n)
			die("write");
	return 0;
}

int client(int fd, sockaddr_in in, size_t len, int count)
{
	int one = 1;
	if (connect(fd, reinterpret_cast<sockaddr *>(&in), sizeof(in)))
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	std::vector<char> buf(len);
	std::vector<long> times;
	for (int i = 0; i < count; i++) {
		auto start = std::chrono::steady_clock::now();
		if (write(fd, buf.data(), len) != static_cast<ssize_t>(len) || !whole(fd, buf.data(), len))
			die("round trip");
		times.push_back((std::chrono::steady_clock::now() - start).count());
	}
	std::sort(times.begin(), times.end());
	std::cout << times[times.size() / 2] << "\n";
	return 0;
}
} // namespace

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0)
		die("socket");
	if (argc == 4 && argv[1] == std::string("serve"))
		return serve(fd, address(argv[2], argv[3]));
	if (argc == 5)
		return client(fd, address(argv[1], argv[2]), std::strtoul(argv[3], nullptr, 10), std::atoi(argv[4]));
	std::cerr << "usage: rpc_pingpong serve ADDR PORT | ADDR PORT LEN COUNT\n";
	return 2;
}
