# SPDX-License-Identifier: LGPL-2.1-or-later
# What makes a service of it. The files are installed as vhba.conf, whose source names say what they are.
src/data/vhbad.service: src/data/vhbad.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) src/data && $(SED) -e 's|@sbindir[@]|$(sbindir)|g' $(srcdir)/src/data/vhbad.service.in > $@

systemdsystemunit_DATA += src/data/vhbad.service
CLEANFILES += src/data/vhbad.service
dist_doc_DATA = src/data/vhbad.conf.example
EXTRA_DIST += src/data/vhbad.service.in src/data/sysusers.conf src/data/tmpfiles.conf

install-data-hook: install-vhba-conf
install-vhba-conf:
	$(MKDIR_P) $(DESTDIR)$(sysusersdir) $(DESTDIR)$(tmpfilesdir)
	$(INSTALL_DATA) $(srcdir)/src/data/sysusers.conf $(DESTDIR)$(sysusersdir)/vhba.conf
	$(INSTALL_DATA) $(srcdir)/src/data/tmpfiles.conf $(DESTDIR)$(tmpfilesdir)/vhba.conf
uninstall-hook:
	rm -f $(DESTDIR)$(sysusersdir)/vhba.conf $(DESTDIR)$(tmpfilesdir)/vhba.conf
.PHONY: install-vhba-conf

TESTS += tests/data.sh
dist_check_SCRIPTS += tests/data.sh
