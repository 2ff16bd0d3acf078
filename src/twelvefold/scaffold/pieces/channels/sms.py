"""SMS by Twilio: who is asked gets the question with a code, and answers "YES 4821".

This file is yours: `twelvefold add sms` wrote it once. Its settings are in the environment:

- TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN: of "API keys & tokens"
- TWILIO_NUMBER: that messages come from, `+15550100`
- TWILIO_WEBHOOK_URL: as Twilio's console has it, `https://<your host>/v1/triggers/sms`
- TWILIO_API: another address of Twilio's API, such as a region's
"""

import os

from twelvefold.channels.sms import Sms
from twelvefold.exceptions import ConfigurationError

API = "https://api.twilio.com"


def sms(*, agent: str = "") -> Sms:
    """`agent`: whose threads a message without a code begins; "" begins none."""
    return Sms(
        account_sid=_setting("TWILIO_ACCOUNT_SID"),
        auth_token=_setting("TWILIO_AUTH_TOKEN"),
        number=_setting("TWILIO_NUMBER"),
        url=_setting("TWILIO_WEBHOOK_URL"),
        agent=agent,
        api=os.environ.get("TWILIO_API", API),
    )


def _setting(name: str) -> str:
    if value := os.environ.get(name):
        return value
    raise ConfigurationError(f"channels/sms.py needs {name}: set it in the environment.")
