// SPDX-License-Identifier: GPL-2.0-only
// /var/chkpt/<appid>/v<N>/: where checkpoints are kept.
//
// A version is written into a directory of another name, made durable, and
// renamed: it is there whole or not at all. What was left behind by a power
// cut is no version, and is removed by the next `krgadm checkpoint rm`.
#pragma once

#include "util/fd.hpp"
#include "util/result.hpp"
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace krgadm
{

/// /var/chkpt, or $KRG_CHKPT_DIR.
std::string store_root();

/// What description.txt says.
struct Description {
	pid_t appid = 0;
	unsigned version = 0;
	std::string text; ///< "No description" if none was given
	std::string date;

	std::string format() const;
};

/// A version that is being written; unless it is published it vanishes.
class Draft
{
public:
	static Result<Draft> create();
	Draft(Draft &&other) noexcept;
	Draft &operator=(Draft &&) = delete;
	~Draft();

	int fd() const { return dir_.get(); }
	/// Writes description.txt, makes all durable, gives it its name: the first free version.
	Result<Description> publish(pid_t appid, const std::string &text);

private:
	explicit Draft(std::string path) : path_(std::move(path)) {}
	Result<void> describe(const Description &description) const;
	Result<void> sync() const;

	std::string path_; ///< empty: nothing to remove
	Fd dir_;
};

/// One complete version.
struct Version {
	pid_t appid;
	unsigned version;
	uint64_t bytes;
	Description description;
};

std::string version_path(pid_t appid, unsigned version);
/// Ascending by application and version; @appid 0: of all.
std::vector<Version> list_versions(pid_t appid);
Result<Fd> open_version(pid_t appid, unsigned version);
Result<void> remove_version(pid_t appid, unsigned version);
/// Removes drafts of writers that are gone; how many.
unsigned remove_abandoned();
std::vector<std::string> list_files(int dir);

} // namespace krgadm
