/* SPDX-License-Identifier: GPL-2.0-only */
/* For kernels whose <linux/fs.h> declares file locks; newer ones have this header. */
#ifndef KRG_COMPAT_LINUX_FILELOCK_H
#define KRG_COMPAT_LINUX_FILELOCK_H

#include <linux/fs.h>

#endif
