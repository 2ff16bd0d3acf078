"""Every name that leaves this process, in one place.

The `gen_ai` ones are those of OpenTelemetry's semantic conventions for generative AI, which are
still in development: SEMCONV is the release of the Python package they were taken from, and a test
holds them against the one that is installed.
"""

SEMCONV = "0.66b2"
SCOPE = "twelvefold"

AGENT_NAME = "gen_ai.agent.name"
CONVERSATION_ID = "gen_ai.conversation.id"
OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
RESPONSE_MODEL = "gen_ai.response.model"
TOOL_NAME = "gen_ai.tool.name"
TOOL_CALL_ID = "gen_ai.tool.call.id"
TOKEN_TYPE = "gen_ai.token.type"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS = "gen_ai.usage.cache_creation.input_tokens"
REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens"
DURATION = "gen_ai.client.operation.duration"
TOKEN_USAGE = "gen_ai.client.token.usage"
ERROR_TYPE = "error.type"

INVOKE_AGENT, CHAT, EXECUTE_TOOL = "invoke_agent", "chat", "execute_tool"

TENANT = "twelvefold.tenant"
EVENT = "twelvefold.event"
COST = "twelvefold.cost_usd"
ATTEMPT = "twelvefold.attempt"
HUMAN = "human_decision"
HUMAN_CONTACT = "twelvefold.human.contact"
HUMAN_INTENT = "twelvefold.human.intent"
HUMAN_OUTCOME = "twelvefold.human.outcome"

WAITING = "twelvefold_contacts_waiting"
OLDEST_WAIT = "twelvefold_contact_oldest_wait_seconds"
QUEUE = "twelvefold_queue_threads"
QUEUE_WAIT = "twelvefold_queue_oldest_wait_seconds"
WORKERS = "twelvefold_workers"
LAG = "twelvefold_wake_lag_seconds"
EVENTS = "twelvefold_events"
CONFLICTS = "twelvefold_conflicts"
DECISIONS = "twelvefold_decisions"
TOKENS = "twelvefold_model_tokens"
SPENT = "twelvefold_model_cost_usd"
MODEL_SECONDS = "twelvefold_model_seconds"
TOOL_SECONDS = "twelvefold_tool_seconds"
