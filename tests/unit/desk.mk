ROOMS_test-store := store base
ROOMS_test-acd := acd store base
ROOMS_test-ledger := ledger store control base
fake_node := $(wildcard tests/unit/fake-node*.c)
EXTRA_test-ledger := $(fake_node)
ROOMS_test-flow := flow base
desk_rig := tests/unit/desk-rig.c $(fake_node) userspace/deskd/desk.c userspace/deskd/settings.c userspace/deskd/fax-desk.c
ROOMS_test-desk := $(DESKD_ROOMS)
EXTRA_test-desk := $(desk_rig)
ROOMS_test-desk-browser := $(DESKD_ROOMS)
EXTRA_test-desk-browser := $(desk_rig)
ROOMS_test-desk-web := $(DESKD_ROOMS)
EXTRA_test-desk-web := userspace/deskd/desk.c userspace/deskd/settings.c userspace/deskd/fax-desk.c
ROOMS_test-blob := store base
ROOMS_test-paper := paper store base
EXTRA_test-paper := tests/unit/paper-rig.c
ROOMS_test-paper-pages := paper store base
EXTRA_test-paper-pages := tests/unit/paper-rig.c
ROOMS_test-post := post store base
ROOMS_test-desk-fax := $(DESKD_ROOMS)
EXTRA_test-desk-fax := $(desk_rig) tests/unit/desk-fax-rig.c
ROOMS_test-desk-fax-out := $(DESKD_ROOMS)
EXTRA_test-desk-fax-out := $(desk_rig) tests/unit/desk-fax-rig.c
# They run it.
$(O)/tests/unit/test-desk-fax $(O)/tests/unit/test-desk-fax-out $(O)/tests/unit/test-paper $(O)/tests/unit/test-paper-pages: | $(O)/faxpages
