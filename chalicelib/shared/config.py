"""What the deployment tells the code, read from the environment when first asked for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache

EMBEDDED = "embedded"  # the stage of the local run: fixed test keys and time travel exist there only


@dataclass(frozen=True)
class Config:
    """One deployment: its stage, its resources, and how mail names the shop."""

    stage: str
    tables: dict[str, str]  # short name, e.g. "people" -> the table's name
    bus: str
    keyring_parameter: str
    exports: str  # the bucket of copies that people take along
    public_url: str  # where customers reach the API; links in mails begin with it
    mail_from: str
    shop_name: str
    shop_address: str  # postal address: Japanese and US mail law want it in every promotional mail
    shop_contact: str
    shop_country: str  # ISO 3166: where a telephone number without a country code is dialled

    @property
    def is_embedded(self) -> bool:
        return self.stage == EMBEDDED


TABLES = ("people", "activity", "catalog", "ledger", "orders", "engagement", "settings")


@cache
def config() -> Config:
    """This deployment's configuration; raises KeyError naming the variable that is not set."""
    env = os.environ
    return Config(
        stage=env["KOKYAKU_STAGE"],
        tables={name: env[f"{name.upper()}_TABLE"] for name in TABLES},
        bus=env["KOKYAKU_BUS"],
        keyring_parameter=env.get("KOKYAKU_KEYRING", ""),
        exports=env.get("KOKYAKU_EXPORTS", ""),
        public_url=env["KOKYAKU_PUBLIC_URL"].rstrip("/"),
        mail_from=env["KOKYAKU_MAIL_FROM"],
        shop_name=env["KOKYAKU_SHOP_NAME"],
        shop_address=env["KOKYAKU_SHOP_ADDRESS"],
        shop_contact=env["KOKYAKU_SHOP_CONTACT"],
        shop_country=env.get("KOKYAKU_SHOP_COUNTRY", "JP"),
    )
