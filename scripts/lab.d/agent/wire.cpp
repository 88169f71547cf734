// SPDX-License-Identifier: GPL-2.0-only
#include "wire.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace lab
{

namespace
{

// Made at run time, so that sending this very program through the port is no
// false sync.
std::string sync_sequence()
{
	std::string sequence;
	for (unsigned i = 0; i < 24; i++)
		sequence.push_back(static_cast<char>((i * 151 + 77) ^ 0xa5));
	return sequence;
}

const std::string &sync()
{
	static const std::string sequence = sync_sequence();
	return sequence;
}

} // namespace

void set_nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

std::uint32_t get_u32(std::string_view payload, std::size_t offset)
{
	std::uint32_t value = 0;
	if (payload.size() >= offset + sizeof(value))
		std::memcpy(&value, payload.data() + offset, sizeof(value));
	return value;
}

std::uint16_t get_u16(std::string_view payload, std::size_t offset)
{
	std::uint16_t value = 0;
	if (payload.size() >= offset + sizeof(value))
		std::memcpy(&value, payload.data() + offset, sizeof(value));
	return value;
}

Channel::~Channel()
{
	if (fd_ >= 0)
		close(fd_);
}

void Channel::send(std::uint32_t stream, Type type, std::string_view payload)
{
	const Header header{stream, type, 0, static_cast<std::uint32_t>(payload.size())};
	if (sent_ == out_.size()) {
		out_.clear();
		sent_ = 0;
	}
	out_.append(reinterpret_cast<const char *>(&header), sizeof(header));
	out_.append(payload);
}

void Channel::send_u32(std::uint32_t stream, Type type, std::uint32_t value)
{
	send(stream, type, {reinterpret_cast<const char *>(&value), sizeof(value)});
}

void Channel::send_credit(std::uint32_t stream, Type of, std::uint32_t bytes)
{
	std::array<char, 6> payload{};
	std::memcpy(payload.data(), &of, 2);
	std::memcpy(payload.data() + 2, &bytes, 4);
	send(stream, Type::Credit, {payload.data(), payload.size()});
}

void Channel::send_sync()
{
	out_.append(sync());
}

void Channel::forget_output()
{
	out_.clear();
	sent_ = 0;
}

bool Channel::flush()
{
	while (sent_ < out_.size()) {
		const std::size_t want = std::min(out_.size() - sent_, std::size_t{32 * 1024});
		const ssize_t n = write(fd_, out_.data() + sent_, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		sent_ += static_cast<std::size_t>(n);
	}
	out_.clear();
	sent_ = 0;
	return true;
}

bool Channel::receive()
{
	std::array<char, 64 * 1024> buffer; // NOLINT: read() fills it
	const ssize_t n = read(fd_, buffer.data(), buffer.size());
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	in_.append(buffer.data(), static_cast<std::size_t>(n));
	return n > 0;
}

bool Channel::take_sync()
{
	const std::string &mark = sync();
	const std::size_t from = scanned_ >= mark.size() ? scanned_ - mark.size() : 0;
	const std::size_t at = in_.find(mark, from);
	scanned_ = in_.size();
	if (at == std::string::npos)
		return false;
	in_.erase(0, at + mark.size());
	scanned_ = 0;
	broken_ = false;
	return true;
}

bool Channel::next(Frame &frame)
{
	Header header;
	if (broken_ || in_.size() < sizeof(header))
		return false;
	std::memcpy(&header, in_.data(), sizeof(header));
	if (header.length > kMaxPayload) {
		broken_ = true; // until the next sync
		return false;
	}
	if (in_.size() < sizeof(header) + header.length)
		return false;
	frame.stream = header.stream;
	frame.type = header.type;
	frame.payload.assign(in_, sizeof(header), header.length);
	in_.erase(0, sizeof(header) + header.length);
	scanned_ = std::min(scanned_, in_.size());
	return true;
}

std::string OpenRequest::encode() const
{
	std::string payload(5, '\0');
	payload[0] = pty ? 1 : 0;
	std::memcpy(payload.data() + 1, &rows, 2);
	std::memcpy(payload.data() + 3, &columns, 2);
	return payload + strings;
}

bool OpenRequest::decode(std::string_view payload, OpenRequest &request)
{
	if (payload.size() < 7 || payload.back() != '\0')
		return false;
	request.pty = payload[0] != 0;
	request.rows = get_u16(payload, 1);
	request.columns = get_u16(payload, 3);
	request.strings = payload.substr(5);
	return std::count(request.strings.begin(), request.strings.end(), '\0') >= 2;
}

} // namespace lab
