/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM krg_cluster

#if !defined(KRG_CLUSTER_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KRG_CLUSTER_TRACE_H

#include <linux/tracepoint.h>
#include <krg/node_state.h>

TRACE_DEFINE_ENUM(KRG_NODE_ABSENT);
TRACE_DEFINE_ENUM(KRG_NODE_PRESENT);
TRACE_DEFINE_ENUM(KRG_NODE_ONLINE);
TRACE_DEFINE_ENUM(KRG_NODE_LEAVING);
TRACE_DEFINE_ENUM(KRG_NODE_FAILED);

#define show_node_state(state)			\
	__print_symbolic(state,			\
		{ KRG_NODE_ABSENT, "absent" },	\
		{ KRG_NODE_PRESENT, "present" },	\
		{ KRG_NODE_ONLINE, "online" },	\
		{ KRG_NODE_LEAVING, "leaving" },	\
		{ KRG_NODE_FAILED, "failed" })

#define show_order_phase(phase)			\
	__print_symbolic(phase,			\
		{ 0, "out" },			\
		{ 1, "stopped" },		\
		{ 2, "sync" },			\
		{ 3, "run" })

TRACE_EVENT(krg_cluster_state,
	    TP_PROTO(unsigned int self, unsigned int node, u8 from, u8 to, u32 epoch),
	    TP_ARGS(self, node, from, to, epoch),
	    TP_STRUCT__entry(__field(unsigned int, self)
			     __field(unsigned int, node)
			     __field(u8, from)
			     __field(u8, to)
			     __field(u32, epoch)),
	    TP_fast_assign(__entry->self = self;
			   __entry->node = node;
			   __entry->from = from;
			   __entry->to = to;
			   __entry->epoch = epoch;),
	    TP_printk("self=%u node=%u %s -> %s epoch=%u", __entry->self, __entry->node,
		      show_node_state(__entry->from), show_node_state(__entry->to),
		      __entry->epoch)
);

TRACE_EVENT(krg_cluster_epoch,
	    TP_PROTO(unsigned int self, u32 epoch, bool quorate, unsigned int members),
	    TP_ARGS(self, epoch, quorate, members),
	    TP_STRUCT__entry(__field(unsigned int, self)
			     __field(u32, epoch)
			     __field(bool, quorate)
			     __field(unsigned int, members)),
	    TP_fast_assign(__entry->self = self;
			   __entry->epoch = epoch;
			   __entry->quorate = quorate;
			   __entry->members = members;),
	    TP_printk("self=%u epoch=%u quorate=%d members=%u", __entry->self, __entry->epoch,
		      __entry->quorate, __entry->members)
);

/* Phases: enum krg_order_phase in core/order.h. */
TRACE_EVENT(krg_order_phase,
	    TP_PROTO(unsigned int self, u32 epoch, u8 from, u8 to, u64 last),
	    TP_ARGS(self, epoch, from, to, last),
	    TP_STRUCT__entry(__field(unsigned int, self)
			     __field(u32, epoch)
			     __field(u8, from)
			     __field(u8, to)
			     __field(u64, last)),
	    TP_fast_assign(__entry->self = self;
			   __entry->epoch = epoch;
			   __entry->from = from;
			   __entry->to = to;
			   __entry->last = last;),
	    TP_printk("self=%u epoch=%u %s -> %s last=%llu", __entry->self, __entry->epoch,
		      show_order_phase(__entry->from), show_order_phase(__entry->to),
		      __entry->last)
);

#endif

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
