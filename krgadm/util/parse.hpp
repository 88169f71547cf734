// SPDX-License-Identifier: GPL-2.0-only
// Numbers and signals as users write them.
#pragma once

#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace krgadm
{

/// The whole of @text as a decimal number in min..max.
template <typename T>
std::optional<T> parse_number(std::string_view text, T max = std::numeric_limits<T>::max(), T min = 0)
{
	T value{};
	const auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), value);

	if (err != std::errc() || end != text.data() + text.size() || value < min || value > max)
		return std::nullopt;
	return value;
}

/// "15", "TERM" or "SIGTERM".
std::optional<int> parse_signal(const std::string &text);

/// Lines of a small file, "" if it cannot be read.
std::string read_file(const std::string &path);

} // namespace krgadm
