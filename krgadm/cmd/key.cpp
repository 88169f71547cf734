// SPDX-License-Identifier: GPL-2.0-only
// krgadm key: the session's key, 32 random bytes as hexadecimal digits in a
// file only root may read.
#include "cmd/key.hpp"
#include "cli/tool.hpp"
#include "nl/client.hpp"
#include "util/fd.hpp"
#include "util/hmac.hpp"
#include <array>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>

namespace krgadm
{

namespace
{

constexpr size_t key_bytes = 32;
constexpr size_t fingerprint_bytes = 8;
constexpr const char *fingerprint_domain = "krg key fingerprint"; // as krg_rpc_fingerprint()

std::string to_hex(const std::vector<uint8_t> &bytes)
{
	std::string text;

	for (const uint8_t byte : bytes)
		text += fmt::format("{:02x}", byte);
	return text;
}

Result<std::vector<uint8_t>> from_hex(const std::string &path, const std::string &text)
{
	std::vector<uint8_t> key;
	const std::string digits = text.substr(0, text.find_last_not_of("\n") + 1);

	if (digits.size() % 2 || digits.size() < 2 * KRG_KEY_MIN || digits.size() > 2 * KRG_KEY_MAX)
		return Error{fmt::format("{}: no key: {} to {} hexadecimal digits expected", path, 2 * KRG_KEY_MIN,
					 2 * KRG_KEY_MAX)};
	for (size_t i = 0; i < digits.size(); i += 2) {
		uint8_t byte = 0;
		const char *first = digits.data() + i;
		const auto [end, err] = std::from_chars(first, first + 2, byte, 16);
		if (err != std::errc() || end != first + 2)
			return Error{path + ": no key: not a hexadecimal digit"};
		key.push_back(byte);
	}
	return key;
}

Result<void> write_all(int fd, const std::string &text)
{
	for (size_t done = 0; done < text.size();) {
		const ssize_t n = write(fd, text.data() + done, text.size() - done);
		if (n < 0)
			return Error::system("write");
		done += static_cast<size_t>(n);
	}
	return {};
}

// Complete or not at all: written beside, then given its name.
Result<void> store_key(const std::string &path, const std::string &text, bool force)
{
	const std::string draft = fmt::format("{}.{}", path, getpid());
	const auto give_up = [&](const std::string &what) {
		const auto error = Error::system(what);
		unlink(draft.c_str());
		return error;
	};
	std::error_code ignored;
	std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
	const Fd fd(open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
	if (!fd)
		return Error::system(draft);
	if (auto done = write_all(fd.get(), text); !done || fsync(fd.get()))
		return give_up(draft);
	// link() refuses an existing name, rename() replaces it.
	if (force ? rename(draft.c_str(), path.c_str()) : link(draft.c_str(), path.c_str()))
		return give_up(path);
	if (!force)
		unlink(draft.c_str());
	return {};
}

Result<std::string> fingerprint_of(const std::vector<uint8_t> &key)
{
	// The domain is closed by its NUL.
	const std::string message(fingerprint_domain, std::char_traits<char>::length(fingerprint_domain) + 1);
	auto mac = hmac_sha256(key, message);

	if (!mac)
		return mac.error();
	mac->resize(fingerprint_bytes);
	return to_hex(*mac);
}

int print_fingerprint(Output &out, const std::string &path, const Result<std::string> &file,
		      const Result<std::string> &loaded)
{
	out.set("file", path);
	out.set("fingerprint", file ? Json(*file) : Json());
	out.set("loaded", loaded ? Json(*loaded) : Json());
	if (file)
		out.line(fmt::format("{} {}", *file, path));
	if (loaded)
		out.line(fmt::format("{} (loaded)", *loaded));
	if (file && loaded && *file != *loaded)
		return complain("krgadm", "key fingerprint: the key loaded is not the one in " + path);
	return 0;
}

int generate(Output &out, const std::string &path, bool force)
{
	std::vector<uint8_t> key(key_bytes);

	if (getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size()))
		return complain("krgadm", Error::system("key generate"));
	if (auto done = store_key(path, to_hex(key) + "\n", force); !done)
		return complain("krgadm", "key generate: " + done.error().text);
	auto print = fingerprint_of(key);
	out.set("file", path);
	out.set("fingerprint", print ? Json(*print) : Json());
	out.line(print ? fmt::format("{} {}", *print, path) : path);
	return 0;
}

int load(Output &out, const std::string &path)
{
	if (auto done = load_key(path); !done)
		return complain("krgadm", "key load: " + done.error().text);
	out.set("file", path);
	return 0;
}

int fingerprint(Output &out, const std::string &path)
{
	auto client = Client::open("key fingerprint");
	auto loaded = client ? client->fingerprint() : Result<std::string>(client.error());
	auto key = read_key(path);
	auto file = key ? fingerprint_of(*key) : Result<std::string>(key.error());

	if (!file && !loaded)
		return complain("krgadm", "key fingerprint: " + file.error().text);
	return print_fingerprint(out, path, file, loaded);
}

} // namespace

Result<std::vector<uint8_t>> read_key(const std::string &path)
{
	const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
	struct stat stat = {};
	std::array<char, 2 * KRG_KEY_MAX + 2> text;

	if (!fd || fstat(fd.get(), &stat))
		return Error::system(path);
	if (stat.st_mode & (S_IRWXG | S_IRWXO))
		return Error{path + ": others may read it: its mode must be 0600"};
	if (stat.st_uid != 0 && stat.st_uid != geteuid())
		return Error{path + ": it belongs to another user"};
	const ssize_t len = read(fd.get(), text.data(), text.size());
	if (len < 0)
		return Error::system(path);
	return from_hex(path, std::string(text.data(), static_cast<size_t>(len)));
}

Result<void> load_key(const std::string &path)
{
	auto key = read_key(path);
	if (!key)
		return key.error();
	auto client = Client::open(path);
	if (!client)
		return client.error();
	return client->set_key(*key);
}

void add_key(CLI::App &app, Run &run)
{
	struct Options {
		std::string path = default_key_path;
		bool force = false;
	};
	auto options = std::make_shared<Options>();
	auto *key = app.add_subcommand("key", "Make, load or compare the session's key");
	key->require_subcommand(1);

	auto *make = key->add_subcommand("generate", "Make a new key");
	make->add_flag("--force", options->force, "Replace an existing one");
	set_body(make, run, [options](Output &out) { return generate(out, options->path, options->force); });
	auto *give = key->add_subcommand("load", "Give it to the kernel");
	set_body(give, run, [options](Output &out) { return load(out, options->path); });
	auto *show = key->add_subcommand("fingerprint", "Of the file's and of the loaded key");
	set_body(show, run, [options](Output &out) { return fingerprint(out, options->path); });
	for (auto *command : {make, give, show})
		command->add_option("--file", options->path, "Instead of " + std::string(default_key_path))
		    ->type_name("PATH");
}

} // namespace krgadm
