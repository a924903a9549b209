# SPDX-License-Identifier: ISC
EXTRA_DIST += deploy/quickstart deploy/check \
	deploy/examples/frontend.yaml deploy/examples/resolver.yaml \
	deploy/examples/authority.yaml deploy/examples/ha.yaml \
	deploy/examples/node.yaml deploy/examples/mgmt.yaml \
	deploy/examples/ha-anycast.yaml deploy/examples/bird.conf \
	deploy/examples/frr.conf deploy/examples/frr-router.conf \
	deploy/sysctl/60-ispdns.conf \
	deploy/debian/control deploy/debian/changelog deploy/debian/copyright \
	deploy/debian/rules deploy/debian/source/format \
	deploy/debian/ispdns-common.install deploy/debian/ispdns-common.sysusers \
	deploy/debian/ispdns-common.tmpfiles deploy/debian/ispdns-common.postrm \
	deploy/debian/ispdns-frontend.install \
	deploy/debian/ispdns-frontend.sysusers \
	deploy/debian/ispdns-resolver.install \
	deploy/debian/ispdns-resolver.sysusers \
	deploy/debian/ispdns-authority.install \
	deploy/debian/ispdns-authority.sysusers \
	deploy/debian/ispdns-authority.tmpfiles \
	deploy/debian/ispdns-authority.postrm \
	deploy/debian/ispdns-authority.postinst \
	deploy/debian/ispdns-ha.install deploy/debian/ispdns-ha.sysusers \
	deploy/debian/ispdns-mgmt.install deploy/debian/ispdns-mgmt.sysusers \
	deploy/debian/ispdns-mgmt.tmpfiles deploy/debian/ispdns-mgmt.postrm \
	deploy/debian/ispdns-lab.install \
	deploy/systemd/ispdns-frontend.service \
	deploy/systemd/ispdns-frontend.path \
	deploy/systemd/ispdns-resolver.service \
	deploy/systemd/ispdns-resolver.path \
	deploy/systemd/ispdns-authority.service \
	deploy/systemd/ispdns-authority.path \
	deploy/systemd/ispdns-ha.service deploy/systemd/ispdns-ha.path \
	deploy/systemd/ispdns-agent.service deploy/systemd/ispdns-mgmt.service

dist_man_MANS = \
	deploy/man/ispdns-agent.8 \
	deploy/man/ispdns-authority.8 \
	deploy/man/ispdns-frontend.8 \
	deploy/man/ispdns-ha.8 \
	deploy/man/ispdns-lab.1 \
	deploy/man/ispdns-mgmt.8 \
	deploy/man/ispdns-resolver.8 \
	deploy/man/ispdns.1

# Packages in build/deb: the tree as it is committed, with deploy/debian at
# its root, where dpkg-buildpackage wants it.
deb:
	$(SHELL) $(srcdir)/deploy/make-deb $(abs_top_srcdir) \
		$(abs_top_builddir)/build/deb

.PHONY: deb
EXTRA_DIST += deploy/make-deb deploy/packages.sh
include deploy/lab/local.mk
