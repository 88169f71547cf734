// SPDX-License-Identifier: GPL-2.0-only
// A value or the reason why there is none.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <variant>

namespace krgadm
{

/// What failed and why, as "what: why".
struct Error {
	std::string text;
	int code = 0; ///< positive error number, 0: not the system's

	static Error system(const std::string &what, int code = errno)
	{
		return {what + ": " + std::strerror(code), code};
	}
};

template <typename T> class [[nodiscard]] Result
{
public:
	Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
	Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

	explicit operator bool() const { return state_.index() == 0; }
	T &operator*() { return std::get<0>(state_); }
	const T &operator*() const { return std::get<0>(state_); }
	T *operator->() { return &std::get<0>(state_); }
	const Error &error() const { return std::get<1>(state_); }

private:
	std::variant<T, Error> state_;
};

template <> class [[nodiscard]] Result<void>
{
public:
	Result() = default;
	Result(Error error) : error_(std::move(error)), ok_(false) {}

	explicit operator bool() const { return ok_; }
	const Error &error() const { return error_; }

private:
	Error error_;
	bool ok_ = true;
};

} // namespace krgadm
