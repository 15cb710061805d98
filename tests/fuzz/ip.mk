ROOMS_fuzz-sdp := ip signal line base
ROOMS_fuzz-digest := ip signal line base
