# SPDX-License-Identifier: GPL-2.0-only
#
# krg: one entry for people (make, make demo, make check) and for CI.
#
#   make                          modules for the running kernel (or KDIR=), and the tools
#   make modules KERNEL=6.1       modules for a kernel of the lab (6.1, 6.12, debug)
#   make modules KDIR=/path       modules for any kernel whose headers are there
#   make tools                    krgadm, its links and libkrg
#   make check | check-long | check-debug | demo | bench
#   make install | clean

SHELL := /bin/bash
B ?= build
export KRG_CACHE ?= $(CURDIR)/build/cache

# Kernel modules: Kbuild builds beside its sources, and 6.1's cannot build
# elsewhere, so each kernel gets a mirror of the sources under build/modules.
ifdef KERNEL
KDIR := $(shell scripts/kernel $(KERNEL) >/dev/null && readlink -f $(KRG_CACHE)/kernels/$(KERNEL)/kdir)
MODTAG := $(KERNEL)
else
KDIR ?= /lib/modules/$(shell uname -r)/build
MODTAG := $(if $(filter command line environment,$(origin KDIR)),custom,running)
endif
MODOUT := $(B)/modules/$(MODTAG)
MODSRC := $(CURDIR)/$(MODOUT)/src

.PHONY: all modules tools install-tools check check-long check-debug demo bench install clean style unit deps
all: modules tools

modules:
	@test -n "$(KDIR)" -a -d "$(KDIR)" || { echo "make modules: no kernel headers at '$(KDIR)' (KDIR= or KERNEL=)"; exit 1; }
	@mkdir -p $(MODSRC)
	@rsync -a --delete --exclude='*.o' --exclude='*.ko' --exclude='*.cmd' --exclude='*.mod*' --exclude='Module.symvers' \
		--exclude='modules.order' --exclude='.*.d' --exclude='compat/generated/' modules include $(MODSRC)/
	@modules/compat/probe $(KDIR) $(MODSRC)/modules/compat/generated
	@$(MAKE) -C $(KDIR) M=$(MODSRC)/modules W=1 -j$$(nproc) $(if $(C),C=$(C)) modules
	@find $(MODSRC)/modules -name "*.ko" -exec cp -t $(MODOUT) {} +

# Labs side by side want them at once.
tools:
	@mkdir -p $(B)
	@exec 9>$(B)/.tools.lock && flock 9 && \
		{ cmake -S . -B $(B)/tools -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_INSTALL_PREFIX=/usr >$(B)/tools.log 2>&1 || { cat $(B)/tools.log; exit 1; }; } && \
		$(MAKE) -s -j$$(nproc) -C $(B)/tools

install-tools: tools
	@DESTDIR=$(DESTDIR) flock $(B)/.tools.lock cmake --install $(B)/tools >/dev/null

unit: tools
	@scripts/run-unit-tests

style:
	@scripts/style

check:
	@scripts/check

check-long:
	@scripts/check --long

check-debug:
	@scripts/check --debug

demo:
	@scripts/demo

bench:
	@scripts/bench

deps:
	@scripts/install-deps

install: all
	@scripts/install-system "$(DESTDIR)" $(MODOUT)

clean:
	rm -rf $(B)/modules $(B)/tools $(B)/lab
