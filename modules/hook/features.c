// SPDX-License-Identifier: GPL-2.0-only
/* The feature record: what this kernel and this machine offer to krg. */
#include <linux/module.h>
#include <asm/cpufeature.h>
#include <asm/fpu/xcr.h>
#include <asm/msr.h>
#include <asm/processor.h>

#include "hook.h"

#define CPUID_XSTATE 0xd	/* leaf: EBX is the size of what XCR0 enables */

static const char *const feature_names[KRG_FEATURE_COUNT] = {
	[KRG_FEATURE_SYMBOLS] = "symbols",
	[KRG_FEATURE_REDIRECT] = "redirect",
	[KRG_FEATURE_INTERCEPT] = "intercept",
	[KRG_FEATURE_SUD_PTRACE] = "sud-ptrace",
	[KRG_FEATURE_IBT] = "ibt",
	[KRG_FEATURE_FSGSBASE] = "fsgsbase",
	[KRG_FEATURE_XSAVE] = "xsave",
	[KRG_FEATURE_AVX] = "avx",
	[KRG_FEATURE_AVX512] = "avx512",
	[KRG_FEATURE_PKU] = "pku",
};

static bool feature_present(enum krg_feature feature)
{
	switch (feature) {
	case KRG_FEATURE_SYMBOLS:
	case KRG_FEATURE_REDIRECT:
	case KRG_FEATURE_INTERCEPT:
		return true;	/* or the module would not have loaded */
	case KRG_FEATURE_SUD_PTRACE:
#ifdef KRG_HAVE_SUD_PTRACE
		return true;
#else
		return false;
#endif
	case KRG_FEATURE_IBT:
		return cpu_feature_enabled(X86_FEATURE_IBT);
	case KRG_FEATURE_FSGSBASE:
		return cpu_feature_enabled(X86_FEATURE_FSGSBASE);
	case KRG_FEATURE_XSAVE:
		return cpu_feature_enabled(X86_FEATURE_OSXSAVE);
	case KRG_FEATURE_AVX:
		return cpu_feature_enabled(X86_FEATURE_AVX);
	case KRG_FEATURE_AVX512:
		return cpu_feature_enabled(X86_FEATURE_AVX512F);
	case KRG_FEATURE_PKU:
		return cpu_feature_enabled(X86_FEATURE_OSPKE);
	case KRG_FEATURE_COUNT:
		break;
	}
	return false;
}

/**
 * krg_hook_features() - the feature record
 * @features: filled in
 *
 * Context: any.
 */
void krg_hook_features(struct krg_features *features)
{
	enum krg_feature i;

	memset(features, 0, sizeof(*features));
	for (i = 0; i < KRG_FEATURE_COUNT; i++)
		if (feature_present(i))
			features->bits |= BIT_ULL(i);
	if (cpu_feature_enabled(X86_FEATURE_OSXSAVE)) {
		features->xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
		features->xsave_size = cpuid_ebx(CPUID_XSTATE);
	}
	features->symbols = krg_symbols_count();
	features->redirects = krg_redirects_count();
}
EXPORT_SYMBOL_GPL(krg_hook_features);

/**
 * krg_feature_name() - a feature's name, as krgadm shows it
 * @feature: which
 *
 * Return: the name; NULL if there is no such feature.
 */
const char *krg_feature_name(enum krg_feature feature)
{
	return feature < KRG_FEATURE_COUNT ? feature_names[feature] : NULL;
}
EXPORT_SYMBOL_GPL(krg_feature_name);
