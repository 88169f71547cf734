// SPDX-License-Identifier: GPL-2.0-only
#include "nl/client.hpp"
#include <array>

namespace krgadm
{

Result<Client> Client::open(const std::string &what)
{
	Client client(what);
	::krg *handle = nullptr;
	const int err = krg_open(&handle);

	client.krg_.reset(handle);
	if (err)
		return client.check(err).error();
	return client;
}

Result<void> Client::check(int err) const
{
	if (!err)
		return {};
	return Error{what_ + ": " + krg_strerror_last(krg_.get()), -err};
}

Result<Features> Client::features()
{
	Features all;
	const auto take = [](uint32_t bit, const char *name, void *arg) {
		static_cast<Features *>(arg)->list.emplace_back(bit, name);
		return 0;
	};

	if (auto done = check(krg_features(krg_.get(), &all.bits, take, &all)); !done)
		return done.error();
	return all;
}

Result<krg_status> Client::status()
{
	krg_status status{};

	if (auto done = check(krg_cluster_status(krg_.get(), &status)); !done)
		return done.error();
	return status;
}

Result<std::vector<krg_node>> Client::nodes()
{
	std::vector<krg_node> list;
	const auto take = [](const krg_node *node, void *arg) {
		static_cast<std::vector<krg_node> *>(arg)->push_back(*node);
		return 0;
	};

	if (auto done = check(krg_nodes(krg_.get(), take, &list)); !done)
		return done.error();
	return list;
}

Result<void> Client::start(const NodeSet *nodes, uint32_t flags, uint32_t timeout_ms)
{
	const krg_nodeset wire = nodes ? to_wire(*nodes) : krg_nodeset{};

	return check(krg_cluster_start(krg_.get(), nodes ? &wire : nullptr, flags, timeout_ms));
}

Result<void> Client::stop(uint32_t flags, uint32_t timeout_ms)
{
	return check(krg_cluster_switch_off(krg_.get(), flags, timeout_ms));
}

Result<void> Client::add(const NodeSet &nodes, uint32_t timeout_ms)
{
	const krg_nodeset wire = to_wire(nodes);

	return check(krg_nodes_add(krg_.get(), &wire, timeout_ms));
}

Result<void> Client::del(const NodeSet &nodes, uint32_t timeout_ms)
{
	const krg_nodeset wire = to_wire(nodes);

	return check(krg_nodes_del(krg_.get(), &wire, timeout_ms));
}

Result<void> Client::set_key(const std::vector<uint8_t> &key)
{
	return check(krg_key_set(krg_.get(), key.data(), key.size()));
}

Result<std::string> Client::fingerprint()
{
	char text[129];

	if (auto done = check(krg_key_fingerprint(krg_.get(), text, sizeof(text))); !done)
		return done.error();
	return std::string(text);
}

Result<Processes> Client::processes(int node, uint32_t flags)
{
	Processes all;
	const auto take = [](uint32_t from, const krg_process *process, int error, void *arg) {
		auto *to = static_cast<Processes *>(arg);
		if (process)
			to->list.push_back(*process);
		else
			to->unreachable.emplace_back(from, error);
		return 0;
	};

	if (auto done = check(krg_processes(krg_.get(), node, flags, take, &all)); !done)
		return done.error();
	return all;
}

Result<NodeStats> Client::stats(int node)
{
	NodeStats all;
	const auto take = [](uint32_t from, const krg_node_stat *stat, int error, void *arg) {
		auto *to = static_cast<NodeStats *>(arg);
		if (stat)
			to->list.emplace_back(from, *stat);
		else
			to->unreachable.emplace_back(from, error);
		return 0;
	};

	if (auto done = check(krg_stats(krg_.get(), node, take, &all)); !done)
		return done.error();
	return all;
}

Result<void> Client::freeze(krg_app &app, uint32_t flags)
{
	return check(krg_freeze(krg_.get(), &app, flags));
}

Result<void> Client::unfreeze(krg_app &app, uint32_t signal)
{
	return check(krg_unfreeze(krg_.get(), &app, signal));
}

Result<void> Client::checkpoint(krg_app &app, int dirfd, uint32_t flags)
{
	return check(krg_checkpoint(krg_.get(), &app, dirfd, flags));
}

Result<krg_app> Client::restart(int dirfd, uint32_t flags, const std::vector<krg_substitute> &substitutes)
{
	krg_app app{};
	const int err = krg_restart(krg_.get(), dirfd, flags, substitutes.data(), substitutes.size(), &app);

	if (auto done = check(err); !done)
		return done.error();
	return app;
}

Result<void> Client::listen()
{
	return check(krg_events_listen(krg_.get()));
}

Result<void> Client::next_events(const std::function<void(const krg_event_record &)> &fn)
{
	const auto take = [](const krg_event_record *event, void *arg) {
		(*static_cast<const std::function<void(const krg_event_record &)> *>(arg))(*event);
		return 0;
	};

	return check(krg_events_next(krg_.get(), take, const_cast<void *>(static_cast<const void *>(&fn))));
}

const char *node_state_name(uint32_t state)
{
	static constexpr std::array names = {"absent", "present", "online", "leaving", "failed"};

	return state < names.size() ? names[state] : "unknown";
}

const char *event_name(uint32_t event)
{
	static constexpr std::array names = {"unknown",	    "node-present", "node-online", "node-leaving",
					     "node-failed", "node-absent",  "cluster-up",  "cluster-down",
					     "freeze",	    "unfreeze",	    "checkpoint",  "restart"};

	return event < names.size() ? names[event] : "unknown";
}

} // namespace krgadm
