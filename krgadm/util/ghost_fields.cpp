// SPDX-License-Identifier: GPL-2.0-only
// What the payload of each record says, by name. Payloads come from the codec: checked.
#include "util/ghost_codec.hpp"
#include "util/ghost_reader.hpp"
#include <cstdio>
#include <string_view>

namespace krgadm
{
namespace
{

using Json = nlohmann::ordered_json;

std::string hex(__le64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(le64_to_cpu(value)));
	return text;
}

uint32_t num(__le32 value)
{
	return le32_to_cpu(value);
}
uint64_t num64(__le64 value)
{
	return le64_to_cpu(value);
}
int32_t signed_num(__le32 value)
{
	return static_cast<int32_t>(le32_to_cpu(value));
}

/// Bytes of a process, which need not be UTF-8 as JSON must.
std::string printable(std::string_view text)
{
	std::string out;

	for (const char c : text)
		out += c >= 0x20 && c < 0x7f ? c : '?';
	return out;
}

Json file_fields(const krg_ghost_file &file)
{
	return {{"format", num(file.format)},
		{"appid", num64(file.appid)},
		{"version", num(file.version)},
		{"object", num(file.object)},
		{"node", num(file.node)},
		{"created", num64(file.created)},
		{"xfeatures", hex(file.xfeatures)},
		{"release", printable({file.release, strnlen(file.release, sizeof(file.release))})}};
}

Json task_fields(const krg_ghost_app_task &task)
{
	return {
	    {"pid", num(task.pid)}, {"tgid", num(task.tgid)}, {"parent", num(task.parent)}, {"node", num(task.node)}};
}

Json ids_fields(const krg_ghost_ids &ids)
{
	return {{"pid", num(ids.pid)},
		{"tgid", num(ids.tgid)},
		{"ppid", num(ids.ppid)},
		{"pgid", num(ids.pgid)},
		{"sid", num(ids.sid)},
		{"comm", printable({ids.comm, strnlen(ids.comm, sizeof(ids.comm))})},
		{"personality", hex(num(ids.personality))},
		{"oom_score_adj", signed_num(ids.oom_score_adj)}};
}

Json cred_fields(const krg_ghost_cred &cred)
{
	Json groups = Json::array();

	for (uint32_t i = 0; i < num(cred.nr_groups); i++)
		groups.push_back(num(cred.groups[i]));
	return {{"uid", num(cred.uid)},	  {"gid", num(cred.gid)},
		{"euid", num(cred.euid)}, {"egid", num(cred.egid)},
		{"suid", num(cred.suid)}, {"sgid", num(cred.sgid)},
		{"groups", groups},	  {"effective", hex(cred.cap_effective)}};
}

Json regs_fields(const krg_ghost_regs &regs)
{
	return {{"ip", hex(regs.ip)},		{"sp", hex(regs.sp)},	    {"ax", hex(regs.ax)},
		{"orig_ax", hex(regs.orig_ax)}, {"flags", hex(regs.flags)}, {"fs_base", hex(regs.fs_base)},
		{"gs_base", hex(regs.gs_base)}};
}

Json thread_fields(const krg_ghost_thread &thread)
{
	return {{"clear_child_tid", hex(thread.clear_child_tid)},
		{"robust_list", hex(thread.robust_list)},
		{"rseq", hex(thread.rseq)}};
}

Json sigaction_fields(const krg_ghost_sigaction &actions)
{
	Json handled = Json::array();

	for (unsigned i = 0; i < KRG_GHOST_NSIG; i++)
		if (actions.action[i].handler)
			handled.push_back({{"signal", i + 1},
					   {"handler", hex(actions.action[i].handler)},
					   {"flags", hex(actions.action[i].flags)}});
	return {{"actions", handled}};
}

Json itimers_fields(const krg_ghost_itimers &timers)
{
	static const char *const names[] = {"real", "virtual", "prof"};
	Json fields = Json::object();

	for (unsigned i = 0; i < 3; i++)
		fields[names[i]] = {{"interval_ns", num64(timers.timer[i].interval)},
				    {"remaining_ns", num64(timers.timer[i].remaining)}};
	return fields;
}

Json used_fields(const krg_ghost_used &used)
{
	return {{"user_ns", num64(used.utime)},
		{"system_ns", num64(used.stime)},
		{"minor_faults", num64(used.min_flt)},
		{"major_faults", num64(used.maj_flt)},
		{"max_rss_pages", num64(used.maxrss)}};
}

Json mm_fields(const krg_ghost_mm &mm)
{
	return {{"start_code", hex(mm.start_code)},
		{"end_code", hex(mm.end_code)},
		{"start_brk", hex(mm.start_brk)},
		{"brk", hex(mm.brk)},
		{"start_stack", hex(mm.start_stack)},
		{"vdso", hex(mm.vdso)},
		{"exe", num(mm.exe)},
		{"areas", num(mm.nr_vmas)}};
}

Json vma_fields(const krg_ghost_vma &vma)
{
	static const char *const kinds[] = {"anon", "file", "stack", "vdso", "vvar", "shmem"};
	const uint32_t prot = num(vma.prot);
	std::string rights = "----";

	if (prot & 1)
		rights[0] = 'r';
	if (prot & 2)
		rights[1] = 'w';
	if (prot & 4)
		rights[2] = 'x';
	rights[3] = num(vma.flags) & 1 ? 's' : 'p';
	return {{"start", hex(vma.start)},	{"end", hex(vma.end)},	 {"rights", rights},
		{"kind", kinds[num(vma.kind)]}, {"file", num(vma.file)}, {"offset", num64(vma.offset)}};
}

Json pages_fields(const krg_ghost_pages &pages)
{
	const uint32_t last = num(pages.nr_runs) - 1;

	return {
	    {"runs", num(pages.nr_runs)},
	    {"pages", num64(pages.bulk.length) / KRG_GHOST_PAGE_SIZE},
	    {"first", hex(pages.run[0].address)},
	    {"last", hex(num64(pages.run[last].address) + (num64(pages.run[last].pages) - 1) * KRG_GHOST_PAGE_SIZE)}};
}

Json fileobj_fields(const krg_ghost_fileobj &file)
{
	static const char *const kinds[] = {"", "file", "dir", "char", "tty", "path"};
	const uint32_t len = num(file.path_len);

	return {{"id", num(file.id)},
		{"kind", kinds[num(file.kind)]},
		{"path", printable({file.path, len ? len - 1 : 0})},
		{"flags", hex(num(file.flags))},
		{"pos", num64(file.pos)},
		{"size", num64(file.size)},
		{"deleted", (num(file.what) & KRG_GHOST_F_DELETED) != 0}};
}

template <typename T> const T &as(const void *payload)
{
	return *static_cast<const T *>(payload);
}

} // namespace

Json ghost_fields(uint16_t type, const void *payload, uint32_t length)
{
	switch (type) {
	case KRG_GHOST_R_FILE:
		return file_fields(as<krg_ghost_file>(payload));
	case KRG_GHOST_R_APP:
		return {{"appid", num64(as<krg_ghost_app>(payload).appid)},
			{"tasks", num(as<krg_ghost_app>(payload).nr_tasks)}};
	case KRG_GHOST_R_NODE:
		return {{"node", num(as<krg_ghost_node>(payload).node)},
			{"tasks", num(as<krg_ghost_node>(payload).nr_tasks)}};
	case KRG_GHOST_R_APP_TASK:
	case KRG_GHOST_R_NODE_TASK:
		return task_fields(as<krg_ghost_app_task>(payload));
	case KRG_GHOST_R_IDS:
		return ids_fields(as<krg_ghost_ids>(payload));
	case KRG_GHOST_R_SCHED:
		return {{"policy", num(as<krg_ghost_sched>(payload).policy)},
			{"nice", signed_num(as<krg_ghost_sched>(payload).nice)},
			{"ioprio", num(as<krg_ghost_sched>(payload).ioprio)}};
	case KRG_GHOST_R_FS:
		return {{"umask", num(as<krg_ghost_fs>(payload).umask)},
			{"cwd", num(as<krg_ghost_fs>(payload).cwd)},
			{"root", num(as<krg_ghost_fs>(payload).root)}};
	case KRG_GHOST_R_FD:
		return {{"fd", num(as<krg_ghost_fd>(payload).fd)},
			{"file", num(as<krg_ghost_fd>(payload).file)},
			{"cloexec", num(as<krg_ghost_fd>(payload).flags) != 0}};
	case KRG_GHOST_R_MM:
		return mm_fields(as<krg_ghost_mm>(payload));
	case KRG_GHOST_R_AUXV:
		return {{"pairs", length / sizeof(krg_ghost_auxv)}};
	case KRG_GHOST_R_VMA:
		return vma_fields(as<krg_ghost_vma>(payload));
	case KRG_GHOST_R_PAGES:
		return pages_fields(as<krg_ghost_pages>(payload));
	case KRG_GHOST_R_SIGACTION:
		return sigaction_fields(as<krg_ghost_sigaction>(payload));
	case KRG_GHOST_R_THREAD:
		return thread_fields(as<krg_ghost_thread>(payload));
	case KRG_GHOST_R_REGS:
		return regs_fields(as<krg_ghost_regs>(payload));
	case KRG_GHOST_R_XSAVE:
		return {{"features", hex(as<krg_ghost_xsave>(payload).features)},
			{"size", num(as<krg_ghost_xsave>(payload).size)}};
	case KRG_GHOST_R_SIGMASK:
		return {{"blocked", hex(as<krg_ghost_sigmask>(payload).blocked)},
			{"altstack", hex(as<krg_ghost_sigmask>(payload).altstack_sp)}};
	case KRG_GHOST_R_PENDING:
	case KRG_GHOST_R_SHPENDING:
		return {{"signal", num(as<krg_ghost_siginfo>(payload).signo)}};
	case KRG_GHOST_R_USAGE:
		return {{"self", used_fields(as<krg_ghost_usage>(payload).self)},
			{"children", used_fields(as<krg_ghost_usage>(payload).children)}};
	case KRG_GHOST_R_ITIMERS:
		return itimers_fields(as<krg_ghost_itimers>(payload));
	case KRG_GHOST_R_CRED:
		return cred_fields(as<krg_ghost_cred>(payload));
	case KRG_GHOST_R_FILEOBJ:
		return fileobj_fields(as<krg_ghost_fileobj>(payload));
	case KRG_GHOST_R_CONTENT:
		return {{"file", num(as<krg_ghost_content>(payload).file)},
			{"offset", num64(as<krg_ghost_content>(payload).offset)}};
	}
	return Json::object();
}

} // namespace krgadm
