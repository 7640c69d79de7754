"""What PagerDuty's and Opsgenie's own client libraries do: clients.py LIBRARY ACTION URL KEY."""

import sys

library, action, url, key = sys.argv[1:]

if library == "pagerduty":
    import pagerduty

    client = pagerduty.EventsApiV2Client(key)
    # Given as base_url it would have to be https; here nothing terminates TLS.
    client._url = url
    match action:
        case "trigger":
            answered = client.trigger(
                "The disk is full",
                "db-1",
                dedup_key="disk/db-1",
                severity="critical",
                custom_details={"free": "1%"},
                links=[{"href": "https://example.org/runbook", "text": "Runbook"}],
            )
        case "acknowledge":
            answered = client.acknowledge("disk/db-1")
        case "resolve":
            answered = client.resolve("disk/db-1")
    assert answered == "disk/db-1", answered
else:
    import opsgenie_sdk

    configuration = opsgenie_sdk.Configuration()
    configuration.host = url
    configuration.api_key["Authorization"] = key
    alerts = opsgenie_sdk.AlertApi(opsgenie_sdk.ApiClient(configuration=configuration))
    match action:
        case "trigger":
            payload = opsgenie_sdk.CreateAlertPayload(
                message="The disk is full", alias="disk/db-1", priority="P1", details={"free": "1%"}
            )
            accepted = alerts.create_alert(payload)
        case "acknowledge":
            payload = opsgenie_sdk.AcknowledgeAlertPayload(user="jo")
            accepted = alerts.acknowledge_alert(
                "disk/db-1", identifier_type="alias", acknowledge_alert_payload=payload
            )
        case "resolve":
            payload = opsgenie_sdk.CloseAlertPayload(user="jo")
            accepted = alerts.close_alert("disk/db-1", identifier_type="alias", close_alert_payload=payload)
    assert accepted.result == "Request will be processed", accepted
    status = alerts.get_request_status(accepted.request_id)
    assert status.data.is_success and status.data.alias == "disk/db-1", status
