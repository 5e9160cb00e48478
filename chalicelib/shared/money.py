"""Money as integers of a currency's minor unit."""

from __future__ import annotations

import re
from decimal import Decimal

AMOUNT_MAX = 10**12  # in minor units: a hundred million yen orders fit, an overflow does not

# A number as people write it, no longer than Decimal keeps exactly. Decimal itself reads far more: exponents that
# overflow it, underscores, digits of any script.
_WRITTEN = re.compile("-?[0-9]{1,15}([.][0-9]{1,12})?")

# What binary floats add when a storefront sums prices (0.1 + 0.2), in minor units; a real digit is never so small.
_FLOAT_NOISE = Decimal("0.000001")

# ISO 4217 (list one): the currencies whose minor unit is not the hundredth.
_DIGITS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}

# ISO 4217 (list one), what people pay with: no metals, no units of account. Those withdrawn since 2020 (ANG BGN CUC
# HRK SLL ZWL) stay: orders of those days name them.
_CODES = frozenset(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP"
    " CNY COP CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG"
    " HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD"
    " MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF"
    " SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYI"
    " UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ZWL".split()
)


def is_currency(code: str) -> bool:
    """Whether this is the ISO 4217 code of money people pay with, in capitals."""
    return code in _CODES


def digits(currency: str) -> int:
    """How many decimal digits the minor unit of an ISO 4217 currency has: 0 for JPY, 2 for USD, 3 for KWD."""
    return _DIGITS.get(currency, 2)


def to_minor(value: object, currency: str) -> int:
    """Convert an amount in major units (as Segment sends it) exactly to minor units.

    `value` is an int, a float as JSON gave it (its binary noise is not taken for digits), or text such as `19.90`.
    Raises ValueError with a sentence when it is not a number, is negative, too large, or has more digits than the
    currency.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("must be a number")
    if isinstance(value, str) and not _WRITTEN.fullmatch(value):
        raise ValueError("must be a number")
    if isinstance(value, int) and abs(value) > AMOUNT_MAX:  # too long a number cannot even be written out
        raise ValueError(f"must be between 0 and {AMOUNT_MAX} minor units")
    minor = Decimal(str(value)).scaleb(digits(currency))
    if not minor.is_finite():
        raise ValueError("must be a finite number")
    nearest = minor.to_integral_value()
    if isinstance(value, float) and nearest and abs(minor - nearest) <= _FLOAT_NOISE:
        minor = nearest
    if minor != nearest:
        raise ValueError(f"has more than the {digits(currency)} decimal digits of {currency}")
    if not 0 <= minor <= AMOUNT_MAX:
        raise ValueError(f"must be between 0 and {AMOUNT_MAX} minor units")
    return int(minor)
