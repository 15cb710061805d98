# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""From cards in a machine to trunks that work: see trunk-setup(1), which is trunk-setup --help."""
