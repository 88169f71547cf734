// SPDX-License-Identifier: GPL-2.0-only
// A terminal to draw on, as it was before when it is done with.
#pragma once

#include "util/result.hpp"
#include <memory>
#include <string>

namespace krgadm
{

class Screen
{
public:
	enum class Look { normal, strong, reverse };
	enum class Colour { good, bad };

	/// Of standard input and output; refused where nothing can be drawn.
	static Result<std::unique_ptr<Screen>> open();
	~Screen();
	Screen(const Screen &) = delete;
	Screen &operator=(const Screen &) = delete;

	static int rows();
	static int columns();
	/// A whole row; what does not fit is cut off.
	static void line(int row, const std::string &text, Look look = Look::normal);
	/// Colours @count columns of a row that was drawn.
	static void paint(int row, size_t column, size_t count, Colour colour);
	static void show();
	/// Draws all of it anew: something else may have written there.
	static void repair();
	/// The next key, no_key after so many milliseconds, or gone when there is no terminal any more.
	static int key(int ms);

	static constexpr int no_key = -1;
	static constexpr int gone = -2;

private:
	Screen();
};

} // namespace krgadm
