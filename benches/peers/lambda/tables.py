"""Makes the template's tables: tables.py TEMPLATE ENDPOINT PREFIX"""

import sys

import boto3
import yaml

template, endpoint, prefix = sys.argv[1:]


class Loader(yaml.SafeLoader):
    """Takes CloudFormation's functions for what they are applied to."""


Loader.add_multi_constructor("!", lambda loader, _, node: getattr(node, "value", None))

with open(template) as file:
    resources = yaml.load(file, Loader)["Resources"].values()
aws = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench"}
dynamodb = boto3.client("dynamodb", endpoint_url=endpoint, region_name="eu-central-1", **aws)
for table in (r["Properties"] for r in resources if r["Type"] == "AWS::DynamoDB::Table"):
    taken = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    settings = {name: table[name] for name in taken if name in table}
    dynamodb.create_table(TableName=table["TableName"].replace("${AWS::StackName}-", prefix), **settings)
