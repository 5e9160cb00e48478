"""The bucket of copies that people take along: private, encrypted, and empty again after a week."""

from __future__ import annotations

from typing import Any

EXPORTS = "ExportsBucket"
VARIABLE = "KOKYAKU_EXPORTS"
FOLDER = "exports/"
KEPT_DAYS = 7


def resources() -> dict[str, dict[str, Any]]:
    """The CloudFormation resources of the bucket, by logical id."""
    return {
        EXPORTS: {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "RetainExceptOnCreate",  # a bucket that holds something cannot be deleted
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [
                        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
                    ]
                },
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": True,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": True,
                },
                "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
                "LifecycleConfiguration": {
                    "Rules": [
                        {
                            "Id": "forget",
                            "Status": "Enabled",
                            "ExpirationInDays": KEPT_DAYS,
                            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                        }
                    ]
                },
            },
        },
        f"{EXPORTS}Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": EXPORTS},
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "OnlyEncrypted",
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:*",
                            "Resource": [_arn(), {"Fn::Sub": f"${{{EXPORTS}.Arn}}/*"}],
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        }
                    ],
                },
            },
        },
    }


def documents() -> dict[str, Any]:
    """The ARN of everything that people may fetch."""
    return {"Fn::Sub": f"${{{EXPORTS}.Arn}}/{FOLDER}*"}


def _arn() -> dict[str, Any]:
    return {"Fn::GetAtt": [EXPORTS, "Arn"]}
