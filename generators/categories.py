"""Products and classifications as WSUS identifies them: category GUIDs, and the XML in which WCM.log prints a subscription."""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from uuid import NAMESPACE_DNS, uuid5

CLASSIFICATION_GUIDS: Final = {
    "Critical Updates": "E6CF1350-C01B-414D-A61F-263D14D133B4",
    "Definition Updates": "E0789628-CE08-4437-BE74-2495B842F43B",
    "Drivers": "EBFC1FC5-71A4-4F7B-9ACA-3B9A503104A0",
    "Feature Packs": "B54E7D24-7ADD-428F-8B75-90A396FA584F",
    "Security Updates": "0FA1201D-4330-4FA8-8AE9-B877473B6441",
    "Service Packs": "68C5B0A3-D1A6-4553-AE49-01D3A7827828",
    "Tools": "B4832BD8-E735-4761-8DAF-37F882276DAB",
    "Update Rollups": "28BC880E-0592-4CBF-8F95-C79B17911D5F",
    "Updates": "CD5FFD1E-E932-4E3A-BF74-18BF0B1BBD83",
}
"""GUIDs of the update classifications [L]."""


def product_guid(product: str) -> str:
    """A GUID for a product: not the real one, but always the same [C]."""
    return str(uuid5(NAMESPACE_DNS, product)).upper()


@lru_cache(maxsize=64)
def subscription_xml(products: tuple[str, ...], classifications: tuple[str, ...]) -> str:
    """The categories of a subscription, line breaks as ``~~``."""
    categories = [f'Product:{product_guid(name)}"><![CDATA[{name}' for name in products]
    categories += [f'UpdateClassification:{CLASSIFICATION_GUIDS[name]}"><![CDATA[{name}' for name in classifications]
    return "".join(f'\t<Category Id="{category}]]></Category>~~' for category in categories)
