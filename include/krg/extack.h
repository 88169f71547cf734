/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Saying why, to who asked through netlink. The kernel's own NL_SET_ERR_MSG
 * takes a constant string (6.1) or 80 characters (newer): too little to name
 * the process, the file or the node in question.
 */
#ifndef KRG_EXTACK_H
#define KRG_EXTACK_H

#include <linux/compiler_attributes.h>

struct netlink_ext_ack;

#define KRG_EXTACK_MAX	256	/* bytes of text, with its 0 */

__printf(2, 3)
void krg_extack_msg(struct netlink_ext_ack *extack, const char *fmt, ...);

/* Sets the text and yields the error. */
#define krg_extack_err(extack, err, fmt, ...) \
	(krg_extack_msg(extack, fmt, ##__VA_ARGS__), (err))

void krg_extack_drain(void);

#endif
