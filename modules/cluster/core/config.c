// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parameters and boot words: session_id=7 node_id=3 ... The kernel's command
 * line is read first and the module's parameters are laid over it; both go
 * through the same checks.
 */
#include "config.h"

static const char *const names[KRG_SETTINGS] = {
	[KRG_SET_SESSION]	= "session_id",
	[KRG_SET_NODE]		= "node_id",
	[KRG_SET_AUTONODEID]	= "autonodeid",
	[KRG_SET_NET_DEV]	= "net_dev",
	[KRG_SET_NB_NODES_MIN]	= "nb_nodes_min",
	[KRG_SET_MAX_NODES]	= "max_nodes",
	[KRG_SET_TRANSPORT]	= "transport",
};

const char *krg_config_name(enum krg_setting setting)
{
	return names[setting];
}

/**
 * krg_config_give - a word was given; a later one wins
 * @w: words so far
 * @setting: which
 * @value: its text
 * @len: bytes at @value
 */
void krg_config_give(struct krg_config_words *w, enum krg_setting setting, const char *value,
		     u32 len)
{
	if (len >= KRG_CONFIG_VALUE)
		len = KRG_CONFIG_VALUE - 1;
	memcpy(w->value[setting], value, len);
	w->value[setting][len] = 0;
	w->given[setting] = true;
}

static void word(struct krg_config_words *w, const char *s, u32 len)
{
	unsigned int i;

	for (i = 0; i < KRG_SETTINGS; i++) {
		u32 n = strlen(names[i]);

		if (len > n && !memcmp(s, names[i], n) && s[n] == '=')
			krg_config_give(w, i, s + n + 1, len - n - 1);
	}
}

/**
 * krg_config_line - take the words that are ours from a kernel command line
 * @w: words so far
 * @line: the line; what follows "--" is for init, what is in quotes is one word
 */
void krg_config_line(struct krg_config_words *w, const char *line)
{
	while (*line) {
		bool quoted = false;
		u32 n = 0;

		while (line[n] && (quoted || (line[n] != ' ' && line[n] != '\n'))) {
			quoted ^= line[n] == '"';
			n++;
		}
		if (n == 2 && !memcmp(line, "--", 2))
			return;
		word(w, line, n);
		line += n;
		if (*line)
			line++;
	}
}

static bool number(const char *s, u32 *out)
{
	u32 n = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || n > 100000)
			return false;
		n = 10 * n + (*s - '0');
	}
	*out = n;
	return true;
}

static int refuse(const struct krg_config_words *w, struct krg_config_error *err,
		  enum krg_setting setting, const char *why)
{
	err->name = names[setting];
	err->value = w->given[setting] ? w->value[setting] : NULL;
	err->why = why;
	return -EINVAL;
}

static bool value_in(const struct krg_config_words *w, enum krg_setting setting, u32 low,
		     u32 high, u32 *out)
{
	return number(w->value[setting], out) && *out >= low && *out <= high;
}

static int check_ids(const struct krg_config_words *w, struct krg_config_values *v,
		     struct krg_config_error *err)
{
	u32 flag = 0;

	if (!w->given[KRG_SET_SESSION])
		return refuse(w, err, KRG_SET_SESSION, "missing: must be 1..255");
	if (!value_in(w, KRG_SET_SESSION, 1, 255, &v->session))
		return refuse(w, err, KRG_SET_SESSION, "must be 1..255");
	if (w->given[KRG_SET_AUTONODEID] && !value_in(w, KRG_SET_AUTONODEID, 0, 1, &flag))
		return refuse(w, err, KRG_SET_AUTONODEID, "must be 0 or 1");
	v->autonodeid = flag && !w->given[KRG_SET_NODE];
	if (v->autonodeid)
		return 0;
	if (!w->given[KRG_SET_NODE])
		return refuse(w, err, KRG_SET_NODE, "missing: must be 0..255, or autonodeid=1");
	if (!value_in(w, KRG_SET_NODE, 0, 255, &v->node))
		return refuse(w, err, KRG_SET_NODE, "must be 0..255");
	return 0;
}

static int check_sizes(const struct krg_config_words *w, struct krg_config_values *v,
		       struct krg_config_error *err)
{
	v->max_nodes = 64;
	if (w->given[KRG_SET_MAX_NODES] &&
	    (!value_in(w, KRG_SET_MAX_NODES, 2, 256, &v->max_nodes) ||
	     (v->max_nodes & (v->max_nodes - 1))))
		return refuse(w, err, KRG_SET_MAX_NODES, "must be a power of two, 2..256");
	if (!v->autonodeid && v->node >= v->max_nodes)
		return refuse(w, err, KRG_SET_NODE, "must be below max_nodes (64 unless given)");
	if (w->given[KRG_SET_NB_NODES_MIN] &&
	    !value_in(w, KRG_SET_NB_NODES_MIN, 0, v->max_nodes, &v->nb_nodes_min))
		return refuse(w, err, KRG_SET_NB_NODES_MIN, "must be a number up to max_nodes");
	return 0;
}

static int check_network(const struct krg_config_words *w, struct krg_config_values *v,
			 struct krg_config_error *err)
{
	const char *dev = w->value[KRG_SET_NET_DEV];
	const char *transport = w->given[KRG_SET_TRANSPORT] ? w->value[KRG_SET_TRANSPORT] : "tcp";

	if (w->given[KRG_SET_NET_DEV]) {
		if (!*dev || strlen(dev) >= KRG_CONFIG_DEV)
			return refuse(w, err, KRG_SET_NET_DEV, "not the name of an interface");
		memcpy(v->net_dev, dev, strlen(dev) + 1);
	}
	if (!strcmp(transport, "rdma"))
		return refuse(w, err, KRG_SET_TRANSPORT, "not supported yet, use tcp");
	if (strcmp(transport, "tcp"))
		return refuse(w, err, KRG_SET_TRANSPORT, "must be tcp or rdma");
	memcpy(v->transport, "tcp", 4);
	return 0;
}

/**
 * krg_config_check - understand the words, or say what is wrong with them
 * @w: words
 * @v: filled
 * @err: filled on error: the first thing wrong
 *
 * Return: 0 or -EINVAL.
 */
int krg_config_check(const struct krg_config_words *w, struct krg_config_values *v,
		     struct krg_config_error *err)
{
	int ret;

	memset(v, 0, sizeof(*v));
	ret = check_ids(w, v, err);
	if (!ret)
		ret = check_sizes(w, v, err);
	if (!ret)
		ret = check_network(w, v, err);
	return ret;
}
