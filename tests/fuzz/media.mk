ROOMS_fuzz-rtp := media secure line base
ROOMS_fuzz-caller-id := media secure line base
ROOMS_fuzz-opus := media secure line base
ROOMS_fuzz-video := media secure line base
