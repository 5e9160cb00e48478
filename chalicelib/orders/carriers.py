"""The carriers we know by name: what customers call them and where they publish where a parcel is."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True)
class Carrier:
    """A carrier's names, and its public page up to the tracking number, where it has one that takes it."""

    name: str
    name_ja: str
    page: str = ""


CARRIERS = {
    "jp.yamato": Carrier(
        "Yamato Transport", "ヤマト運輸", "https://member.kms.kuronekoyamato.co.jp/parcel/detail?pno="
    ),
    "jp.sagawa": Carrier(
        "Sagawa Express", "佐川急便", "https://k2k.sagawa-exp.co.jp/p/web/okurijosearch.do?okurijoNo="
    ),
    "jp.post": Carrier(
        "Japan Post", "日本郵便", "https://trackings.post.japanpost.jp/services/srv/search/direct?reqCodeNo1="
    ),
    "jp.seino": Carrier("Seino Transportation", "西濃運輸"),
    "jp.fukutsu": Carrier("Fukuyama Transporting", "福山通運"),
    "us.ups": Carrier("UPS", "UPS", "https://www.ups.com/track?tracknum="),
    "us.fedex": Carrier("FedEx", "FedEx", "https://www.fedex.com/fedextrack/?trknbr="),
    "us.usps": Carrier("USPS", "USPS", "https://tools.usps.com/go/TrackConfirmAction?tLabels="),
    "de.dhl": Carrier("DHL", "DHL", "https://www.dhl.com/global-en/home/tracking.html?tracking-id="),
}


def name_of(code: str, language: str = "en") -> str:
    """What customers call a carrier in `ja` or `en`; the code itself for one we do not know."""
    carrier = CARRIERS.get(code)
    if carrier is None:
        return code
    return carrier.name_ja if language == "ja" else carrier.name


def page_of(code: str, tracking_number: str) -> str | None:
    """The carrier's public page for one parcel, None when we know of none."""
    carrier = CARRIERS.get(code)
    if carrier is None or not carrier.page:
        return None
    return carrier.page + quote(tracking_number, safe="")
