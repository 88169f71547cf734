/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libkrg: krg for programs. A thin C interface to the generic netlink family
 * of <krg/krg_netlink.h>.
 *
 * Functions that return int return 0 or a negative error number;
 * krg_strerror_last() then says why in one sentence. A handle is a socket of
 * one network namespace (one node); it is not for two threads at once.
 */
#ifndef LIBKRG_KRG_H
#define LIBKRG_KRG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <krg/krg_netlink.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KRG_NODES 256 /* node ids are below */

struct krg;

/** struct krg_nodeset - a set of nodes: bit n % 8 of byte n / 8 */
struct krg_nodeset {
	uint8_t bytes[KRG_NODES_BYTES];
};

/**
 * struct krg_status - the cluster as this node sees it
 * @state: KRG_CLUSTER_STATE_*
 * @node: this node's id
 * @session: session id
 * @epoch: counts changes of membership
 * @max_nodes: node ids of the session are below
 * @online: number of nodes in the cluster
 * @present: number of nodes heard that are not in it
 * @failed: number of nodes lost
 */
struct krg_status {
	uint32_t state;
	uint32_t node;
	uint32_t session;
	uint32_t epoch;
	uint32_t max_nodes;
	uint32_t online;
	uint32_t present;
	uint32_t failed;
};

/**
 * struct krg_node - one node that is not absent
 * @node: its id
 * @state: KRG_NODE_STATE_*
 * @incarnation: random number of its last boot
 * @self: it is the node that answers
 * @address: "" if unknown
 */
struct krg_node {
	uint32_t node;
	uint32_t state;
	uint64_t incarnation;
	bool self;
	char address[64];
};

/**
 * struct krg_config - what makes a network namespace a node
 * @session: 1..255
 * @node: node id
 * @max_nodes: 0: the default
 * @nb_nodes_min: start by itself with so many nodes; 0: never
 * @net_dev: interface
 */
struct krg_config {
	uint32_t session;
	uint32_t node;
	uint32_t max_nodes;
	uint32_t nb_nodes_min;
	const char *net_dev;
};

/**
 * struct krg_app - an application, named by one of two numbers
 * @pid: a process of it, or 0
 * @appid: its name, or 0
 */
struct krg_app {
	pid_t pid;
	pid_t appid;
};

/**
 * struct krg_substitute - an open file to use in place of a saved one
 * @id: its number in user_info: 20 hexadecimal digits
 * @fd: open file of the caller
 */
struct krg_substitute {
	const char *id;
	int fd;
};

/**
 * struct krg_event_record - something that happened
 * @event: KRG_EVENT_*
 * @time_ns: when, CLOCK_REALTIME
 * @node: whose, -1: none
 * @epoch: 0: does not say
 * @pid: 0: none
 * @appid: 0: none
 * @signal: 0: none
 * @message: "" if none
 */
struct krg_event_record {
	uint32_t event;
	uint64_t time_ns;
	int32_t node;
	uint32_t epoch;
	pid_t pid;
	pid_t appid;
	uint32_t signal;
	char message[256];
};

/* Called for each item of a list; not 0 ends the delivery and is returned. */
typedef int krg_node_fn(const struct krg_node *node, void *arg);
typedef int krg_feature_fn(uint32_t bit, const char *name, void *arg);
typedef int krg_counter_fn(uint32_t node, const char *name, uint64_t value, void *arg);
/* @error: 0, or the positive number of why @node could not be asked; then no item. */
typedef int krg_process_fn(uint32_t node, const struct krg_process *process, int error, void *arg);
typedef int krg_stat_fn(uint32_t node, const struct krg_node_stat *stat, int error, void *arg);
typedef int krg_event_fn(const struct krg_event_record *event, void *arg);

/**
 * krg_open() - connect to this node's krg
 * @out: the handle; also set when the result is an error (for its text), except -ENOMEM
 *
 * Return: 0; -ENOENT: krg's modules are not loaded
 */
int krg_open(struct krg **out);
void krg_close(struct krg *krg);
const char *krg_strerror_last(const struct krg *krg);
int krg_fd(const struct krg *krg);

int krg_features(struct krg *krg, uint64_t *bits, krg_feature_fn *fn, void *arg);
int krg_key_set(struct krg *krg, const void *key, size_t len);
/* -ENOKEY: none is loaded */
int krg_key_fingerprint(struct krg *krg, char *out, size_t size);
int krg_node_config(struct krg *krg, const struct krg_config *config);

int krg_cluster_status(struct krg *krg, struct krg_status *status);
/* @nodes NULL: all present ones; @timeout_ms 0: the kernel's default */
int krg_cluster_start(struct krg *krg, const struct krg_nodeset *nodes, uint32_t flags, uint32_t timeout_ms);
int krg_cluster_stop(struct krg *krg, uint32_t timeout_ms);
/* Then every machine powers off or restarts: @flags KRG_STOP_POWEROFF or KRG_STOP_REBOOT */
int krg_cluster_switch_off(struct krg *krg, uint32_t flags, uint32_t timeout_ms);
int krg_nodes_add(struct krg *krg, const struct krg_nodeset *nodes, uint32_t timeout_ms);
int krg_nodes_del(struct krg *krg, const struct krg_nodeset *nodes, uint32_t timeout_ms);
int krg_nodes(struct krg *krg, krg_node_fn *fn, void *arg);

/* @node -1: every online node */
int krg_processes(struct krg *krg, int node, uint32_t flags, krg_process_fn *fn, void *arg);
int krg_stats(struct krg *krg, int node, krg_stat_fn *fn, void *arg);
int krg_counters(struct krg *krg, krg_counter_fn *fn, void *arg);

/*
 * The next four fill in the number of @app that was not given. A freeze ends
 * when the handle is closed, unless KRG_FREEZE_KEEP.
 */
int krg_freeze(struct krg *krg, struct krg_app *app, uint32_t flags);
int krg_unfreeze(struct krg *krg, struct krg_app *app, uint32_t signal);
int krg_checkpoint(struct krg *krg, struct krg_app *app, int dirfd, uint32_t flags);
/* The application's root becomes a child of the caller. */
int krg_restart(struct krg *krg, int dirfd, uint32_t flags, const struct krg_substitute *subst, size_t nr_subst,
		struct krg_app *app);

/* A handle that listens does nothing else. */
int krg_events_listen(struct krg *krg);
/* Waits for at least one; -EINTR: a signal came; -ENOBUFS: some were missed */
int krg_events_next(struct krg *krg, krg_event_fn *fn, void *arg);

#ifdef __cplusplus
}
#endif

#endif
