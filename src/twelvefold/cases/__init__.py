"""Cases of prompts and agents: read `*.cases.yaml`, decide, judge a reply, write a case of a log.

Pure but for reading the files; who asks a model is `twelvefold.evals`.
"""

from twelvefold.cases.case import Case as Case
from twelvefold.cases.case import Expected as Expected
from twelvefold.cases.deciding import Decided as Decided
from twelvefold.cases.deciding import decide_on as decide_on
from twelvefold.cases.judging import Stand as Stand
from twelvefold.cases.judging import Verdict as Verdict
from twelvefold.cases.judging import broken as broken
from twelvefold.cases.judging import judge as judge
from twelvefold.cases.judging import stand as stand
from twelvefold.cases.reading import SUFFIX as SUFFIX
from twelvefold.cases.reading import cases_in as cases_in
from twelvefold.cases.reading import read_cases as read_cases
from twelvefold.cases.writing import case_text as case_text
