/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "cleanup.h"
#include "domains.h"
#include "follow.h"
#include "handover.h"
#include "history.h"
#include "reservations.h"
#include "ios.h"
#include "log.h"
#include "op.h"
#include "pools.h"
#include "privq.h"

void daemon_event(struct daemon *d, const char *kind, const char *vm, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	follow_tell(d, eventlog_add(&d->events, kind, vm, "%s", text));
	if (strcmp(kind, "operation"))
		log_debug("%s%s%s", vm ? vm : "", vm ? ": " : "", text);
	else
		log_info("%s%s%s", vm ? vm : "", vm ? ": " : "", text);
}

void daemon_timer(struct daemon *d, sd_event_source **source, struct monotime t, sd_event_time_handler_t fn,
		  void *user)
{
	if (t.us == MONOTIME_NEVER.us) {
		if (*source)
			sd_event_source_set_enabled(*source, SD_EVENT_OFF);
		return;
	}
	if (!*source) {
		/* accuracy 1 us: a deadline is a deadline, and no timer runs when nothing is under way */
		sd_event_add_time(d->loop, source, CLOCK_MONOTONIC, t.us, 1, fn, user);
		return;
	}
	sd_event_source_set_time(*source, t.us);
	sd_event_source_set_enabled(*source, SD_EVENT_ONESHOT);
}

void daemon_deadline(struct daemon *d, sd_event_source **source, struct monotime t,
		     sd_event_time_handler_t fn, void *user)
{
	daemon_timer(d, source, t, fn, user);
	if (*source)
		sd_event_source_set_priority(*source, SD_EVENT_PRIORITY_IMPORTANT / 2);
}

/* ---- the registry's completions ---- */

static int on_registry_late(sd_event_source *s, uint64_t usec, void *user)
{
	struct daemon *d = user;

	(void)s;
	(void)usec;
	registry_dispatch(d->reg, mono_now());
	handover_retry(d);
	daemon_registry_changed(d);
	return 0;
}

static int on_registry(sd_event_source *s, int fd, uint32_t revents, void *user)
{
	(void)fd;
	(void)revents;
	return on_registry_late(s, 0, user);
}

void daemon_registry_changed(struct daemon *d)
{
	daemon_timer(d, &d->registry_timer, registry_due(d->reg), on_registry_late, d);
}

/* ---- the helper ---- */

static void on_late(void *user, const struct priv_reply *r)
{
	struct daemon *d = user;

	/* What ended late may have made or unmade a vport. */
	if (r->verb == PRIV_VPORT_CREATE || r->verb == PRIV_VPORT_DELETE)
		watch_scan(d);
}

/* Without its helper the daemon can do nothing; a new one starts both, and adopts what is there. */
static void on_helper_gone(void *user)
{
	struct daemon *d = user;

	if (d->stopping)
		return;
	log_err("vhba-priv is gone: ending, so that both are started anew");
	sd_event_exit(d->loop, 1);
}

/* For a while: the real and the saved ids stay root's. */
static int act_as(uid_t uid, gid_t gid, struct verror *e)
{
	if (!uid && !seteuid(uid) && !setegid(gid))
		return 0;
	if (uid && !setegid(gid) && !seteuid(uid))
		return 0;
	return verror_set(e, VHBA_E_PERMISSION, "can't act as user %d: %s", (int)uid, strerror(errno));
}

/* Made as the user vhba: root without CAP_DAC_OVERRIDE may not write into a folder that is another's. */
static int open_lock(const struct config *c, const struct passwd *pw, struct verror *e)
{
	bool root = geteuid() == 0;
	AUTO_FD int fd = -1;
	char path[256];

	snprintf(path, sizeof(path), "%s/helper.lock", c->run_dir);
	if (root && act_as(pw->pw_uid, pw->pw_gid, e))
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		verror_set(e, VHBA_E_IO, "%s can't be opened: %s", path, strerror(errno));
	if (root && act_as(0, 0, e))
		return -1;
	return steal_fd(&fd);
}

static int start_helper(struct daemon *d, const struct passwd *pw, struct verror *e)
{
	AUTO_FD int lock = open_lock(d->cfg, pw, e);
	pid_t pid;
	int fd;

	if (lock < 0)
		return -EIO;
	fd = priv_spawn(d->cfg->priv, lock, &pid);
	if (fd < 0)
		return verror_set(e, VHBA_E_IO, "vhba-priv can't be started: %s", strerror(-fd));
	d->privq = privq_new(d->loop, fd, on_late, on_helper_gone, d, e);
	if (!d->privq)
		close(fd);
	return d->privq ? 0 : -EIO;
}

/* ---- privileges ---- */

static int make_dir(const char *path, const struct passwd *pw, struct verror *e)
{
	if (mkdir(path, 0755) && errno != EEXIST)
		return verror_set(e, VHBA_E_IO, "%s can't be made: %s", path, strerror(errno));
	if (pw && chown(path, pw->pw_uid, pw->pw_gid))
		return verror_set(e, VHBA_E_IO, "%s can't be given to %s: %s", path, pw->pw_name,
				  strerror(errno));
	return 0;
}

static int make_dirs(const struct config *c, const struct passwd *pw, struct verror *e)
{
	int r = make_dir(c->run_dir, pw, e);

	return r ? r : make_dir(c->state_dir, pw, e);
}

/* As the user vhba: root without CAP_DAC_OVERRIDE may not write into a folder that is another's. */
static int make_journal_dir(const struct config *c, struct verror *e)
{
	char path[256];
	int r;

	snprintf(path, sizeof(path), "%s/journal", c->run_dir);
	r = make_dir(path, NULL, e);
	if (!r && !journal_dir_in_memory(path, e)) {
		log_warning("%s: %s; %s", path, e->what, e->fix);
		memset(e, 0, sizeof(*e));
	}
	return r;
}

/* vhba-priv keeps root; from here on this process has nothing that is worth stealing. */
static int drop_privileges(const struct passwd *pw, struct verror *e)
{
	if (!pw || geteuid() != 0)
		return 0;
	if (initgroups(pw->pw_name, pw->pw_gid) || setgid(pw->pw_gid) || setuid(pw->pw_uid))
		return verror_set(e, VHBA_E_PERMISSION, "can't become %s: %s", pw->pw_name, strerror(errno));
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return 0;
}

static gid_t group_of(const char *name)
{
	struct group *g = name[0] ? getgrnam(name) : NULL;

	if (name[0] && !g)
		log_warning("there is no group %s: nobody gets its rights", name);
	return g ? g->gr_gid : (gid_t)-1;
}

static int open_control(struct daemon *d, const struct passwd *pw, struct verror *e)
{
	struct proto_acl acl = {.read_gid = group_of(d->cfg->read_group),
				.admin_gid = group_of(d->cfg->admin_group),
				.admin_uid = pw ? pw->pw_uid : (uid_t)-1};

	d->control = control_new(d->loop, d->cfg->socket, &acl, methods_handle, d, e);
	return d->control ? 0 : -EIO;
}

/* ---- set-up ---- */

static void init_lists(struct daemon *d, struct config *cfg)
{
	memset(d, 0, sizeof(*d));
	d->cfg = cfg;
	d->started = mono_now();
	/* Grows over restarts within one boot, as the journals and the history need it. */
	d->last_op_id = d->started.us;
	eventlog_init(&d->events);
	TAILQ_INIT(&d->watchers);
	TAILQ_INIT(&d->vms);
	TAILQ_INIT(&d->ops);
	logouts_init(&d->logouts);
	TAILQ_INIT(&d->fcoe);
	TAILQ_INIT(&d->handovers);
	TAILQ_INIT(&d->inv.hosts);
}

int daemon_init(struct daemon *d, struct config *cfg, struct verror *e)
{
	const struct passwd *pw = getpwnam(cfg->user);
	int r;

	init_lists(d, cfg);
	if (geteuid() == 0 && !pw) {
		verror_set(e, VHBA_E_NOT_FOUND, "there is no user %s", cfg->user);
		verror_fix(e, "systemd-sysusers makes it; or set [daemon] user");
		return -ENOENT;
	}
	if (sd_event_default(&d->loop) < 0)
		return verror_set(e, VHBA_E_INTERNAL, "no event loop");
	works_init(&d->works, d->loop);
	r = make_dirs(cfg, geteuid() == 0 ? pw : NULL, e);
	if (!r)
		r = start_helper(d, pw, e);
	/* The receive buffers want root's leave to be large, so the monitor is opened before it is given up.
	 */
	if (!r)
		r = watch_open(d, e);
	if (!r)
		r = drop_privileges(pw, e);
	if (!r)
		r = make_journal_dir(cfg, e);
	if (!r)
		r = history_open(d);
	if (!r)
		r = reservations_open(d);
	if (!r) {
		d->reg = registry_open(cfg->state_dir, cfg->registry_deadline, e);
		r = d->reg ? sd_event_add_io(d->loop, NULL, registry_fd(d->reg), EPOLLIN, on_registry, d)
			   : -EIO;
	}
	if (r >= 0)
		r = fcoe_start(d, e);
	if (r)
		return r;
	watch_scan(d); /* now that the parents that are ours are known */
	if (!ios_new(d)) /* before what was under way with them goes on */
		return verror_set(e, VHBA_E_INTERNAL, "out of memory");
	adopt_all(d);
	ios_adopted(d);
	d->pools = pools_new(d);
	d->domains = domains_new(d);
	if (!d->pools || !d->domains)
		return verror_set(e, VHBA_E_INTERNAL, "out of memory");
	return open_control(d, pw, e);
}

void daemon_free(struct daemon *d)
{
	struct op *op;
	struct vm *vm;

	d->stopping = true;
	follow_free(d);
	while ((op = TAILQ_FIRST(&d->ops)))
		op_leave(op);
	privq_free(d->privq);
	pools_free(steal_ptr(d->pools));
	ios_free(d->ios);
	domains_free(steal_ptr(d->domains));
	while ((vm = TAILQ_FIRST(&d->vms)))
		vm_free(&d->vms, vm);
	control_free(d->control);
	handover_free(d);
	fcoe_free(d);
	watch_close(d);
	registry_close(d->reg);
	eventlog_clear(&d->events);
	sd_event_source_disable_unref(d->registry_timer);
	sd_event_source_disable_unref(d->logout_timer);
	logouts_clear(&d->logouts);
	history_close(d);
	works_clear(&d->works);
	sd_event_unref(d->loop);
}
