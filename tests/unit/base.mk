ROOMS_test-ring := base
ROOMS_test-clock := base
ROOMS_test-fsm := base
ROOMS_test-config := base
