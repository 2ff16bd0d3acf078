"""The mail server of the world outside, when it is a real one: SMTP, and a folder of sent mails.

The folder is written when the server has taken the mail. A process that dies in between sends it
once more, under the same `Message-ID`, by which a mailbox can tell.
"""

import smtplib
import ssl
from email.message import EmailMessage
from pathlib import Path

from post import Post, Refused

from twelvefold.channels.email import Smtp

TIMEOUT_S = 20.0


class SmtpPost(Post):
    """Sends as `sender`."""

    def __init__(self, path: Path, server: Smtp, sender: str) -> None:
        super().__init__(path)
        self.server, self.sender = server, sender

    def send(
        self, message_id: str, *, to: str, subject: str, body: str, references: str = ""
    ) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self.sender, to, subject
        mail["Message-ID"] = message_id
        if references:
            mail["References"], mail["In-Reply-To"] = references, references.split()[-1]
        mail.set_content(body)
        try:
            self._deliver(mail)
        except smtplib.SMTPRecipientsRefused as refusal:
            [(code, words), *_] = refusal.recipients.values()
            raise Refused(f"{code} {words.decode(errors='replace')}") from refusal
        self.keep(message_id, to=to, subject=subject, body=body)

    def _deliver(self, mail: EmailMessage) -> None:
        with self._connected() as open:
            if self.server.user:
                open.login(self.server.user, self.server.password)
            open.send_message(mail)

    def _connected(self) -> smtplib.SMTP:
        host, port = self.server.host, self.server.port
        checks = ssl.create_default_context()  # without one, smtplib asks for no certificate
        if self.server.tls == "tls":
            return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=checks)
        open = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
        if self.server.tls == "starttls":
            open.starttls(context=checks)
        return open
