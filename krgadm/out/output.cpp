// SPDX-License-Identifier: GPL-2.0-only
#include "out/output.hpp"
#include <cstdio>

namespace krgadm
{

namespace
{

class Text : public Output
{
public:
	[[nodiscard]] bool wants_json() const override { return false; }
	void line(std::string_view text) override
	{
		fwrite(text.data(), 1, text.size(), stdout);
		fputc('\n', stdout);
	}
	void set(const std::string &, Json) override {}
	void add(const std::string &, Json) override {}
	void record(const Json &) override { fflush(stdout); }
	void finish() override { fflush(stdout); }
};

// Names of processes are bytes: what is no UTF-8 becomes U+FFFD.
void print(const Json &value)
{
	const auto text = value.dump(-1, ' ', false, Json::error_handler_t::replace);

	fwrite(text.data(), 1, text.size(), stdout);
	fputc('\n', stdout);
	fflush(stdout);
}

class JsonDocument : public Output
{
public:
	[[nodiscard]] bool wants_json() const override { return true; }
	void line(std::string_view) override {}
	void set(const std::string &key, Json value) override { document_[key] = std::move(value); }
	void add(const std::string &key, Json value) override { document_[key].push_back(std::move(value)); }
	void record(const Json &value) override { print(value); }
	void finish() override
	{
		if (!document_.empty())
			print(document_);
	}

private:
	Json document_;
};

} // namespace

std::unique_ptr<Output> Output::make(bool json)
{
	if (json)
		return std::make_unique<JsonDocument>();
	return std::make_unique<Text>();
}

} // namespace krgadm
