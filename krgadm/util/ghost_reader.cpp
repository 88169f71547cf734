// SPDX-License-Identifier: GPL-2.0-only
#include "util/ghost_reader.hpp"
#include "util/ghost_codec.hpp"
#include <algorithm>
#include <fstream>
#include <memory>
#include <string_view>
#include <vector>

namespace krgadm
{
namespace
{

std::string kind_name(uint32_t kind)
{
	switch (kind) {
	case KRG_GHOST_GLOBAL:
		return "global";
	case KRG_GHOST_NODE:
		return "node";
	case KRG_GHOST_TASK:
		return "task";
	case KRG_GHOST_SHARED:
		return "shared";
	}
	return "unknown";
}

std::string hex_bytes(const uint8_t *bytes, size_t count)
{
	static const char digits[] = "0123456789abcdef";
	std::string text;

	for (size_t i = 0; i < count; i++) {
		text += digits[bytes[i] >> 4];
		text += digits[bytes[i] & 15];
	}
	return text;
}

GhostHeader header_of(const krg_ghost_file &file)
{
	GhostHeader header;

	header.kind = kind_name(le32_to_cpu(file.kind));
	header.appid = le64_to_cpu(file.appid);
	header.version = le32_to_cpu(file.version);
	header.object = le32_to_cpu(file.object);
	header.node = le32_to_cpu(file.node);
	header.format = le32_to_cpu(file.format);
	header.created = static_cast<int64_t>(le64_to_cpu(file.created));
	header.xfeatures = le64_to_cpu(file.xfeatures);
	header.release.assign(file.release, strnlen(file.release, sizeof(file.release)));
	header.checkpoint = hex_bytes(file.checkpoint, sizeof(file.checkpoint));
	return header;
}

/// One file on its way through the codec.
class GhostFile
{
public:
	GhostFile(const std::string &path, const std::function<void(const GhostRecord &)> &each)
	    : path_(path), each_(each), stream_(path, std::ios::binary), reader_(std::make_unique<krg_ghost_reader>())
	{
		krg_ghost_reader_init(reader_.get());
	}

	Result<GhostSummary> run()
	{
		if (!stream_)
			return Error::system(path_);
		while (reader_->phase != KRG_GHOST_DONE)
			if (const int err = step())
				return refusal(err);
		if (stream_.peek() != std::ifstream::traits_type::eof()) {
			const char more = 0;

			return refusal(krg_ghost_feed(reader_.get(), &more, 1));
		}
		summary_.header = header_of(reader_->file);
		summary_.size = reader_->at.offset;
		return summary_;
	}

private:
	/// What the codec asked for, at most a part of the bulk data.
	int step()
	{
		const auto phase = reader_->phase;
		const size_t want = std::min<uint64_t>(reader_->want, size_t{1} << 20);

		buffer_.resize((want + 7) / 8);
		stream_.read(reinterpret_cast<char *>(buffer_.data()), static_cast<std::streamsize>(want));
		if (static_cast<size_t>(stream_.gcount()) != want)
			return stream_.bad() ? -EIO : krg_ghost_feed_end(reader_.get());
		if (const int err = krg_ghost_feed(reader_.get(), buffer_.data(), want))
			return err;
		if (phase == KRG_GHOST_WANT_PAYLOAD)
			take(static_cast<uint32_t>(want));
		return 0;
	}

	void take(uint32_t length)
	{
		const uint16_t type = le16_to_cpu(reader_->head.type);
		GhostRecord record;

		record.seq = le32_to_cpu(reader_->head.seq);
		record.type = type;
		record.name = krg_ghost_row_name(type);
		record.offset = reader_->item_start;
		record.length = length;
		if (le16_to_cpu(reader_->head.flags) & KRG_GHOST_BULK)
			record.bulk = reader_->bulk_length;
		record.fields = ghost_fields(type, buffer_.data(), length);
		summary_.records++;
		summary_.bulk += record.bulk;
		each_(record);
	}

	Error refusal(int err) const
	{
		const krg_ghost_error &why = reader_->error;

		if (!why.text)
			return Error::system(path_, -err);
		return {path_ + ": record " + std::to_string(why.record) + " at offset " + std::to_string(why.offset) +
			    ": " + why.text,
			-err};
	}

	std::string path_;
	const std::function<void(const GhostRecord &)> &each_;
	std::ifstream stream_;
	std::unique_ptr<krg_ghost_reader> reader_;
	std::vector<uint64_t> buffer_; // of words: the codec wants payloads aligned
	GhostSummary summary_;
};

} // namespace

Result<GhostSummary> read_ghost(const std::string &path, const std::function<void(const GhostRecord &)> &each)
{
	return GhostFile(path, each).run();
}

} // namespace krgadm
