// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules of the directory, on the manager. Each request is taken in order and
 * the directory is final at once: it says what will be when all messages sent so
 * far have arrived. See table.h.
 */
#include "table.h"

static const struct krg_kddm_rule rules[] = {
	RULE(200, GET, IN(W), DIR_LOST, SAME, 0,
	     "the only copy died", A(DIR_LOST)),
	RULE(201, GET, IN(W), DIR_FIRST, I, 0,
	     "first touch: it gets ownership, blank", A(DIR_FIRST)),
	RULE(202, GET, IN(IS), DIR_FIRST_OWN, SAME, 0,
	     "our own first touch", A(DIR_FIRST)),
	RULE(203, GET, IN(IS), DIR_OWN, SAME, 0,
	     "our own miss: we serve the others from now on", A(DIR_READ_OWN)),
	RULE(204, GET, ANY, DIR_NEW, SAME, 0,
	     "one more copy, from the owner", A(DIR_READ)),
	RULE(205, GET, ANY, ALWAYS, SAME, -EPROTO,
	     "it has a copy"),

	RULE(210, GRAB, IN(W), DIR_LOST, SAME, 0,
	     "the only copy died", A(DIR_LOST)),
	RULE(211, GRAB, IN(W), DIR_FIRST, I, 0,
	     "first touch", A(DIR_FIRST)),
	RULE(212, GRAB, IN(IW), DIR_FIRST_OWN, SAME, 0,
	     "our own first touch", A(DIR_FIRST)),
	RULE(213, GRAB, ANY, DIR_OWNER, SAME, 0,
	     "the owner: the other copies go", A(DIR_KEEP)),
	RULE(214, GRAB, ANY, DIR_UPGRADE, SAME, 0,
	     "a sharer becomes owner, the other copies go", A(DIR_UPGRADE)),
	RULE(215, GRAB, ANY, DIR_GRAB, SAME, 0,
	     "a new owner, the copies go", A(DIR_GRAB)),
	RULE(216, GRAB, ANY, ALWAYS, SAME, -EPROTO,
	     "no directory"),

	RULE(220, DROP, ANY, DIR_DROP, SAME, 0,
	     "one copy fewer", A(DIR_DROP), A(SEND_DROPPED)),
	RULE(221, DROP, ANY, DIR_GONE, SAME, 0,
	     "its INV crosses this", A(SEND_DROPPED)),
	RULE(222, DROP, ANY, ALWAYS, SAME, -EPROTO,
	     "the owner may not"),

	RULE(230, EVICT, ANY, EVICT_STALE, SAME, 0,
	     "it is owner no more"),
	RULE(231, EVICT, ANY, EVICT_NOMEM, SAME, 0,
	     "no room here", A(DENY_NOMEM)),
	RULE(232, EVICT, IN(I), EVICT_ALONE, IW, 0,
	     "take the only copy", A(ASK_GRAB)),
	RULE(233, EVICT, IN(I), EVICT_SHARED, IS, 0,
	     "take over serving the others", A(ASK_GET)),
	RULE(234, EVICT, ANY, EVICT_BUSY, SAME, 0,
	     "not now", A(SEND_DENY)),
	RULE(235, EVICT, ANY, ALWAYS, SAME, -EPROTO,
	     "from ourselves"),

	RULE(240, ASK, ANY, DO, SAME, 0,
	     "something to be done here", A(DO)),
	RULE(241, ASK, ANY, ALWAYS, SAME, -EPROTO,
	     "no such thing"),
};

const struct krg_kddm_table krg_kddm_table_dir = {
	.rule = rules,
	.count = ARRAY_SIZE(rules),
	.name = "messages to the manager",
};
