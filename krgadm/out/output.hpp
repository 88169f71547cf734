// SPDX-License-Identifier: GPL-2.0-only
// What a command prints: lines for people or one JSON document for programs.
// A command says everything to one Output; the back end takes what is its own.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

namespace krgadm
{

using Json = nlohmann::ordered_json;

class Output
{
public:
	virtual ~Output() = default;
	/// Whether set(), add() and record() lead anywhere; if not, spare the making.
	[[nodiscard]] virtual bool wants_json() const = 0;
	/// A line of text.
	virtual void line(std::string_view text) = 0;
	/// A member of the document.
	virtual void set(const std::string &key, Json value) = 0;
	/// One more element of the document's array @key.
	virtual void add(const std::string &key, Json value) = 0;
	/// A document of its own, at once: streams of events.
	virtual void record(const Json &value) = 0;
	/// Writes what was held back; nothing follows.
	virtual void finish() = 0;

	static std::unique_ptr<Output> make(bool json);
};

} // namespace krgadm
