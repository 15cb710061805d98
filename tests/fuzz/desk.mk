ROOMS_fuzz-mail := post paper store base
