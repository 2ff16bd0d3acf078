"""Whether a log is what was written: its hash chain, exported heads, who decided what. Pure."""

from twelvefold.audit.chain import ERASED as ERASED
from twelvefold.audit.chain import SALT_BYTES as SALT_BYTES
from twelvefold.audit.chain import Audited as Audited
from twelvefold.audit.chain import Record as Record
from twelvefold.audit.chain import Recorded as Recorded
from twelvefold.audit.chain import chain_of as chain_of
from twelvefold.audit.chain import commitment as commitment
from twelvefold.audit.chain import erased as erased
from twelvefold.audit.chain import event_of as event_of
from twelvefold.audit.chain import genesis as genesis
from twelvefold.audit.chain import hashes as hashes
from twelvefold.audit.chain import link as link
from twelvefold.audit.decisions import CONTACT_EVENTS as CONTACT_EVENTS
from twelvefold.audit.decisions import Decided as Decided
from twelvefold.audit.decisions import Said as Said
from twelvefold.audit.decisions import decisions as decisions
from twelvefold.audit.decisions import to_csv as to_csv
from twelvefold.audit.heads import Head as Head
from twelvefold.audit.heads import export as export
from twelvefold.audit.heads import read_heads as read_heads
from twelvefold.audit.verifying import Broken as Broken
from twelvefold.audit.verifying import Verified as Verified
from twelvefold.audit.verifying import verify as verify
