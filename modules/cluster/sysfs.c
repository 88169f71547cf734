// SPDX-License-Identifier: GPL-2.0-only
/* /sys/kerrighed: what the machine's own node is, as Kerrighed shows it. */
#include <linux/kobject.h>
#include <linux/sysfs.h>
#include <net/net_namespace.h>
#include "cluster.h"

static struct kobject *kerrighed;

static ssize_t node_id_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", cluster_of(&init_net)->cfg.node);
}

static ssize_t session_id_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", cluster_of(&init_net)->cfg.session);
}

static ssize_t max_nodes_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", cluster_of(&init_net)->cfg.max_nodes);
}

static ssize_t abi_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", KRG_CLUSTER_ABI);
}

static struct kobj_attribute node_id_attr = __ATTR_RO(node_id);
static struct kobj_attribute session_id_attr = __ATTR_RO(session_id);
static struct kobj_attribute max_nodes_attr = __ATTR_RO(max_nodes);
static struct kobj_attribute abi_attr = __ATTR_RO(abi);

static struct attribute *attrs[] = {
	&node_id_attr.attr,
	&session_id_attr.attr,
	&max_nodes_attr.attr,
	&abi_attr.attr,
	NULL,
};

static const struct attribute_group group = { .attrs = attrs };

int cluster_sysfs_add(void)
{
	int err;

	kerrighed = kobject_create_and_add("kerrighed", NULL);
	if (!kerrighed)
		return -ENOMEM;
	err = sysfs_create_group(kerrighed, &group);
	if (err)
		kobject_put(kerrighed);
	return err;
}

void cluster_sysfs_del(void)
{
	kobject_put(kerrighed);
}
