ROOMS_test-store := store base
ROOMS_test-acd := acd store base
ROOMS_test-ledger := ledger store control base
EXTRA_test-ledger := tests/unit/fake-node.c
ROOMS_test-flow := flow base
ROOMS_test-desk := web ledger contact flow acd store control base
EXTRA_test-desk := tests/unit/fake-node.c userspace/deskd/desk.c userspace/deskd/settings.c
