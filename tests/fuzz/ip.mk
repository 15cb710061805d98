ROOMS_fuzz-sdp := ip secure signal line base
ROOMS_fuzz-digest := ip secure signal line base
ROOMS_fuzz-browser-offer := ip secure signal line base
