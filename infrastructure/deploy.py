"""From the working tree to a running stage in your own AWS account, by one change set."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from chalicelib.shared.config import EMBEDDED
from infrastructure.overlay import PARAMETERS, keyring_of
from infrastructure.package import Package, package
from infrastructure.stack import Stack
from infrastructure.template import CODE

KEY_BYTES = 48
FIRST_KEY = "first-key"

# What a person sets (`make deploy MAIL_FROM=...`) -> the template's parameter. Set once; a stage remembers.
SETTINGS = {
    "MAIL_FROM": "MailFrom",
    "SHOP_NAME": "ShopName",
    "SHOP_ADDRESS": "ShopAddress",
    "SHOP_CONTACT": "ShopContact",
    "PUBLIC_URL": "PublicUrl",
    "ALARM_EMAIL": "AlarmEmail",
}


class Undeployable(Exception):
    """Why nothing was deployed; the message says what to do."""


@dataclass(frozen=True)
class Deployed:
    """A stage that runs. `key` is its first API key, shown at the first deployment only."""

    outputs: Mapping[str, str]
    changed: bool
    key: str | None


def deploy(stage: str, architecture: str, out: Path) -> Deployed:
    """Build, upload and change the stage's stack; safe to run again after whatever went wrong."""
    check_stage(stage)
    session = boto3.Session()
    if session.region_name is None:
        raise Undeployable(
            "Which region? Set AWS_DEFAULT_REGION, e.g. ap-northeast-1, or a profile that names one."
        )
    stack = Stack(session.client("cloudformation"), f"kokyaku-{stage}")
    parameters = _parameters(stack.parameters(), os.environ)
    _say(f"Building {stage} for {architecture}")
    built = package(stage, architecture, out)
    _say(f"Uploading {built.code.stat().st_size / 2**20:.1f} MB to {session.region_name}")
    template_url = _upload(session, stage, built)
    _make_keyring(session.client("ssm"), keyring_of(stage))
    if stack.clear_failed_birth():
        _say(f"{stack.name} had failed before it was ready; it was removed to begin again")
    changed = False
    if stack.is_new:
        _say(f"Creating {stack.name}: a few minutes")
        # Nothing in it yet deserves protection, which would also protect a failed creation from being removed.
        changed = stack.change(template_url, parameters | {"DeletionProtection": "false"})
    # The API cannot be told its own address before it has one: the function that serves it would wait for itself.
    public_url = parameters["PublicUrl"] or stack.outputs()["EndpointURL"]
    changed |= stack.change(
        template_url, parameters | {"PublicUrl": public_url, "DeletionProtection": "true"}
    )
    outputs = stack.outputs()
    return Deployed(outputs, changed, make_key(session, outputs["APIHandlerName"], FIRST_KEY))


def _say(step: str) -> None:
    print(step, flush=True)


def make_key(session: Any, function: str, name: str) -> str | None:
    """An API key that may do everything, made once per name; None when there is one of that name already."""
    # The service's own code makes it, with the settings of the function that will read it.
    settings = session.client("lambda").get_function_configuration(FunctionName=function)
    os.environ.update(settings["Environment"]["Variables"])
    from chalicelib.partners import service
    from chalicelib.partners.schemas import KeyRequest
    from chalicelib.shared.access import EVERY_SCOPE, SECRET, Caller

    owner = Caller(
        SECRET, "deployment", frozenset({EVERY_SCOPE})
    )  # who may change the stack may do everything
    request = KeyRequest(name="administrator", kind="secret", scopes=[EVERY_SCOPE])
    return service.create_key(request, maker=owner, idempotency_key=name, now=datetime.now(UTC)).key


def another_key(stage: str) -> str:
    """A further key that may do everything, for a shop that has lost its own."""
    check_stage(stage)
    session = boto3.Session()
    outputs = Stack(session.client("cloudformation"), f"kokyaku-{stage}").outputs()
    if "APIHandlerName" not in outputs:
        raise Undeployable(f"There is no stage {stage} here; `make deploy STAGE={stage}` makes it.")
    key = make_key(session, outputs["APIHandlerName"], secrets.token_urlsafe())
    assert key is not None, "a random name is new"
    return key


def check_stage(stage: str) -> None:
    """Refuse a name that no deployment may have."""
    if stage == EMBEDDED:
        raise Undeployable(f"The stage {EMBEDDED} has public keys and stays on this machine; name another.")
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,19}", stage):
        raise Undeployable("A stage is named by up to 20 lower-case letters, digits and hyphens, e.g. prod.")


def _parameters(earlier: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The template's parameters: what is set now, else what the stage remembers, else the default."""
    given = {parameter: environment[name] for name, parameter in SETTINGS.items() if environment.get(name)}
    defaults = {name: body["Default"] for name, body in PARAMETERS.items() if "Default" in body}
    parameters = {**defaults, **{key: value for key, value in earlier.items() if key in PARAMETERS}, **given}
    missing = [name for name, parameter in SETTINGS.items() if parameter not in parameters]
    if missing:
        example = " ".join(f"{name}='...'" for name in missing)
        raise Undeployable(f"The first deployment needs to know the shop: make deploy STAGE=... {example}")
    return parameters


def _upload(session: Any, stage: str, built: Package) -> str:
    """Put both files where CloudFormation and Lambda read them; the template's address."""
    account = session.client("sts").get_caller_identity()["Account"]
    s3 = session.client("s3")
    bucket = f"kokyaku-artifacts-{account}-{session.region_name}"
    _make_bucket(session, s3, bucket)
    code = _put(s3, bucket, stage, "zip", built.code.read_bytes())
    # Named by its content: an unchanged zip is no change, and an older one stays for a rollback.
    text = built.template.read_text().replace(json.dumps(CODE), json.dumps(f"s3://{bucket}/{code}"))
    return f"{s3.meta.endpoint_url}/{bucket}/{_put(s3, bucket, stage, 'json', text.encode())}"


def _put(s3: Any, bucket: str, stage: str, suffix: str, content: bytes) -> str:
    key = f"{stage}/{hashlib.sha256(content).hexdigest()}.{suffix}"
    s3.put_object(Bucket=bucket, Key=key, Body=content)
    return key


def _make_bucket(session: Any, s3: Any, bucket: str) -> None:
    """The bucket for what is deployed: private, encrypted by S3 itself, reached by TLS only."""
    region, partition = session.region_name, session.get_partition_for_region(session.region_name)
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=bucket, **place)
    except ClientError as error:
        # us-east-1 answers 200 for one's own bucket, every other region with this.
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        ),
    )
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(_only_encrypted(f"arn:{partition}:s3:::{bucket}")))


def _only_encrypted(bucket_arn: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [bucket_arn, f"{bucket_arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }


def _make_keyring(ssm: Any, name: str) -> None:
    """The stage's signing keys, made once and never shown. CloudFormation cannot make an encrypted parameter."""
    ring = {"current": "1", "keys": {"1": secrets.token_urlsafe(KEY_BYTES)}}
    try:
        ssm.put_parameter(
            Name=name,
            Type="SecureString",
            Value=json.dumps(ring),
            Overwrite=False,
            Description="Signs Kokyaku's tokens, cursors and links; see docs/decisions",
        )
    except ssm.exceptions.ParameterAlreadyExists:
        return
