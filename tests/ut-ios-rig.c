/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "op.h"
#include "ut-ios-rig.h"
#include "ut-privq.h"

struct ios_rig rig = {.front = -1};

/* ---- the daemon ---- */

void rig_run(void)
{
	ut_privq_run(&rig.d, 10 * USEC_PER_MSEC);
	registry_dispatch(rig.d.reg, mono_now());
}

void rig_written(void *arg, const struct verror *why)
{
	*(bool *)arg = true;
	CU_ASSERT_PTR_NULL(why);
}

const struct reg_vm *rig_vm(void)
{
	return registry_find(rig.d.reg, "db1");
}

static void import(const struct reg_vm *rv)
{
	bool done = false;

	CU_ASSERT_EQUAL_FATAL(registry_import(rig.d.reg, rv, rig_written, &done, &rig.e), 0);
	UNTIL(done);
}

/* A VM with files, and with an array's LUN if it has a vhba. */
void rig_register(enum reg_io_kind kind, bool vhba, bool gate, const char *file)
{
	char zones[] = "db";
	struct reg_lun lun = {.designator = "naa.60020000000000000000000000000000",
			      .target = 0x500601600000000a};
	struct reg_vhba v = {.vsan = 10,
			     .wwpn = WWPN,
			     .wwnn = 0x502ab30000000002,
			     .known = true,
			     .zones = zones,
			     .luns_n = 1,
			     .luns = &lun};
	struct reg_guest_lun files[2] = {{.number = 4, .serial = "four"}, {.number = 7, .serial = "seven"}};
	struct reg_vm rv = {.uuid = UUID,
			    .name = "db1",
			    .owner = "here",
			    .io = {.kind = kind, .gate = gate},
			    .vhbas_n = vhba,
			    .vhbas = &v,
			    .guest_luns_n = file ? 2 : 0,
			    .guest_luns = files};

	snprintf(files[0].file, sizeof(files[0].file), "%s", file ? file : "");
	snprintf(files[1].file, sizeof(files[1].file), "/nothing/b");
	import(&rv);
}

void rig_register_paths(void)
{
	char zones[] = "db";
	struct reg_lun luns[2] = {
		{.designator = "naa.60020000000000000000000000000000", .target = 0x500601600000000b},
		{.designator = "naa.60020000000000000000000000000000", .target = 0x500601600000000a},
	};
	struct reg_vhba v = {.vsan = 10,
			     .wwpn = WWPN,
			     .wwnn = 0x502ab30000000002,
			     .known = true,
			     .zones = zones,
			     .luns_n = 2,
			     .luns = luns};
	struct reg_vm rv = {.uuid = UUID,
			    .name = "db1",
			    .owner = "here",
			    .io = {.kind = REG_IO_SCSI, .paths_guest = true},
			    .vhbas_n = 1,
			    .vhbas = &v};

	import(&rv);
}

/* No write of it is told as late: that would be of the disk, which the tests share with what is built. */
static int open_registry(void)
{
	rig.d.reg = registry_open(rig.state_dir, 2 * PATIENCE, &rig.e);
	return rig.d.reg ? 0 : -1;
}

void rig_reopen_registry(void)
{
	registry_close(rig.d.reg);
	CU_ASSERT_EQUAL_FATAL(open_registry(), 0);
}

/* Where the stand-in is: beside this program. */
static int find_program(void)
{
	char own[PATH_MAX] = "";
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (n <= 0)
		return 1;
	*strrchr(own, '/') = '\0';
	/* libtool's own programs are in a folder below */
	if (strlen(own) > 6 && !strcmp(own + strlen(own) - 6, "/.libs"))
		own[strlen(own) - 6] = '\0';
	snprintf(rig.program, sizeof(rig.program), "%.*s/io-stand-in", PATH_MAX - 20, own);
	return 0;
}

int rig_begin(void)
{
	char folder[96];

	if (find_program())
		return 1;
	ut_memdir(rig.run_dir, sizeof(rig.run_dir));
	mkdir(strcat(strcpy(folder, rig.run_dir), "/log"), 0700);
	rig.cfg = (struct config){.run_dir = rig.run_dir,
				  .io_program = rig.program,
				  .io_group = (char *)"",
				  .io_workers = 1,
				  .io_deadline = USEC_PER_SEC,
				  .log_level = (char *)"info",
				  .host_name = (char *)"here",
				  .margin = 5 * USEC_PER_MSEC,
				  .drain = 500 * USEC_PER_MSEC,
				  .hold = 60 * USEC_PER_SEC,
				  .dev_loss = 60,
				  .fast_io_fail = -1};
	rig.d = (struct daemon){.cfg = &rig.cfg, .last_op_id = rig.d.last_op_id};
	TAILQ_INIT(&rig.d.vms);
	TAILQ_INIT(&rig.d.ops);
	TAILQ_INIT(&rig.d.fcoe);
	TAILQ_INIT(&rig.d.watchers);
	TAILQ_INIT(&rig.d.handovers);
	eventlog_init(&rig.d.events);
	ut_privq_up(&rig.d);
	tree_new();
	tree_parent(2, "eth0.10f", "0x20000200000a0001");
	fc_inventory_init(&rig.d.inv, NULL, NULL);
	ut_memdir(rig.state_dir, sizeof(rig.state_dir));
	return open_registry() || !ios_new(&rig.d);
}

struct io *rig_io(void)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(TAILQ_FIRST(&rig.d.ios->list));
	return TAILQ_FIRST(&rig.d.ios->list);
}

int rig_finish(void)
{
	struct monotime stop = mono_add(mono_now(), PATIENCE);

	ios_end(&rig.d, UUID);
	while (!TAILQ_EMPTY(&rig.d.ios->list) && !mono_reached(stop, mono_now()))
		rig_run();
	while (!TAILQ_EMPTY(&rig.d.ops))
		op_leave(TAILQ_FIRST(&rig.d.ops));
	while (!TAILQ_EMPTY(&rig.d.vms))
		vm_free(&rig.d.vms, TAILQ_FIRST(&rig.d.vms));
	ios_free(rig.d.ios);
	sd_event_source_disable_unref(rig.d.registry_timer);
	ut_privq_down(&rig.d);
	registry_close(rig.d.reg);
	fc_inventory_clear(&rig.d.inv);
	eventlog_clear(&rig.d.events);
	return 0;
}

void rig_start(void)
{
	CU_ASSERT_EQUAL_FATAL(ios_start(&rig.d, rig_vm(), rig_vm()->io.gate, &rig.e), 0);
	UNTIL(rig_io()->machine.state == IO_UP);
}

/* ---- the front end ---- */

void rig_connect(const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/io/db1/%s.sock", rig.run_dir, name);
	rig.front = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CU_ASSERT_EQUAL_FATAL(connect(rig.front, (struct sockaddr *)&a, sizeof(a)), 0);
}

/* What the back end answers to a byte, whichever process it is. */
const char *rig_ask(char byte)
{
	struct monotime stop = mono_add(mono_now(), PATIENCE);
	size_t n = 0;

	CU_ASSERT_EQUAL(send(rig.front, &byte, 1, MSG_NOSIGNAL), 1);
	memset(rig.line, 0, sizeof(rig.line));
	while (!mono_reached(stop, mono_now())) {
		if (recv(rig.front, rig.line + n, 1, MSG_DONTWAIT) != 1) {
			rig_run();
			continue;
		}
		if (rig.line[n++] != '\n')
			continue;
		rig.line[n - 1] = '\0';
		return rig.line;
	}
	CU_FAIL_FATAL("no answer");
	return rig.line;
}

bool rig_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		printf("# '%s' has no '%s'\n", text, part);
	return strstr(text, part) != NULL;
}

void rig_disconnect(void)
{
	close(rig.front);
	rig.front = -1;
}

/* Byte 'k' kills it: what the next one says to the next byte. */
void rig_kill(void)
{
	pid_t was = rig_io()->pid;

	CU_ASSERT_EQUAL(send(rig.front, "k", 1, MSG_NOSIGNAL), 1);
	UNTIL(rig_io()->pid && rig_io()->pid != was && rig_io()->machine.state == IO_UP);
}

void rig_told(void *user, const char *why)
{
	if (why)
		printf("# %s\n", why);
	*(int *)user = why ? -1 : 1;
}

/* ---- an array's LUNs ---- */

struct vm *rig_attach(int host)
{
	return rig_attach_with(host, "sdb");
}

struct vm *rig_attach_with(int host, const char *second)
{
	struct vm *vm = vm_find(&rig.d.vms, UUID);

	tree_vport(2, 3, host, "0x502ab30000000001");
	tree_rport(host, 0, "0x500601600000000a", true);
	tree_rport(host, 1, "0x500601600000000b", true);
	if (!second || *second)
		tree_disk(host, 0, 0, "sda");
	if (second && *second)
		tree_disk(host, 1, 0, second);
	fc_inventory_clear(&rig.d.inv);
	fc_inventory_init(&rig.d.inv, NULL, NULL);
	UT_EQ(fc_inventory_scan(&rig.d.inv), 0);
	if (!vm)
		vm = vm_new(&rig.d.vms, UUID, "db1");
	vm->count = 1;
	vm->vhba[0] = (struct vm_vhba){
		.wwpn = WWPN, .wwnn = 0x502ab30000000002, .host = host, .parent_host = 2, .number = 3};
	vm_set_state(vm, VM_ATTACHED);
	return vm;
}

bool rig_next_verb(struct priv_request *q)
{
	struct monotime stop = mono_add(mono_now(), PATIENCE);

	while (!ut_privq_next(q)) {
		if (mono_reached(stop, mono_now()))
			return false;
		rig_run();
	}
	return true;
}

bool rig_verb_waits(void)
{
	struct priv_request q;

	rig_run();
	return ut_privq_next(&q);
}

/* vhba-priv opens a path, which has a bsg node on host 6; err: it can't. */
void rig_open_path(int host, int err)
{
	struct priv_request q;

	CU_ASSERT_TRUE_FATAL(rig_next_verb(&q));
	rig_answer_open(&q, host, err);
}

void rig_answer_open(const struct priv_request *asked, int host, int err)
{
	struct priv_request q = *asked;
	struct priv_reply r = {.version = PRIV_VERSION, .err = err};
	char digit = (char)('0' + q.target);

	UT_EQ(q.verb, PRIV_LUN_OPEN);
	UT_EQ(q.host, host);
	UT_EQ(q.wwpn, WWPN);
	UT_STREQ(q.text, "naa.60020000000000000000000000000000");
	r.id = q.id;
	r.verb = q.verb;
	if (!err) {
		r.number = host == 6 ? PRIV_LUN_BSG | PRIV_LUN_STATE | PRIV_LUN_ACCESS : 0;
		r.fds = host == 6 ? 5 : 2;
		for (unsigned i = 0; i < r.fds; i++)
			r.fd[i] = memfd_create("node", MFD_CLOEXEC);
		UT_EQ(write(r.fd[0], &digit, 1), 1);
	}
	UT_EQ(priv_reply_send(ut_helper, &r, 0), sizeof(r));
	rig_run();
}

bool rig_reads_sizes(struct priv_request *q)
{
	while (rig_next_verb(q))
		if (q->verb == PRIV_READ_SIZES)
			return true;
	return false;
}

void rig_answer(const struct priv_request *q, struct priv_reply r)
{
	ut_privq_reply(&rig.d, q, r);
}
