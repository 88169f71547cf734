/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KRG_CLUSTER_CONFIG_H
#define KRG_CLUSTER_CONFIG_H

#include <krg/core.h>

#define KRG_CONFIG_DEV		16
#define KRG_CONFIG_VALUE	24

enum krg_setting {
	KRG_SET_SESSION,
	KRG_SET_NODE,
	KRG_SET_AUTONODEID,
	KRG_SET_NET_DEV,
	KRG_SET_NB_NODES_MIN,
	KRG_SET_MAX_NODES,
	KRG_SET_TRANSPORT,
	KRG_SETTINGS,
};

/* Words as they were given; nothing is understood before krg_config_check(). */
struct krg_config_words {
	bool given[KRG_SETTINGS];
	char value[KRG_SETTINGS][KRG_CONFIG_VALUE];	/* cut if longer: no such value is valid */
};

struct krg_config_values {
	u32 session;
	u32 node;
	bool autonodeid;
	u32 nb_nodes_min;
	u32 max_nodes;
	char net_dev[KRG_CONFIG_DEV];	/* empty: the first that will do */
	char transport[KRG_CONFIG_DEV];
};

/* Why the configuration is refused: "NAME=VALUE: WHY", or "NAME: WHY" if not given. */
struct krg_config_error {
	const char *name;
	const char *value;
	const char *why;
};

const char *krg_config_name(enum krg_setting setting);
void krg_config_give(struct krg_config_words *w, enum krg_setting setting, const char *value,
		     u32 len);
void krg_config_line(struct krg_config_words *w, const char *line);
int krg_config_check(const struct krg_config_words *w, struct krg_config_values *v,
		     struct krg_config_error *err);

#endif
