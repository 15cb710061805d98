ROOMS_test-control := control base
