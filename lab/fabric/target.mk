# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_LTLIBRARIES += lab/fabric/libtarget.la
lab_fabric_libtarget_la_SOURCES = lab/fabric/frame.c lab/fabric/frame.h lab/fabric/target.h
lab_fabric_libtarget_la_CPPFLAGS = $(INC_COMMON) $(INC_FABRIC)
