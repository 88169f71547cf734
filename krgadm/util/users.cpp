// SPDX-License-Identifier: GPL-2.0-only
#include "util/users.hpp"
#include "util/fd.hpp"
#include "util/parse.hpp"
#include <array>
#include <climits>
#include <optional>
#include <set>
#include <sstream>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace krgadm
{

namespace
{

using Devices = std::set<dev_t>;

std::string target(const std::string &link)
{
	std::array<char, PATH_MAX> path = {};
	const ssize_t length = readlink(link.c_str(), path.data(), path.size());

	return length < 0 ? link : std::string(path.data(), static_cast<size_t>(length));
}

bool is_on(const Devices &devices, const std::string &path)
{
	struct stat stat = {};

	return !::stat(path.c_str(), &stat) && devices.count(stat.st_dev);
}

// "MAJOR:MINOR", both hexadecimal.
std::optional<dev_t> parse_device(const std::string &text)
{
	const auto colon = text.find(':');
	unsigned long major = 0;
	unsigned long minor = 0;

	if (colon == std::string::npos)
		return std::nullopt;
	const auto number = [&](size_t from, size_t to, unsigned long &value) {
		return std::from_chars(text.data() + from, text.data() + to, value, 16).ptr == text.data() + to;
	};
	if (!number(0, colon, major) || !number(colon + 1, text.size(), minor))
		return std::nullopt;
	return makedev(major, minor);
}

// RANGE RIGHTS OFFSET DEVICE INODE PATH
std::optional<std::string> mapped(const std::string &process, const Devices &devices)
{
	std::istringstream lines(read_file(process + "/maps"));
	std::string line;

	while (std::getline(lines, line)) {
		std::istringstream fields(line);
		std::string range, rights, offset, device, inode, path;
		fields >> range >> rights >> offset >> device >> inode >> std::ws;
		std::getline(fields, path);
		const auto number = parse_device(device);
		if (number && devices.count(*number))
			return path;
	}
	return std::nullopt;
}

std::optional<std::string> opened(const std::string &process, const Devices &devices)
{
	const std::string folder = process + "/fd";
	const Dir dir(opendir(folder.c_str()));

	for (const dirent *entry; dir && (entry = readdir(dir.get()));) {
		const std::string link = folder + "/" + entry->d_name;
		if (entry->d_name[0] != '.' && is_on(devices, link))
			return target(link);
	}
	return std::nullopt;
}

std::optional<std::string> used(const std::string &process, const Devices &devices)
{
	for (const char *name : {"/cwd", "/root", "/exe"})
		if (is_on(devices, process + name))
			return target(process + name);
	if (auto path = opened(process, devices))
		return path;
	return mapped(process, devices);
}

} // namespace

Result<std::vector<FileUser>> device_users(const std::string &list)
{
	std::istringstream words(list);
	std::vector<FileUser> users;
	Devices devices;
	std::string word;

	while (words >> word)
		if (const auto device = parse_device(word))
			devices.insert(*device);
	const Dir proc(opendir("/proc"));

	if (!proc)
		return Error::system("/proc");
	for (const dirent *entry; !devices.empty() && (entry = readdir(proc.get()));) {
		const auto pid = parse_number<pid_t>(entry->d_name);
		const std::string process = std::string("/proc/") + entry->d_name;
		if (!pid)
			continue;
		const auto file = used(process, devices);
		std::string comm = file ? read_file(process + "/comm") : "";
		if (file)
			users.push_back({*pid, comm.substr(0, comm.find('\n')), *file});
	}
	return users;
}

} // namespace krgadm
