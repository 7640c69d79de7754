"""The smallest function that answers a report with the same calls as InResponse's, and no promise kept."""

import datetime
import json
import os

import boto3

PREFIX = os.environ["INRESPONSE_TABLE_PREFIX"]
KEY = os.environ["INRESPONSE_API_KEY"]
STATE_MACHINE = os.environ["INRESPONSE_STATE_MACHINE"]

dynamodb = boto3.client("dynamodb")
stepfunctions = boto3.client("stepfunctions")


def item(table, key):
    key = {name: {"S": value} for name, value in key.items()}
    return dynamodb.get_item(TableName=PREFIX + table, Key=key, ConsistentRead=True).get("Item")


def answer(status, body):
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}


def put_incident(event, context):
    if event["headers"].get("x-api-key") != KEY:
        return answer(401, {"title": "no key"})
    report = json.loads(event["body"])
    service = item("Service", {"serviceId": report["service"]})
    if service is None:
        return answer(422, {"title": "unknown service"})
    team = service["team"]["S"]
    settings = json.loads(item("Team", {"teamname": team})["settings"]["S"])
    now = datetime.datetime.now(datetime.timezone.utc)
    rota = item("OncallCalendar", {"teamname": team, "day": now.date().isoformat()})
    counted = dynamodb.update_item(
        TableName=PREFIX + "Config",
        Key={"configkey": {"S": "incidentId"}},
        UpdateExpression="SET currentId = if_not_exists(currentId, :before) + :one",
        ExpressionAttributeValues={":before": {"N": "99999"}, ":one": {"N": "1"}},
        ReturnValues="UPDATED_NEW",
    )
    number = int(counted["Attributes"]["currentId"]["N"])
    incident = {
        "service": report["service"],
        "severity": report["severity"],
        "title": report["title"],
        "message": report["message"],
        "state": "alerting",
        "createdAt": now.isoformat(),
        "oncall": rota["oncall"]["S"] if rota else None,
        "settings": settings,
    }
    dynamodb.put_item(
        TableName=PREFIX + "Incident",
        Item={
            "incidentId": {"N": str(number)},
            "version": {"N": "1"},
            "body": {"S": json.dumps(incident)},
            "title": {"S": report["title"]},
            "description": {"S": report["message"]},
            "stateKey": {"S": f"alerting#{report['severity']}#{number % 4}"},
            "serviceKey": {"S": f"alerting#{report['severity']}#{report['service']}"},
            "dueShard": {"N": str(number % 8)},
            "dueKey": {"S": f"{now.isoformat()}#{number:020}"},
        },
        ConditionExpression="attribute_not_exists(incidentId)",
    )
    stepfunctions.start_execution(
        stateMachineArn=STATE_MACHINE,
        name=f"incident-{number}-0",
        input=json.dumps({"incidentId": number, "wake": 0, "loop": 0}),
    )
    return answer(201, {"incidentId": number, **incident})
