# SPDX-License-Identifier: LGPL-2.1-or-later
# What makes a service of it. configure chooses the folders.
src/data/vhbad.service: src/data/vhbad.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) src/data && $(SED) -e 's|@sbindir[@]|$(sbindir)|g' $(srcdir)/src/data/vhbad.service.in > $@

src/data/vhba-virt.service: src/data/vhba-virt.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) src/data && $(SED) -e 's|@sbindir[@]|$(sbindir)|g' $(srcdir)/src/data/vhba-virt.service.in > $@

systemdsystemunit_DATA += src/data/vhbad.service src/data/vhba-virt.service
CLEANFILES += src/data/vhba-virt.service
EXTRA_DIST += src/data/vhba-virt.service.in
CLEANFILES += src/data/vhbad.service
EXTRA_DIST += src/data/vhbad.service.in
src/data/rules.d/61-vhba.rules: src/data/rules.d/61-vhba.rules.in Makefile
	$(AM_V_GEN)$(MKDIR_P) src/data/rules.d && \
		$(SED) -e 's|@pkglibexecdir[@]|$(pkglibexecdir)|g' $(srcdir)/src/data/rules.d/61-vhba.rules.in > $@

udevrules_DATA += src/data/rules.d/61-vhba.rules
CLEANFILES += src/data/rules.d/61-vhba.rules
EXTRA_DIST += src/data/rules.d/61-vhba.rules.in
dist_sysusers_DATA = src/data/sysusers.d/vhba.conf
dist_tmpfiles_DATA = src/data/tmpfiles.d/vhba.conf
dist_modulesload_DATA = src/data/modules-load.d/vhba.conf
dist_doc_DATA = src/data/vhbad.conf.example

TESTS += tests/data.sh
dist_check_SCRIPTS += tests/data.sh
