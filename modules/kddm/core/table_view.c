// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules while the view changes. See table.h; the argument is in
 * Documentation/kddm-protocol.md.
 */
#include "table.h"

/* The old view's last messages: only what carries content counts, all else is asked again. */
static const struct krg_kddm_rule drain[] = {
	RULE(300, DATA, IN(IS), DRAIN_CONTENT, S, 0,
	     "a copy on its way is kept", A(CONTENT)),
	RULE(301, OWN, IN(IS) | IN(IW), DRAIN_CONTENT, S, 0,
	     "the last copy on its way is kept", A(CONTENT)),
	RULE(302, ANSWER, ANY, ANSWERED, SAME, 0,
	     "what was done is done", A(ANSWERED)),
	RULE(303, FORGET, ANY, WITNESS, SAME, 0,
	     "what was removed is removed", A(UNWITNESS)),
#define LAPSES(n, e) RULE(n, e, ANY, ALWAYS, SAME, 0, "lapses")
	LAPSES(310, GET), LAPSES(311, GRAB), LAPSES(312, DROP), LAPSES(313, EVICT),
	LAPSES(314, ASK), LAPSES(315, FWD_GET), LAPSES(316, FWD_GRAB), LAPSES(317, INV),
	LAPSES(318, LOST_MSG), LAPSES(319, DROPPED), LAPSES(320, TAKE), LAPSES(321, DENY),
	LAPSES(322, DATA), LAPSES(323, OWN), LAPSES(324, ACK), LAPSES(325, ANSWER),
	LAPSES(326, EXIST), LAPSES(327, FORGET), LAPSES(328, REPORT), LAPSES(329, PROMOTE),
};

/* While directories are made. */
static const struct krg_kddm_rule rebuild[] = {
	RULE(340, REPORT, ANY, REPORT_OK, SAME, 0,
	     "what a node has", A(MERGE)),
	RULE(341, REPORT, ANY, ALWAYS, SAME, -EPROTO,
	     "contradicts another's"),
	RULE(342, PROMOTE, IN(S), ALWAYS, O, 0,
	     "we serve the others from now on"),
	RULE(343, PROMOTE, ANY, ALWAYS, SAME, -EPROTO,
	     "no copy to serve from"),
	RULE(344, EXIST, ANY, SILENT, SAME, 0,
	     "witness of the new view: it exists", A(WITNESS)),
	RULE(345, EXIST, ANY, ALWAYS, SAME, -EPROTO,
	     "no witness"),
};

static const struct krg_kddm_rule view[] = {
	RULE(350, VIEW, ANY, UNREACHABLE, I, 0,
	     "its home is gone, or we are out", A(UNMAP), A(FREE), A(RESET), A(VANISH)),
	RULE(351, VIEW, IN(I) | IN(IS) | IN(IW) | IN(D), ALWAYS, I, 0,
	     "no copy", A(RESET), A(WAKE_ALL)),
	RULE(352, VIEW, IN(W), VIRTUAL, I, 0,
	     "manager, untouched or lost: no copy", A(RESET), A(WAKE_ALL)),
	RULE(353, VIEW, IN(W), ALWAYS, W, 0,
	     "the only copy", A(RESET), A(WAKE_ALL)),
	RULE(354, VIEW, ANY, ALWAYS, S, 0,
	     "a copy", A(RESET), A(WAKE_ALL)),

	RULE(360, TELL, ANY, SOMETHING, SAME, 0,
	     "the new manager is told", A(REPORT)),
	RULE(361, TELL, ANY, ALWAYS, SAME, 0,
	     "nothing to tell"),

	RULE(370, BUILD, ANY, BUILD_SOLE, SAME, 0,
	     "one copy, the only one", A(BUILD_SOLE), A(WITNESS_TELL)),
	RULE(371, BUILD, IN(S), BUILD_SELF, O, 0,
	     "copies, one of them ours", A(BUILD_SELF), A(WITNESS_TELL)),
	RULE(372, BUILD, IN(I), BUILD_OTHER, SAME, 0,
	     "copies: one of them serves the others", A(BUILD_OTHER), A(WITNESS_TELL)),
	RULE(373, BUILD, IN(I), BUILD_LOST, W, 0,
	     "it exists and nobody has it: lost", A(BUILD_LOST), A(WITNESS_TELL)),
	RULE(374, BUILD, IN(I), BUILD_KNOWN, W, 0,
	     "its first owner never got it: untouched", A(BUILD_VOID)),
	RULE(375, BUILD, IN(I), MANAGER, W, 0,
	     "nobody knows of it: untouched", A(BUILD_VOID)),
	RULE(376, BUILD, ANY, ALWAYS, SAME, 0,
	     "not ours to manage"),
	RULE(380, GO, ANY, ALWAYS, SAME, 0,
	     "who guards it no more forgets", A(GO)),
};

const struct krg_kddm_table krg_kddm_table_drain = {
	.rule = drain,
	.count = ARRAY_SIZE(drain),
	.name = "messages in DRAIN",
};

const struct krg_kddm_table krg_kddm_table_rebuild = {
	.rule = rebuild,
	.count = ARRAY_SIZE(rebuild),
	.name = "messages in REBUILD",
};

const struct krg_kddm_table krg_kddm_table_view = {
	.rule = view,
	.count = ARRAY_SIZE(view),
	.name = "steps of a view change",
};
