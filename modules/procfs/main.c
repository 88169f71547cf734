// SPDX-License-Identifier: GPL-2.0-only
/* krg_procfs: the cluster-wide view. Start reading in README.md. */
#define pr_fmt(fmt) "krg_procfs: " fmt

#include <linux/module.h>
#include "procfs.h"

static int __init procfs_init(void)
{
	int err = procfs_service_init();

	if (err)
		return err;
	err = procfs_nodes_init();
	if (err)
		procfs_service_exit();
	return err;
}

static void __exit procfs_exit(void)
{
	procfs_nodes_exit();
	procfs_service_exit();
}

module_init(procfs_init);
module_exit(procfs_exit);

MODULE_DESCRIPTION("krg: the cluster-wide view of processes and nodes");
MODULE_LICENSE("GPL");
