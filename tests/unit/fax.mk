FAX_RIG = tests/unit/fax-rig.c tests/unit/fax-paper.c $(MEDIA_RIG)
ROOMS_test-fax := fax media base
EXTRA_test-fax = $(FAX_RIG)
