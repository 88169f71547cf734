/* SPDX-License-Identifier: GPL-2.0-only */
/* Attributes of a dump: genl_info_dump() came with 6.7; before, they are in genl_dumpit_info. */
#ifndef KRG_GENETLINK_COMPAT_H
#define KRG_GENETLINK_COMPAT_H

#include <net/genetlink.h>

#ifndef KRG_HAVE_GENL_INFO_DUMP
#define genl_info_dump(cb) genl_dumpit_info(cb)
#endif

#endif
