"""Handing one mail to Amazon SES, once, and saying truly whether it took it."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formataddr

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProxyConnectionError,
)

from chalicelib.messages.model import Mail
from chalicelib.shared import aws
from chalicelib.shared.config import config

CHARSET = "UTF-8"

# Refusals of this very mail; every other refusal is about the account or the moment and may pass.
FOR_GOOD = frozenset({"MessageRejected", "BadRequestException", "NotFoundException"})
# The request never left this machine: it could not be signed, or no connection stood.
NEVER_LEFT = (
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProxyConnectionError,
)


class NotSent(Exception):
    """SES did certainly not send it. `code` says why, `for_good` whether trying again is pointless."""

    def __init__(self, code: str, *, for_good: bool) -> None:
        super().__init__(code)
        self.code = code
        self.for_good = for_good


class Unheard(Exception):
    """Nobody heard whether SES sent it."""


def send(mail: Mail, *, tags: Mapping[str, str]) -> str:
    """Hand a mail over and return SES's id for it; raises NotSent or Unheard.

    One request, never repeated here.

    `tags` come back with every delivery report; letters, digits, `_` and `-` only.
    """
    try:
        answer = aws.client("sesv2").send_email(
            FromEmailAddress=formataddr((" ".join(config().shop_name.split()), config().mail_from)),
            Destination={"ToAddresses": [mail.to]},
            Content={
                "Simple": {
                    "Subject": {"Data": mail.subject, "Charset": CHARSET},
                    "Body": {
                        "Text": {"Data": mail.text, "Charset": CHARSET},
                        "Html": {"Data": mail.html, "Charset": CHARSET},
                    },
                    "Headers": [{"Name": name, "Value": value} for name, value in mail.headers.items()],
                }
            },
            EmailTags=[{"Name": name, "Value": value} for name, value in tags.items()],
        )
    except ClientError as error:
        raise _judged(error) from error
    except NEVER_LEFT as error:
        raise NotSent(type(error).__name__, for_good=False) from error
    except BotoCoreError as error:
        raise Unheard from error
    return str(answer["MessageId"])


def _judged(error: ClientError) -> NotSent | Unheard:
    if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
        return Unheard()
    code = error.response["Error"]["Code"]
    return NotSent(code, for_good=code in FOR_GOOD)
