ROOMS_fuzz-rtp := media line base
ROOMS_fuzz-caller-id := media line base
