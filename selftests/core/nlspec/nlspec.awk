# SPDX-License-Identifier: GPL-2.0-only
# From krg.yaml, as it is written here (lists of one-line maps), the C
# assertions that krg_netlink.h must meet: every name has the number of its
# place, nothing follows the last, structs have the members' sizes and places.
function upper(s) { gsub(/-/, "_", s); return toupper(s) }
function lower(s) { gsub(/-/, "_", s); return s }
function field(line, key,    s) {
	s = line
	if (!sub(".*[{ ]" key ": *", "", s))
		return ""
	sub(/[,}].*/, "", s)
	return s
}
function assert_value(name, value) { printf "_Static_assert(%s == %s, \"%s\");\n", name, value, name }
function close_set() {
	if (set == "krg")
		assert_value("__KRG_A_MAX", n + 1)
	else if (set != "")
		assert_value("__KRG_A_" upper(set) "_MAX", n + 1)
	set = ""
}
function close_struct() {
	if (struct != "")
		printf "_Static_assert(sizeof(struct krg_%s) == %d, \"size of %s\");\n", lower(struct), size, struct
	struct = ""
}
function size_of(type, line) {
	if (type ~ /^[us]8$/)
		return 1
	if (type ~ /^[us]32$/)
		return 4
	if (type ~ /^[us]64$/)
		return 8
	return field(line, "len")
}
/^[a-z]/ { close_set(); close_struct(); section = $1; next }
section == "definitions:" && $1 == "name:" { close_struct(); name = $2 }
section == "definitions:" && $1 == "type:" { type = $2; if (type == "struct") { struct = name; size = 0 } }
section == "definitions:" && $1 == "entries:" {
	list = $0
	sub(/.*\[/, "", list)
	sub(/\].*/, "", list)
	count = split(list, entry, /, */)
	for (i = 1; i <= count; i++)
		assert_value("KRG_" upper(enum_prefix) upper(entry[i]), type == "flags" ? "1U << " i - 1 : i - 1)
	if (type == "enum")
		printf "enum_size(krg_nl_%s, %d)\n", lower(name), count
}
section == "definitions:" && $1 == "name-prefix:" { enum_prefix = $2; sub(/^krg-/, "", enum_prefix) }
section == "definitions:" && /- {name:/ {
	printf "_Static_assert(offsetof(struct krg_%s, %s) == %d, \"%s\");\n", lower(struct), lower(field($0, "name")), size, field($0, "name")
	size += size_of(field($0, "type"), $0)
}
section == "attribute-sets:" && $1 == "name:" { close_set(); set = $2; n = 0 }
section == "attribute-sets:" && $1 == "name-prefix:" { prefix = upper($2) }
section == "attribute-sets:" && /- {name:/ { assert_value(prefix upper(field($0, "name")), ++n) }
section == "operations:" && $1 == "name-prefix:" { prefix = upper($2) }
section == "operations:" && $1 == "name:" { assert_value(prefix upper($2), ++ops) }
section == "mcast-groups:" && $1 == "name:" { printf "_Static_assert(sizeof(KRG_GENL_GROUP_EVENTS) == %d, \"group\");\n", length($2) + 1 }
END { close_set(); assert_value("__KRG_CMD_MAX", ops + 1) }
