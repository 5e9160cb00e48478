"""Where somebody is and what season it is there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.shared.places import SEASONS, Place, place, region_code, season

TOKYO = {"cloudfront-viewer-country": "JP", "cloudfront-viewer-country-region": "13"}


def test_what_the_caller_says_comes_before_the_gateway_and_the_profile() -> None:
    home = {"country": "JP", "state": "沖縄県"}

    assert place("AU", "NSW", TOKYO, home) == Place("AU", "NSW")
    assert place(None, "北海道", {}, home) == Place("JP", "北海道")
    assert place(None, None, TOKYO, home) == Place("JP", "13")
    assert place(None, None, {}, home) == Place("JP", "沖縄県")
    assert place(None, None, {}, None) == Place(None, None)


def test_a_region_counts_only_with_its_own_country() -> None:
    assert place("US", None, TOKYO) == Place("US", None)
    assert place("JP", None, TOKYO) == Place("JP", "13")


@pytest.mark.parametrize("junk", ["", "Japan", "J", "x" * 500, "1\n2", "\u202e"])
def test_what_is_no_place_is_passed_over(junk: str) -> None:
    headers = {"cloudfront-viewer-country": junk, "cloudfront-viewer-country-region": f"{junk}#/"}

    assert place(None, None, headers, {"country": junk, "state": 5}) == Place(None, None)


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        ("北海道", "JP-01"),
        ("Hokkaido", "JP-01"),
        ("Hokkaidō", "JP-01"),
        ("1", "JP-01"),
        ("JP-13", "JP-13"),
        ("東京", "JP-13"),
        ("東京都", "JP-13"),
        ("京都府", "JP-26"),
        ("京都", "JP-26"),
        ("Osaka-fu", "JP-27"),
        ("沖縄", "JP-47"),
        ("48", None),
        ("Atlantis", None),
    ],
)
def test_a_prefecture_is_one_however_it_is_written(spelling: str, code: str | None) -> None:
    assert region_code("JP", spelling) == code


def test_elsewhere_only_codes_are_told() -> None:
    assert region_code("US", "MI") == region_code("US", "us-mi") == "US-MI"
    assert region_code("US", "Michigan") is None
    assert region_code(None, "MI") is None


def test_seasons_turn_round_in_the_south() -> None:
    months = [datetime(2027, month, 15, tzinfo=UTC) for month in range(1, 13)]

    assert [season(each, "JP") for each in months[::3]] == ["winter", "spring", "summer", "autumn"]
    assert [season(each, "AU") for each in months[::3]] == ["summer", "autumn", "winter", "spring"]
    assert season(months[11], None) == "winter"


@given(st.datetimes(timezones=st.just(UTC)), st.sampled_from(["JP", "AU", "ZZ"]), st.text(), st.text())
def test_any_input_is_a_place_and_a_season(at: datetime, country: str, region: str, header: str) -> None:
    found = place(country, region, {"cloudfront-viewer-country-region": header})

    assert season(at, found.country) in SEASONS
    assert found.region_code is None or found.region_code.startswith(country)
