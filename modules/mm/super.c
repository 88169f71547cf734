// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file system type "krgshm". There is one file system in a network namespace, however
 * often it is mounted: that of the node that namespace is.
 */
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include <net/net_namespace.h>
#include "shmfs.h"

static struct kmem_cache *inode_cache;

/* Mount options. */
struct options {
	u64 pages;		/* size=, 0 = not given */
	struct shmfs_op attr;	/* of the root */
};

enum { OPT_SIZE, OPT_MODE, OPT_UID, OPT_GID };

static const struct fs_parameter_spec shmfs_parameters[] = {
	fsparam_string("size", OPT_SIZE),
	fsparam_u32oct("mode", OPT_MODE),
	fsparam_u32("uid", OPT_UID),
	fsparam_u32("gid", OPT_GID),
	{}
};

/* As tmpfs: bytes with a suffix, or a part of this node's memory. */
static int parse_size(struct fs_context *fc, const char *text, u64 *pages)
{
	char *rest;
	u64 size = memparse(text, &rest);

	if (*rest == '%') {
		size = size > 1000 ? 0 : (size << PAGE_SHIFT) * totalram_pages() / 100;
		rest++;
	}
	if (*rest || !size || size > MAX_LFS_FILESIZE)
		return invalfc(fc, "size=%s makes no sense", text);
	*pages = DIV_ROUND_UP_ULL(size, PAGE_SIZE);
	return 0;
}

static int shmfs_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct options *o = fc->fs_private;
	struct fs_parse_result result;
	int opt = fs_parse(fc, shmfs_parameters, param, &result);

	switch (opt) {
	case OPT_SIZE:
		return parse_size(fc, param->string, &o->pages);
	case OPT_MODE:
		o->attr.mode = result.uint_32 & 07777;
		o->attr.valid |= SHMFS_SET_MODE;
		return 0;
	case OPT_UID:
		o->attr.uid = result.uint_32;
		o->attr.valid |= SHMFS_SET_UID;
		return uid_valid(KUIDT_INIT(o->attr.uid)) ? 0 : -EINVAL;
	case OPT_GID:
		o->attr.gid = result.uint_32;
		o->attr.valid |= SHMFS_SET_GID;
		return gid_valid(KGIDT_INIT(o->attr.gid)) ? 0 : -EINVAL;
	default:
		return opt;
	}
}

/* What the options say is for all nodes. */
static int options_tell(struct shmfs *s, struct options *o)
{
	struct shmfs_op limit = {
		.type = SHMFS_OP_LIMIT, .a = o->pages ?: max(totalram_pages() / 2, 1ul),
		.flags = o->pages ? SHMFS_OP_FIXED : 0, .now = shmfs_now(),
	};
	int err = shmfs_submit(s, &limit, NULL, true);

	if (err || !o->attr.valid)
		return err;
	o->attr.type = SHMFS_OP_SETATTR;
	o->attr.ino = SHMFS_ROOT;
	o->attr.now = shmfs_now();
	return shmfs_submit(s, &o->attr, NULL, true);
}

static struct inode *shmfs_alloc_inode(struct super_block *sb)
{
	struct shmfs_inode *i = alloc_inode_sb(sb, inode_cache, GFP_KERNEL);

	if (!i)
		return NULL;
	i->set = NULL;
	i->info.flags = 0;
	i->info.swapped = 0;
	return &i->info.vfs_inode;
}

static void shmfs_free_inode(struct inode *inode)
{
	kmem_cache_free(inode_cache, shmfs_i(inode));
}

static void shmfs_evict_inode(struct inode *inode)
{
	struct krg_kddm_set *set = shmfs_i(inode)->set;

	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	/* What belongs to the set is not ours. */
	inode->i_mapping = &inode->i_data;
	if (set)
		krg_kddm_close(set);
	if (inode->i_private)
		shmfs_node_put(inode->i_private);
}

static int shmfs_statfs(struct dentry *dentry, struct kstatfs *out)
{
	struct shmfs *s = shmfs_of_sb(dentry->d_sb);

	/* To programs that ask it is what it replaces. */
	out->f_type = TMPFS_MAGIC;
	out->f_bsize = PAGE_SIZE;
	out->f_namelen = SHMFS_NAME_MAX;
	down_read(&s->table_lock);
	out->f_blocks = s->limit;
	out->f_bfree = s->limit > s->used ? s->limit - s->used : 0;
	up_read(&s->table_lock);
	out->f_bavail = out->f_bfree;
	return 0;
}

static int shmfs_show_options(struct seq_file *m, struct dentry *root)
{
	struct shmfs *s = shmfs_of_sb(root->d_sb);

	down_read(&s->table_lock);
	seq_printf(m, ",size=%lluk,mode=%03o", s->limit << (PAGE_SHIFT - 10),
		   s->root->mode & 07777);
	up_read(&s->table_lock);
	return 0;
}

static const struct super_operations shmfs_super_ops = {
	.alloc_inode = shmfs_alloc_inode,
	.free_inode = shmfs_free_inode,
	.evict_inode = shmfs_evict_inode,
	.drop_inode = generic_delete_inode,
	.statfs = shmfs_statfs,
	.show_options = shmfs_show_options,
};

static int shmfs_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct shmfs *s = shmfs_of_sb(sb);
	struct inode *root;
	int err;

	shmfs_futex_mounted(true);
	err = shmfs_robust_mounted(s);
	if (err)
		return err;
	sb->s_magic = TMPFS_MAGIC;
	sb->s_op = &shmfs_super_ops;
	sb->s_d_op = &shmfs_dentry_ops;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_time_gran = 1;
	/* Reading changes nothing that others would have to be told. */
	sb->s_flags |= SB_NOATIME | SB_NODIRATIME;
	WRITE_ONCE(s->sb, sb);
	refcount_inc(&s->root->ref);
	root = shmfs_inode_get(sb, s->root);
	shmfs_node_put(s->root);
	if (IS_ERR(root))
		return PTR_ERR(root);
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static int shmfs_get_tree(struct fs_context *fc)
{
	struct net *net = fc->net_ns;
	struct shmfs *s = shmfs_of(net);
	int err;

	if (!krg_cluster_is_up(net))
		return invalf(fc, "krgshm: this node is in no cluster") ?: -ENOTCONN;
	err = krg_order_barrier(net, true) ?: options_tell(s, fc->fs_private);
	if (err)
		return err;
	return get_tree_keyed(fc, shmfs_fill_super, get_net(net));
}

static int shmfs_reconfigure(struct fs_context *fc)
{
	sync_filesystem(fc->root->d_sb);
	return options_tell(shmfs_of_sb(fc->root->d_sb), fc->fs_private);
}

static void shmfs_free_fc(struct fs_context *fc)
{
	kfree(fc->fs_private);
	if (fc->s_fs_info)
		put_net(fc->s_fs_info);
}

static const struct fs_context_operations shmfs_context_ops = {
	.free = shmfs_free_fc,
	.parse_param = shmfs_parse_param,
	.get_tree = shmfs_get_tree,
	.reconfigure = shmfs_reconfigure,
};

static int shmfs_init_fs_context(struct fs_context *fc)
{
	struct options *o = kzalloc(sizeof(*o), GFP_KERNEL);

	if (!o)
		return -ENOMEM;
	fc->fs_private = o;
	fc->ops = &shmfs_context_ops;
	return 0;
}

/* Kernel inodes are held by their nodes; now they go. */
static void drop_inodes(struct shmfs *s)
{
	unsigned long ino = 0;
	struct shmfs_node *n;
	struct inode *inode;

	do {
		inode = NULL;
		down_write(&s->table_lock);
		for (n = xa_find(&s->nodes, &ino, ULONG_MAX, XA_PRESENT); n && !inode;
		     n = xa_find_after(&s->nodes, &ino, ULONG_MAX, XA_PRESENT)) {
			inode = n->inode;
			n->inode = NULL;
		}
		up_write(&s->table_lock);
		iput(inode);
	} while (inode);
	flush_work(&s->clean_work);
}

static void shmfs_kill_sb(struct super_block *sb)
{
	struct net *net = sb->s_fs_info;

	WRITE_ONCE(shmfs_of(net)->sb, NULL);
	drop_inodes(shmfs_of(net));
	kill_anon_super(sb);
	shmfs_futex_mounted(false);
	put_net(net);
}

struct file_system_type shmfs_type = {
	.name = "krgshm",
	.owner = THIS_MODULE,
	.init_fs_context = shmfs_init_fs_context,
	.parameters = shmfs_parameters,
	.kill_sb = shmfs_kill_sb,
};
MODULE_ALIAS_FS("krgshm");

struct device_list {
	char *buffer;
	int len;
};

static void device_show(struct super_block *sb, void *arg)
{
	struct device_list *list = arg;

	list->len += sysfs_emit_at(list->buffer, list->len, "%x:%x\n", MAJOR(sb->s_dev),
				   MINOR(sb->s_dev));
}

/* Of all namespaces, mounted or only used. */
static int devices_get(char *buffer, const struct kernel_param *kp)
{
	struct device_list list = { .buffer = buffer };

	iterate_supers_type(&shmfs_type, device_show, &list);
	return list.len;
}

static const struct kernel_param_ops devices_ops = { .get = devices_get };
module_param_cb(devices, &devices_ops, NULL, 0444);
MODULE_PARM_DESC(devices, "devices of its file systems, as in /proc/PID/maps (not to be set)");

static void inode_begin(void *object)
{
	struct shmfs_inode *i = object;

	spin_lock_init(&i->window.lock);
	spin_lock_init(&i->info.lock);
	inode_init_once(&i->info.vfs_inode);
}

int shmfs_super_init(void)
{
	int err;

	inode_cache = kmem_cache_create("krgshm_inode", sizeof(struct shmfs_inode), 0,
					SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT, inode_begin);
	if (!inode_cache)
		return -ENOMEM;
	err = register_filesystem(&shmfs_type);
	if (err)
		kmem_cache_destroy(inode_cache);
	return err;
}

void shmfs_super_exit(void)
{
	unregister_filesystem(&shmfs_type);
	rcu_barrier();
	kmem_cache_destroy(inode_cache);
}
