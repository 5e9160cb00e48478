"""What the shop runs on in AWS, as plain data that becomes one CloudFormation template."""
