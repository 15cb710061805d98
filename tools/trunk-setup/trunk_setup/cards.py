# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Which T1/E1 cards there are, who drives them, and who should not."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    name: str
    ports: int
    drivers: tuple  # able to drive it, the better first
    rivals: tuple = ()  # drivers that would take it and cannot carry a trunk


TIGER = ("netjet", "hisax")
TE110P = Model("TE110P", 1, ("tl_t1e1", "wcte11xp"), TIGER)

# PCI vendor:device, perhaps /subsystem vendor; the more exact entry wins.
MODELS = {
    "e159:0001/71fe": TE110P, "e159:0001/79fe": TE110P, "e159:0001/795e": TE110P,
    "e159:0001/79de": TE110P, "e159:0001/797e": TE110P,
    "e159:0001/6159": Model("T100P/E100P", 1, ("wct1xxp",), TIGER),
    "10ee:0314": Model("TE410P/TE405P", 4, ("wct4xxp",)),
    "d161:1820": Model("TE820", 8, ("wct4xxp",)),
    "d161:1420": Model("TE420", 4, ("wct4xxp",)), "d161:1410": Model("TE410P", 4, ("wct4xxp",)),
    "d161:1405": Model("TE405P", 4, ("wct4xxp",)), "d161:0420": Model("TE420", 4, ("wct4xxp",)),
    "d161:0410": Model("TE410P", 4, ("wct4xxp",)), "d161:0405": Model("TE405P", 4, ("wct4xxp",)),
    "d161:1220": Model("TE220", 2, ("wct4xxp",)), "d161:1210": Model("TE210P", 2, ("wct4xxp",)),
    "d161:1205": Model("TE205P", 2, ("wct4xxp",)), "d161:0220": Model("TE220", 2, ("wct4xxp",)),
    "d161:0210": Model("TE210P", 2, ("wct4xxp",)), "d161:0205": Model("TE205P", 2, ("wct4xxp",)),
    "d161:0120": Model("TE120P", 1, ("wcte12xp",)), "d161:8000": Model("TE121", 1, ("wcte12xp",)),
    "d161:8001": Model("TE122", 1, ("wcte12xp",)),
    "d161:800a": Model("TE131/TE133", 1, ("wcte13xp",)), "d161:800b": Model("TE132/TE134", 1, ("wcte13xp",)),
    "d161:800e": Model("TE435/TE235", 4, ("wcte43x",)), "d161:8013": Model("TE436/TE236", 4, ("wcte43x",)),
    "10b5:d00d": Model("Tormenta 2", 4, ("tor2",)), "10b5:4000": Model("Tormenta 2", 4, ("tor2",)),
}

# How a driver is told at loading what its lines are. Mixed lines are left to the jumpers.
LINE_OPTION = {
    "tl_t1e1": {"e1": "line=e1", "t1": "line=t1"},
    "wcte11xp": {"e1": "t1e1override=1", "t1": "t1e1override=0"},
    **{driver: {"e1": "default_linemode=e1", "t1": "default_linemode=t1"}
       for driver in ("wct4xxp", "wcte12xp", "wcte13xp", "wcte43x")},
}


def model_of(vendor, device, subvendor):
    """The model with these ids (hexadecimal, four digits each), or None."""
    return MODELS.get(f"{vendor}:{device}/{subvendor}") or MODELS.get(f"{vendor}:{device}")
