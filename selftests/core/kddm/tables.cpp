// SPDX-License-Identifier: GPL-2.0-only
/* tables: the rules as Markdown, for Documentation/kddm-protocol.md. tables -n: their numbers, "error" after those of a
 * peer. */
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "core.hpp"

namespace
{

std::string lower(const char *s)
{
	std::string out;

	for (; *s; s++)
		out += *s == '_' ? ' ' : static_cast<char>(*s >= 'A' && *s <= 'Z' ? *s + 32 : *s);
	return out;
}

std::string states(unsigned set)
{
	std::string out;

	if (set == ANY)
		return "any";
	for (unsigned s = 0; s < KRG_KDDM_STATES; s++)
		if (set >> s & 1)
			out += (out.empty() ? "" : " ") + std::string(krg_kddm_state_name(s));
	return out;
}

std::string result(const krg_kddm_table *t, int r)
{
	switch (r) {
	case KRG_KDDM_DONE:
		return t == &krg_kddm_table_ops ? "done" : "";
	case KRG_KDDM_WAIT:
		return "wait";
	case KRG_KDDM_LATER:
		return "later";
	case -EPROTO:
		return "**error**";
	default:
		return strerrorname_np(-r);
	}
}

void print(const krg_kddm_table *t)
{
	std::printf("### %s\n\n| # | event | state | if | to | actions | result | |\n| --- | --- | --- | --- | --- | "
		    "--- | --- | --- |\n",
		    t->name);
	for (unsigned i = 0; i < t->count; i++) {
		const krg_kddm_rule &r = t->rule[i];
		std::string acts;

		for (unsigned k = 0; k < KRG_KDDM_RULE_ACTS && r.act[k]; k++)
			acts += (k ? ", " : "") + lower(krg_kddm_act_name(r.act[k]));
		std::printf("| %u | %s | %s | %s | %s | %s | %s | %s |\n", r.nr, krg_kddm_event_name(r.event),
			    states(r.states).c_str(), r.guard ? lower(krg_kddm_guard_name(r.guard)).c_str() : "",
			    r.next == KRG_KDDM_SAME ? "" : krg_kddm_state_name(r.next), acts.c_str(),
			    result(t, r.result).c_str(), r.note);
	}
	std::printf("\n");
}

} // namespace

int main(int argc, char **argv)
{
	const krg_kddm_table *all[] = {&krg_kddm_table_ops,   &krg_kddm_table_dir,     &krg_kddm_table_copy,
				       &krg_kddm_table_drain, &krg_kddm_table_rebuild, &krg_kddm_table_view};
	bool numbers = argc > 1 && !std::strcmp(argv[1], "-n");

	for (const krg_kddm_table *t : all) {
		if (!numbers) {
			print(t);
			continue;
		}
		for (unsigned i = 0; i < t->count; i++)
			std::printf("%u %s\n", t->rule[i].nr, t->rule[i].result == -EPROTO ? "error" : "rule");
	}
	if (numbers)
		std::printf("1 error\n2 error\n3 error\n4 error\n");
}
