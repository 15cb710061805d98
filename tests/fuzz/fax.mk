ROOMS_fuzz-udptl := fax media secure signal line base
