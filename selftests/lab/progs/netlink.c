// SPDX-License-Identifier: GPL-2.0-only
/*
 * netlink policy: messages of the krg family that break one rule each are refused, and
 * those that break none are answered.
 * netlink fuzz TIMES SEED: random messages. As root none of those that could change the
 * cluster, or anybody's process, is without fault. Prints how many of each errno came.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <krg/krg_netlink.h>

struct message {
	struct nlmsghdr head;
	struct genlmsghdr genl;
	char attrs[4096];
};

static int sock, family, wrong;

static void put(struct message *m, unsigned int type, const void *data, size_t len)
{
	struct nlattr *attr = (struct nlattr *)((char *)m + NLMSG_ALIGN(m->head.nlmsg_len));

	if (NLMSG_ALIGN(m->head.nlmsg_len) + NLA_ALIGN(NLA_HDRLEN + len) > sizeof(*m))
		return;
	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	memcpy(attr + 1, data, len);
	m->head.nlmsg_len = NLMSG_ALIGN(m->head.nlmsg_len) + NLA_ALIGN(attr->nla_len);
}

static void begin(struct message *m, int type, int cmd, int flags)
{
	memset(m, 0, sizeof(*m));
	m->head.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	m->head.nlmsg_type = type;
	m->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	m->genl.cmd = cmd;
	m->genl.version = 1;
}

/* Sends; eats all that is answered. Returns 0 or the errno; *answers counts messages but the last. */
static int ask(struct message *m, int *answers, void (*look)(const struct nlmsghdr *))
{
	static char buffer[65536];
	static __u32 seq;

	m->head.nlmsg_seq = ++seq;
	*answers = 0;
	if (send(sock, m, m->head.nlmsg_len, 0) < 0)
		return errno;
	for (;;) {
		ssize_t len = recv(sock, buffer, sizeof(buffer), 0);
		struct nlmsghdr *head = (struct nlmsghdr *)buffer;

		if (len < 0)
			return errno;
		for (; NLMSG_OK(head, (size_t)len); head = NLMSG_NEXT(head, len)) {
			if (head->nlmsg_seq != seq)
				continue;
			if (head->nlmsg_type == NLMSG_ERROR)
				return -((struct nlmsgerr *)NLMSG_DATA(head))->error;
			if (head->nlmsg_type == NLMSG_DONE)
				return -*(int *)NLMSG_DATA(head);
			++*answers;
			if (look)
				look(head);
		}
	}
}

static void find_family(const struct nlmsghdr *head)
{
	const char *end = (const char *)head + head->nlmsg_len;
	const struct nlattr *attr = (const struct nlattr *)((const char *)NLMSG_DATA(head) + GENL_HDRLEN);

	for (; (const char *)attr < end; attr = (const struct nlattr *)((const char *)attr + NLA_ALIGN(attr->nla_len)))
		if (attr->nla_type == CTRL_ATTR_FAMILY_ID)
			family = *(const __u16 *)(attr + 1);
}

static const struct {
	int cmd, flags;
	int attr;	/* -1: none */
	int len;
	long long value;
} bad[] = {
	{ KRG_CMD_UNSPEC, 0, -1, 0, 0 },
	{ KRG_CMD_EVENT, 0, -1, 0, 0 },
	{ KRG_CMD_MAX + 1, 0, -1, 0, 0 },
	{ KRG_CMD_FREEZE, NLM_F_DUMP, KRG_A_PID, 4, 1 },
	{ KRG_CMD_NODES_GET, 0, -1, 0, 0 },
	{ KRG_CMD_KEY_SET, 0, -1, 0, 0 },
	{ KRG_CMD_KEY_SET, 0, KRG_A_KEY, KRG_KEY_MIN - 1, 0 },
	{ KRG_CMD_KEY_SET, 0, KRG_A_KEY, KRG_KEY_MAX + 1, 0 },
	{ KRG_CMD_CLUSTER_STOP, 0, KRG_A_FLAGS, 4, 4 },
	{ KRG_CMD_CLUSTER_STOP, 0, KRG_A_FLAGS, 4, KRG_STOP_POWEROFF | KRG_STOP_REBOOT },
	{ KRG_CMD_CLUSTER_STOP, 0, KRG_A_FLAGS, 3, 0 },
	{ KRG_CMD_CLUSTER_STOP, 0, KRG_A_PID, 4, 1 },
	{ KRG_CMD_CLUSTER_START, 0, KRG_A_NODES, KRG_NODES_BYTES - 1, 0 },
	{ KRG_CMD_CLUSTER_START, 0, KRG_A_FLAGS, 4, 1 << 30 },
	{ KRG_CMD_NODES_ADD, 0, KRG_A_NODES, KRG_NODES_BYTES + 1, 0 },
	{ KRG_CMD_NODES_DEL, 0, KRG_A_MAX + 1, 4, 0 },
	{ KRG_CMD_PS_GET, NLM_F_DUMP, KRG_A_NODE, 4, 256 },
	{ KRG_CMD_PS_GET, NLM_F_DUMP, KRG_A_FLAGS, 4, 2 },
	{ KRG_CMD_STAT_GET, NLM_F_DUMP, KRG_A_NODE, 2, 1 },
	{ KRG_CMD_FREEZE, 0, -1, 0, 0 },
	{ KRG_CMD_FREEZE, 0, KRG_A_PID, 4, 0 },
	{ KRG_CMD_FREEZE, 0, KRG_A_APPID, 4, -1 },
	{ KRG_CMD_UNFREEZE, 0, KRG_A_SIGNAL, 4, 65 },
	{ KRG_CMD_CHECKPOINT, 0, KRG_A_DIRFD, 4, -1 },
	{ KRG_CMD_CHECKPOINT, 0, KRG_A_FLAGS, 4, 1 << 9 },
	{ KRG_CMD_RESTART, 0, -1, 0, 0 },
	{ KRG_CMD_RESTART, 0, KRG_A_DIRFD, 8, 3 },
	{ KRG_CMD_RESTART, 0, KRG_A_SUBSTITUTE, 3, 0 },
	{ KRG_CMD_NODE_CONFIG, 0, KRG_A_NET_DEV, 99, 0x3030303030303030 },
	{ KRG_CMD_NODE_CONFIG, 0, KRG_A_SESSION, 1, 1 },
};

/* What may be asked, and how many messages answer at least. */
static const struct {
	int cmd, flags, answers;
} good[] = {
	{ KRG_CMD_HOOK_FEATURES, 0, 1 }, { KRG_CMD_KEY_INFO, 0, 1 },
	{ KRG_CMD_CLUSTER_STATUS, 0, 1 }, { KRG_CMD_NODES_GET, NLM_F_DUMP, 2 },
	{ KRG_CMD_PS_GET, NLM_F_DUMP, 1 }, { KRG_CMD_STAT_GET, NLM_F_DUMP, 2 },
	{ KRG_CMD_COUNTERS_GET, NLM_F_DUMP, 1 },
};

static void policy(void)
{
	struct message m;
	char data[4096];
	int answers, err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(data, 0, sizeof(data));
		memcpy(data, &bad[i].value, sizeof(bad[i].value));
		begin(&m, family, bad[i].cmd, bad[i].flags);
		if (bad[i].attr >= 0)
			put(&m, bad[i].attr, data, bad[i].len);
		err = ask(&m, &answers, NULL);
		if ((err != EINVAL && err != ERANGE && err != EOPNOTSUPP) || answers) {
			printf("row %zu, command %d, attribute %d: %s\n", i, bad[i].cmd, bad[i].attr, strerror(err));
			wrong = 1;
		}
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		begin(&m, family, good[i].cmd, good[i].flags);
		err = ask(&m, &answers, NULL);
		if (err || answers < good[i].answers) {
			printf("command %d: %s, %d answers\n", good[i].cmd, strerror(err), answers);
			wrong = 1;
		}
	}
}

static bool changes(int cmd)
{
	switch (cmd) {
	case KRG_CMD_KEY_SET:
	case KRG_CMD_NODE_CONFIG:
	case KRG_CMD_CLUSTER_START:
	case KRG_CMD_CLUSTER_STOP:
	case KRG_CMD_NODES_ADD:
	case KRG_CMD_NODES_DEL:
	case KRG_CMD_FREEZE:
	case KRG_CMD_UNFREEZE:
	case KRG_CMD_CHECKPOINT:
	case KRG_CMD_RESTART:
		return true;
	}
	return false;
}

static void fuzz(long times)
{
	long seen[134] = { 0 };
	struct message m;
	char data[512];
	int answers, err;

	while (times-- > 0) {
		begin(&m, family, random() % (KRG_CMD_MAX + 3), random() % 3 ? 0 : NLM_F_DUMP);
		for (int n = random() % 4; n; n--) {
			for (size_t i = 0; i < sizeof(data); i++)
				data[i] = random() % 3 ? 0 : random();
			put(&m, random() % (KRG_A_MAX + 3) | (random() % 8 ? 0 : NLA_F_NESTED), data,
			    random() % 2 ? 4 : random() % sizeof(data));
		}
		if (!geteuid() && changes(m.genl.cmd))
			put(&m, KRG_A_MAX + 1, data, 4);
		else if (!(random() % 16))	/* cut off, inside an attribute perhaps */
			m.head.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN) + random() % (m.head.nlmsg_len - NLMSG_LENGTH(0) + 1);
		err = ask(&m, &answers, NULL);
		if (!err && changes(m.genl.cmd)) {
			printf("command %d was accepted\n", m.genl.cmd);
			wrong = 1;
		}
		seen[err > 0 && err < 133 ? err : err ? 133 : 0]++;
	}
	for (int i = 0; i < 134; i++)
		if (seen[i])
			printf("%s%s: %ld\n", wrong ? "" : "# ", strerror(i), seen[i]);
	/* Some must have got through to be answered, or nothing was tried. */
	if (!seen[0])
		wrong = 1;
}

int main(int argc, char **argv)
{
	struct message m;
	int answers;

	if (argc < 2)
		return 2;
	sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	begin(&m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	put(&m, CTRL_ATTR_FAMILY_NAME, KRG_GENL_NAME, sizeof(KRG_GENL_NAME));
	if (sock < 0 || ask(&m, &answers, find_family) || !family) {
		puts("there is no such family");
		return 1;
	}
	if (argc > 3)
		srandom(atol(argv[3]));
	if (!strcmp(argv[1], "policy"))
		policy();
	else
		fuzz(argc > 2 ? atol(argv[2]) : 1000);
	return wrong;
}
