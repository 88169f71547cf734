// SPDX-License-Identifier: GPL-2.0-only
/* Process records and statistics to and from the wire. */
#include <linux/align.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "wire.h"

bool procfs_pack(struct procfs_page *page, const struct krg_procfs_process *process)
{
	u32 size = sizeof(struct procfs_ps_record) + ALIGN(process->cmdline_len, 8);
	struct procfs_ps_record *record = (void *)page->data + page->len;

	if (size > page->size - page->len)
		return false;
	memset(record, 0, size);
	record->pid = cpu_to_le32(process->pid);
	record->tgid = cpu_to_le32(process->tgid);
	record->ppid = cpu_to_le32(process->ppid);
	record->pgrp = cpu_to_le32(process->pgrp);
	record->session = cpu_to_le32(process->session);
	record->uid = cpu_to_le32(process->uid);
	record->gid = cpu_to_le32(process->gid);
	record->tty = cpu_to_le32(process->tty);
	record->threads = cpu_to_le32(process->threads);
	record->psr = cpu_to_le32(process->psr);
	record->nice = cpu_to_le32(process->nice);
	record->priority = cpu_to_le32(process->priority);
	record->policy = cpu_to_le32(process->policy);
	record->flags = cpu_to_le32(process->flags);
	record->home = cpu_to_le32(process->home);
	record->cmdline_len = cpu_to_le32(process->cmdline_len);
	record->utime = cpu_to_le64(process->utime);
	record->stime = cpu_to_le64(process->stime);
	record->start = cpu_to_le64(process->start);
	record->vsize = cpu_to_le64(process->vsize);
	record->rss = cpu_to_le64(process->rss);
	record->shared = cpu_to_le64(process->shared);
	record->state = process->state;
	memcpy(record->comm, process->comm, sizeof(record->comm));
	memcpy(record + 1, process->cmdline, process->cmdline_len);
	page->len += size;
	page->count++;
	return true;
}

static bool record_is_good(const struct procfs_ps_record *record, u32 after)
{
	return le32_to_cpu(record->pid) > after &&
	       le32_to_cpu(record->home) < KRG_MAX_NODES &&
	       le32_to_cpu(record->cmdline_len) <= KRG_PROCFS_CMDLINE_MAX &&
	       record->state > ' ' && record->state < 0x7f &&
	       memchr(record->comm, 0, sizeof(record->comm)) &&
	       !memchr_inv(record->reserved, 0, sizeof(record->reserved));
}

static void unpack_record(struct krg_procfs_process *process,
			  const struct procfs_ps_record *record, krg_node_t node)
{
	*process = (struct krg_procfs_process){
		.pid = le32_to_cpu(record->pid),
		.tgid = le32_to_cpu(record->tgid),
		.ppid = le32_to_cpu(record->ppid),
		.pgrp = le32_to_cpu(record->pgrp),
		.session = le32_to_cpu(record->session),
		.uid = le32_to_cpu(record->uid),
		.gid = le32_to_cpu(record->gid),
		.tty = le32_to_cpu(record->tty),
		.threads = le32_to_cpu(record->threads),
		.psr = le32_to_cpu(record->psr),
		.nice = le32_to_cpu(record->nice),
		.priority = le32_to_cpu(record->priority),
		.policy = le32_to_cpu(record->policy),
		.flags = le32_to_cpu(record->flags),
		.state = record->state,
		.utime = le64_to_cpu(record->utime),
		.stime = le64_to_cpu(record->stime),
		.start = le64_to_cpu(record->start),
		.vsize = le64_to_cpu(record->vsize),
		.rss = le64_to_cpu(record->rss),
		.shared = le64_to_cpu(record->shared),
		.node = node,
		.home = le32_to_cpu(record->home),
		.cmdline_len = le32_to_cpu(record->cmdline_len),
		.cmdline = (const char *)(record + 1),
	};
	memcpy(process->comm, record->comm, sizeof(process->comm));
}

int procfs_unpack(const void *data, u32 len, krg_node_t node, u32 *after, bool *more,
		  krg_procfs_process_fn fn, void *arg)
{
	const struct procfs_ps_page *page = data;
	const struct procfs_ps_record *record;
	struct krg_procfs_process process;
	u32 at = sizeof(*page), count, size;
	int ret;

	if (len < sizeof(*page) || le32_to_cpu(page->more) > 1)
		return -EPROTO;
	count = le32_to_cpu(page->count);
	*more = le32_to_cpu(page->more);
	if (*more && !count)
		return -EPROTO;
	while (count--) {
		record = data + at;
		if (len - at < sizeof(*record) || !record_is_good(record, *after))
			return -EPROTO;
		size = sizeof(*record) + ALIGN(le32_to_cpu(record->cmdline_len), 8);
		if (len - at < size)
			return -EPROTO;
		unpack_record(&process, record, node);
		*after = process.pid;
		ret = fn(&process, arg);
		if (ret)
			return ret;
		at += size;
	}
	return at == len ? 0 : -EPROTO;
}

u32 procfs_stat_size(const struct krg_procfs_stat *stat)
{
	return sizeof(struct procfs_wire_stat) + stat->nr_cpus * sizeof(struct procfs_wire_cpu);
}

void procfs_pack_stat(void *to, const struct krg_procfs_stat *stat)
{
	struct procfs_wire_stat *wire = to;
	struct procfs_wire_cpu *cpu = to + sizeof(*wire);
	u32 i, k;

	*wire = (struct procfs_wire_stat){
		.nr_cpus = cpu_to_le32(stat->nr_cpus),
		.nr_processes = cpu_to_le32(stat->nr_processes),
		.nr_threads = cpu_to_le32(stat->nr_threads),
		.nr_running = cpu_to_le32(stat->nr_running),
		.uptime = cpu_to_le64(stat->uptime),
		.mem_total = cpu_to_le64(stat->mem_total),
		.mem_free = cpu_to_le64(stat->mem_free),
		.mem_available = cpu_to_le64(stat->mem_available),
		.mem_buffers = cpu_to_le64(stat->mem_buffers),
		.mem_cached = cpu_to_le64(stat->mem_cached),
		.mem_shared = cpu_to_le64(stat->mem_shared),
		.swap_total = cpu_to_le64(stat->swap_total),
		.swap_free = cpu_to_le64(stat->swap_free),
	};
	for (i = 0; i < ARRAY_SIZE(wire->loadavg); i++)
		wire->loadavg[i] = cpu_to_le32(stat->loadavg[i]);
	for (i = 0; i < stat->nr_cpus; i++, cpu++) {
		const u64 *time = &stat->cpu[i].user;

		cpu->cpu = cpu_to_le32(stat->cpu[i].cpu);
		cpu->reserved = 0;
		for (k = 0; k < ARRAY_SIZE(cpu->time); k++)
			cpu->time[k] = cpu_to_le64(time[k]);
	}
}

/* The ten times of a CPU are ten u64 in a row, on the wire and off it. */
static_assert(offsetof(struct krg_procfs_cpu, guest_nice) -
	      offsetof(struct krg_procfs_cpu, user) == 9 * sizeof(u64));

static void unpack_cpu(struct krg_procfs_cpu *cpu, const struct procfs_wire_cpu *wire)
{
	u64 *time = &cpu->user;
	u32 k;

	cpu->cpu = le32_to_cpu(wire->cpu);
	for (k = 0; k < ARRAY_SIZE(wire->time); k++)
		time[k] = le64_to_cpu(wire->time[k]);
}

struct krg_procfs_stat *procfs_unpack_stat(const void *data, u32 len, krg_node_t node)
{
	const struct procfs_wire_stat *wire = data;
	const struct procfs_wire_cpu *cpu = data + sizeof(*wire);
	struct krg_procfs_stat *stat;
	u32 i, nr;

	if (len < sizeof(*wire))
		return ERR_PTR(-EPROTO);
	nr = le32_to_cpu(wire->nr_cpus);
	if (nr > PROCFS_MAX_CPUS || len != sizeof(*wire) + nr * sizeof(*cpu))
		return ERR_PTR(-EPROTO);
	stat = kvzalloc(struct_size(stat, cpu, nr), GFP_KERNEL);
	if (!stat)
		return ERR_PTR(-ENOMEM);
	stat->node = node;
	stat->nr_cpus = nr;
	stat->nr_processes = le32_to_cpu(wire->nr_processes);
	stat->nr_threads = le32_to_cpu(wire->nr_threads);
	stat->nr_running = le32_to_cpu(wire->nr_running);
	for (i = 0; i < ARRAY_SIZE(stat->loadavg); i++)
		stat->loadavg[i] = le32_to_cpu(wire->loadavg[i]);
	stat->uptime = le64_to_cpu(wire->uptime);
	stat->mem_total = le64_to_cpu(wire->mem_total);
	stat->mem_free = le64_to_cpu(wire->mem_free);
	stat->mem_available = le64_to_cpu(wire->mem_available);
	stat->mem_buffers = le64_to_cpu(wire->mem_buffers);
	stat->mem_cached = le64_to_cpu(wire->mem_cached);
	stat->mem_shared = le64_to_cpu(wire->mem_shared);
	stat->swap_total = le64_to_cpu(wire->swap_total);
	stat->swap_free = le64_to_cpu(wire->swap_free);
	for (i = 0; i < nr; i++)
		unpack_cpu(&stat->cpu[i], &cpu[i]);
	return stat;
}
