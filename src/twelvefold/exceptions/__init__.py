"""Every exception that twelvefold raises, each with its remedy.

TwelvefoldError
├── NotFound                     exit 3: nothing here has this name
│   ├── UnknownThread
│   ├── UnknownContact
│   ├── UnknownKey
│   ├── UnknownSource
│   └── UnknownAttachment
├── Conflict                     exit 4: the verb or answer changes nothing, and says why
│   ├── AlreadyDecided
│   ├── Expired
│   ├── AskedAnew
│   ├── Moved
│   ├── InFlight
│   └── AlreadyThere
├── NotAllowed                   exit 5: this person, on this channel, may not decide this
├── NotSignedIn                  a request over HTTP that proves nobody
│   └── BadSignature             what came in is not signed by whom it says it is from
├── NotPermitted                 a key or a person without the scope that this needs
├── TooManyRequests              asked, or guessed, too often
├── UrlRefused                   a URL that somebody gave leads where nothing is sent
├── Unreachable                  a server that gives the client no answer
├── InvalidAnswer                exit 2: the answer is not of the kind that is awaited
├── InvalidRequest               exit 2: a request over HTTP is not of the described shape
│   └── KeyReused
├── ConfigurationError           exit 6: the application file, an agent or a setting is wrong
│   ├── NoApplication
│   ├── UnknownAgent
│   ├── NotRecorded
│   ├── InvalidSteps
│   ├── BudgetTooSmall
│   ├── NotMigrated
│   ├── NotWritable
│   ├── SchemaRefused
│   ├── ToolRefused
│   └── UnusableModel
├── WrongDecision                decide returned something that cannot begin: the thread parks
│   ├── NotReady
│   ├── RiskWall
│   └── DecideNeverWaits
├── NewerEvent                   the log holds what a newer twelvefold wrote: the thread parks
├── InvalidFile                  exit 2: not one whole exported thread, or an edit that may not be
├── InvalidCase                  exit 2: a `*.cases.yaml` is wrong
├── Unstorable                   JSON cannot hold this value exactly
├── BadAttachment                what a tool attached cannot be kept
├── ModelFailed                  a model call brought no reply
├── StepRefused                  a model's reply is not one step of the union
├── NotRendered                  a text is not what `context.render` wrote
├── PromptError                  a prompt file or its variables are wrong
├── ToolFailed                   a tool of an MCP server answered with an error
├── NothingHappened              raised by tools: the effect did certainly not take place
└── StoreError                   exit 6
    ├── Stale                    the log grew since this was decided
    ├── Fenced                   a newer advance owns this thread
    ├── StoreFull
    ├── StoreUnavailable
    ├── StoreCorrupt
    └── StoreVersion
"""

from twelvefold.exceptions.asking import AlreadyDecided as AlreadyDecided
from twelvefold.exceptions.asking import AlreadyThere as AlreadyThere
from twelvefold.exceptions.asking import AskedAnew as AskedAnew
from twelvefold.exceptions.asking import BadSignature as BadSignature
from twelvefold.exceptions.asking import Conflict as Conflict
from twelvefold.exceptions.asking import Expired as Expired
from twelvefold.exceptions.asking import InFlight as InFlight
from twelvefold.exceptions.asking import InvalidAnswer as InvalidAnswer
from twelvefold.exceptions.asking import InvalidRequest as InvalidRequest
from twelvefold.exceptions.asking import KeyReused as KeyReused
from twelvefold.exceptions.asking import Moved as Moved
from twelvefold.exceptions.asking import NotAllowed as NotAllowed
from twelvefold.exceptions.asking import NotFound as NotFound
from twelvefold.exceptions.asking import NotPermitted as NotPermitted
from twelvefold.exceptions.asking import NotSignedIn as NotSignedIn
from twelvefold.exceptions.asking import TooManyRequests as TooManyRequests
from twelvefold.exceptions.asking import UnknownAttachment as UnknownAttachment
from twelvefold.exceptions.asking import UnknownContact as UnknownContact
from twelvefold.exceptions.asking import UnknownKey as UnknownKey
from twelvefold.exceptions.asking import UnknownSource as UnknownSource
from twelvefold.exceptions.asking import UnknownThread as UnknownThread
from twelvefold.exceptions.asking import Unreachable as Unreachable
from twelvefold.exceptions.asking import UrlRefused as UrlRefused
from twelvefold.exceptions.configuring import BudgetTooSmall as BudgetTooSmall
from twelvefold.exceptions.configuring import ConfigurationError as ConfigurationError
from twelvefold.exceptions.configuring import InvalidSteps as InvalidSteps
from twelvefold.exceptions.configuring import NoApplication as NoApplication
from twelvefold.exceptions.configuring import NotMigrated as NotMigrated
from twelvefold.exceptions.configuring import NotRecorded as NotRecorded
from twelvefold.exceptions.configuring import NotWritable as NotWritable
from twelvefold.exceptions.configuring import SchemaRefused as SchemaRefused
from twelvefold.exceptions.configuring import ToolRefused as ToolRefused
from twelvefold.exceptions.configuring import UnknownAgent as UnknownAgent
from twelvefold.exceptions.configuring import UnusableModel as UnusableModel
from twelvefold.exceptions.deciding import BadAttachment as BadAttachment
from twelvefold.exceptions.deciding import DecideNeverWaits as DecideNeverWaits
from twelvefold.exceptions.deciding import InvalidCase as InvalidCase
from twelvefold.exceptions.deciding import InvalidFile as InvalidFile
from twelvefold.exceptions.deciding import ModelFailed as ModelFailed
from twelvefold.exceptions.deciding import NewerEvent as NewerEvent
from twelvefold.exceptions.deciding import NothingHappened as NothingHappened
from twelvefold.exceptions.deciding import NotReady as NotReady
from twelvefold.exceptions.deciding import NotRendered as NotRendered
from twelvefold.exceptions.deciding import PromptError as PromptError
from twelvefold.exceptions.deciding import RiskWall as RiskWall
from twelvefold.exceptions.deciding import StepRefused as StepRefused
from twelvefold.exceptions.deciding import ToolFailed as ToolFailed
from twelvefold.exceptions.deciding import Unstorable as Unstorable
from twelvefold.exceptions.deciding import WrongDecision as WrongDecision
from twelvefold.exceptions.root import TwelvefoldError as TwelvefoldError
from twelvefold.exceptions.storing import Fenced as Fenced
from twelvefold.exceptions.storing import Stale as Stale
from twelvefold.exceptions.storing import StoreCorrupt as StoreCorrupt
from twelvefold.exceptions.storing import StoreError as StoreError
from twelvefold.exceptions.storing import StoreFull as StoreFull
from twelvefold.exceptions.storing import StoreUnavailable as StoreUnavailable
from twelvefold.exceptions.storing import StoreVersion as StoreVersion
