// SPDX-License-Identifier: GPL-2.0-only
//
// The protocol between `lab exec` (client), the supervisor of a node (host
// side of its virtio-serial port) and the agent in the node.
//
// One port carries many commands at once: every frame names its stream. Data
// flows against credit, given by whoever consumes it, so one command whose
// output nobody reads holds up no other and no queue grows without bound.
//
//   client                supervisor               agent
//     | -- open argv ------> | -- open (stream n) --> | fork, exec
//     | <----- out, err ---- | <-------- out, err --- |
//     | -- credit ---------> | -- credit -----------> |
//     | <----- exit -------- | <-------- exit ------- |
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lab
{

enum class Type : std::uint16_t {
	Hello = 1, // agent: (re)started; supervisor: heard you
	Open,	   // flags, window size, TERM, argv
	Stdin,
	StdinEof,
	Stdout,
	Stderr,
	Credit, // Type (u16) of the data, bytes (u32)
	Exit,	// wait status as a shell would give it (u32)
	Winch,	// rows, columns (u16 each)
	Signal, // number (u32), to the command's process group
	Hangup, // the client is gone: kill the command
	Ping,
	Pong,
	// Between client and supervisor only:
	Fail,	// text: the command's fate cannot be known
	Status, // ask the state, answered by Text at once
	Wait,	// answered by Text when the node is ready or can never be
	Kill,	// power cut
	Pause,	// stop the node's CPUs
	Resume,
	Text,
};

struct Header {
	std::uint32_t stream;
	Type type;
	std::uint16_t reserved;
	std::uint32_t length;
};
static_assert(sizeof(Header) == 12);

constexpr std::size_t kChunk = 30 * 1024; // a virtio-serial write takes up to 32 KiB
constexpr std::uint32_t kWindow = 4 * kChunk;
constexpr std::size_t kMaxPayload = 1024 * 1024; // argv can be long
constexpr int kLabFailure = 125;		 // exit status when it is the lab that failed

struct Frame {
	std::uint32_t stream = 0;
	Type type{};
	std::string payload;
};

// A non-blocking byte channel that speaks frames.
class Channel
{
public:
	explicit Channel(int fd) : fd_(fd) {}
	~Channel();
	Channel(const Channel &) = delete;
	Channel &operator=(const Channel &) = delete;

	[[nodiscard]] int fd() const { return fd_; }
	[[nodiscard]] bool wants_write() const { return sent_ < out_.size(); }
	void send(std::uint32_t stream, Type type, std::string_view payload = {});
	void send_u32(std::uint32_t stream, Type type, std::uint32_t value);
	void send_credit(std::uint32_t stream, Type of, std::uint32_t bytes);
	// What comes next starts a fresh conversation, whatever was under way.
	void send_sync();
	// Both return false when the other side is gone.
	[[nodiscard]] bool flush();
	[[nodiscard]] bool receive();
	// Skip all input before a sync sequence, if one arrived since last asked.
	[[nodiscard]] bool take_sync();
	[[nodiscard]] bool next(Frame &frame);
	void forget_output();

private:
	int fd_;
	std::string in_;
	std::size_t scanned_ = 0;
	std::string out_;
	std::size_t sent_ = 0;
	bool broken_ = false;
};

struct OpenRequest {
	bool pty = false;
	std::uint16_t rows = 0;
	std::uint16_t columns = 0;
	std::string strings; // TERM, then argv, each ended by a NUL
	[[nodiscard]] std::string encode() const;
	[[nodiscard]] static bool decode(std::string_view payload, OpenRequest &request);
};

[[nodiscard]] std::uint32_t get_u32(std::string_view payload, std::size_t offset = 0);
[[nodiscard]] std::uint16_t get_u16(std::string_view payload, std::size_t offset = 0);
void set_nonblocking(int fd);

} // namespace lab
