"""Twilio's own library, asked by the tests: a line of JSON in, a line of JSON out."""

import json
import sys

from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client


class Parameters:
    """A form whose names may occur more than once, as web frameworks hand it over."""

    def __init__(self, pairs):
        self.pairs = pairs

    def __iter__(self):
        return iter([name for name, _ in self.pairs])

    def __len__(self):
        return len(self.pairs)

    def getlist(self, name):
        return [value for other, value in self.pairs if other == name]


class Elsewhere(TwilioHttpClient):
    """Sends what the library wants to send to another address."""

    def __init__(self, url):
        super().__init__()
        self.url = url

    def request(self, method, url, *rest, **more):
        return super().request(method, url.replace("https://api.twilio.com", self.url), *rest, **more)


def answer(asked):
    do = asked["do"]
    if do == "sign":
        signed = RequestValidator(asked["token"]).compute_signature(asked["url"], Parameters(asked["params"]))
        return {"signature": signed}
    if do == "validate":
        validator = RequestValidator(asked["token"])
        return {"valid": validator.validate(asked["url"], Parameters(asked["params"]), asked["signature"])}
    client = Client(asked["sid"], asked["token"], http_client=Elsewhere(asked["url"]))
    try:
        resource = client.messages if do == "message" else client.calls
        made = resource.create(**asked["with"])
        return {"sid": made.sid, "status": str(made.status)}
    except TwilioRestException as error:
        return {"code": error.code, "status": error.status}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
