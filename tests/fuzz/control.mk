ROOMS_fuzz-json-rpc := control base
