# SPDX-License-Identifier: ISC
# The lab: seven hosts and a private Internet in namespaces on one machine.
dist_bin_SCRIPTS += %D%/ispdns-lab
pkglibexec_PROGRAMS += ispdns-lab-host ispdns-lab-delay ispdns-lab-client
ispdns_lab_host_SOURCES = %D%/lab-host.c %D%/lab-mount.c %D%/lab-mount.h \
	%D%/lab-svc.c %D%/lab-svc.h %D%/lab-unit.c %D%/lab-unit.h
ispdns_lab_delay_SOURCES = %D%/lab-delay.c
ispdns_lab_client_SOURCES = %D%/lab-client.c
labdir = $(pkgdatadir)/lab
dist_lab_SCRIPTS = %D%/internet.sh
dist_lab_DATA = %D%/drill.sh %D%/site.sh %D%/static.sh
dist_pkgdata_SCRIPTS += %D%/ispdns-drill
# What the installed lab is set up from, at the same paths as in the tree.
nobase_lab_DATA = tests/data/blueprint/auth1/db.zaibdns.lab \
	tests/data/blueprint/auth1/named.conf \
	tests/data/blueprint/auth1/named.conf.local \
	tests/data/blueprint/auth1/named.conf.options \
	tests/data/blueprint/dd1/dnsdist.conf \
	tests/data/blueprint/dd1/keepalived.conf \
	tests/data/blueprint/dd2/keepalived.conf \
	deploy/examples/frontend.yaml deploy/examples/resolver.yaml \
	deploy/examples/authority.yaml deploy/examples/ha.yaml
