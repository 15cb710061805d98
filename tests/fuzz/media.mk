ROOMS_fuzz-rtp := media line base
