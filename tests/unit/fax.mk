ROOMS_test-udptl := fax media secure signal base
FAX_RIG = tests/unit/fax-rig.c tests/unit/fax-paper.c $(MEDIA_RIG)
ROOMS_test-fax-t38 := fax media secure signal base
EXTRA_test-fax-t38 = $(FAX_RIG)
ROOMS_test-fax := fax media secure signal base
EXTRA_test-fax = $(FAX_RIG)
ROOMS_test-fax-cases := fax media secure signal base
EXTRA_test-fax-cases = tests/unit/fax-tester.c $(FAX_RIG)
