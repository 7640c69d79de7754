"""What the client libraries of Slack and Telegram say of our signatures, messages and servers."""

import asyncio
import hashlib
import hmac
import json
import random
import sys


def signatures(count, seed):
    """Random requests, and the verdict of Slack's library on each."""
    from slack_sdk.signature import Clock, SignatureVerifier

    class At(Clock):
        def __init__(self, now):
            self.at = now

        def now(self):
            return self.at

    chance = random.Random(seed)
    text = lambda most: "".join(chance.choice("abc=&%+é😀\n{}\"'0123456789") for _ in range(chance.randint(0, most)))
    for _ in range(count):
        secret, body, now = "s" + text(40), text(200), 1_800_000_000 + chance.randint(0, 10**6)
        timestamp = str(now + chance.choice([0, 0, 0, 299, 300, 301, -299, -300, -301, chance.randint(-900, 900)]))
        signed = f"v0:{timestamp}:{body}".encode()
        signature = "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        match chance.randint(0, 9):
            case 0:
                place = chance.randrange(len(signature))
                signature = signature[:place] + chance.choice("0123456789abcdefv=") + signature[place + 1 :]
            case 1:
                body += chance.choice(["", " ", "x"])
            case 2:
                secret += chance.choice(["", "x"])
            case 3:
                signature = signature[: chance.randrange(len(signature))]
            case 4:
                signature = signature.upper()
            case 5:
                timestamp = str(int(timestamp) + 1)
        verifier = SignatureVerifier(secret, At(now))
        verdict = verifier.is_valid(body=body, timestamp=timestamp, signature=signature)
        request = {"secret": secret, "body": body, "timestamp": timestamp, "signature": signature, "now": now}
        print(json.dumps(request | {"verdict": verdict}))


def slack(url, messages):
    """Checks our blocks, and reads the answers of our Slack."""
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError
    from slack_sdk.models.blocks import Block

    client = WebClient(token="xoxb-1", base_url=url + "/")
    for message in messages:
        for block in message["blocks"]:
            parsed = Block.parse(block)
            assert type(parsed) is not Block and parsed is not None, block
            parsed.validate_json()
        posted = client.chat_postMessage(channel="C024BE91L", text=message["text"], blocks=message["blocks"])
        assert posted["ok"] and posted["channel"] == "C024BE91L", posted.data
        updated = client.chat_update(channel="C024BE91L", ts=posted["ts"], text="x", blocks=[])
        assert updated["ok"] and updated["ts"] == posted["ts"], updated.data
    try:
        client.chat_postMessage(channel="C0GONE", text="x")
    except SlackApiError as error:
        assert error.response["error"] == "channel_not_found", error
    else:
        raise AssertionError("a channel that is gone was posted to")


def telegram(url, given):
    """Reads our updates and buttons, and the answers of our Telegram."""
    from telegram import Bot, InlineKeyboardMarkup, Update
    from telegram.error import Forbidden

    press, message = (Update.de_json(update, None) for update in given["updates"])
    assert press.callback_query.from_user.id == 1000 and press.callback_query.data.startswith("c"), press
    assert press.callback_query.message.chat.id == 1000, press
    assert message.message.text == "/link abc" and message.effective_user.id == 1000, message
    assert message.effective_chat.type == "private", message

    async def call():
        async with Bot("123456:bot", base_url=url + "/bot") as bot:
            for sent in given["messages"]:
                keyboard = InlineKeyboardMarkup.de_json(sent["reply_markup"], bot)
                answered = await bot.send_message(chat_id=1000, text=sent["text"], reply_markup=keyboard)
                assert answered.text == sent["text"] and answered.chat.id == 1000, answered
                edited = await bot.edit_message_text("x", chat_id=1000, message_id=answered.message_id)
                assert edited.message_id == answered.message_id, edited
            assert await bot.answer_callback_query("1", text="x", show_alert=True)
            assert await bot.get_updates(timeout=0) == ()
            try:
                await bot.send_message(chat_id=1666, text="x")
            except Forbidden as error:
                assert "blocked" in str(error), error
            else:
                raise AssertionError("somebody who blocked the bot was written to")

    # `getMe` begins a session of the library.
    asyncio.run(call())


match sys.argv[1]:
    case "signatures":
        signatures(int(sys.argv[2]), int(sys.argv[3]))
    case "slack":
        slack(sys.argv[2], json.load(sys.stdin))
    case "telegram":
        telegram(sys.argv[2], json.load(sys.stdin))
