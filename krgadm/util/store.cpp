// SPDX-License-Identifier: GPL-2.0-only
#include "util/store.hpp"
#include "util/parse.hpp"
#include <algorithm>
#include <climits>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace krgadm
{

namespace
{

constexpr const char *draft_prefix = ".new-";
constexpr const char *description_file = "description.txt";
constexpr mode_t everybody = 01777; // each user's versions are his own

std::vector<std::string> names_in(int fd)
{
	std::vector<std::string> names;
	const int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const Dir dir(copy >= 0 ? fdopendir(copy) : nullptr);

	while (dir) {
		const dirent *entry = readdir(dir.get());
		if (!entry)
			break;
		const std::string name = entry->d_name;
		if (name != "." && name != "..")
			names.push_back(name);
	}
	return names;
}

std::vector<std::string> names_in(const std::string &path)
{
	const Fd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	return fd ? names_in(fd.get()) : std::vector<std::string>();
}

// Flat: a version has no directories in it.
void remove_dir(const std::string &path)
{
	const Fd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));

	if (!fd)
		return;
	for (const auto &name : names_in(fd.get()))
		unlinkat(fd.get(), name.c_str(), 0);
	rmdir(path.c_str());
}

Result<void> make_shared_dir(const std::string &path)
{
	if (!mkdir(path.c_str(), everybody))
		return chmod(path.c_str(), everybody) ? Result<void>(Error::system(path)) : Result<void>();
	return errno == EEXIST ? Result<void>() : Result<void>(Error::system(path));
}

Result<void> sync_dir(const std::string &path)
{
	const Fd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	if (!fd || fsync(fd.get()))
		return Error::system(path);
	return {};
}

unsigned version_of(const std::string &name)
{
	if (name.empty() || name[0] != 'v')
		return 0;
	return parse_number<unsigned>(std::string_view(name).substr(1), INT_MAX, 1).value_or(0);
}

unsigned last_version(const std::string &app_dir)
{
	unsigned last = 0;

	for (const auto &name : names_in(app_dir))
		last = std::max(last, version_of(name));
	return last;
}

uint64_t bytes_in(int dir)
{
	uint64_t bytes = 0;

	for (const auto &name : names_in(dir)) {
		struct stat stat = {};
		if (!fstatat(dir, name.c_str(), &stat, AT_SYMLINK_NOFOLLOW))
			bytes += static_cast<uint64_t>(stat.st_size);
	}
	return bytes;
}

std::string now()
{
	const time_t time = ::time(nullptr);
	char text[32];

	ctime_r(&time, text);
	return std::string(text, strcspn(text, "\n"));
}

Description read_description(const std::string &path)
{
	constexpr std::string_view text_key = "\nDescription: ";
	constexpr std::string_view date_key = "\nDate: ";
	const std::string content = "\n" + read_file(path);
	Description description;
	const auto date = content.rfind(date_key);
	const auto text = content.find(text_key);

	if (date != std::string::npos) {
		description.date = content.substr(date + date_key.size());
		description.date.resize(std::min(description.date.find('\n'), description.date.size()));
	}
	if (text != std::string::npos && date != std::string::npos && text < date)
		description.text = content.substr(text + text_key.size(), date - text - text_key.size());
	return description;
}

} // namespace

std::string store_root()
{
	const char *dir = getenv("KRG_CHKPT_DIR");

	return dir && *dir ? dir : "/var/chkpt";
}

std::string Description::format() const
{
	return fmt::format("Identifier: {}\nVersion: {}\nDescription: {}\nDate: {}\n", appid, version, text, date);
}

Result<Draft> Draft::create()
{
	const std::string root = store_root();

	if (auto done = make_shared_dir(root); !done)
		return done.error();
	std::string path = fmt::format("{}/{}XXXXXX", root, draft_prefix);
	if (!mkdtemp(path.data()))
		return Error::system(root);
	Draft draft(path);
	draft.dir_ = Fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	// The lock tells a draft in the making from one that was abandoned.
	if (!draft.dir_ || flock(draft.dir_.get(), LOCK_EX | LOCK_NB))
		return Error::system(path);
	return draft;
}

Draft::Draft(Draft &&other) noexcept : path_(std::move(other.path_)), dir_(std::move(other.dir_))
{
	other.path_.clear();
}

Draft::~Draft()
{
	if (!path_.empty())
		remove_dir(path_);
}

Result<void> Draft::describe(const Description &description) const
{
	const Fd fd(openat(dir_.get(), description_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
	const std::string text = description.format();

	if (!fd || write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
		return Error::system(description_file);
	return {};
}

Result<void> Draft::sync() const
{
	for (const auto &name : names_in(dir_.get())) {
		const Fd fd(openat(dir_.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
		if (!fd || fsync(fd.get()))
			return Error::system(name);
	}
	if (fsync(dir_.get()))
		return Error::system(path_);
	return {};
}

Result<Description> Draft::publish(pid_t appid, const std::string &text)
{
	const std::string app_dir = fmt::format("{}/{}", store_root(), appid);
	Description description{appid, 0, text.empty() ? "No description" : text, now()};

	if (auto done = make_shared_dir(app_dir); !done)
		return done.error();
	description.version = last_version(app_dir);
	do {
		description.version++;
		if (auto done = describe(description); !done)
			return done.error();
		if (auto done = sync(); !done)
			return done.error();
		// Onto a version somebody else made meanwhile it fails: that is not empty.
		const auto path = version_path(appid, description.version);
		if (!rename(path_.c_str(), path.c_str())) {
			path_.clear();
			break;
		}
		if (errno != EEXIST && errno != ENOTEMPTY)
			return Error::system(path);
	} while (true);
	for (const auto &dir : {app_dir, store_root()})
		if (auto done = sync_dir(dir); !done)
			return done.error();
	return description;
}

std::string version_path(pid_t appid, unsigned version)
{
	return fmt::format("{}/{}/v{}", store_root(), appid, version);
}

std::vector<Version> list_versions(pid_t appid)
{
	std::vector<Version> versions;

	for (const auto &app_name : names_in(store_root())) {
		const auto app = parse_number<pid_t>(app_name, INT_MAX, 1);
		if (!app || (appid && *app != appid))
			continue;
		for (const auto &name : names_in(store_root() + "/" + app_name)) {
			const unsigned version = version_of(name);
			const auto path = version_path(*app, version);
			const Fd dir(version ? open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1);
			if (!version)
				continue;
			auto description = read_description(path + "/" + description_file);
			description.appid = *app;
			description.version = version;
			versions.push_back({*app, version, dir ? bytes_in(dir.get()) : 0, description});
		}
	}
	std::sort(versions.begin(), versions.end(), [](const Version &a, const Version &b) {
		return std::pair(a.appid, a.version) < std::pair(b.appid, b.version);
	});
	return versions;
}

Result<Fd> open_version(pid_t appid, unsigned version)
{
	Fd fd(open(version_path(appid, version).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	if (fd)
		return fd;
	if (errno != ENOENT)
		return Error::system(version_path(appid, version));
	if (list_versions(appid).empty())
		return Error{fmt::format("application {} has no checkpoint in {}", appid, store_root()), ENOENT};
	return Error{fmt::format("application {} has no version {}", appid, version), ENOENT};
}

Result<void> remove_version(pid_t appid, unsigned version)
{
	const auto path = version_path(appid, version);
	// Out of sight at once: half of a version must never be seen.
	const auto grave = fmt::format("{}/{}rm-{}-{}", store_root(), draft_prefix, appid, version);

	if (access(path.c_str(), F_OK))
		return Error{fmt::format("application {} has no version {}", appid, version), ENOENT};
	if (rename(path.c_str(), grave.c_str()))
		return Error::system(path);
	remove_dir(grave);
	rmdir(fmt::format("{}/{}", store_root(), appid).c_str());
	return {};
}

unsigned remove_abandoned()
{
	unsigned removed = 0;

	for (const auto &name : names_in(store_root())) {
		const auto path = store_root() + "/" + name;
		if (name.rfind(draft_prefix, 0) != 0)
			continue;
		const Fd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
		if (!fd || flock(fd.get(), LOCK_EX | LOCK_NB))
			continue;
		remove_dir(path);
		removed++;
	}
	return removed;
}

std::vector<std::string> list_files(int dir)
{
	auto names = names_in(dir);

	std::sort(names.begin(), names.end());
	return names;
}

} // namespace krgadm
