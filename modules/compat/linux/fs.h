/* SPDX-License-Identifier: GPL-2.0-only */
/* What <linux/fs.h> of newer kernels has. Include as "../compat/linux/fs.h". */
#ifndef KRG_COMPAT_LINUX_FS_H
#define KRG_COMPAT_LINUX_FS_H

#include <linux/fs.h>

#ifndef KRG_HAVE_MNT_IDMAP
#define mnt_idmap user_namespace
#endif

#ifndef KRG_HAVE_FILLATTR_MASK
#define generic_fillattr(idmap, mask, inode, stat) generic_fillattr(idmap, inode, stat)
#endif

#ifndef KRG_HAVE_COPY_SPLICE_READ
#define copy_splice_read generic_file_splice_read
#endif

#ifndef KRG_HAVE_INODE_TIMES
static inline void inode_set_atime_to_ts(struct inode *inode, struct timespec64 ts)
{
	inode->i_atime = ts;
}

static inline void inode_set_mtime_to_ts(struct inode *inode, struct timespec64 ts)
{
	inode->i_mtime = ts;
}
#endif

#endif
