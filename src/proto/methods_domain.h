/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shapes of the methods on libvirt's domains. Inside src/proto/methods*.c only. */
#ifndef VHBA_METHODS_DOMAIN_H
#define VHBA_METHODS_DOMAIN_H

#include "method.h"

extern const struct proto_field proto_domain_p[], proto_domain_bind_p[], proto_domain_report_p[],
	proto_domain_xml_p[], proto_migrate_p[];
extern const struct proto_field proto_domain_list_r[], proto_domain_show_r[], proto_domain_serve_r[],
	proto_domain_xml_r[], proto_migrate_r[];

#endif
