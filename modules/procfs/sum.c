// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of /proc/nodes/cluster: the same file of every online node, made one.
 *
 *	cpuinfo		one after the other, processors numbered node * NR_CPUS + cpu
 *	stat		cpu<node * NR_CPUS + cpu> lines; the rest summed up, btime the first
 *	meminfo		summed up
 *	loadavg		summed up, the last pid is that of this node
 *	uptime		the longest; idle time summed up
 *
 * A node that is lost while it is asked is left out, as it will be from then on.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <krg/cluster.h>
#include "procfs.h"

/* A text that grows. The first error stays. */
struct sum_text {
	char *text;
	size_t len, size;
	int err;
};

/* Numbers with a name, as most of these files have them in a line. */
struct sum_row {
	struct list_head node;
	unsigned int nr;
	u64 *value;
	const char *unit;	/* after the last number, or "" */
	char name[];
};

struct sum {
	krg_node_t node;	/* whose text is being added */
	krg_node_t self;
	struct list_head rows;
	struct sum_text lines;	/* what is not summed up */
	u64 load[3];		/* hundredths */
	u64 running, threads, last_pid;
	u64 uptime, idle;	/* hundredths of a second */
};

__printf(2, 3)
static int sum_print(struct sum_text *out, const char *fmt, ...)
{
	size_t size;
	va_list args;
	char *grown;
	int n;

	while (!out->err) {
		va_start(args, fmt);
		n = vsnprintf(out->text ? out->text + out->len : NULL, out->size - out->len, fmt,
			      args);
		va_end(args);
		if (out->len + n < out->size) {
			out->len += n;
			break;
		}
		size = max_t(size_t, 2 * out->size, out->len + n + PAGE_SIZE);
		grown = kvmalloc(size, GFP_KERNEL);
		if (!grown) {
			out->err = -ENOMEM;
			break;
		}
		if (out->text)
			memcpy(grown, out->text, out->len);
		kvfree(out->text);
		out->text = grown;
		out->size = size;
	}
	return out->err;
}

static struct sum_row *sum_row(struct sum *sum, const char *name)
{
	struct sum_row *row;

	list_for_each_entry(row, &sum->rows, node)
		if (!strcmp(row->name, name))
			return row;
	row = kzalloc(struct_size(row, name, strlen(name) + 1), GFP_KERNEL);
	if (!row)
		return NULL;
	strcpy(row->name, name);
	row->unit = "";
	list_add_tail(&row->node, &sum->rows);
	return row;
}

static int sum_row_add(struct sum_row *row, unsigned int i, u64 value)
{
	u64 *grown;

	/* Room for 64 at a time; numbers come one after the other. */
	if (i >= row->nr && i % 64 == 0) {
		grown = kvcalloc(i + 64, sizeof(*grown), GFP_KERNEL);
		if (!grown)
			return -ENOMEM;
		if (i)
			memcpy(grown, row->value, i * sizeof(*grown));
		kvfree(row->value);
		row->value = grown;
	}
	row->nr = max(row->nr, i + 1);
	row->value[i] += value;
	return 0;
}

/* "12 34 56 unit" */
static int sum_numbers(struct sum_row *row, char *text)
{
	unsigned int i = 0;
	char *word;
	u64 value;
	int err = row ? 0 : -ENOMEM;

	while (!err && (word = strsep(&text, " \t"))) {
		if (!*word)
			continue;
		if (!kstrtou64(word, 10, &value))
			err = sum_row_add(row, i++, value);
		else if (!strcmp(word, "kB"))
			row->unit = " kB";
	}
	return err;
}

static unsigned long sum_cpu(const struct sum *sum, unsigned long cpu)
{
	return (unsigned long)sum->node * CONFIG_NR_CPUS + cpu;
}

static int sum_cpuinfo(struct sum *sum, char *line)
{
	unsigned int cpu;

	if (sscanf(line, "processor : %u", &cpu) == 1)
		return sum_print(&sum->lines, "processor\t: %lu\n", sum_cpu(sum, cpu));
	return sum_print(&sum->lines, "%s\n", line);
}

static int sum_stat(struct sum *sum, char *line)
{
	char *name = strsep(&line, " ");
	struct sum_row *row;
	unsigned int cpu;

	if (!line)
		return 0;
	if (sscanf(name, "cpu%u", &cpu) == 1)
		return sum_print(&sum->lines, "cpu%lu %s\n", sum_cpu(sum, cpu), line);
	row = sum_row(sum, name);
	if (row && row->nr && !strcmp(name, "btime"))
		return 0;
	return sum_numbers(row, line);
}

static int sum_meminfo(struct sum *sum, char *line)
{
	char *name = strsep(&line, ":");

	return line ? sum_numbers(sum_row(sum, name), line) : 0;
}

static int sum_loadavg(struct sum *sum, char *line)
{
	unsigned int whole[3], cents[3], running, threads, last, i;

	if (sscanf(line, "%u.%u %u.%u %u.%u %u/%u %u", &whole[0], &cents[0], &whole[1], &cents[1],
		   &whole[2], &cents[2], &running, &threads, &last) != 9)
		return 0;
	for (i = 0; i < ARRAY_SIZE(sum->load); i++)
		sum->load[i] += whole[i] * 100ULL + cents[i];
	sum->running += running;
	sum->threads += threads;
	if (sum->node == sum->self)
		sum->last_pid = last;
	return 0;
}

static int sum_uptime(struct sum *sum, char *line)
{
	unsigned long long up, idle;
	unsigned int up_cents, idle_cents;

	if (sscanf(line, "%llu.%u %llu.%u", &up, &up_cents, &idle, &idle_cents) != 4)
		return 0;
	sum->uptime = max(sum->uptime, up * 100 + up_cents);
	sum->idle += idle * 100 + idle_cents;
	return 0;
}

static void sum_print_row(const struct sum_row *row, struct sum_text *out, const char *sep)
{
	unsigned int i;

	sum_print(out, "%s%s", row->name, sep);
	for (i = 0; i < row->nr; i++)
		sum_print(out, " %llu", row->value[i]);
	sum_print(out, "%s\n", row->unit);
}

static void sum_out_lines(const struct sum *sum, struct sum_text *out)
{
	if (sum->lines.len)
		sum_print(out, "%.*s", (int)sum->lines.len, sum->lines.text);
}

/* The line of all CPUs is the first row; then each CPU's, then the others. */
static void sum_out_stat(const struct sum *sum, struct sum_text *out)
{
	const struct sum_row *row;

	list_for_each_entry(row, &sum->rows, node) {
		sum_print_row(row, out, row->node.prev == &sum->rows ? " " : "");
		if (row->node.prev == &sum->rows)
			sum_out_lines(sum, out);
	}
}

static void sum_out_meminfo(const struct sum *sum, struct sum_text *out)
{
	const struct sum_row *row;

	list_for_each_entry(row, &sum->rows, node)
		sum_print_row(row, out, ":");
}

static void sum_out_loadavg(const struct sum *sum, struct sum_text *out)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sum->load); i++)
		sum_print(out, "%llu.%02llu ", sum->load[i] / 100, sum->load[i] % 100);
	sum_print(out, "%llu/%llu %llu\n", sum->running, sum->threads, sum->last_pid);
}

static void sum_out_uptime(const struct sum *sum, struct sum_text *out)
{
	sum_print(out, "%llu.%02llu %llu.%02llu\n", sum->uptime / 100, sum->uptime % 100,
		  sum->idle / 100, sum->idle % 100);
}

static const struct {
	int (*add)(struct sum *sum, char *line);
	void (*out)(const struct sum *sum, struct sum_text *out);
} sums[PROCFS_TEXTS] = {
	[PROCFS_CPUINFO] = { sum_cpuinfo, sum_out_lines },
	[PROCFS_MEMINFO] = { sum_meminfo, sum_out_meminfo },
	[PROCFS_LOADAVG] = { sum_loadavg, sum_out_loadavg },
	[PROCFS_UPTIME] = { sum_uptime, sum_out_uptime },
	[PROCFS_STAT] = { sum_stat, sum_out_stat },
};

static int sum_node(struct net *net, struct sum *sum, enum procfs_text which)
{
	char *text, *copy, *rest, *line;
	size_t len;
	int err = 0;

	text = procfs_text(net, sum->node, which, &len);
	if (IS_ERR(text))
		return PTR_ERR(text) == -EHOSTDOWN ? 0 : PTR_ERR(text);
	copy = kvmalloc(len + 1, GFP_KERNEL);
	if (copy) {
		memcpy(copy, text, len);
		copy[len] = 0;
		rest = copy;
		while (!err && (line = strsep(&rest, "\n")))
			if (rest || *line)
				err = sums[which].add(sum, line);
	} else {
		err = -ENOMEM;
	}
	kvfree(copy);
	kvfree(text);
	return err;
}

static void sum_free(struct sum *sum)
{
	struct sum_row *row, *next;

	list_for_each_entry_safe(row, next, &sum->rows, node) {
		kvfree(row->value);
		kfree(row);
	}
	kvfree(sum->lines.text);
}

/**
 * procfs_sum() - a file of all online nodes as one
 * @net: the cluster's namespace
 * @which: the file
 * @len: set to its length
 *
 * Context: process context; may sleep; interruptible while waiting for nodes.
 * Return: the text, kvfree() it; ERR_PTR.
 */
char *procfs_sum(struct net *net, enum procfs_text which, size_t *len)
{
	struct sum sum = { .self = krg_self(net), .rows = LIST_HEAD_INIT(sum.rows) };
	struct sum_text out = {};
	struct krg_nodemask online;
	int err = 0;
	unsigned int node;

	krg_online_nodes(net, &online);
	for_each_set_bit(node, online.bits, KRG_MAX_NODES) {
		sum.node = node;
		err = sum_node(net, &sum, which);
		if (err)
			break;
	}
	if (!err)
		sums[which].out(&sum, &out);
	err = err ?: sum.lines.err ?: out.err;
	sum_free(&sum);
	if (!err && out.text) {
		*len = out.len;
		return out.text;
	}
	kvfree(out.text);
	/* No node: the cluster has just been stopped. */
	return ERR_PTR(err ?: -EHOSTDOWN);
}
