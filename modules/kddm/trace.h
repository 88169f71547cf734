/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM krg_kddm

#if !defined(KRG_KDDM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KRG_KDDM_TRACE_H

#include <linux/tracepoint.h>
#include "kddm.h"

TRACE_EVENT(krg_kddm_event,
	    TP_PROTO(const struct kddm_at *at, const struct krg_kddm_msg *msg,
		     const struct krg_kddm_out *out, int result),
	    TP_ARGS(at, msg, out, result),
	    TP_STRUCT__entry(__field(u64, set)
			     __field(u64, index)
			     __field(u16, self)
			     __field(u16, from)
			     __field(u16, node)
			     __field(u8, type)
			     __field(u8, state)
			     __field(u8, content)
			     __field(u8, actions)
			     __field(u16, rule)
			     __field(int, result)),
	    TP_fast_assign(__entry->set = at->set->id.number;
			   __entry->index = at->index;
			   __entry->self = at->kn->view.self;
			   __entry->from = msg->from;
			   __entry->node = msg->node;
			   __entry->type = msg->type;
			   __entry->state = at->obj->core.state;
			   __entry->content = at->obj->core.content;
			   __entry->actions = out->actions;
			   __entry->rule = out->rules ? out->rule[0] : 0;
			   __entry->result = result;),
	    TP_printk("self=%u set=%llx object=%llu %u from=%d node=%d rule=%u state=%u content=%u actions=%u result=%d",
		      __entry->self, __entry->set, __entry->index, __entry->type,
		      (s16)__entry->from, (s16)__entry->node, __entry->rule, __entry->state,
		      __entry->content, __entry->actions, __entry->result)
);

TRACE_EVENT(krg_kddm_view,
	    TP_PROTO(const struct krg_kddm_view *view, u8 step, u16 from, unsigned int todo),
	    TP_ARGS(view, step, from, todo),
	    TP_STRUCT__entry(__field(u16, self)
			     __field(u16, from)
			     __field(u32, epoch)
			     __field(u8, step)
			     __field(u8, phase)
			     __field(unsigned int, todo)),
	    TP_fast_assign(__entry->self = view->self;
			   __entry->from = from;
			   __entry->epoch = view->epoch;
			   __entry->step = step;
			   __entry->phase = view->phase;
			   __entry->todo = todo;),
	    TP_printk("self=%u epoch=%u step=%u from=%u phase=%u todo=%x", __entry->self,
		      __entry->epoch, __entry->step, __entry->from, __entry->phase,
		      __entry->todo)
);

#endif

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
