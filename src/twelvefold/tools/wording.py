"""The words by which a model introduces a step, speaks of one, or takes it back."""

import re

_ANY = re.IGNORECASE
_APOSTROPHE = "['\u2019]"

INTRODUCING = re.compile(
    r"\b(?:next|steps?|actions?|answer|output|response|reply|json|here|following|below|final"
    r"|decision|choice|choose|choosing|call|calling|assistant|sure|okay|yes|certainly|proceed"
    r"|let me|let us|i will|i am|i need to|i want to|we will|we need to"
    rf"|(?:i|we){_APOSTROPHE}(?:ll|m|re)|let{_APOSTROPHE}s"
    r"|(?<!as )(?:i|we)\s+(?=[a-z]+\b)"
    r"|schritt|antwort|hier|étape|réponse|voici|paso|respuesta|aquí|passo|passaggio|risposta|ecco"
    r"|resposta|aqui|stap|krok|шаг|ответ)\b|下一步|回答|次の|步骤|다음",
    _ANY,
)
AFTERWARDS = re.compile(
    r"(?:is|as|was chosen as) (?:the |my |our )?(?:\w+ )?"
    r"(?:step|action|answer|output|response|reply|json|call|decision|choice)\b[^,;]{0,40}$",
    _ANY,
)
POINTING = re.compile(r"\b(?:this|that|it|these|following|below|here)\b", _ANY)
HARMLESS = re.compile(
    r"\b(?:would|could) (?:like|love|prefer|want) to\b"
    rf"|{_APOSTROPHE}d (?:like|love|prefer|want) to\b"
    r"|\b(?:that |which |as )?(?:you|the user) (?:have |had )?(?:requested|asked for|wanted)\b"
    r"|\bas requested\b|\brequested (?:json|format|step|output)\b|\bnot only\b",
    _ANY,
)
EXAMPLE = re.compile(
    r"\b(?:for example|for instance|examples?|hypothetical\w*|suppose|imagine|template|schema"
    r"|e\.g|i\.e)\b"
    r"|^\W*(?:user|human|customer|system|tool|tool result|observation|input|email|e-mail|mail"
    r"|request|history|context|event|events|log)\W*:",
    _ANY,
)
SPOKEN_OF = re.compile(
    r"\b(?:could|might|would|may|perhaps|maybe|possibl[ey]|if|unless|until|once|when|after|before"
    r"|like|such as|previous\w*|earlier|last|later|old|was|were|wrong|incorrect\w*|bad|only"
    r"|says?|said|writes?|wrote|reads|states?|stated|contains?|quotes?|quoted|quoting"
    r"|asks?|asked|tells?|told|wants?|wanted|requests?|requested|suggest\w*|replied|claims?"
    r"|not|never|cannot|avoid|instead of|rather than|refuse|reject|decline|against|without"
    r"|ignore|ignoring|skip\w*|cancel\w*|undo|revert\w*|stop\w*|abort\w*|delet\w*|remov\w*"
    r"|next time|ran|did|have|has|had|been|just|already|\w+[^e\W]ed|consider\w*"
    r"|error|errors|exception|traceback|invalid|[45]\d\d|thought|thinking|tempted"
    r"|simulat\w*|pretend\w*|mock|draft|test case|format)\b"
    rf"|n{_APOSTROPHE}t\b",
    _ANY,
)
ASKING = re.compile(
    r"\b(?:should|shall|may|can|could|do you want|would you like)\b.*\b(?:i|we|me)\b", _ANY
)
TAKEN_BACK = re.compile(
    r"\b(?:actually|wait|scratch that|on second thoughts?|never ?mind|disregard|not yet"
    r"|just kidding|ignore (?:that|this|the above)|instead|correction|sorry|mistake|hold on|no,"
    r"|the above|malicious|phishing|injection|suspicious"
    rf"|(?:do not|don{_APOSTROPHE}t) (?:run|execute|do|use|send)"
    r"|(?:i|we) (?:refuse|decline|will not|cannot|must not|should not)"
    rf"|(?:i|we) (?:won|can|shouldn|mustn|wouldn){_APOSTROPHE}t)\b",
    _ANY,
)
