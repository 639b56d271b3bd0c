/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vhbad: options and start. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon.h"
#include "log-queue.h"
#include "log.h"
#include "monotime.h"
#include "sysroot.h"

#define LOG_US USEC_PER_SEC /* for the last lines, at the end */

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'}, {"check-config", no_argument, NULL, 'C'},
	{"print-config", no_argument, NULL, 'P'}, {"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},	  {NULL, 0, NULL, 0},
};

static const char usage[] =
	"usage: vhbad [--config FILE] [--check-config | --print-config] [--version] [--help]\n"
	"  --config FILE    default: " VHBA_CONFIG_PATH "\n"
	"  --check-config   say whether the file is good, and end\n"
	"  --print-config   print what is in force, such that it can be read again, and end\n";

static void on_down(struct daemon *d)
{
	sd_event_exit(d->loop, 0);
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *user)
{
	struct daemon *d = user;

	(void)s;
	(void)si;
	if (d->stopping)
		return 0;
	sd_notify(0, "STOPPING=1");
	d->stopping = true;
	fcoe_stop(d, on_down);
	return 0;
}

static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int complain(const struct verror *e)
{
	char line[1024];

	fprintf(stderr, "vhbad: %s\n", verror_line(e, line, sizeof(line)));
	return vhba_error_exit(e->kind);
}

static int serve(struct config *cfg)
{
	struct verror e = {.kind = VHBA_OK};
	enum log_level level = LOG_LEVEL_INFO;
	struct daemon d;
	int r;

	log_level_parse(cfg->log_level, &level);
	log_open("vhbad", level);
	block_signals();
	r = daemon_init(&d, cfg, &e);
	if (r < 0) {
		if (!e.kind)
			verror_set(&e, VHBA_E_INTERNAL, "%s", strerror(-r));
		r = complain(&e);
	} else {
		log_queue_start(); /* without, lines are written at once */
		sd_event_add_signal(d.loop, NULL, SIGTERM, on_signal, &d);
		sd_event_add_signal(d.loop, NULL, SIGINT, on_signal, &d);
		sd_notify(0, "READY=1");
		log_notice("ready: %u VMs registered", registry_count(d.reg));
		r = sd_event_loop(d.loop);
	}
	daemon_free(&d);
	log_queue_stop(LOG_US);
	return r;
}

int main(int argc, char **argv)
{
	const char *path = VHBA_CONFIG_PATH;
	enum { SERVE, CHECK, PRINT } mode = SERVE;
	struct config *cfg;
	struct verror e;
	int o, r = 0;

	while ((o = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (o == 'c')
			path = optarg;
		else if (o == 'C')
			mode = CHECK;
		else if (o == 'P')
			mode = PRINT;
		else if (o == 'V')
			return puts("vhbad " PACKAGE_VERSION), 0;
		else
			return fputs(usage, o == 'h' ? stdout : stderr), o == 'h' ? 0 : 2;
	}
	if (optind < argc)
		return fputs(usage, stderr), 2;
	sysroot_set(NULL);
	cfg = config_load(path, &e);
	if (!cfg)
		return complain(&e);
	if (mode == SERVE)
		r = serve(cfg);
	else if (mode == PRINT)
		config_print(cfg, stdout);
	else
		printf("%s is good: %u VSANs, %u zones\n", path, cfg->vsans_n, cfg->zones_n);
	config_free(cfg);
	return r;
}
