"""Cases with the replies they need: offline, each once; or of a live model, many times."""

from twelvefold.evals.checking import REPLIES_SUFFIX as REPLIES_SUFFIX
from twelvefold.evals.checking import Checked as Checked
from twelvefold.evals.checking import check as check
from twelvefold.evals.checking import replies_of as replies_of
from twelvefold.evals.checking import replies_path as replies_path
from twelvefold.evals.rates import Change as Change
from twelvefold.evals.rates import Rate as Rate
from twelvefold.evals.rates import changes as changes
from twelvefold.evals.rates import rates as rates
from twelvefold.evals.rates import read_results as read_results
from twelvefold.evals.running import CALLS_AT_ONCE as CALLS_AT_ONCE
from twelvefold.evals.running import Result as Result
from twelvefold.evals.running import Trial as Trial
from twelvefold.evals.running import evaluate as evaluate
