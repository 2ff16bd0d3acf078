"""Mail: asked and told by SMTP, read from a mailbox or from a provider that signs."""

from twelvefold.channels.email.channel import Email as Email
from twelvefold.channels.email.servers import Imap as Imap
from twelvefold.channels.email.servers import Smtp as Smtp
