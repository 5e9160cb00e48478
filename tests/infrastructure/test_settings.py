"""What a person sets for a deployment, and what is said when something is missing."""

from __future__ import annotations

import pytest

from infrastructure.deploy import Undeployable, _parameters, check_stage

SHOP = {
    "MAIL_FROM": "hello@shop.example",
    "SHOP_NAME": "A Shop",
    "SHOP_ADDRESS": "1-1 Chiyoda, Tokyo",
    "SHOP_CONTACT": "help@shop.example",
}


def test_the_first_deployment_names_everything_that_is_missing() -> None:
    with pytest.raises(Undeployable) as refused:
        _parameters({}, {"MAIL_FROM": "hello@shop.example"})
    assert all(name in str(refused.value) for name in ("SHOP_NAME", "SHOP_ADDRESS", "SHOP_CONTACT"))
    assert "MAIL_FROM" not in str(refused.value)


def test_the_rest_has_defaults() -> None:
    parameters = _parameters({}, SHOP)
    assert parameters["MailFrom"] == "hello@shop.example"
    assert parameters["PublicUrl"] == ""
    assert parameters["AlarmEmail"] == ""
    assert parameters["DeletionProtection"] == "true"


def test_a_stage_remembers_and_what_is_set_now_wins() -> None:
    earlier = _parameters({}, SHOP) | {"PublicUrl": "https://api.shop.example"}
    later = _parameters(earlier, {"SHOP_NAME": "Another Shop", "MAIL_FROM": ""})
    assert later == earlier | {"ShopName": "Another Shop"}


def test_a_parameter_of_an_older_template_is_forgotten() -> None:
    assert "Gone" not in _parameters({"Gone": "x"}, SHOP)


@pytest.mark.parametrize("stage", ["embedded", "Prod", "1st", "", "a" * 21, "a_b", "a/b"])
def test_a_stage_that_cannot_be_deployed_is_refused(stage: str) -> None:
    with pytest.raises(Undeployable):
        check_stage(stage)


@pytest.mark.parametrize("stage", ["prod", "dev", "shop-2"])
def test_other_names_are_fine(stage: str) -> None:
    check_stage(stage)
