FAX_RIG = tests/unit/fax-rig.c tests/unit/fax-paper.c $(MEDIA_RIG)
ROOMS_test-fax := fax media secure signal base
EXTRA_test-fax = $(FAX_RIG)
