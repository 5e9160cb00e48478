"""The environment variables of an embedded deployment without a server, for tests and benchmarks."""

from __future__ import annotations

from chalicelib.shared.config import TABLES

# The names of a real account must never leak into a test.
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "ap-northeast-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",  # else botocore asks for a stream address moto does not know
    "KOKYAKU_STAGE": "embedded",
    "KOKYAKU_BUS": "kokyaku",
    "KOKYAKU_EXPORTS": "kokyaku-test-exports",
    "KOKYAKU_PUBLIC_URL": "https://shop.example.com",
    "KOKYAKU_MAIL_FROM": "shop@example.com",
    "KOKYAKU_SHOP_NAME": "Kokyaku Demo Shop",
    "KOKYAKU_SHOP_ADDRESS": "1-1 Chiyoda, Tokyo 100-0001",
    "KOKYAKU_SHOP_CONTACT": "help@example.com",
    **{f"{name.upper()}_TABLE": f"kokyaku-test-{name}" for name in TABLES},
}
