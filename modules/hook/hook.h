/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of krg_hook. Users include krg/hook.h. */
#ifndef KRG_HOOK_HOOK_H
#define KRG_HOOK_HOOK_H

#include <krg/hook.h>

int krg_symbols_init(void);
size_t krg_symbols_count(void);

unsigned int krg_redirects_count(void);

int krg_intercept_init(void);
void krg_intercept_exit(void);

int krg_hook_selftest(void);

#endif
