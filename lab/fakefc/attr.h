/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The attributes that the drivers' tables choose from. */
#ifndef FAKEFC_ATTR_H
#define FAKEFC_ATTR_H

#include "tree.h"

show_fn show_host_node_name, show_host_port_name, show_host_classes, show_host_fc4s, show_host_speeds,
	show_host_speed, show_host_maxframe, show_host_port_id, show_host_port_type, show_host_port_state,
	show_host_fabric_name, show_host_symbolic_name, show_host_system_hostname, show_host_dev_loss,
	show_host_bind_type, show_host_vports_max, show_host_vports_inuse, show_proc_name,
	show_scsi_host_state;
store_fn store_vport_create, store_vport_delete, store_issue_lip, store_host_dev_loss;

show_fn show_vport_state, show_vport_last_state, show_vport_node_name, show_vport_port_name, show_vport_roles,
	show_vport_type, show_vport_symbolic_name;
store_fn store_vport_symbolic_name, store_vport_delete_self, store_vport_disable;

show_fn show_rport_maxframe, show_rport_classes, show_rport_dev_loss, show_rport_node_name,
	show_rport_port_name, show_rport_port_id, show_rport_roles, show_rport_port_state,
	show_rport_target_id, show_rport_fast_io_fail;
store_fn store_rport_fast_io_fail, store_rport_dev_loss;

show_fn show_lun_state, show_lun_type, show_lun_busy, show_lun_vendor, show_lun_model, show_disk_size;

/* What every FC host shows and takes (SETUP_PRIVATE_*), and what it must show to be one. */
#define HOST_ATTRS                                                                                           \
	{.name = "node_name", .show = show_host_node_name},                                                  \
		{.name = "port_name", .show = show_host_port_name},                                          \
		{.name = "supported_classes", .show = show_host_classes},                                    \
		{.name = "supported_speeds", .show = show_host_speeds},                                      \
		{.name = "speed", .show = show_host_speed}, {.name = "port_id", .show = show_host_port_id},  \
		{.name = "port_type", .show = show_host_port_type},                                          \
		{.name = "port_state", .show = show_host_port_state},                                        \
		{.name = "fabric_name", .show = show_host_fabric_name},                                      \
		{.name = "symbolic_name", .show = show_host_symbolic_name},                                  \
		{.name = "dev_loss_tmo", .show = show_host_dev_loss, .store = store_host_dev_loss},          \
	{                                                                                                    \
		.name = "tgtid_bind_type", .show = show_host_bind_type                                       \
	}

/* Of lpfc and the users of libfc */
#define HOST_ATTRS_FC4                                                                                       \
	{.name = "supported_fc4s", .show = show_host_fc4s}, {.name = "active_fc4s", .show = show_host_fc4s}, \
	{                                                                                                    \
		.name = "maxframe_size", .show = show_host_maxframe                                          \
	}

#define HOST_ATTRS_LIP                                                                                       \
	{                                                                                                    \
		.name = "issue_lip", .store = store_issue_lip                                                \
	}

#define HOST_ATTRS_NPIV                                                                                      \
	{.name = "max_npiv_vports", .show = show_host_vports_max},                                           \
		{.name = "npiv_vports_inuse", .show = show_host_vports_inuse},                               \
		{.name = "vport_create", .store = store_vport_create},                                       \
	{                                                                                                    \
		.name = "vport_delete", .store = store_vport_delete                                          \
	}

#define VPORT_ATTRS                                                                                          \
	{.name = "vport_state", .show = show_vport_state},                                                   \
		{.name = "vport_last_state", .show = show_vport_last_state},                                 \
		{.name = "node_name", .show = show_vport_node_name},                                         \
		{.name = "port_name", .show = show_vport_port_name},                                         \
		{.name = "roles", .show = show_vport_roles},                                                 \
		{.name = "vport_type", .show = show_vport_type},                                             \
		{.name = "vport_delete", .store = store_vport_delete_self},                                  \
	{                                                                                                    \
		.name = "vport_disable", .store = store_vport_disable                                        \
	}

#define RPORT_ATTRS                                                                                          \
	{.name = "supported_classes", .show = show_rport_classes},                                           \
		{.name = "dev_loss_tmo", .show = show_rport_dev_loss, .store = store_rport_dev_loss},        \
		{.name = "node_name", .show = show_rport_node_name},                                         \
		{.name = "port_name", .show = show_rport_port_name},                                         \
		{.name = "port_id", .show = show_rport_port_id},                                             \
		{.name = "roles", .show = show_rport_roles},                                                 \
		{.name = "port_state", .show = show_rport_port_state},                                       \
		{.name = "scsi_target_id", .show = show_rport_target_id},                                    \
	{                                                                                                    \
		.name = "fast_io_fail_tmo", .show = show_rport_fast_io_fail,                                 \
		.store = store_rport_fast_io_fail                                                            \
	}

#endif
