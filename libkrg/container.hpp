/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Containers for C++: owners and exceptions around <krg/container.h>, C++17, no library
 * of its own.
 *
 *   auto c = krg::container::create("/counts", 1 << 20);
 *   auto *table = c.data<Table>();
 *   {
 *           krg::container::lock hold(c);
 *           table->n++;
 *   }
 *   c.notify();
 */
#ifndef LIBKRG_CONTAINER_HPP
#define LIBKRG_CONTAINER_HPP

#include <chrono>
#include <cstdint>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include <krg/container.h>

namespace krg
{

/* what() has the library's sentence, code() the error number. */
class error : public std::system_error
{
public:
	explicit error(int result) : std::system_error(-result, std::generic_category(), krg_container_error()) {}
};

class container
{
public:
	static container create(const std::string &name, size_t size, mode_t mode = 0600)
	{
		container c;
		check(krg_container_create(name.c_str(), size, mode, &c.c_));
		return c.mapped();
	}
	static container open(const std::string &name, unsigned flags = 0)
	{
		container c;
		check(krg_container_open(name.c_str(), flags, &c.c_));
		return c.mapped();
	}
	static container anonymous(size_t size, mode_t mode = 0600)
	{
		container c;
		check(krg_container_anonymous(size, mode, &c.c_));
		return c.mapped();
	}
	static container adopt(int fd, unsigned flags = 0)
	{
		container c;
		check(krg_container_adopt(fd, flags, &c.c_));
		return c.mapped();
	}
	static void destroy(const std::string &name) { check(krg_container_destroy(name.c_str())); }

	container(container &&from) noexcept
	    : c_(std::exchange(from.c_, nullptr)), at_(std::exchange(from.at_, nullptr))
	{
	}
	container &operator=(container &&from) noexcept
	{
		std::swap(c_, from.c_);
		std::swap(at_, from.at_);
		return *this;
	}
	container(const container &) = delete;
	container &operator=(const container &) = delete;
	~container() { krg_container_close(c_); }

	void link(const std::string &name) { check(krg_container_link(c_, name.c_str())); }
	[[nodiscard]] int fd() const { return krg_container_fd(c_); }
	[[nodiscard]] size_t size() const { return krg_container_size(c_); }
	[[nodiscard]] void *data() const { return at_; }
	/* Its beginning as a T: a type whose bytes are all there is to it. */
	template <typename T> [[nodiscard]] T *data() const
	{
		static_assert(std::is_trivially_copyable_v<T>, "objects with pointers are not shared");
		if (sizeof(T) > size())
			throw std::system_error(ERANGE, std::generic_category(), "the container is too small");
		return static_cast<T *>(at_);
	}

	/* Has the container's lock while it lives. */
	class lock
	{
	public:
		explicit lock(container &c) : c_(c.c_)
		{
			const int result = krg_container_lock(c_);
			orphaned_ = result == -EOWNERDEAD;
			if (!orphaned_)
				check(result);
		}
		~lock() { krg_container_unlock(c_); }
		lock(const lock &) = delete;
		lock &operator=(const lock &) = delete;
		/* The last owner died: the data may be half changed. */
		[[nodiscard]] bool orphaned() const { return orphaned_; }
		/* They are right again. */
		void consistent()
		{
			check(krg_container_consistent(c_));
			orphaned_ = false;
		}

	private:
		krg_container *c_;
		bool orphaned_;
	};

	/* Atomic operations on an integer at an offset. */
	template <typename T> [[nodiscard]] T load(size_t offset) const
	{
		uint64_t value = 0;
		check(krg_container_load(c_, offset, width<T>(), &value));
		return static_cast<T>(value);
	}
	template <typename T> void store(size_t offset, T value)
	{
		check(krg_container_store(c_, offset, width<T>(), bits(value)));
	}
	template <typename T> T add(size_t offset, T value)
	{
		uint64_t before = 0;
		check(krg_container_add(c_, offset, width<T>(), bits(value), &before));
		return static_cast<T>(before);
	}
	/* False: @expected was not there, and is now what is. */
	template <typename T> bool cas(size_t offset, T &expected, T value)
	{
		uint64_t seen = bits(expected);
		const int result = krg_container_cas(c_, offset, width<T>(), &seen, bits(value));
		if (result != -EAGAIN)
			check(result);
		expected = static_cast<T>(seen);
		return result == 0;
	}

	[[nodiscard]] uint32_t generation() const { return krg_container_generation(c_); }
	/* Waits until the generation is another one; false: not in time, or a signal came. */
	bool watch(uint32_t &generation, std::chrono::milliseconds limit = std::chrono::milliseconds(-1))
	{
		const int result = krg_container_watch(c_, &generation, static_cast<int>(limit.count()));
		if (result != -ETIMEDOUT && result != -EINTR)
			check(result);
		return result == 0;
	}
	void notify() { check(krg_container_notify(c_)); }

private:
	container() = default;
	static void check(int result)
	{
		if (result)
			throw error(result);
	}
	container mapped()
	{
		check(krg_container_map(c_, &at_));
		return std::move(*this);
	}
	template <typename T> static constexpr unsigned width()
	{
		static_assert(std::is_integral_v<T>, "atomic operations are on integers");
		return sizeof(T);
	}
	template <typename T> static constexpr uint64_t bits(T value)
	{
		return static_cast<std::make_unsigned_t<T>>(value);
	}

	krg_container *c_ = nullptr;
	void *at_ = nullptr;
};

} // namespace krg

#endif
