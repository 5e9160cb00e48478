"""Where somebody is and what season it is there, pure: from what the caller says, the gateway saw or a profile holds."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

SEASONS = ("winter", "spring", "summer", "autumn")
COUNTRY_HEADER, REGION_HEADER = "cloudfront-viewer-country", "cloudfront-viewer-country-region"
REGION_LENGTH_MAX = 100
JAPAN = "JP"

# Where most people live south of the equator.
_SOUTHERN = frozenset(
    "AO AQ AR AU BO BR BW CC CK CL CX EC FJ FK GS ID KM LS MG MU MW MZ NA NC NF NR NU NZ PE PF PG PN PY RE RW SB SC"
    " SH SZ TF TK TL TO TV TZ UY VU WF WS YT ZA ZM ZW".split()
)
_COUNTRY = re.compile("[A-Z]{2}")
_CODE = re.compile("[A-Z0-9]{1,3}")
# In the order of their ISO 3166-2 numbers, 1 to 47.
_PREFECTURES = (
    "北海道 Hokkaido, 青森県 Aomori, 岩手県 Iwate, 宮城県 Miyagi, 秋田県 Akita, 山形県 Yamagata, 福島県 Fukushima,"
    " 茨城県 Ibaraki, 栃木県 Tochigi, 群馬県 Gunma, 埼玉県 Saitama, 千葉県 Chiba, 東京都 Tokyo, 神奈川県 Kanagawa,"
    " 新潟県 Niigata, 富山県 Toyama, 石川県 Ishikawa, 福井県 Fukui, 山梨県 Yamanashi, 長野県 Nagano, 岐阜県 Gifu,"
    " 静岡県 Shizuoka, 愛知県 Aichi, 三重県 Mie, 滋賀県 Shiga, 京都府 Kyoto, 大阪府 Osaka, 兵庫県 Hyogo, 奈良県 Nara,"
    " 和歌山県 Wakayama, 鳥取県 Tottori, 島根県 Shimane, 岡山県 Okayama, 広島県 Hiroshima, 山口県 Yamaguchi,"
    " 徳島県 Tokushima, 香川県 Kagawa, 愛媛県 Ehime, 高知県 Kochi, 福岡県 Fukuoka, 佐賀県 Saga, 長崎県 Nagasaki,"
    " 熊本県 Kumamoto, 大分県 Oita, 宮崎県 Miyazaki, 鹿児島県 Kagoshima, 沖縄県 Okinawa"
)
_NUMBERS = {
    spelling: number
    for number, names in enumerate(_PREFECTURES.split(","), start=1)
    for japanese, english in [names.split()]
    for spelling in {japanese, re.sub("[都府県]$", "", japanese), english.lower(), f"{number:02d}"}
}


@dataclass(frozen=True)
class Place:
    """A country (ISO 3166 code) and a region in the words it was given, each None when not known."""

    country: str | None = None
    region: str | None = None

    @property
    def region_code(self) -> str | None:
        """The region's ISO 3166-2 code where we can tell it, e.g. `JP-01` for 北海道, Hokkaido and 01."""
        return region_code(self.country, self.region)


def place(
    country: str | None,
    region: str | None,
    headers: Mapping[str, str],
    address: Mapping[str, Any] | None = None,
) -> Place:
    """Where somebody is: what the caller says, else what the gateway saw, else the profile's address.

    `headers` have lower-case names. A region counts only together with its own country.
    """
    seen = (_country(headers.get(COUNTRY_HEADER)), _code(headers.get(REGION_HEADER)))
    known = address or {}
    lives = (_country(known.get("country")), _name(known.get("state")) or _name(known.get("region")))
    sources = [(_country(country) or _home(region), _name(region)), seen, lives]
    here = next((each for each, _ in sources if each), None)
    there = next((name for each, name in sources if name and each in (None, here)), None)
    return Place(here, there)


def region_code(country: str | None, region: str | None) -> str | None:
    """The ISO 3166-2 code of a region, None when it is not one we can tell."""
    if country is None or region is None:
        return None
    plain = "".join(each for each in unicodedata.normalize("NFKD", region) if not unicodedata.combining(each))
    wanted = plain.strip().upper().removeprefix(f"{country}-")
    if country == JAPAN:
        spelling = wanted.lower().removesuffix("-ken").removesuffix("-fu").removesuffix("-to")
        number = _NUMBERS.get(spelling) or _NUMBERS.get(spelling.zfill(2))
        return f"{JAPAN}-{number:02d}" if number else None
    return f"{country}-{wanted}" if _CODE.fullmatch(wanted) else None


def season(at: datetime, country: str | None) -> str:
    """`winter`, `spring`, `summer` or `autumn` in a country: by whole months, turned round in the south."""
    quarter = at.month % 12 // 3
    return SEASONS[(quarter + 2) % 4 if country in _SOUTHERN else quarter]


def _home(region: str | None) -> str | None:
    """The country of a region that can only be one: a Japanese prefecture by its name."""
    is_name = isinstance(region, str) and not region.strip().isdigit()
    return JAPAN if is_name and region_code(JAPAN, region) else None


def _country(value: object) -> str | None:
    text = value.strip().upper() if isinstance(value, str) else ""
    return text if _COUNTRY.fullmatch(text) else None


def _code(value: object) -> str | None:
    text = value.strip().upper() if isinstance(value, str) else ""
    return text if _CODE.fullmatch(text) else None


def _name(value: object) -> str | None:
    text = value.strip() if isinstance(value, str) else ""
    return text if 0 < len(text) <= REGION_LENGTH_MAX and text.isprintable() else None
