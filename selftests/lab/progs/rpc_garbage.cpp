// SPDX-License-Identifier: GPL-2.0-only
// rpc_garbage ADDR SECONDS [SEED]: everything a stranger on the network may throw at
// a node's rpc port: random bytes, frames and handshake messages bent at random,
// cut short, too long, replayed; many mute connections at once. Prints how many
// connections it made; succeeds if the node was there to the end and never said more
// than a CHALLENGE of 72 bytes.
#include <arpa/inet.h>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <poll.h>
#include <random>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace
{
constexpr size_t challenge_bytes = 72;
using Bytes = std::vector<uint8_t>;

class Connection
{
	int fd_;

public:
	explicit Connection(const sockaddr_in &to) : fd_(socket(AF_INET, SOCK_STREAM, 0))
	{
		if (fd_ >= 0 && connect(fd_, reinterpret_cast<const sockaddr *>(&to), sizeof(to))) {
			close(fd_);
			fd_ = -1;
		}
	}
	Connection(Connection &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
	Connection(const Connection &) = delete;
	Connection &operator=(const Connection &) = delete;
	Connection &operator=(Connection &&) = delete;
	~Connection()
	{
		if (fd_ >= 0)
			close(fd_);
	}
	[[nodiscard]] bool up() const { return fd_ >= 0; }
	void say(const Bytes &bytes) const { send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT); }
	// What is answered within the time, or until the node closes.
	[[nodiscard]] Bytes hear(int ms) const
	{
		Bytes all;
		pollfd p{fd_, POLLIN, 0};
		uint8_t buf[4096];
		while (poll(&p, 1, ms) > 0) {
			ssize_t n = recv(fd_, buf, sizeof(buf), 0);
			if (n <= 0)
				break;
			all.insert(all.end(), buf, buf + n);
		}
		return all;
	}
};

class Attack
{
	sockaddr_in to_;
	std::mt19937_64 rng_;
	Bytes seen_; // a challenge the node sent to an earlier connection

	uint64_t below(uint64_t n) { return rng_() % n; }

	Bytes noise(size_t len)
	{
		Bytes b(len);
		for (auto &c : b)
			c = static_cast<uint8_t>(rng_());
		return b;
	}

	static void put32(Bytes &b, size_t at, uint32_t v) { memcpy(&b[at], &v, sizeof(v)); }

	Bytes hello()
	{
		Bytes b = noise(40);
		put32(b, 0, 0x4847724b);
		put32(b, 4, 0x0101);
		return b;
	}

	Bytes ident()
	{
		Bytes b = noise(64);
		put32(b, 0, 0x4847724b);
		put32(b, 4, 0x0301);
		return b;
	}

	Bytes frame()
	{
		Bytes b = noise(48 + below(200));
		put32(b, 0, 0x5247724b);
		b[4] = 1;
		b[5] = static_cast<uint8_t>(1 + below(6));
		b[6] = static_cast<uint8_t>(below(3));
		put32(b, 24, below(2) ? 0xffffffff : static_cast<uint32_t>(below(1 << 21)));
		return b;
	}

	Bytes one_of()
	{
		switch (below(6)) {
		case 0:
			return noise(1 + below(300));
		case 1:
			return hello();
		case 2:
			return ident();
		case 3:
			return frame();
		case 4:
			return seen_.empty() ? hello() : seen_;
		default:
			return noise(1 << 16);
		}
	}

	void bend(Bytes &b)
	{
		if (below(3) == 0)
			b.resize(1 + below(b.size()));
		for (uint64_t n = below(4); n--;)
			b[below(b.size())] ^= static_cast<uint8_t>(1 << below(8));
	}

	// As far into the handshake as a stranger gets, then something wrong.
	bool talk(const Connection &c)
	{
		c.say(hello());
		Bytes answer = c.hear(200);
		if (answer.size() > challenge_bytes)
			return false;
		if (answer.size() == challenge_bytes)
			seen_ = answer;
		for (uint64_t n = 1 + below(3); n--;) {
			Bytes b = below(2) ? ident() : one_of();
			bend(b);
			c.say(b);
		}
		return c.hear(20).empty();
	}

	bool shout(const Connection &c)
	{
		for (uint64_t n = 1 + below(4); n--;) {
			Bytes b = one_of();
			bend(b);
			c.say(b);
		}
		return c.hear(20).size() <= challenge_bytes;
	}

public:
	Attack(sockaddr_in to, uint64_t seed) : to_(to), rng_(seed) {}

	int run(std::chrono::seconds time)
	{
		auto end = std::chrono::steady_clock::now() + time;
		std::vector<Connection> mutes;
		int made = 0;
		while (std::chrono::steady_clock::now() < end) {
			Connection c(to_);
			if (!c.up()) {
				std::cerr << "the node does not answer\n";
				return 1;
			}
			made++;
			if (below(4) == 0) {
				mutes.push_back(std::move(c));
				if (mutes.size() > 200)
					mutes.clear();
				continue;
			}
			if (!(below(2) ? talk(c) : shout(c))) {
				std::cerr << "the node told a stranger more than a challenge\n";
				return 1;
			}
		}
		std::cout << made << "\n";
		return 0;
	}
};
} // namespace

int main(int argc, char **argv)
{
	sockaddr_in to{};
	to.sin_family = AF_INET;
	to.sin_port = htons(2640);
	if (argc < 3 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		std::cerr << "usage: rpc_garbage ADDR SECONDS [SEED]\n";
		return 2;
	}
	uint64_t seed = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1;
	return Attack(to, seed).run(std::chrono::seconds(std::atoi(argv[2])));
}
