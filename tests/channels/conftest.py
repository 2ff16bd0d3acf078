"""Fixtures that several tests of channels use."""

from channels.mail_fixtures import imap, mail_folder, post

__all__ = ["imap", "mail_folder", "post"]
