"""A real mail server for the tests, which misbehaves on demand.

Prints one JSON line for every event. How it behaves depends on the recipient's name
(reject-…, busy-…, hang-…, close-…) and on the mode that is set by lines on standard input
(mode ok, mode busy, mode drop, mode lose).
"""

import asyncio
import email
import json
import ssl
import sys
import time

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

MODE = "ok"


def say(event, **more):
    print(json.dumps({"event": event, "at": time.time(), **more}), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if MODE == "busy" or address.startswith("busy-"):
            say("refused", to=address)
            return "451 4.3.0 come back later"
        if address.startswith("reject-"):
            say("refused", to=address)
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        to = envelope.rcpt_tos[0]
        mail = email.message_from_bytes(envelope.content)
        facts = {
            "to": to,
            "from": mail["From"],
            "delivery": mail["X-InResponse-Delivery"],
            "incident": int((mail["X-InResponse-Incident"] or "0").split(",")[0]),
            "subject": mail["Subject"],
            "encrypted": session.ssl is not None,
            "authenticated": bool(session.authenticated),
            "raw": envelope.content.decode("ascii"),
        }
        if to.startswith("hang-"):
            say("lost", **facts)
            await asyncio.sleep(3600)
        if to.startswith("close-"):
            say("lost", **facts)
            server.transport.write(b"25")
            server.transport.close()
            return "250 never seen"
        if MODE == "lose":
            say("lost", **facts)
            server.transport.close()
            return "250 never seen"
        say("accepted", **facts)
        return "250 OK"


class Droppable(SMTP):
    def connection_made(self, transport):
        if MODE == "drop":
            transport.close()
        else:
            super().connection_made(transport)

    def connection_lost(self, error):
        if self.session is not None:
            super().connection_lost(error)


def authenticate(server, session, envelope, mechanism, auth_data):
    expected = LoginPassword(b"jo", b"s3cret")
    # A failure is told by the server itself unless it was handled here.
    return AuthResult(success=auth_data == expected, handled=False)


async def main():
    global MODE
    port = int(sys.argv[1])
    tls = None
    if len(sys.argv) > 2:
        import trustme

        authority = trustme.CA()
        authority.cert_pem.write_to_path(sys.argv[2])
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost").configure_cert(tls)

    def session():
        if tls is None:
            return Droppable(Handler(), enable_SMTPUTF8=True)
        return SMTP(
            Handler(),
            enable_SMTPUTF8=True,
            tls_context=tls,
            require_starttls=True,
            authenticator=authenticate,
            auth_required=True,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", port)
    say("listening", port=server.sockets[0].getsockname()[1])
    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        if not line:
            return
        MODE = line.split()[1]
        say("mode", mode=MODE)


asyncio.run(main())
