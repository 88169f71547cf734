// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/inspect.hpp"
#include "util/ghost_reader.hpp"
#include <filesystem>
#include <fmt/format.h>
#include <map>

namespace krgadm
{

namespace
{

Json to_json(const GhostRecord &record)
{
	return {{"seq", record.seq},	   {"type", record.name}, {"offset", record.offset},
		{"length", record.length}, {"bulk", record.bulk}, {"fields", record.fields}};
}

Json to_json(const std::string &name, const GhostSummary &summary)
{
	const auto &h = summary.header;

	return {{"name", name},
		{"bytes", summary.size},
		{"kind", h.kind},
		{"format", h.format},
		{"release", h.release},
		{"node", h.node},
		{"created", h.created},
		{"checkpoint", h.checkpoint},
		{"bulk_bytes", summary.bulk},
		{"records", Json::array()}};
}

void print_head(Output &out, const std::string &name, const GhostSummary &summary)
{
	const auto &h = summary.header;

	out.line(fmt::format("{}: {}, {} bytes, {} records, {} bytes of memory and files", name, h.kind, summary.size,
			     summary.records, summary.bulk));
	out.line(fmt::format("  format {}, kernel {}, node {}, application {}, xfeatures {:#x}", h.format, h.release,
			     h.node, h.appid, h.xfeatures));
}

Result<void> inspect_ghost(Output &out, const std::string &path, const std::string &name, bool records)
{
	std::map<std::string, unsigned> counts;
	std::vector<std::string> lines;
	Json list = Json::array();
	auto summary = read_ghost(path, [&](const GhostRecord &record) {
		counts[record.name]++;
		list.push_back(to_json(record));
		if (records)
			lines.push_back(
			    fmt::format("  {:>6} {:>10} {:<12} {}", record.seq, record.offset, record.name,
					record.fields.dump(-1, ' ', false, Json::error_handler_t::replace)));
	});

	if (!summary)
		return summary.error();
	print_head(out, name, *summary);
	for (const auto &line : lines)
		out.line(line);
	for (const auto &[type, count] : counts)
		if (!records)
			out.line(fmt::format("  {:>6} {}", count, type));
	auto file = to_json(name, *summary);
	file["records"] = std::move(list);
	out.add("files", std::move(file));
	return {};
}

} // namespace

Result<void> inspect_file(Output &out, const std::string &path, bool records)
{
	const std::filesystem::path file(path);
	std::error_code error;

	if (file.extension() == ".bin")
		return inspect_ghost(out, path, file.filename(), records);
	const auto bytes = std::filesystem::file_size(file, error);
	if (error)
		return Error::system(path, error.value());
	out.line(fmt::format("{}: {} bytes", file.filename().string(), bytes));
	out.add("files", {{"name", file.filename().string()}, {"bytes", bytes}});
	return {};
}

} // namespace krgadm
