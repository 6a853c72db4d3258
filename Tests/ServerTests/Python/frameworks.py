"""Drives a running server with frameworks that build on the anthropic SDK: pydantic-ai and instructor.

usage: frameworks.py CASE BASE_URL

Each case is a function below; an assertion that fails ends the program with status 1.
"""

import sys
from typing import Literal

import anthropic
import pydantic

KEY = "test-api-key-12345"


class Ticket(pydantic.BaseModel):
    """A ticket for a train."""

    seats: int = pydantic.Field(ge=1, le=9)
    kind: Literal["first", "second"]
    name: str = pydantic.Field(max_length=16)


class Seat(pydantic.BaseModel):
    """A seat; without texts, whose bounds pydantic-ai leaves out of the schema here."""

    kind: Literal["first", "second"]
    window: bool


# MARK: pydantic-ai


def agent(url, **options):
    from pydantic_ai import Agent
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    sdk = anthropic.AsyncAnthropic(base_url=url, api_key=KEY, max_retries=0, timeout=120)
    model = AnthropicModel("claude-local", provider=AnthropicProvider(anthropic_client=sdk))
    return Agent(model, model_settings={"max_tokens": 400}, **options)


def output_type(url):
    """An output type is a tool that the model is made to call."""
    result = agent(url, output_type=Ticket).run_sync("Two seats, second class, for Anna.")
    assert isinstance(result.output, Ticket), result


def native_output(url):
    """The same through `output_config.format`, where pydantic-ai knows that the model can."""
    from pydantic_ai import NativeOutput
    from pydantic_ai.profiles import ModelProfile

    made = agent(url, output_type=NativeOutput(Seat))
    made.model._profile = ModelProfile(supports_json_schema_output=True)
    assert isinstance(made.run_sync("A seat, please.").output, Seat)


def tools(url):
    """Tools are run with what the model gave for them, until it gives the output."""
    ran = []
    made = agent(url, output_type=Ticket)

    @made.tool_plain
    def seats_left(kind: Literal["first", "second"]) -> int:
        """How many seats are left.

        Args:
            kind: The class.
        """
        ran.append(kind)
        return 7

    # The model may call either; each time it is asked anew, and in the end an output has come.
    for number in range(20):
        try:
            from pydantic_ai import UsageLimits
            result = made.run_sync(f"Question {number}: a seat for Anna?", usage_limits=UsageLimits(request_limit=8))
            assert isinstance(result.output, Ticket), result
        except Exception as error:
            if type(error).__name__ != "UsageLimitExceeded":
                raise
        if ran:
            break
    assert ran and set(ran) <= {"first", "second"}, ran


def streamed(url):
    """The output while it is made."""
    import asyncio

    async def read():
        async with agent(url, output_type=Ticket).run_stream("A seat for Anna.") as result:
            return [ticket async for ticket in result.stream_output(debounce_by=None)]

    tickets = asyncio.run(read())
    assert tickets and isinstance(tickets[-1], Ticket), tickets


# MARK: instructor


def instructor_tools(url):
    """Both modes of instructor: a forced tool, whole and in partial objects."""
    import instructor

    sdk = anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0, timeout=120)
    made = instructor.from_anthropic(sdk, mode=instructor.Mode.TOOLS)
    turns = [{"role": "user", "content": "Two seats in second class for Anna."}]
    ticket = made.messages.create(
        model="claude-local", max_tokens=400, messages=turns, response_model=Ticket, max_retries=0)
    assert isinstance(ticket, Ticket), ticket
    parts = list(made.messages.create_partial(
        model="claude-local", max_tokens=400, messages=turns, response_model=Ticket, max_retries=0))
    assert parts and parts[-1].seats >= 1 and parts[-1].kind in ("first", "second"), parts


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
    print("ok", sys.argv[1])
