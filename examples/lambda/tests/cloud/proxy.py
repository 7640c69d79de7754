"""Stands between the functions and the emulated cloud, and does to their calls what no emulator does.

Which call is spoilt is told by what is in it, so that scenes may run at the same time:

| in the call | what happens |
|---|---|
| a mail to reject-... | SES refuses the recipient |
| a mail to busy-...   | SES throttles the first two, then takes it |
| a mail to lose-...   | SES takes the first, and its answer is lost |
| a mail to hang-...   | SES never answers |
| a mail to die-...    | the function's process is killed in the middle of the first |
| a mail to slow-...   | SES takes two seconds |
| an incident of service startless... | its first execution cannot be started |
| an incident of service neverstart... | none of its executions can be started |
| an incident of service slowdb...    | the answer to every first write of an item is lost |

It is also Twilio and ntfy, below /carriers/, where everything is taken.

GET /calls answers what was called, what the carriers got and what was denied for want of a permission, one line of JSON each.
"""

import base64
import email
import glob
import http.client
import json
import os
import signal
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CLOUD = sys.argv[1]
LOCK = threading.Lock()
COUNTS = {}
STARTLESS = set()
NEVERSTART = set()
CALLS = []


def first(what, times=1):
    """Whether this is one of the first calls of its kind."""
    with LOCK:
        COUNTS[what] = COUNTS.get(what, 0) + 1
        return COUNTS[what] <= times


def kill_peer(port):
    """Kills the process whose socket has this local port."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    inodes = {row[9] for row in rows if int(row[1].split(":")[1], 16) == port}
    for link in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            target = os.readlink(link)
        except OSError:
            continue
        if any(target == f"socket:[{inode}]" for inode in inodes):
            process = int(link.split("/")[2])
            if process != os.getpid():
                os.kill(process, signal.SIGKILL)


class Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        if self.path == "/calls":
            with LOCK:
                lines = "\n".join(json.dumps(call) for call in CALLS)
            return self.answer(200, lines.encode(), "text/plain")
        self.forward(b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        target = self.headers.get("x-amz-target", "")
        if self.path.startswith("/carriers/"):
            return self.carry(body)
        if self.path == "/v2/email/outbound-emails":
            return self.mail(body)
        if target.endswith(".StartExecution"):
            return self.start(body)
        if target.startswith("DynamoDB"):
            return self.database(target.split(".")[1], body)
        self.forward(body)

    do_PUT = do_DELETE = do_POST

    def mail(self, body):
        call = json.loads(body)
        to = call["Destination"]["ToAddresses"][0]
        mail = email.message_from_bytes(base64.b64decode(call["Content"]["Raw"]["Data"]))
        with LOCK:
            CALLS.append({"mail": to, "delivery": mail["X-InResponse-Delivery"], "at": time.time()})
        if to.startswith("reject-"):
            return self.refuse(400, "BadRequestException", "Local address contains control or whitespace")
        if to.startswith("busy-") and first(to, 2):
            return self.refuse(429, "TooManyRequestsException", "Maximum sending rate exceeded.")
        if to.startswith("lose-") and first(to):
            self.fetch(body)
            return self.refuse(500, "InternalServiceErrorException", "oh")
        if to.startswith("hang-"):
            time.sleep(120)
            return None
        if to.startswith("die-") and first(to):
            return kill_peer(self.client_address[1])
        if to.startswith("slow-"):
            time.sleep(2)
        self.forward(body)

    def carry(self, body):
        if self.path.endswith("/Messages.json"):
            call = {"text": dict(urllib.parse.parse_qsl(body.decode()))}
            answer = {"sid": "SM" + "0" * 32, "status": "queued", "error_code": None}
        else:
            call = {"push": json.loads(body)}
            answer = {"id": "x", "event": "message", "topic": call["push"].get("topic")}
        with LOCK:
            CALLS.append(call)
        self.answer(201 if "text" in call else 200, json.dumps(answer).encode(), "application/json")

    def start(self, body):
        name = json.loads(body)["name"]
        with LOCK:
            CALLS.append({"start": name, "at": time.time()})
        number, wake = name.split("-")[1:]
        if number in NEVERSTART or number in STARTLESS and wake == "0":
            return self.refuse(400, "ServiceQuotaExceededException", "no more")
        self.forward(body)

    def database(self, operation, body):
        call = json.loads(body)
        puts = [part["Put"] for part in call.get("TransactItems", []) if "Put" in part]
        for put in [call] if operation == "PutItem" else puts:
            service = put["Item"].get("service", {}).get("S", "")
            for name, numbers in [("startless", STARTLESS), ("neverstart", NEVERSTART)]:
                if service.startswith(name):
                    with LOCK:
                        numbers.add(put["Item"]["incidentId"]["N"])
        write = call.get("Item", {}).get("writeId") or call.get("ExpressionAttributeValues", {}).get(":writeId")
        if write and b"#slowdb" in body and first(write["S"]):
            self.fetch(body)
            return self.refuse(500, "InternalServerError", "oh")
        self.forward(body)

    def refuse(self, status, kind, message):
        body = json.dumps({"__type": kind, "message": message, "Message": message}).encode()
        self.answer(status, body, "application/json", kind)

    def fetch(self, body):
        cloud = http.client.HTTPConnection(CLOUD, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        cloud.request(self.command, self.path, body, headers)
        answer = cloud.getresponse()
        text = answer.read()
        if b" is not authorized to perform: " in text:
            with LOCK:
                CALLS.append({"denied": text.decode()})
        return answer.status, text, answer.getheader("content-type", "application/json")

    def forward(self, body):
        self.answer(*self.fetch(body))

    def answer(self, status, body, kind, error=None):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        if error:
            self.send_header("x-amzn-errortype", error)
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    request_queue_size = 256

    def handle_error(self, request, client_address):
        # A client that was killed or gave up has hung up.
        pass


Server(("127.0.0.1", int(sys.argv[2])), Proxy).serve_forever()
