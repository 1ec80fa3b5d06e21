"""Words for the same thing, as other tools and people use them, and ours; tried from the top, each on what came out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from choreo_bdd_steps.vocabulary.acts import METHODS

_METHODS = "|".join(METHODS)
_TIMES = r"(?: (?:within|for|not before|waiting up to) \d\S*(?: ?(?:m?s|seconds?|minutes?|milliseconds?))?\b)+"
_LASTS = r"(\b(?:within|for|before|after|up to|at most|at least|wait) \d+(?:\.\d+)?)"
_SPAN = r"(\d[\d.]*(?: ?(?:ms|milliseconds?|s|seconds?|m|minutes?)))"
_D = r"\d[\d.]*(?: ?(?:ms|milliseconds?|s|seconds?|m|minutes?))"
_VALUE = r"[A-Za-z][\w.-]*\d[\w.-]*|[A-Z][\w.-]*"
"""A bare word that is more likely a value than a part of a sentence."""
_PLACE = "(?:topic|queue|channel|stream|exchange|subject)"
_MESSAGES = "(?:messages?|events?)"
_CAME = "(?:received|receive|seen|published|sent|delivered|arrived?|arrives|comes?|appears?|appeared)"
_NEVER = (
    r"(?:(?:does|did|is|was|has|should|must|may|will|can) (?:not|never)"
    r"|(?:does|did|is|was|has|should|must)n't|never|not)"
)
OTHER_WORDS: Mapping[str, str] = MappingProxyType(
    {
        # durations
        r"(?<= )\.(?=\d+ ?[ms])": "0.",
        r"(?<= )(\d+),(?=\d+ ?[ms])": r"\1.",
        rf"{_LASTS} ?(?!ms\b|milliseconds?\b)(?i:ms|msecs?|millis(?:ecs?|econds?)?)\b": r"\1ms",
        rf"{_LASTS} ?(?!s\b|seconds?\b)(?i:s|secs?|seconds?)\b": r"\1s",
        rf"{_LASTS} ?(?!m\b|minutes?\b)(?i:m|mins?|minutes?)\b": r"\1m",
        # publishing
        r"^I (?:publish|send|emit|post|push) (?:an? |the )?(?:following )?(?:message|event|record|payload) "
        r"(?:to|on) (?:the )?(?:queue |topic |exchange |channel )?(?=\")": "I publish ",
        r"^I (?:post|push|produce|trigger|fire|raise|dispatch) (?:an? |the )?(?:message|event|record)s? ?(?:to |on )?"
        r"(?=\")": "I publish ",
        r"^I (?:trigger|fire|raise|dispatch) (?=\")": "I publish ",
        r"^(I (?:publish|send|emit) \"[^\"]*\") (?:on|to) (?:the )?(?:topic|bus|broker|transport) ([A-Za-z][\w-]*)$": (
            r"\1 on \2"
        ),
        r"^I (?:publish|send|emit) (\d+) times (\"[^\"]*\")$": r"I publish \1 \2 messages",
        r"^I (?:publish|send|emit) (\"[^\"]*\") twice$": r"I publish 2 \1 messages",
        r"^I (?:publish|send|emit) (\"[^\"]*\") (?:with )?(?:the )?headers? \"[^\"]*\" .*$": (
            r"I publish \1 as an envelope"
        ),
        r"^(I (?:publish|send|emit) \"[^\"]*\") with key ([A-Za-z][\w-]*)$": r'\1 with key "\2"',
        r"^I (?:publish|send|emit) an? (?:null|empty) (?:message|event|payload) (?:to|on) (\"[^\"]*\") "
        r"(with key \"[^\"]*\")$": (r"I publish \1 \2 and no payload"),
        r"^(?:an? |the )?(?:message |event )?(?:on )?(\"[^\"]*\") (?:is|was|has been) (?:published|sent|emitted)$": (
            r"I publish \1"
        ),
        # expecting
        rf"^(?:[Tt]hen )?(within|for) {_SPAN},? (.+)$": r"\3 \1 \2",
        rf"^(?:on |in )?(?:the )?{_PLACE} (\"[^\"]*\") {_NEVER} (?:receive|get|see|have|contain)[sd]? "
        rf"(?:an?y? )?(?:{_MESSAGES}|anything)\b": r"I expect no \1",
        rf"^(?:on |in )?(?:the )?{_PLACE} (\"[^\"]*\") (?:(?:should|must|has|have) )?"
        rf"(?:receive|get|see|has|have|contain)[sd]? (no|nothing|\d+|an?|the|one)(?: {_MESSAGES})?(?= |$)": (
            r"I expect \2 messages on \1"
        ),
        rf"^(?:on |in )?(?:the )?{_PLACE} (\"[^\"]*\") (?:is|should be|stays|remains) (?:empty|silent|quiet)\b": (
            r"I expect no \1"
        ),
        rf"^no(?:thing| {_MESSAGES}) (?:(?:should|must|may|can|will) )?(?:(?:is|are|was|were|has been|have been|be) )?"
        rf"{_CAME} (?:on|to|at|from|by|in) (?:the )?(?:{_PLACE} )?(?=\")": "I expect no ",
        rf"^(?:an? |the )?(?:message |event )?(?:on )?(\"[^\"]*\")(?: {_MESSAGES})? {_NEVER} (?:been |be )?{_CAME}\b": (
            r"I expect no \1"
        ),
        rf"^(?:an? |the )?(\"[^\"]*\") {_MESSAGES} (?:(?:should|must|will) )?(?:(?:be|is|are|was) )?{_CAME}\b": (
            r"I expect \1"
        ),
        r"^(?:[Ee]ventually|[Ff]inally|[Ss]oon),? (?=I expect )": "",
        r"^(I expect \"[^\"]*\"(?: on [A-Za-z][\w-]*)?) for (?=\d)": r"\1 within ",
        r"^I expect (?:an?|the) (?=\"[^\"]*\"(?! (?:message|event)))": "I expect ",
        r"^no (\"[^\"]*\") (?:messages? |events? )?(?:is|are|should be|was) expected\b": r"I expect no \1",
        rf"^I expect (\"[^\"]*\") (?:to not|not to|to never|never to) (?:be |have been )?{_CAME}\b": r"I expect no \1",
        r"^I expect (?:up to|no more than|not more than|an? maximum of|maximum|max) (\d+) ": r"I expect at most \1 ",
        r"^I expect (?:no fewer than|no less than|not less than|not fewer than|an? minimum of|minimum|min) (\d+) ": (
            r"I expect at least \1 "
        ),
        r"^I expect (\"[^\"]*\") between (\d+) and (\d+) times": r"I expect between \2 and \3 \1 messages",
        r"^I expect no (?:second|further|more|another) (?=\")": "I expect no other ",
        r"^I expect a (?:second|further|new) (?=\")": "I expect another ",
        rf"^the (\w+) {_MESSAGES} (?:on|of|to) (?:the )?(?:{_PLACE} )?(\"[^\"]*\") ": r"the \1 \2 message ",
        r" takes (?:no more than|not more than|up to) (?=\d)| (?:does not|doesn't) take more than (?=\d)": (
            " takes at most "
        ),
        r" takes (?:no less than|not less than) (?=\d)| (?:does not|doesn't) take less than (?=\d)": " takes at least ",
        r"^the service (?:answered|answers) (\"[^\"]*\") (?:zero|0|no) times?$": r"the service never answered \1",
        r"^I (?:expect|wait) (?:that |until )?(?:an? |the )?(?:message )?(?:on )?(\"[^\"]*\")"
        r"(?: to be| is| has been| was)? (?:received|published|sent|seen|there)": r"I expect \1",
        r"^I (?:expect|wait) (?:that |until )(?:an? |the )?(?:message )?(?:on )?(?=\")": "I expect ",
        r"^I expect to (?:receive|get|see) ": "I expect ",
        r"^I expect (\d+) (?:messages?|events?) (?:on |to )?(\"[^\"]*\")": r"I expect exactly \1 \2 messages",
        r"^I expect (\d+) (\"[^\"]*\")(?: messages?)?$": r"I expect exactly \1 \2 messages",
        r"^I expect (?:only|just|exactly) (?:one|a single|1) (\"[^\"]*\")(?: message)?": (
            r"I expect exactly 1 \1 message"
        ),
        r"^I expect a single (?:message on )?(\"[^\"]*\")": r"I expect exactly 1 \1 message",
        r"^I expect (\"[^\"]*\") (?:only|just) once": r"I expect exactly 1 \1 message",
        r"^I expect (?:only|just) (\"[^\"]*\")$": r"I expect exactly 1 \1 message",
        r"^no (?:message |event )?(?:on )?(\"[^\"]*\") (?:message |event )?(?:is|should be|was) "
        r"(?:received|seen|published|sent)(?: within| for)?": r"I expect no \1 for",
        r"^I expect nothing$": "I expect nothing else for 200ms",
        r"^(?:I expect silence|there (?:is|are|should be) (?:no (?:messages?|events?)|nothing)) "
        r"(?:on|to) (\"[^\"]*\")": (r"I expect no \1"),
        r"^there (?:is|should be) an? (?:message|event) (?:on|to) (?=\")": "I expect ",
        r"^there (?:are|should be) (\d+) (?:messages?|events?) (?:on|to) (\"[^\"]*\")": (
            r"I expect exactly \1 \2 messages"
        ),
        r"^(?:an? |the )(?:message|event) (?:arrives|comes|appears|is received) (?:on|to|at) (?=\")": "I expect ",
        r"^(?:an? |the )?(?:message |event )?(?:on )?(\"[^\"]*\") (?:arrives|comes|appears|follows)\b": r"I expect \1",
        r"^the service (?:publishes|sends|emits|responds with|replies with) (?=\")": "I expect ",
        r"^the (?:reply|response|answer) (?:is|should be|was) received": "I expect a reply",
        r"^I (?:receive|get|expect) (?:an? |the )?(?:HTTP )?status(?: code)?(?: of)? (\d{3})$": (
            r"the response has status \1"
        ),
        r"^I call \"([A-Z]+)\" (?=\")": r"I call \1 ",
        rf"^I (?:make|send|do|perform) an? ({_METHODS}) request to (\"[^\"]*\")"
        r"(?: with (?:the )?(?:body|payload|data))?$": (r"I call \1 \2"),
        r"^(I expect \"[^\"]*\") (?:if|when|with|whose|that has|which has) (?:the )?(?=\S+ (?:is|has|=|>|<))": (
            r"\1 where "
        ),
        r"^(I expect \"[^\"]*\") (?:with|that has|which has|having) (?!key |schema )([A-Za-z_][\w.]*) (?=[\"\d])": (
            r"\1 where \2 is "
        ),
        r"^(I expect \"[^\"]*\") matching$": r"\1",
        r"^(I expect \"[^\"]*\") to match (?:the )?schema (?=\")": r"\1 matching schema ",
        r"^(I expect \"[^\"]*\") (?:at most|within|no later than|not later than) (\d\S*) after (\"[^\"]*\")$": (
            r"\1 within \2 of \3"
        ),
        r"^(I expect \"[^\"]*\") (?:before|no later than|not later than) (?=\d)": r"\1 within ",
        r"^(I expect \"[^\"]*\") after (?=\d)": r"\1 not before ",
        r"^(?:I expect |the )?(?:the )?(?:following )?(?:messages|events) (?:arrive |come )?in (?:this |the |that )?"
        r"(?:following )?order$": "I expect in order",
        # keeping, variables, waiting
        r"^I (?:save|store|remember|capture|keep) (?:the )?\"?([\w.\[\]]+)\"? (?:of|from) (\"[^\"]*\") as (\w+)$": (
            r'I keep "\1" of \2 as \3'
        ),
        r"^(?:let )?(\w+) (?:=|be) (?=\")": r"\1 is ",
        r"^\"([A-Za-z_]\w*)\" is (?=[\"\d])": r"\1 is ",
        r"^(?:I have |given )?(?:an? |the )?variable \"?(\w+)\"? "
        r"(?:is set to|set to|with value|with the value|equals|=) ": (r"\1 is "),
        r"^I define (?:the variable )?\"?(\w+)\"? (?:as|to be) ": r"\1 is ",
        r"^(?:I )?(?:pause|sleep|wait)(?: for)? (?=\d\S*(?: \w+)?$)": "I wait ",
        # stand-ins and transports
        r"^an? (?:mock|stub|fake|service)(?: service)? (?:listening on|for) (\"[^\"]*\") (?:that |which )?"
        r"(?:replies|answers|responds|returns)(?: with)? (?=\")": r"a service that answers \1 with ",
        r"^an? (?:mock|stub|fake|service)(?: service)? that (?:responds|replies) to (\"[^\"]*\") (?:on|with) (?=\")": (
            r"a service that answers \1 with "
        ),
        r"^(?:the default (?:bus|broker)|the (?:bus|broker|transport)) is ([A-Za-z][\w-]*)$": (
            r"the default transport is \1"
        ),
        r"^I (?:use|am using|am connected to|connect to) (?:the )?"
        r"(?:(?:transport|bus|broker) (?=\w)|(?=(?:nats|kafka|rabbitmq|redis|memory)$))([A-Za-z][\w-]*)$": (
            r"the default transport is \1"
        ),
        r"^I expect \"[^\"]*\" (?:and )?(?:then|before|followed by) \"[^\"]*\"$": "I expect in order",
        r"^(?:it takes|the latency (?:is|of)) (?:less than|at most|under|below) (\d\S*) "
        r"(from \"[^\"]*\" to \"[^\"]*\")$": (r"\2 takes at most \1"),
        r"^the latency of (\"[^\"]*\") is (?:less than|at most|under|below) (?=\d)": r"I expect \1 within ",
        # the same, in general
        r"^I expect nothing (?:on|to|at) (\"[^\"]*\")": r"I expect no \1",
        r"^I expect (exactly|at least|at most) (\d+) times (\"[^\"]*\")": r"I expect \1 \2 \3 messages",
        r"^(I (?:expect|see|receive|get) \"[^\"]*\") (?:exactly )?once\b": r"\1 exactly 1 time",
        r"^(I (?:expect|see|receive|get) \"[^\"]*\") (?:exactly )?twice\b": r"\1 exactly 2 times",
        r"^(I (?:expect|see|receive|get) \"[^\"]*\") (?=\d+ times?\b)": r"\1 exactly ",
        r"^I (?:publish|send|emit) (\"[^\"]*\") (\d+) times?$": r"I publish \2 \1 messages",
        r"^I (expect|publish|send) (?:an? )?(\"[^\"]*\") (?:message|event)(?= |$)": r"I \1 \2",
        r"^(I publish (?:an? )?(?:message )?\"[^\"]*\") with (?:the )?(?:payload|body|content|data)$": r"\1",
        r"^(I expect \"[^\"]*\") (?:with|to have|having|to contain|containing|which has|that has)$": r"\1",
        r"^(I expect \"[^\"]*\".*?) in (?:less|no more|fewer) than (?=\d)": r"\1 within ",
        r"^(I expect no \"[^\"]*\") for$": r"\1",
        r"^I wait for (?:an? |the )?(?:message )?(?:on )?(?=\")": "I expect ",
        r"^I sleep (?:for )?(?=\d)": "I wait ",
        r"^the (?:latency|time) (from \"[^\"]*\" to \"[^\"]*\") is (?:below|under|at most|less than) ": (
            r"\1 takes at most "
        ),
        r"^an? (?:mock|stub|fake)(?: service)? (?:that|which) (?:replies to|answers|responds to) (\"[^\"]*\") with ": (
            r"a service that answers \1 with "
        ),
        r"^(the \"[^\"]*\") payload (?:is|has|contains)$": r"\1 message has",
        r"\bI expect (?:nothing|no) (?:more|further|other|else)(?: messages?| events?)? (?:for|within) (?=\d)": (
            "I expect nothing else for "
        ),
        r"\bI expect no (?:more|further|additional|other) (?:(?:messages?|events?) )?(?:on |to )?(?=\")": (
            "I expect no other "
        ),
        r"\bI expect (\d+)(?: to | ?- ?|\.\.)(\d+) (?=\")": r"I expect between \1 and \2 ",
        r"(?<=\") (?:not earlier than|no earlier than|not sooner than|no sooner than|after at least) (?=\d)": (
            " not before "
        ),
        r"^(I expect (?:exactly|at most|between) .*) waiting up to (?=\d)": r"\1 within ",
        r"^(the (?:.*\" message|reply)) (?:(?:does not|doesn't) (?:have|contain)|hasn't|has no)\b": r"\1 has not",
        r"^I publish (?:a )?tombstone (?:on |to |for )?(\"[^\"]*\") with key (\"[^\"]*\")$": (
            r"I publish \1 with key \2 and no payload"
        ),
        r"(?<=\") (?:and|with) (?:an |a )?(?:empty|null|no) (?:payload|body|value)$": " and no payload",
        r"^(?:an? |the )?(?:message |event )?(?:on )?(\"[^\"]*\") (?:should be|is) (?:received|seen)": r"I expect \1",
        r"^I wait (?:up to |for )*(\d\S*) for (?:an? |the )?(?:message )?(?:on )?(\".*\")$": r"I expect \2 within \1",
        rf"^I (?:send|make|do|perform|issue|call|request)? ?(?:an? )?(?:HTTP )?({_METHODS})(?: request| call)?"
        rf"(?: to| on| at)? (?=\")": r"I call \1 ",
        r"^the (?:response |HTTP )?(?:status(?: code)?|code)(?: of the response)? (?:should be|is|equals) (\d{3})$": (
            r"the response has status \1"
        ),
        r"^the response (?:body )?(?:should )?(?:contains?|have|matches|includes?)$": "the response has",
        r"\bI (?:should|must|will|would) (?:not|never) (?:expect|receive|get|see)\b": "I expect no",
        r"\bI (?:do not|don'?t|never) (?:expect|receive|get|see)\b": "I expect no",
        r"\b(?:should|must|will|would) (?=\w)": "",
        r"\bI (?:receive|get|see|await)\b": "I expect",
        r"\bI (?:send|emit|produce)\b": "I publish",
        r"\b(I expect) (?:an?|the) (?:answer|response)\b": r"\1 a reply",
        r"\bI (publish|expect(?: no)?|request) (?:an? |the )?(?:message|event|topic|anything)s?(?: on| to)? (?=\")": (
            r"I \1 "
        ),
        r"(?<=\w) in (?=\d)": " within ",
        r"\b(contains|equals)\b(?=:?$)": "has",
        r"\b(where \S+) (?:equals|==|=) ": r"\1 is ",
        r"\b(on|transport is) \"([A-Za-z][\w-]*)\"": r"\1 \2",
        r"(?<=\") (?:to|via|over|from) (?=[A-Za-z][\w-]*(?: (?:where|within|for|not before|waiting)\b|$))(?!file\b)": (
            " on "
        ),
        r"\b(\d+) (?:messages?|events?) (\"[^\"]*\")": r"\1 \2 messages",
        r"(\bI expect no .*) within (?=\d)": r"\1 for ",
        r"^I expect no (?:messages?|events?) (?:on |to )?(?=\")": "I expect no ",
        r"^(I expect no (?:other )?(?=\")(?!.* for \d).*)$": r"\1 for 200ms",
        rf"^(I expect .*?)( not before {_D})( within {_D}(?: of \"[^\"]*\")?)": r"\1\3\2",
        rf"^(I expect .*?)( waiting up to {_D})( (?:within|not before) {_D}(?: of \"[^\"]*\")?)"
        rf"( not before {_D})?": r"\1\3\4\2",
        rf"^(I expect .*?)({_TIMES})( on [A-Za-z][\w-]*)": r"\1\3\2",
        rf"^(I expect .*?)({_TIMES})( where .+)$": r"\1\3\2",
        r"^(?:a|the) (?:message|event) is (?:published|sent) (?:to|on) (\"[^\"]*\")$": r"I publish \1",
        r"^I set (?:the variable )?\"?(\w+)\"? to ": r"\1 is ",
        r"^the variable \"?(\w+)\"? is ": r"\1 is ",
        rf"^([a-z]\w*)(?: is:?|:| :?=) ?(?:'([^'\"]*)'|\"([^\"]*)\"|({_VALUE}))$": r'\1 is "\2\3\4"',
        r"^(?!(?:the|an?|my|our|its?) )([a-z]\w*) ([a-z]\w*) is (?=\"|-?\d)": r"\1_\2 is ",
        r"^I expect (\"[^\"]*\")(.*?) (exactly|at least|at most) (\d+) times?": r"I expect \3 \4 \1 messages\2",
        r"^I publish (\"[^\"]*\") with headers?$": r"I publish \1 as an envelope",
        r"^(I publish .*) (?:to|on) (?:the )?(?:queue|topic|exchange|channel) (\"[^\"]*\")$": r"I publish \2",
    }
)
"""A pattern of theirs, and what ours puts there."""
