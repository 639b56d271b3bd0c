/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>

#include "ctl.h"

int main(int argc, char **argv)
{
	struct vhba_error e = {0};
	struct ctl ctl;
	int r;

	setlocale(LC_ALL, "");
	r = ctl_parse(&ctl, argc, argv, &e) ? ctl_fail(&ctl, &e) : ctl_run(&ctl);
	ctl_clear(&ctl);
	if (fflush(stdout) && !r)
		r = VHBA_EXIT_OTHER;
	return r;
}
