/* SPDX-License-Identifier: GPL-2.0-only */
/* What <linux/ftrace.h> of newer kernels has. Include as "../compat/linux/ftrace.h". */
#ifndef KRG_COMPAT_LINUX_FTRACE_H
#define KRG_COMPAT_LINUX_FTRACE_H

#include <linux/ftrace.h>

#ifndef ftrace_regs_set_instruction_pointer
#define ftrace_regs_set_instruction_pointer(fregs, ip) ftrace_instruction_pointer_set(fregs, ip)
#endif

#endif
