/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt's domains, seen from here: what a caller asks of them is handed to vhba-virt (domain.Serve) and its
 * answer (domain.Report) handed back.  Nothing here calls libvirt, nothing is kept.  Loop thread only.
 */
#ifndef VHBA_DOMAINS_H
#define VHBA_DOMAINS_H

#include <json-c/json.h>

#include "daemon.h"

struct domains *domains_new(struct daemon *d); /* NULL: no memory */
void domains_free(struct domains *ds); /* NULL is allowed */

void method_domain_list(struct daemon *d, struct call *call, struct json_object *p);
void method_domain_show(struct daemon *d, struct call *call, struct json_object *p);
void method_domain_bind(struct daemon *d, struct call *call, struct json_object *p);
void method_domain_unbind(struct daemon *d, struct call *call, struct json_object *p);
void method_domain_xml(struct daemon *d, struct call *call, struct json_object *p);
void method_migrate(struct daemon *d, struct call *call, struct json_object *p);
void method_domain_serve(struct daemon *d, struct call *call, struct json_object *p);
void method_domain_report(struct daemon *d, struct call *call, struct json_object *p);

#endif
